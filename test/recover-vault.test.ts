/** The state store is gone: it is made again of its copy in the vault, while the nodes serve. */
import assert from 'node:assert/strict';
import { readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import {
  AddTagsCommand,
  DescribeListenersCommand,
  DescribeLoadBalancersCommand,
  DescribeTagsCommand,
  DescribeTargetGroupsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { ballastCommand, type RunningBallast, someAddresses, startBallast, until } from './running-ballast.ts';
import {
  endWith,
  inStep,
  inVault,
  isGone,
  makeService,
  port,
  progressed,
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

async function killControlPlane(ballast: RunningBallast): Promise<void> {
  const { pids } = ballast.report;
  await ballast.killSupervisor();
  process.kill(pids.controlPlane, 'SIGKILL');
  await until(() => isGone(pids.controlPlane), 'the control plane is gone');
}

function loseJournal(data: string): void {
  for (const name of readdirSync(data)) if (name.startsWith('journal')) rmSync(join(data, name));
}

async function history(ballast: RunningBallast): Promise<{ revision: number; time: string; action: string }[]> {
  const lines = (await ballastCommand('log', '--json', '--data', ballast.data)).trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line)).reverse();
}

test('recover from vault: while the nodes serve, the journal is as it was with its history, and they go on with it', async (context) => {
  const addresses = someAddresses();
  const flags = ['--nodes', '2', '--environment', 'staging'];
  const first = await startBallast({ addresses, flags });
  const { data } = first;
  const targets = await someTargets(context, 2);
  const service = await makeService(first, 'web', targets);
  const before = await described(first, service);
  const log = await history(first);
  const { credentials } = first;
  const loads = service.addresses.map((host) => new Load({ host, port, connections: 4 }));
  context.after(() => Promise.all(loads.map((load) => load.stop())));
  const progress = () => Promise.all(loads.map((load) => progressed(load, 500)));
  await inVault(first);

  await killControlPlane(first);
  loseJournal(data);
  const printed = await ballastCommand('recover', '--from', 'vault', '--data', data, '--yes');
  assert.match(printed, /environment staging.*account 000000000000: 1 load balancer\n/s);
  assert(!printed.includes('Needed besides') && !printed.includes('Have seen more') && !printed.includes('Missing'));
  await progress();
  const second = await startBallast({ data, addresses, flags });
  endWith(context, second);
  await progress();
  assert.deepEqual(second.credentials, credentials);
  assert.deepEqual(await described(second, service), before);
  assert.deepEqual((await history(second)).slice(0, log.length), log);
  assert((await second.status()).nodes.every(({ diverged }) => !diverged));

  // The last change is in service, and not in the copy.
  const tag = { Key: 'late', Value: 'yes' };
  await second.client().send(new AddTagsCommand({ ResourceArns: [service.loadBalancerArn], Tags: [tag] }));
  await inStep(second);
  await inVault(second);
  const changed = await described(second, service);
  const { revision } = await second.status();
  await killControlPlane(second);
  loseJournal(data);
  const [store] = readdirSync(join(data, 'vault'));
  const segments = readdirSync(join(data, 'vault', store!)).sort();
  const end = join(data, 'vault', store!, segments.at(-1)!);
  truncateSync(end, statSync(end).size - 7);
  const bridged = await ballastCommand('recover', '--from', 'vault', '--data', data, '--yes');
  assert.match(bridged, /a write that was never finished.*node-\d is at revision \d+, \d+ ahead/s);
  const third = await startBallast({ data, addresses, flags });
  endWith(context, third);
  await progress();
  assert.deepEqual(await described(third, service), changed);
  await until(async () => (await third.status()).nodes.every((node) => node.revision > revision), 'the nodes go on');
  assert((await third.status()).nodes.every(({ diverged }) => !diverged));
  assert.deepEqual((await history(third)).slice(0, log.length), log);
  await inVault(third);
  assert.match(await third.metrics(), /^ballast_vault_diverged 0$/m);
  assert.deepEqual(
    loads.flatMap((load) => load.failures),
    [],
  );
});
