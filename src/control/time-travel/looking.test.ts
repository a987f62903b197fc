import assert from 'node:assert/strict';
import test from 'node:test';
import { testSettings } from '#control/elbv2/test-region.ts';
import { put } from '#model/change.ts';
import type { BlameHeader, BlameLine, DiffHeader, LogEntry, ResourceChange } from '#model/history.ts';
import { type Lines, type LogRequest, Looking } from './looking.ts';
import { revert } from './revert.ts';
import { JournalRegion, told } from './test-journal-region.ts';
import { undelete } from './undelete.ts';

function look(region: JournalRegion): Looking {
  return new Looking(region.journal, testSettings);
}

async function all<Line>(looked: Promise<{ ok: true; value: Lines<Line> } | { ok: false; fault: { error: string } }>) {
  const result = await looked;
  assert(result.ok, result.ok ? '' : result.fault.error);
  return [...result.value].filter((line) => line !== undefined) as Line[];
}

async function refusal(looked: Promise<{ ok: true } | { ok: false; fault: { status: number; error: string } }>) {
  const result = await looked;
  assert(!result.ok, 'it is refused');
  return `${result.fault.status} ${result.fault.error}`;
}

const summaries = async (region: JournalRegion, request: LogRequest = {}) =>
  (await all<LogEntry>(look(region).log(request))).map(({ summary }) => summary).toReversed();

test('log: each transaction is told in one line, in words that people use', async (context) => {
  const region = new JournalRegion(context);
  await region.admit('node-1');
  const loadBalancer = await region.loadBalancer('web');
  await region.serve('node-1');
  const group = await region.targetGroup('targets');
  const listener = await region.listener(loadBalancer, group);
  await region.register(group, '10.0.0.1', '10.0.0.2');
  await region.call('AddTags', { ResourceArns: [loadBalancer, group], Tags: [{ Key: 'team', Value: 'video' }] });
  await region.deregister(group, '10.0.0.1');
  await region.drain();
  await region.register(group, ...Array.from({ length: 5 }, (_, index) => `10.0.1.${index}`));
  await region.call('DeleteListener', { ListenerArn: listener });
  await region.call('DeleteLoadBalancer', { LoadBalancerArn: loadBalancer });
  await told(undelete(region.travel, { arn: loadBalancer }));
  await region.call('DeleteLoadBalancer', { LoadBalancerArn: loadBalancer });
  await region.call('DeleteTargetGroup', { TargetGroupArn: group });
  const address = (await summaries(region))[2]!.match(/at (\S+) serves/)![1];
  assert.deepEqual(await summaries(region), [
    'node node-1 admitted',
    'load balancer 111111111111/web created, with 1 address',
    `address of 111111111111/web on node-1 at ${address} serves`,
    'target group 111111111111/targets created',
    'listener web :80 created, with 1 rule',
    'targets 10.0.0.1:8080, 10.0.0.2:8080 in 111111111111/targets registered',
    'load balancer 111111111111/web changed: tags.team; target group 111111111111/targets changed: tags.team',
    'target 10.0.0.1:8080 in 111111111111/targets deregistered',
    'target 10.0.0.1:8080 in 111111111111/targets drained',
    '5 targets registered',
    'listener web :80 deleted, with 1 rule',
    'load balancer 111111111111/web deleted, with 1 address',
    'load balancer 111111111111/web put back, with 1 listener, 1 rule and 1 address',
    'load balancer 111111111111/web deleted, with 1 listener, 1 rule and 1 address',
    'target group 111111111111/targets deleted, with 6 targets',
  ]);
});

