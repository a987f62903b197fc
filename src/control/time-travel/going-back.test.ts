import assert from 'node:assert/strict';
import test from 'node:test';
import { testSettings } from '#control/elbv2/test-region.ts';
import { put } from '#model/change.ts';
import { restore } from './restore.ts';
import { revert } from './revert.ts';
import { JournalRegion, refused, told } from './test-journal-region.ts';
import { undelete } from './undelete.ts';

/** A load balancer that serves, with a listener, a target group and two targets. */
async function served(region: JournalRegion, name = 'web', port = 80) {
  if (region.view.count('node') === 0) await region.admit('node-1');
  const loadBalancer = await region.loadBalancer(name);
  const group = await region.targetGroup(`${name}-targets`);
  const listener = await region.listener(loadBalancer, group, port);
  await region.register(group, '10.0.0.1', '10.0.0.2');
  await region.serve('node-1');
  return { loadBalancer, group, listener };
}

const idOf = (arn: string) => arn.slice(arn.lastIndexOf('/') + 1);
const at = (revision: number) => ({ kind: 'revision', revision }) as const;

test('revert: a deletion is taken back whole, with addresses, names and registrations', async (context) => {
  const region = new JournalRegion(context);
  const { loadBalancer, group } = await served(region);
  const before = region.state();
  await region.call('DeleteLoadBalancer', { LoadBalancerArn: loadBalancer });
  await region.call('DeleteTargetGroup', { TargetGroupArn: group });
  const last = region.revision;
  const { result, conflicts, changes } = await told(
    revert(region.travel, { from: last - 1, to: last, reason: 'oops' }),
  );
  assert.deepEqual(region.state(), before);
  assert.deepEqual([conflicts, changes], [[], []]);
  assert.deepEqual(result, {
    type: 'plan',
    done: true,
    revision: last + 1,
    harmed: 0,
    counts: {
      rule: { putBack: 1, takenOut: 0, changed: 0 },
      listener: { putBack: 1, takenOut: 0, changed: 0 },
      placement: { putBack: 1, takenOut: 0, changed: 0 },
      'load-balancer': { putBack: 1, takenOut: 0, changed: 0 },
      target: { putBack: 2, takenOut: 0, changed: 0 },
      'target-group': { putBack: 1, takenOut: 0, changed: 0 },
    },
    conflicts: 0,
    notes: [],
  });
  const [placement] = region.view.all('placement');
  assert.equal(placement!.document.state.kind, 'pending', 'its node says when it serves again');
  const [header] = (await region.journal.history()).headersFrom(last + 1);
  assert.deepEqual(header!.cause, {
    principal: 'operator',
    channel: 'restore',
    action: 'Revert',
    requestId: 'request-1',
    reason: `revert of ${last - 1}..${last}: oops`,
  });
});

test('revert: a dry run tells every change and writes nothing', async (context) => {
  const region = new JournalRegion(context);
  const { loadBalancer, group } = await served(region);
  const { revision } = region;
  const { result, changes } = await told(revert(region.travel, { from: revision - 1, to: revision, dryRun: true }));
  assert.equal(region.revision, revision);
  assert.deepEqual([result.done, result.revision, result.harmed], [false, undefined, 1]);
  assert.deepEqual(
    changes.map(({ did, label, members }) => [did, label, members.length]),
    [
      ['removed', '10.0.0.1:8080 in 111111111111/web-targets', 5],
      ['removed', '10.0.0.2:8080 in 111111111111/web-targets', 5],
    ],
  );
  await region.call('DeleteLoadBalancer', { LoadBalancerArn: loadBalancer });
  const back = await told(undelete(region.travel, { arn: loadBalancer, dryRun: true }));
  assert.deepEqual(
    back.changes.map(({ kind, did, arn }) => [kind, did, arn?.split('/').length]),
    [
      ['load-balancer', 'added', 4],
      ['placement', 'added', undefined],
      ['listener', 'added', 5],
      ['rule', 'added', 6],
    ],
  );
  assert.equal(group.includes('web-targets'), true);
});

test('revert: a revert is taken back by a revert', async (context) => {
  const region = new JournalRegion(context);
  const { loadBalancer } = await served(region);
  await region.call('DeleteLoadBalancer', { LoadBalancerArn: loadBalancer });
  const [gone, deleted] = [region.state(), region.revision];
  await told(revert(region.travel, { from: deleted, to: deleted }));
  const back = region.state();
  await told(revert(region.travel, { from: deleted + 1, to: deleted + 1 }));
  assert.deepEqual(region.state(), gone);
  await told(revert(region.travel, { from: deleted + 1, to: deleted + 2 }));
  assert.deepEqual(region.state(), gone, 'both together did nothing');
  await told(revert(region.travel, { from: deleted + 2, to: deleted + 2 }));
  assert.deepEqual(region.state(), back);
  const { result } = await told(revert(region.travel, { from: deleted, to: deleted }));
  assert.deepEqual([result.done, result.revision, result.notes], [false, undefined, ['Nothing to put back.']]);
});

