/** Maintenance: planned, requested by one person, approved by another, carried out in small steps, and undone. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { CreateTargetGroupCommand, DescribeTargetGroupsCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { ballastCommand, rejection, startBallast, temporaryFolder } from './running-ballast.ts';
import { endWith, inStep, makeService, port, someTargets } from './service.ts';
import { send } from './traffic.ts';

/** A process of the operator's own: it removes every load balancer, as somebody did on a day in December. */
const cleanUp = `
export default {
  name: 'clean-up',
  summary: 'remove what is not needed any more',
  parameters: {},
  plan: (view) => [...view.all('load-balancer')].map(({ id, revision }) => [
    ...[...view.find('listenersOfLoadBalancer', id)].flatMap((listener) => [
      ...[...view.find('rulesOfListener', listener.id)].map((rule) => ({ kind: 'rule', id: rule.id, before: rule.revision, after: null })),
      { kind: 'listener', id: listener.id, before: listener.revision, after: null },
    ]),
    ...[...view.find('placementsOfLoadBalancer', id)].map((it) => ({ kind: 'placement', id: it.id, before: it.revision, after: null })),
    { kind: 'load-balancer', id, before: revision, after: null },
  ]),
};`;

test('maintenance: nothing runs without the approval of another person for exactly its plan, and revert undoes it', async (context) => {
  const data = temporaryFolder();
  const processes = join(data, 'processes');
  mkdirSync(processes);
  writeFileSync(join(processes, 'clean-up.ts'), cleanUp);
  const flags = ['--workers', '1', '--environment', 'production', '--maintenance', processes];
  const ballast = await startBallast({ data, flags });
  endWith(context, ballast);
  const client = ballast.client();
  const run = (...args: string[]) => ballastCommand(...args, '--data', data);
  const refused = async (...args: string[]) => (await rejection(run(...args))).message;
  const as = (name: string) => ['--as', name, '--key', join(data, `${name}.key`)];
  const production = ['--environment', 'production'];
  for (const name of ['eve', 'pat']) {
    const made = await ballastCommand('operators', 'key', name, '--key-file', join(data, `${name}.key`));
    const publicKey = /--public-key (\S+)/.exec(made)![1]!;
    await run('operators', 'create', name, '--public-key', publicKey, ...(name === 'pat' ? as('eve') : []));
  }
  const service = await makeService(ballast, 'web', await someTargets(context, 1));
  for (let index = 0; index < 120; index += 1) {
    const group = { Name: `old-${index}`, Protocol: 'HTTP', Port: 80, VpcId: 'vpc-1', TargetType: 'ip' } as const;
    await client.send(new CreateTargetGroupCommand(group));
  }
  const groups = async () => {
    let count = 0;
    for (let Marker: string | undefined; ; ) {
      const page = await client.send(new DescribeTargetGroupsCommand({ ...(Marker !== undefined && { Marker }) }));
      count += page.TargetGroups!.length;
      Marker = page.NextMarker;
      if (Marker === undefined) return count;
    }
  };

  const list = await run('maintenance', 'list');
  for (const name of [
    'purge-unused-target-groups',
    'release-addresses',
    'fold-history',
    'rekey',
    'clean-up (your own)',
  ]) {
    assert(list.includes(name), name);
  }
  const purge = ['purge-unused-target-groups', '--set', 'older-than-days=0'];
  const plan = await run('maintenance', 'plan', ...purge);
  assert.match(plan, /^Environment PRODUCTION/);
  assert.match(plan, /removed {2}target-group 000000000000\/old-7\n/);
  assert.match(plan, /It harms nobody\. 120 changes\. Nothing was changed\./);
  assert.match(
    await refused('maintenance', 'plan', 'purge-unused-target-groups', '--set', 'older-than-days=x'),
    /whole number/,
  );
  assert.match(await refused('maintenance', 'plan', 'nothing'), /there is no process 'nothing'; there is purge/);

  const asked = ['--reason', 'the limit is near', ...as('pat')];
  assert.match(
    await refused('maintenance', 'request', ...purge, '--environment', 'staging', ...asked),
    /this is environment 'production', and the request is for 'staging'/,
  );
  const requested = await run('maintenance', 'request', ...purge, ...production, ...asked);
  const id = /Requested as ([0-9a-f]{16}): 120 changes, harms nobody/.exec(requested)![1]!;
  const apply = ['maintenance', 'apply', id, ...production, ...as('pat')];
  assert.match(await refused(...apply), /needs the approval of another person, and has 0/);
  assert.match(await refused('approvals', 'approve', id, ...production, ...as('pat')), /nobody approves their own/);
  assert.match(
    await run('approvals', 'approve', id, ...production, ...as('eve')),
    /carry it out with: ballast maintenance apply/,
  );
  // The state has moved on since: it is another plan now.
  await client.send(
    new CreateTargetGroupCommand({ Name: 'late', Protocol: 'HTTP', Port: 80, VpcId: 'vpc-1', TargetType: 'ip' }),
  );
  assert.match(await refused(...apply), /not the one of request .* any more: the state has changed since/);

  const again = await run('maintenance', 'request', ...purge, ...production, ...asked);
  const second = /Requested as ([0-9a-f]{16})/.exec(again)![1]!;
  await run('approvals', 'approve', second, ...production, ...as('eve'));
  assert.equal(await groups(), 122);
  const done = await run('maintenance', 'apply', second, ...production, ...as('pat'));
  const [, from, to] = /Done: 121 changes as revisions (\d+) to (\d+)/.exec(done)!;
  assert.equal(Number(to), Number(from) + 1, 'in two steps');
  assert.equal(await groups(), 1);
  assert.match(await refused('maintenance', 'apply', second, ...production, ...as('pat')), /there is no request/);
  assert.match(await run('revert', `${from}..${to}`), /Put back 121 target groups/);
  assert.equal(await groups(), 122);

  // A plan that harms shows whom, and runs only when somebody has seen that.
  const harmful = await run('maintenance', 'plan', 'clean-up');
  assert.match(harmful, /HARMS {4}000000000000\/web \(deleted\), \d+ requests in the last hour/);
  assert.match(harmful, /It would take 1 load balancer out of service/);
  assert.equal((await send({ host: service.addresses[0]!, port })).status, 200);

  // In production, what was done directly elsewhere goes through here too.
  assert.match(
    await refused('rekey'),
    /in production this needs the approval of another person: ballast maintenance request/,
  );
  const wish = await run('maintenance', 'request', 'rekey', ...production, '--reason', 'seen by someone', ...as('pat'));
  const third = /Requested as ([0-9a-f]{16})/.exec(wish)![1]!;
  assert.match(await refused('maintenance', 'apply', third, ...production, ...as('pat')), /needs the approval/);
  await run('approvals', 'approve', third, ...production, ...as('eve'));
  const keys = readFileSync(join(data, 'seal.key'), 'utf8').trim().split('\n').length;
  assert.match(
    await run('maintenance', 'apply', third, ...production, ...as('pat')),
    /1 secrets are sealed with the new key/,
  );
  assert.equal(readFileSync(join(data, 'seal.key'), 'utf8').trim().split('\n').length, keys + 1);
  await inStep(ballast);

  const opened = /inc-[\w-]+/.exec(await run('incident', 'open', '--title', 'we try it out'))![0];
  assert.match(await run('maintenance', 'plan', 'clean-up'), /HARMS/);
  assert.match(await run('incident'), new RegExp(`${opened} +open +.*we try it out`));
  assert.match(await run('incident', 'report', '--to', join(data, 'report')), new RegExp(`${opened}\\.html`));
  assert.match(readFileSync(join(data, 'report', `${opened}.md`), 'utf8'), /Rekey .*through maintenance/);
  assert.match(await run('incident', 'close', opened, ...as('eve')), /Closed/);
  assert.match(await run('incident', 'show', opened), /operator\/eve +closed the incident/);
});