test('log: it is narrowed by resource, also a deleted one, by principal, kind, time and number', async (context) => {
  const region = new JournalRegion(context);
  const loadBalancer = await region.loadBalancer('web');
  const group = await region.targetGroup('targets');
  region.nowMs += 1_000;
  const listener = await region.listener(loadBalancer, group);
  await region.register(group, '10.0.0.1');
  region.nowMs += 1_000;
  region.caller = 'grace';
  await region.call('DeleteLoadBalancer', { LoadBalancerArn: loadBalancer });
  await region.loadBalancer('web');
  const revisions = async (request: LogRequest) =>
    (await all<LogEntry>(look(region).log(request))).map(({ revision }) => revision);
  assert.deepEqual(await revisions({}), [6, 5, 4, 3, 2, 1]);
  assert.deepEqual(await revisions({ resource: loadBalancer }), [5, 3, 1], 'and not the one that has the name now');
  assert.deepEqual(await revisions({ resource: listener }), [5, 3]);
  assert.deepEqual(await revisions({ resource: group, limit: 1 }), [4]);
  assert.deepEqual(await revisions({ principal: '111111111111/grace' }), [6, 5]);
  assert.deepEqual(await revisions({ kind: 'rule' }), [5, 3]);
  const revision = (number: number) => ({ kind: 'revision', revision: number }) as const;
  const time = (timeMs: number) => ({ kind: 'time', timeMs }) as const;
  assert.deepEqual(await revisions({ since: revision(2), until: revision(4) }), [4, 3, 2]);
  assert.deepEqual(await revisions({ since: time(1_001_000), until: time(1_001_999) }), [4, 3]);
  assert.deepEqual(await revisions({ since: time(0) }), [6, 5, 4, 3, 2, 1]);
  assert.deepEqual(await revisions({ since: time(9_999_999) }), []);
  assert.match(await refusal(look(region).log({ until: revision(7) })), /^404 there is no revision 7/);
  assert.match(await refusal(look(region).log({ until: time(1) })), /^404 .* is before the first revision/);
  assert.match(await refusal(look(region).log({ resource: 'web' })), /^400 'web' is not the ARN/);
});

test('log: a transaction of a hundred thousand changes is told without keeping any, in turns', async (context) => {
  const region = new JournalRegion(context);
  await region.step((view) =>
    Array.from({ length: 100_000 }, (_, index) => put(view, 'node', `node-${index}`, { zone: 'a', prefix: 'p' })),
  );
  const result = await look(region).log({});
  assert(result.ok);
  const lines = [...result.value];
  assert(lines.filter((line) => line === undefined).length >= 10, 'others get their turn');
  assert.equal(lines.find((line) => line !== undefined)?.summary, '100,000 nodes created');
  let count = 0;
  for (const line of await all<LogEntry | ResourceChange>(look(region).show(1)))
    count += line.type === 'change' ? 1 : 0;
  assert.equal(count, 100_000);
});

test('show: one transaction, and each document member by member', async (context) => {
  const region = new JournalRegion(context);
  const group = await region.targetGroup('targets');
  await region.call('ModifyTargetGroup', { TargetGroupArn: group, HealthCheckPath: '/up' });
  const [entry, ...changes] = await all<LogEntry | ResourceChange>(look(region).show(2));
  assert.equal(entry?.type === 'transaction' && entry.action, 'ModifyTargetGroup');
  assert.deepEqual(changes, [
    {
      type: 'change',
      kind: 'target-group',
      id: group.slice(group.lastIndexOf('/') + 1),
      label: '111111111111/targets',
      arn: group,
      did: 'changed',
      members: [{ member: 'healthCheck.path', before: '/', after: '/up' }],
    },
  ]);
  assert.match(await refusal(look(region).show(3)), /^404 there is no revision 3: the last is 2/);
  assert.match(await refusal(look(region).show(0)), /^404 revision 0 is where the history begins/);
});