test('revert: a deregistration is taken back while the targets drain, and after', async (context) => {
  const region = new JournalRegion(context);
  const { group } = await served(region);
  const before = region.state();
  for (const hasDrained of [false, true]) {
    await region.deregister(group, '10.0.0.1', '10.0.0.2');
    const { revision } = region;
    if (hasDrained) {
      await region.drain();
      assert.equal(region.view.count('target'), 0);
    }
    await told(revert(region.travel, { from: revision, to: revision }));
    assert.deepEqual(region.state(), before);
  }
});

test('revert: later good changes stay, and what was changed twice is a conflict that can be decided', async (context) => {
  const region = new JournalRegion(context);
  const { loadBalancer } = await served(region);
  const tag = (Key: string, Value: string) =>
    region.call('AddTags', { ResourceArns: [loadBalancer], Tags: [{ Key, Value }] });
  const tags = () =>
    Object.fromEntries([...region.view.all('load-balancer')][0]!.document.tags.map((t) => [t.key, t.value]));
  await tag('team', 'video');
  await region.call('AddTags', {
    ResourceArns: [loadBalancer],
    Tags: [
      { Key: 'team', Value: 'wrong' },
      { Key: 'cost', Value: 'wrong' },
    ],
  });
  const wrong = region.revision;
  await tag('team', 'audio');
  await tag('later', 'good');
  const request = { from: wrong, to: wrong };
  const plan = await told(revert(region.travel, { ...request, dryRun: true }));
  const [conflict] = plan.conflicts;
  assert.deepEqual(
    [conflict!.why, conflict!.members, conflict!.key],
    ['changed-since', ['tags.team'], `load-balancer/${idOf(loadBalancer)}`],
  );
  assert.match(conflict!.explanation, /^load balancer 111111111111\/web was changed since, last in revision \d+$/);
  const valuesOf = (side: unknown) =>
    (side as { tags: { key: string; value: string }[] }).tags.find((t) => t.key === 'team')?.value;
  assert.deepEqual([conflict!.base, conflict!.theirs, conflict!.ours].map(valuesOf), ['video', 'wrong', 'audio']);
  await told(revert(region.travel, request));
  assert.deepEqual(tags(), { team: 'audio', later: 'good' }, 'the rest is done');
  const again = await told(revert(region.travel, { ...request, keep: 'ours' }));
  assert.deepEqual([again.result.done, again.result.conflicts], [false, 0]);
  await told(revert(region.travel, { ...request, keep: 'ours', keepByKey: new Map([[conflict!.key, 'base']]) }));
  assert.deepEqual(tags(), { team: 'video', later: 'good' });
  const error = await refused(revert(region.travel, { ...request, keepByKey: new Map([['listener/x', 'base']]) }), 400);
  assert.equal(error, "keep: 'listener/x' is not among what is reverted");
});

test('revert: with only, the rest of the transaction stays as it is', async (context) => {
  const region = new JournalRegion(context);
  const [web, shop] = [await served(region, 'web'), await served(region, 'shop')];
  const before = region.state();
  const { loadBalancers, groups } = { loadBalancers: [web, shop], groups: [web.group, shop.group] };
  // One transaction that takes everything, as no call of the API could.
  await region.journal.transact(
    { principal: '111111111111/ada', channel: 'api', action: 'Test', requestId: '' },
    (view) => ({
      ok: true,
      value: {
        changes: (['rule', 'listener', 'placement', 'load-balancer', 'target', 'target-group'] as const).flatMap(
          (kind) => [...view.all(kind)].map(({ id, revision }) => ({ kind, id, before: revision, after: null })),
        ),
        output: 0,
      },
    }),
  );
  assert.equal(loadBalancers.length + groups.length, 4);
  const { revision } = region;
  const { result } = await told(revert(region.travel, { from: revision, to: revision, only: [web.loadBalancer] }));
  assert.deepEqual(result.counts['target-group'], { putBack: 1, takenOut: 0, changed: 0 }, 'its rule needs the group');
  assert.deepEqual(result.counts.target, { putBack: 2, takenOut: 0, changed: 0 });
  const expected = Object.entries(before).filter(
    ([key]) =>
      !key.includes(idOf(shop.loadBalancer)) && !key.includes(idOf(shop.group)) && !key.includes(idOf(shop.listener)),
  );
  const shopRule = [...expected].find(
    ([key, document]) =>
      key.startsWith('rule/') && (document as { listenerId: string }).listenerId === idOf(shop.listener),
  );
  assert.deepEqual(region.state(), Object.fromEntries(expected.filter((entry) => entry !== shopRule)));
  assert.match(
    await refused(revert(region.travel, { from: revision, to: revision, only: ['arn:x'] }), 400),
    /^'arn:x' is not the ARN/,
  );
});

