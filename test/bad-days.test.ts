/** What breaks around a whole Ballast, and what goes on all the same. */
import assert from 'node:assert/strict';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import {
  AddTagsCommand,
  CreateLoadBalancerCommand,
  DescribeLoadBalancersCommand,
  DescribeTagsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { rejection, startBallast, until } from './running-ballast.ts';
import {
  answers,
  endWith,
  isGone,
  makeService,
  port,
  progressed,
  refuses,
  resolver,
  running,
  someTargets,
  subnets,
} from './service.ts';
import { Load, send } from './traffic.ts';

/** Nothing puts the store back: what is left are the nodes. */
const nodesAlone = ['--environment', 'drill', '--without', 'sentinel,vault'];

test('bad days: a store that is emptied behind its back takes nothing out of service', async (context) => {
  const ballast = await running(context, nodesAlone);
  const targets = await someTargets(context, 2);
  const service = await makeService(ballast, 'web', targets);
  const load = new Load({ host: service.addresses[0]!, port, connections: 8 });
  context.after(() => load.stop());
  await progressed(load, 200);
  for (const suffix of ['', '-wal', '-shm']) rmSync(join(ballast.data, `journal.db${suffix}`), { force: true });
  const pid = ballast.report.pids.controlPlane;
  process.kill(pid, 'SIGKILL');
  await until(
    async () => ballast.report.pids.controlPlane !== pid && (await answers(() => ballast.status())),
    'the control plane is back',
  );
  assert.deepEqual((await ballast.status()).counts.loadBalancers, 0, 'the state is gone');
  await until(async () => (await ballast.status()).nodes.some(({ diverged }) => diverged), 'the divergence is seen');
  await progressed(load, 500);
  // A new load balancer in the emptied store does not disturb the one that serves either.
  await ballast.client().send(new CreateLoadBalancerCommand({ Name: 'new', Subnets: subnets }));
  await progressed(load, 500);
  assert.deepEqual(load.failures, []);
  assert.deepEqual(await resolver(ballast).resolve4(service.dnsName), service.addresses);
});

test('bad days: nodes and DNS start and serve from their last good state when the store is damaged', async (context) => {
  const first = await startBallast({ flags: nodesAlone });
  const { data } = first;
  const targets = await someTargets(context, 2);
  const service = await makeService(first, 'web', targets);
  const { report } = first;
  const addresses = `${service.addresses[0]!.split('.').slice(0, 3).join('.')}.0/24`;
  assert.equal(await first.stop(), 0);
  await until(() => refuses(service.addresses[0]!), 'it is stopped');
  writeFileSync(join(data, 'journal.db'), 'rubbish '.repeat(10_000));
  rmSync(join(data, 'journal.db-wal'), { force: true });
  const flags = [...nodesAlone, '--operator', report.operatorEndpoint.slice('http://'.length)];
  const again = await startBallast({ data, addresses, flags });
  endWith(context, again);
  assert.equal((await send({ host: service.addresses[0]!, port })).status, 200);
  assert.deepEqual(await resolver(again).resolve4(service.dnsName), service.addresses);
  assert.match(again.output(), /state store is damaged/);
  assert.equal(readFileSync(join(data, 'journal.db'), 'utf8').slice(0, 8), 'rubbish ', 'it was not written over');
});

test('bad days: on a full disk changes are refused and change nothing, and reads and traffic go on', async (context) => {
  // A limit on the size of files stands for the full disk: the same writes fail in the same places.
  const ballast = await startBallast({ shellPrefix: "trap '' XFSZ; ulimit -f 1000;" });
  endWith(context, ballast);
  const client = ballast.client();
  const targets = await someTargets(context, 2);
  const service = await makeService(ballast, 'web', targets);
  const load = new Load({ host: service.addresses[0]!, port, connections: 4 });
  context.after(() => load.stop());
  const ResourceArns = [service.loadBalancerArn];
  let answered = 0;
  let refused: Error | undefined;
  while (refused === undefined) {
    const Tags = [{ Key: 'count', Value: `${answered + 1}` }];
    refused = await client.send(new AddTagsCommand({ ResourceArns, Tags })).then(
      () => undefined,
      (error: Error) => error,
    );
    if (refused === undefined) answered += 1;
  }
  assert.equal(refused.name, 'ServiceUnavailable', String(refused));
  assert.match(refused.message, /nothing was changed/);
  const counted = async () => {
    const { TagDescriptions } = await client.send(new DescribeTagsCommand({ ResourceArns }));
    return Number(TagDescriptions![0]!.Tags!.find(({ Key }) => Key === 'count')!.Value);
  };
  assert.equal(await counted(), answered);
  await progressed(load, 500);
  const pid = ballast.report.pids.controlPlane;
  process.kill(pid, 'SIGKILL');
  await until(
    async () => ballast.report.pids.controlPlane !== pid && (await answers(() => ballast.status())),
    'the control plane is back',
  );
  assert.equal(await counted(), answered, 'everything answered is there');
  await progressed(load, 500);
  assert.deepEqual(load.failures, []);
});

test('bad days: the supervisor is killed: traffic goes on, and the next one takes over without a failed request', async (context) => {
  const first = await startBallast();
  const { data } = first;
  const targets = await someTargets(context, 2);
  const service = await makeService(first, 'web', targets);
  const { report } = first;
  const addresses = `${service.addresses[0]!.split('.').slice(0, 3).join('.')}.0/24`;
  const load = new Load({ host: service.addresses[0]!, port, connections: 8 });
  context.after(() => load.stop());
  await progressed(load, 200);
  await first.killSupervisor();
  await progressed(load, 500);
  assert(
    (await first.client().send(new DescribeLoadBalancersCommand({}))).LoadBalancers!.length === 1,
    'the API goes on',
  );
  const again = await startBallast({ data, addresses });
  endWith(context, again);
  await progressed(load, 500);
  assert.notEqual(again.report.pids.controlPlane, report.pids.controlPlane);
  assert.deepEqual(load.failures, []);
  assert.equal((await again.status()).counts.loadBalancers, 1);
  await until(() => report.pids.nodes.every(({ workers }) => workers.every(isGone)), 'the orphans have left');
});

test('bad days: one Ctrl-C lets running requests finish, a second one ends at once, and nothing is left behind', async (context) => {
  for (const isPatient of [true, false]) {
    const ballast = await startBallast();
    endWith(context, ballast);
    const targets = await someTargets(context, 1);
    const service = await makeService(ballast, 'web', targets);
    const { pids } = ballast.report;
    const slow = send({ host: service.addresses[0]!, port, path: '/slow' }).catch((error: Error) => error);
    await until(() => targets[0]!.slowWaiting === 1, 'a request is under way');
    ballast.interrupt();
    // The launcher of a terminal may pass the same Ctrl-C on: that is not a second one.
    ballast.interrupt();
    await until(() => refuses(service.addresses[0]!), 'no new requests are taken');
    if (isPatient) {
      targets[0]!.releaseSlow();
      const answer = await slow;
      assert(!(answer instanceof Error) && answer.status === 200, `${answer}`);
    } else {
      await until(() => {
        ballast.interrupt();
        return ballast.hasEnded;
      }, 'it ends');
      assert(pids.nodes[0]!.workers.every(isGone));
      targets[0]!.releaseSlow();
    }
    const exitCode = await ballast.stop();
    // An interrupt that comes while the process is already on its way out ends it by signal.
    assert(exitCode === 0 || (!isPatient && exitCode === null), `${exitCode}`);
    const all = [
      pids.supervisor,
      pids.controlPlane,
      pids.dns,
      ...pids.nodes.flatMap(({ pid, workers }) => [pid, ...workers]),
    ];
    assert.deepEqual(
      all.filter((pid) => !isGone(pid)),
      [],
    );
  }
});

test('bad days: what cannot start says why in one line and ends with an exit code', async (context) => {
  const ballast = await running(context);
  const place = (endpoint: string) => endpoint.slice('http://'.length);
  const refused = async (flags: readonly string[], data?: string) =>
    (await rejection(startBallast({ flags, ...(data && { data }) }))).message;
  assert.match(
    await refused(['--api', place(ballast.report.apiEndpoint)]),
    /ended with 1:[\s\S]*AWS API: 127\.0\.0\.1:\d+ is in use by another program/,
  );
  assert.match(
    await refused(['--operator', place(ballast.report.operatorEndpoint)]),
    /operator API: 127\.0\.0\.1:\d+ is in use/,
  );
  assert.match(await refused(['--dns', ballast.report.dnsServer]), /DNS[\s\S]*127\.0\.0\.1:\d+ is in use/);
  assert.match(await refused([], ballast.data), /another Ballast runs on/);
  assert.match(await refused([], '/proc/ballast'), /cannot be written/);
  assert.equal(statSync(ballast.report.credentialsFile).mode & 0o777, 0o600);
  for (const file of ['operator.key', 'link.key', 'seal.key'])
    assert.equal(statSync(join(ballast.data, file)).mode & 0o777, 0o600, file);
  assert.equal((await fetch(`${ballast.report.operatorEndpoint}/v1/status`)).status, 401);
});
