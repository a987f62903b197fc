import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { systemClock } from '#io/clock.ts';
import { silentLog } from '#io/log.ts';
import { sleep } from '#io/timers.ts';
import { placed, Region, token, until } from '#link/test-link-region.ts';
import { put } from '#model/change.ts';
import type { Documents } from '#model/documents.ts';
import { targetKey } from '#model/keys.ts';
import { sampleTargetGroup } from '#model/test-documents.ts';
import type { TargetOutcomes } from '#proxy/stats.ts';
import { type AnomalyNews, AnomalyWatch, type WatchedGroup } from './anomaly-watch.ts';
import { BalancerNode } from './node.ts';

const targetGroupId = '00000000000000c1';

test('anomaly watch: what all workers saw is judged together, told once, and forgotten with its group', async (t) => {
  const told: AnomalyNews[] = [];
  const keys = ['a', 'b', 'c'].map((name) => `${targetGroupId}/${name}:1`);
  const [bad] = keys as [string];
  // No worker has seen enough to accuse anybody.
  const seen = (): readonly TargetOutcomes[] => keys.map((key) => [key, 10, key === bad ? 5 : 0]);
  let workers = [seen(), seen(), seen(), seen()];
  let group: WatchedGroup | undefined = { targets: keys, mitigates: true };
  let isBusy = false;
  const watch = new AnomalyWatch({
    periodMs: 5,
    takeOutcomes: async () => {
      assert(!isBusy, 'asked again only when all have answered');
      isBusy = true;
      await sleep(12);
      isBusy = false;
      return workers.splice(0);
    },
    group: (id) => (id === targetGroupId ? group : undefined),
    onNews: (news) => void told.push(news),
  });
  t.after(() => watch.stop());
  await until(() => told.length === 1, 'it is accused');
  assert.deepEqual(told[0], {
    verdicts: [[bad, { isAnomalous: true, isMitigated: true }]],
    reweighted: [targetGroupId],
  });
  assert(watch.weight(bad) < 1);
  assert.equal(watch.weight(keys[1]!), 1);
  assert.deepEqual(watch.counts, [{ targetGroupId, anomalous: 1, mitigated: 1 }]);
  await until(() => watch.weight(bad) === 1 / 32, 'it has the least');
  const { length } = told;
  await sleep(50);
  assert.equal(told.length, length, 'what stays as it is is told no more');
  assert(told.slice(1).every(({ verdicts }) => verdicts.length === 0));
  workers = [[['elsewhere/a:1', 100, 100]]];
  group = undefined;
  await until(() => told.length > length, 'nobody routes to the group any more');
  assert.deepEqual(told.at(-1), {
    verdicts: [[bad, { isAnomalous: false, isMitigated: false }]],
    reweighted: [targetGroupId],
  });
  assert.deepEqual(watch.counts, []);
});

test('node: a target that fails half of its requests loses its traffic, and gets it back when it is well', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ballast-node-'));
  const region = new Region(join(folder, 'store.db'), 'store-1');
  await region.listen();
  const address = `127.${randomInt(96, 224)}.${randomInt(1, 255)}`;
  const node = new BalancerNode({
    id: 'node-1',
    zone: 'a',
    prefix: `${address}.0/28`,
    lastGoodPath: join(folder, 'last-good.db'),
    environment: 'test',
    region: 'us-east-1',
    isBrakeOff: false,
    linkUrl: `ws://127.0.0.1:${region.port}/link`,
    linkToken: token,
    workersCount: 2,
    workerEntry: new URL(import.meta.resolve('#daemon/worker.ts')),
    logFiles: undefined,
    logDelivery: undefined,
    successionPath: join(folder, 'instance'),
    instance: 'one',
    anomalyPeriodMs: 60,
    clock: systemClock,
    log: silentLog,
    onWorkers: () => {},
  });
  const servers: http.Server[] = [];
  t.after(async () => {
    node.kill();
    await node.stop(0);
    await region.close();
    for (const server of servers) server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const counts = [0, 0, 0, 0];
  let isBroken = true;
  const targets: Documents['target'][] = [];
  for (const index of counts.keys()) {
    const server = http.createServer((incoming, outgoing) => {
      const isProbe = incoming.headers['user-agent']?.startsWith('ELB-HealthChecker') === true;
      if (!isProbe) counts[index]! += 1;
      const fails = !isProbe && isBroken && index === 0 && counts[0]! % 2 === 0;
      outgoing.writeHead(fails ? 500 : 200).end();
    });
    servers.push(server.listen(0, '127.0.0.1'));
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    targets.push({ targetGroupId, address: '127.0.0.1', port, state: { kind: 'registered', sinceMs: 0 } });
  }
  assert.equal(await node.start(), undefined);
  await node.inStep;
  const host = `${address}.1`;
  const port = randomInt(20_000, 30_000);
  const attributes = {
    'load_balancing.algorithm.type': 'weighted_random',
    'load_balancing.algorithm.anomaly_mitigation': 'on',
  };
  await region.write((view) =>
    [
      put(view, 'target-group', targetGroupId, { ...sampleTargetGroup, attributes }),
      ...targets.map((each) => put(view, 'target', targetKey(each), each)),
      ...placed(view, 'lb1', 'node-1', targetGroupId),
      put(view, 'placement', 'lb1/node-1', {
        loadBalancerId: 'lb1',
        nodeId: 'node-1',
        zone: 'a',
        address: host,
        state: { kind: 'pending' },
      }),
      put(view, 'listener', 'lb1-listener', {
        loadBalancerId: 'lb1',
        protocol: 'HTTP',
        port,
        createdAtMs: 0,
        tags: [],
      }),
    ].filter((change, index, all) => all.findLastIndex((other) => other.id === change.id) === index),
  );
  await until(() => region.link.followers.get('node-1')!.revision === 1, 'it is in service');

  const agents = [1, 2, 3, 4].map(() => new http.Agent({ keepAlive: true, maxSockets: 1 }));
  t.after(() => {
    for (const agent of agents) agent.destroy();
  });
  const ask = async (agent: http.Agent) => {
    const [incoming] = (await once(http.get({ host, port, agent }), 'response')) as [http.IncomingMessage];
    incoming.resume();
    await once(incoming, 'end');
    assert([200, 500].includes(incoming.statusCode!), `${incoming.statusCode}`);
  };
  /** The part of 200 requests that came to the first target. */
  const share = async () => {
    counts.fill(0);
    await Promise.all(
      agents.map(async (agent) => {
        for (let count = 0; count < 50; count += 1) await ask(agent);
      }),
    );
    return counts[0]! / 200;
  };
  const shareBecomes = async (holds: (share: number) => boolean, what: string) => {
    for (let tries = 0; !holds(await share()); tries += 1) assert(tries < 300, what);
  };
  await shareBecomes((found) => found < 0.04, 'it loses its traffic');
  const key = targetKey(targets[0]!);
  const said = () => region.anomalies.flatMap(([, verdicts]) => verdicts);
  assert.deepEqual(said(), [[key, { isAnomalous: true, isMitigated: true }]]);
  assert.deepEqual((await node.stats([])).anomalies, [{ targetGroupId, anomalous: 1, mitigated: 1 }]);

  isBroken = false;
  await shareBecomes((found) => found > 0.2, 'it gets its traffic back');
  await until(() => said().at(-1)![1].isMitigated === false, 'it is told that nothing is special any more');
  assert.deepEqual(said().at(-1), [key, { isAnomalous: false, isMitigated: false }]);
  assert.deepEqual((await node.stats([])).anomalies, []);
});