test('revert: what would break a law stays as it is, and says what stands in the way', async (context) => {
  const region = new JournalRegion(context);
  const { loadBalancer, group, listener } = await served(region);
  await region.call('DeleteListener', { ListenerArn: listener });
  const { revision } = region;
  const again = await region.listener(loadBalancer, group);
  const port = await told(revert(region.travel, { from: revision, to: revision }));
  assert.deepEqual([port.result.done, port.conflicts.map(({ why }) => why)], [false, ['port-taken', 'parent-missing']]);
  assert.equal(
    port.conflicts[0]!.explanation,
    'listener web :80 cannot come back: another listener web :80 has its port now',
  );

  await region.call('DeleteListener', { ListenerArn: again });
  await region.call('DeleteTargetGroup', { TargetGroupArn: group });
  const missing = await told(revert(region.travel, { from: revision, to: revision }));
  assert.deepEqual(
    missing.conflicts.map(({ why }) => why),
    ['parent-missing', 'part-missing'],
  );
  assert.match(
    missing.conflicts[0]!.explanation,
    /^default rule of web :80 cannot be without target group 111111111111\/web-targets/,
  );

  await region.call('DeleteLoadBalancer', { LoadBalancerArn: loadBalancer });
  const deleted = region.revision;
  await region.loadBalancer('web');
  const name = await told(revert(region.travel, { from: deleted, to: deleted }));
  assert.deepEqual([name.result.done, name.conflicts.map(({ why }) => why)], [false, ['name-taken', 'parent-missing']]);
});

test('revert: a target group that another load balancer has by now stays with that one', async (context) => {
  const region = new JournalRegion(context);
  const { group, listener } = await served(region);
  await region.call('DeleteListener', { ListenerArn: listener });
  const { revision } = region;
  await region.listener(await region.loadBalancer('other'), group);
  const { result, conflicts } = await told(revert(region.travel, { from: revision, to: revision }));
  assert.deepEqual(
    [result.done, conflicts.map(({ kind, why }) => [kind, why])],
    [
      false,
      [
        ['rule', 'still-used'],
        ['listener', 'part-missing'],
      ],
    ],
  );
  assert.match(conflicts[0]!.explanation, /: default rule of other :80 of another load balancer uses its target group/);
});

test('restore: targets that drain do not hold back a target group that was not there yet', async (context) => {
  const region = new JournalRegion(context);
  await region.admit('node-1');
  const { revision } = region;
  const { group } = await served(region);
  await region.deregister(group, '10.0.0.1');
  const { conflicts } = await told(restore(region.travel, { at: at(revision) }));
  assert.deepEqual(conflicts, []);
  assert.deepEqual([region.view.count('target-group'), region.view.count('target')], [0, 0]);
});

test('revert: a load balancer that others have built on since is not taken out', async (context) => {
  const region = new JournalRegion(context);
  await region.admit('node-1');
  const loadBalancer = await region.loadBalancer('web');
  const made = region.revision;
  await region.serve('node-1');
  await region.listener(loadBalancer, await region.targetGroup('targets'));
  const before = region.state();
  const { result, conflicts } = await told(revert(region.travel, { from: made, to: made }));
  assert.equal(result.done, false);
  assert.deepEqual(
    conflicts.map(({ kind, why }) => [kind, why]),
    [
      ['load-balancer', 'still-used'],
      ['placement', 'still-used'],
    ],
  );
  assert.match(conflicts[0]!.explanation, /^load balancer 111111111111\/web stays, because listener web :80 needs it$/);
  assert.deepEqual(region.state(), before);
});