test('diff: the net effect between two moments, and the way back', async (context) => {
  const region = new JournalRegion(context);
  const revision = (number: number) => ({ kind: 'revision', revision: number }) as const;
  const loadBalancer = await region.loadBalancer('web');
  const group = await region.targetGroup('targets');
  await region.register(group, '10.0.0.1');
  const tag = (Value: string) => region.call('AddTags', { ResourceArns: [group], Tags: [{ Key: 'team', Value }] });
  await tag('video');
  await tag('audio');
  await region.call('DeleteLoadBalancer', { LoadBalancerArn: loadBalancer });
  const lines = async (from: number, to?: number, resources?: string[]) => {
    const request = {
      from: revision(from),
      ...(to !== undefined && { to: revision(to) }),
      ...(resources && { resources }),
    };
    const [header, ...changes] = await all<DiffHeader | ResourceChange>(look(region).diff(request));
    assert(header?.type === 'diff');
    return changes.map((line) => (line.type === 'change' ? [line.did, line.kind, line.label] : []));
  };
  const groupLine = ['target-group', '111111111111/targets'];
  assert.deepEqual(await lines(1), [
    ['removed', 'load-balancer', '111111111111/web'],
    ['added', ...groupLine],
    ['added', 'target', '10.0.0.1:8080 in 111111111111/targets'],
  ]);
  assert.deepEqual(await lines(3, 5), [['changed', ...groupLine]]);
  assert.deepEqual(await lines(5, 3), [['changed', ...groupLine]]);
  assert.deepEqual(await lines(6, 1), [
    ['added', 'load-balancer', '111111111111/web'],
    ['removed', ...groupLine],
    ['removed', 'target', '10.0.0.1:8080 in 111111111111/targets'],
  ]);
  assert.deepEqual(await lines(0, 6, [loadBalancer]), [], 'it came and went in between');
  assert.deepEqual(await lines(1, 3, [group]), (await lines(1, 3)).slice(0, 2));
  assert.match(await refusal(look(region).diff({ from: revision(1), to: revision(9) })), /^404 there is no revision 9/);
});

test('blame: the transaction that gave each member its value, through deletion and return', async (context) => {
  const region = new JournalRegion(context);
  const loadBalancer = await region.loadBalancer('web');
  const tag = (Key: string, Value: string) =>
    region.call('AddTags', { ResourceArns: [loadBalancer], Tags: [{ Key, Value }] });
  await tag('team', 'video');
  region.caller = 'grace';
  await tag('team', 'audio');
  await tag('stage', 'live');
  await tag('team', 'video');
  await told(revert(region.travel, { from: 5, to: 5 }));
  const blame = async () => {
    const [header, ...members] = await all<BlameHeader | BlameLine>(look(region).blame(loadBalancer));
    assert(header?.type === 'blame');
    const byMember = members.map((line) => (line.type === 'member' ? [line.member, line.setBy.revision] : []));
    return { header, members: Object.fromEntries(byMember) as Record<string, number> };
  };
  const { header, members } = await blame();
  assert.deepEqual([header.present, header.label, header.arn], [true, '111111111111/web', loadBalancer]);
  assert.deepEqual([members.name, members['tags.team'], members['tags.stage']], [1, 6, 4]);
  await region.call('DeleteLoadBalancer', { LoadBalancerArn: loadBalancer });
  const deleted = await blame();
  assert.deepEqual([deleted.header.present, deleted.header.deletedBy?.revision], [false, 7]);
  assert.deepEqual(deleted.members, members);
  await told(undelete(region.travel, { arn: loadBalancer }));
  assert.deepEqual((await blame()).members, members, 'who brought it back set nothing');
});

test('describe: the resource as it was, as the API answers', async (context) => {
  const region = new JournalRegion(context);
  const loadBalancer = await region.loadBalancer('web');
  const group = await region.targetGroup('targets');
  const listener = await region.listener(loadBalancer, group);
  await region.call('ModifyTargetGroup', { TargetGroupArn: group, HealthCheckPath: '/up' });
  await region.call('DeleteLoadBalancer', { LoadBalancerArn: loadBalancer });
  const describe = async (arn: string, revision?: number) => {
    const at = revision === undefined ? undefined : ({ kind: 'revision', revision } as const);
    const result = await look(region).describe(arn, at);
    return result.ok ? JSON.stringify(result.value) : `${result.fault.status} ${result.fault.error}`;
  };
  assert.match(await describe(loadBalancer, 4), /^\{"LoadBalancers":\[\{.*"LoadBalancerName":"web"/);
  assert.match(await describe(listener, 3), /^\{"Listeners":\[\{.*"Port":80/);
  assert.match(await describe(group, 3), /"HealthCheckPath":"\/"/);
  assert.match(await describe(group), /"HealthCheckPath":"\/up"/);
  assert.match(await describe(loadBalancer), /^404 arn:\S+ was not there at revision 5$/);
  assert.match(await describe(group, 1), /^404 .* was not there at revision 1$/);
  assert.match(await describe(group, 99), /^404 there is no revision 99/);
});
