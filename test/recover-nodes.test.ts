/** The state store is gone, its copy too: a new one is made of what the nodes serve, while they serve it. */
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import {
  DeregisterTargetsCommand,
  DescribeListenersCommand,
  DescribeLoadBalancersCommand,
  DescribeTagsCommand,
  DescribeTargetGroupsCommand,
  RegisterTargetsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { applyNodesPlan, planFromNodes } from '#daemon/recover-nodes.ts';
import { type RunningBallast, someAddresses, startBallast, until } from './running-ballast.ts';
import {
  endWith,
  health,
  incidentsOf,
  inStep,
  isGone,
  makeService,
  port,
  progressed,
  resolver,
  type Service,
  someTargets,
} from './service.ts';
import { Load } from './traffic.ts';

/** Everything that the API says of the service. */
async function described(ballast: RunningBallast, service: Service) {
  const client = ballast.client();
  const answers = await Promise.all([
    client.send(new DescribeLoadBalancersCommand({})),
    client.send(new DescribeTargetGroupsCommand({})),
    client.send(new DescribeListenersCommand({ LoadBalancerArn: service.loadBalancerArn })),
    client.send(new DescribeTagsCommand({ ResourceArns: [service.loadBalancerArn] })),
  ]);
  return answers.map(({ $metadata, ...answer }) => answer);
}

/** The store, and its copy. */
function removeStateOf(data: string): void {
  for (const name of ['journal.db', 'journal-index.db']) {
    for (const suffix of ['', '-wal', '-shm']) rmSync(join(data, `${name}${suffix}`), { force: true });
  }
  rmSync(join(data, 'vault'), { recursive: true, force: true });
}

async function recover(data: string): Promise<void> {
  removeStateOf(data);
  const plan = planFromNodes({
    data,
    otherFolders: [],
    environment: 'development',
    region: undefined,
    account: '000000000000',
  });
  assert(plan.ok, plan.ok ? '' : plan.fault);
  assert((await applyNodesPlan(plan.value, { data, nowMs: Date.now() })).ok);
}

test('recover from nodes: while they serve and after all stopped, everything is as it was, and changes reach them again', async (context) => {
  const addresses = someAddresses();
  const flags = ['--nodes', '2'];
  const first = await startBallast({ addresses, flags });
  const { data } = first;
  const targets = await someTargets(context, 3);
  const service = await makeService(first, 'web', targets.slice(0, 2));
  const before = await described(first, service);
  const { credentials, report } = first;
  const loads = service.addresses.map((host) => new Load({ host, port, connections: 4 }));
  context.after(() => Promise.all(loads.map((load) => load.stop())));
  const progress = () => Promise.all(loads.map((load) => progressed(load, 500)));
  const failures = () => loads.flatMap((load) => load.failures);
  await progress();

  await first.killSupervisor();
  process.kill(report.pids.controlPlane, 'SIGKILL');
  await until(() => isGone(report.pids.controlPlane), 'the control plane is gone');
  await recover(data);
  await progress();
  const second = await startBallast({ data, addresses, flags });
  endWith(context, second);
  await progress();
  assert.deepEqual(failures(), []);
  assert.deepEqual(second.credentials, credentials);
  assert.deepEqual(await described(second, service), before);
  assert.deepEqual((await resolver(second).resolve4(service.dnsName)).sort(), [...service.addresses].sort());
  assert((await second.status()).nodes.every(({ diverged }) => !diverged));

  // What is changed from now on reaches the nodes that served all the time.
  const joined = targets[2]!;
  const client = second.client();
  const Targets = [{ Id: '127.0.0.1', Port: joined.port }];
  await client.send(new RegisterTargetsCommand({ TargetGroupArn: service.targetGroupArn, Targets }));
  await inStep(second);
  await until(
    async () => (await health(client, service.targetGroupArn, joined))?.State === 'healthy',
    'the new target is healthy',
  );
  await until(() => loads.every((load) => (load.byTarget.get(joined.name) ?? 0) > 0), 'it gets requests by both nodes');
  assert.deepEqual(failures(), []);
  await Promise.all(loads.map((load) => load.stop()));

  // Once more, with nothing running.
  const revision = (await second.status()).revision;
  assert.equal(await second.stop(), 0);
  await recover(data);
  const third = await startBallast({ data, addresses, flags });
  endWith(context, third);
  assert.deepEqual(await described(third, service), before);
  assert((await third.status()).revision > revision, 'revisions go on behind the last one that was seen');
  assert.deepEqual(third.credentials, credentials);
  const again = new Load({ host: service.addresses[0]!, port, connections: 2 });
  context.after(() => again.stop());
  await progressed(again, 200);
  assert.deepEqual(again.failures, []);

  // A store that begins where its nodes were is put back when its copy is gone with it.
  const { targetGroupArn: TargetGroupArn } = service;
  await third.client().send(new DeregisterTargetsCommand({ TargetGroupArn, Targets }));
  removeStateOf(data);
  await until(() => incidentsOf(third).at(-1)?.state === 'mended', 'the store is put back');
  assert.equal(incidentsOf(third).length, 1, JSON.stringify(incidentsOf(third)));
  assert.equal((await health(third.client(), TargetGroupArn, joined))?.State, 'draining');
  assert(!third.output().includes(readFileSync(join(data, 'seal.key'), 'utf8').trim()));
});