test('revert: who comes back to a taken address gets another', async (context) => {
  const region = new JournalRegion(context);
  const { loadBalancer } = await served(region);
  const [was] = [...region.view.all('placement')].map(({ document }) => document);
  await region.call('DeleteLoadBalancer', { LoadBalancerArn: loadBalancer });
  const { revision } = region;
  await region.loadBalancer('other');
  // The service keeps addresses for whoever had them; here it is taken all the same.
  await region.step((view) => {
    const [other] = view.all('placement');
    return [
      put(view, 'placement', other!.id, { ...other!.document, address: was!.address, state: { kind: 'pending' } }),
    ];
  });
  const { result, conflicts } = await told(revert(region.travel, { from: revision, to: revision }));
  assert.deepEqual(
    conflicts.map(({ why }) => why),
    ['address-taken'],
  );
  assert.match(
    conflicts[0]!.explanation,
    /^address of 111111111111\/web on node-1 at \S+ cannot come back: it is the address of 111111111111\/other on node-1 at \S+ now$/,
  );
  assert.deepEqual(result.notes, ['111111111111/web could not have the former addresses and got new ones.']);
  const addresses = [...region.view.all('placement')].map(({ document }) => document.address);
  assert.equal(new Set(addresses).size, 2);
  assert.equal(region.view.get('placement', `${idOf(loadBalancer)}/node-1`)?.state.kind, 'pending');
});

test('revert: unknown revisions, and ranges that are none, are refused', async (context) => {
  const region = new JournalRegion(context);
  await served(region);
  const { revision } = region;
  assert.match(
    await refused(revert(region.travel, { from: revision + 1, to: revision + 1 }), 404),
    /there is no revision/,
  );
  assert.match(await refused(revert(region.travel, { from: 0, to: 1 }), 404), /nothing before it/);
  assert.match(await refused(revert(region.travel, { from: 2, to: 1 }), 400), /ends before it begins/);
  assert.equal(region.revision, revision);
});

test('revert: nodes stay, whatever is reverted', async (context) => {
  const region = new JournalRegion(context);
  await region.admit('node-1');
  const { result } = await told(revert(region.travel, { from: 1, to: 1 }));
  assert.deepEqual(result.notes, [
    '1 change of nodes, principals, access keys or the history itself left as they are.',
    'Nothing to put back.',
  ]);
  assert.equal(region.view.count('node'), 1);
});

test('restore: everything is as it was at the moment, and nothing conflicts', async (context) => {
  const region = new JournalRegion(context);
  const { loadBalancer, group } = await served(region);
  const [before, revision, timeMs] = [region.state(), region.revision, region.nowMs];
  region.nowMs += 1_000;
  await region.call('AddTags', { ResourceArns: [group], Tags: [{ Key: 'k', Value: 'v' }] });
  await region.call('DeleteLoadBalancer', { LoadBalancerArn: loadBalancer });
  await region.call('DeleteTargetGroup', { TargetGroupArn: group });
  await served(region, 'later', 81);
  const wrecked = region.state();
  const { result, conflicts } = await told(restore(region.travel, { at: { kind: 'time', timeMs } }));
  assert.deepEqual(region.state(), before);
  assert.deepEqual([conflicts, result.done, result.harmed], [[], true, 1]);
  assert.deepEqual(result.notes, ['Nodes, principals and access keys stay as they are.']);
  await told(revert(region.travel, { from: region.revision, to: region.revision }));
  assert.deepEqual(region.state(), wrecked, 'a restore can be taken back');
  await told(restore(region.travel, { at: at(revision) }));
  const nothing = await told(restore(region.travel, { at: at(revision) }));
  assert.deepEqual([nothing.result.done, nothing.result.revision], [false, undefined]);
});

test('restore: only a part goes back: a resource with what it needs, or an account', async (context) => {
  const region = new JournalRegion(context);
  const web = await served(region, 'web');
  region.account = '222222222222';
  const shop = await served(region, 'shop');
  const { revision } = region;
  const before = region.state();
  for (const { loadBalancer, group } of [shop, web]) {
    await region.call('DeleteLoadBalancer', { LoadBalancerArn: loadBalancer });
    await region.call('DeleteTargetGroup', { TargetGroupArn: group });
    region.account = '111111111111';
  }
  await told(restore(region.travel, { at: at(revision), account: '222222222222' }));
  assert.deepEqual(
    [...region.view.all('load-balancer')].map(({ document }) => document.name),
    ['shop'],
  );
  assert.equal(region.view.count('target'), 2);
  await told(restore(region.travel, { at: at(revision), only: [web.loadBalancer] }));
  assert.deepEqual(region.state(), before);
  assert.match(await refused(restore(region.travel, { at: at(revision + 100) }), 404), /there is no revision/);
  assert.match(await refused(restore(region.travel, { at: { kind: 'time', timeMs: 1 } }), 404), /before the first/);
});

test('restore: changes that come in while the past is read are gone back on as well', async (context) => {
  const region = new JournalRegion(context);
  const { group } = await served(region);
  const [before, revision] = [region.state(), region.revision];
  const restored = told(restore(region.travel, { at: at(revision) }));
  await Promise.all(Array.from({ length: 20 }, (_, index) => region.register(group, `10.0.1.${index + 1}`)));
  await restored;
  await told(restore(region.travel, { at: at(revision) }));
  assert.deepEqual(region.state(), before);
});

test('undelete: a load balancer that a tool took apart comes back whole', async (context) => {
  const region = new JournalRegion(context);
  const { loadBalancer, group, listener } = await served(region);
  const before = region.state();
  await region.deregister(group, '10.0.0.1', '10.0.0.2');
  await region.drain();
  await region.call('DeleteListener', { ListenerArn: listener });
  await region.call('DeleteLoadBalancer', { LoadBalancerArn: loadBalancer });
  await region.call('DeleteTargetGroup', { TargetGroupArn: group });
  const { result } = await told(undelete(region.travel, { arn: loadBalancer }));
  assert.deepEqual(region.state(), before);
  assert.deepEqual(result.notes, [
    'Its listener was deleted shortly before it, and comes back with it.',
    '2 targets deregistered shortly before the group was deleted come back with it.',
    'Target group 111111111111/web-targets was deleted too, and comes back with it.',
  ]);
});

test('undelete: what another deleted, or long before, stays deleted', async (context) => {
  const region = new JournalRegion(context);
  const { loadBalancer, listener } = await served(region);
  region.caller = 'grace';
  await region.call('DeleteListener', { ListenerArn: listener });
  region.caller = 'ada';
  await region.call('DeleteLoadBalancer', { LoadBalancerArn: loadBalancer });
  const { result } = await told(undelete(region.travel, { arn: loadBalancer }));
  assert.deepEqual([result.done, result.notes, region.view.count('listener')], [true, [], 0]);
  await told(undelete(region.travel, { arn: listener }));
  assert.equal(region.view.count('rule'), 1);
  await region.call('DeleteListener', { ListenerArn: listener });
  region.nowMs += 3_600_001;
  await region.call('DeleteLoadBalancer', { LoadBalancerArn: loadBalancer });
  await told(undelete(region.travel, { arn: loadBalancer }));
  assert.equal(region.view.count('listener'), 0);
});

test('undelete: as it was at a moment', async (context) => {
  const region = new JournalRegion(context);
  const { loadBalancer, listener } = await served(region);
  const { revision } = region;
  await region.call('AddTags', { ResourceArns: [loadBalancer], Tags: [{ Key: 'k', Value: 'v' }] });
  await region.call('DeleteLoadBalancer', { LoadBalancerArn: loadBalancer });
  await told(undelete(region.travel, { arn: loadBalancer, at: at(revision) }));
  assert.deepEqual(region.view.get('load-balancer', idOf(loadBalancer))?.tags, []);
  assert.equal(region.view.count('listener'), 1);
  await region.call('DeleteLoadBalancer', { LoadBalancerArn: loadBalancer });
  assert.match(
    await refused(undelete(region.travel, { arn: loadBalancer, at: at(1) }), 404),
    /was not there at revision 1$/,
  );
  assert.match(
    await refused(undelete(region.travel, { arn: listener }), 409),
    /^its load balancer \w+ is deleted as well/,
  );
});

test('undelete: what is there, and what never was, is refused', async (context) => {
  const region = new JournalRegion(context);
  const { loadBalancer } = await served(region);
  assert.match(await refused(undelete(region.travel, { arn: loadBalancer }), 409), /is there: nothing to undelete$/);
  const never = loadBalancer.replace(/.$/, 'f');
  assert.match(await refused(undelete(region.travel, { arn: never }), 404), /^there never was a load balancer/);
  const elsewhere = loadBalancer.replace(testSettings.region, 'mars-1');
  assert.match(await refused(undelete(region.travel, { arn: elsewhere }), 400), /is of region mars-1/);
});

test('undelete: a load balancer gets its address back although others were made since', async (context) => {
  const region = new JournalRegion(context);
  const { loadBalancer } = await served(region);
  const [address] = [...region.view.all('placement')].map(({ document }) => document.address);
  await region.call('DeleteLoadBalancer', { LoadBalancerArn: loadBalancer });
  for (let count = 0; count < 100; count += 1) await region.loadBalancer(`other-${count}`);
  const { result } = await told(undelete(region.travel, { arn: loadBalancer }));
  assert.equal(result.conflicts, 0);
  assert.equal(region.view.get('placement', `${idOf(loadBalancer)}/node-1`)?.address, address);
});
