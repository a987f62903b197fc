import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { systemClock } from '#io/clock.ts';
import { silentLog } from '#io/log.ts';
import { placed, Region, token, until } from '#link/test-link-region.ts';
import { put } from '#model/change.ts';
import { sampleLoadBalancer, sampleTargetGroup } from '#model/test-documents.ts';
import { BalancerNode } from './node.ts';

test('node: says of a revision that it is in service only when all before it is, and then ends with the last', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'ballast-node-'));
  const region = new Region(join(folder, 'store.db'), 'store-1');
  await region.listen();
  const node = new BalancerNode({
    id: 'node-1',
    zone: 'a',
    prefix: '127.91.7.0/28',
    lastGoodPath: join(folder, 'last-good.db'),
    environment: 'test',
    region: 'us-east-1',
    isBrakeOff: false,
    linkUrl: `ws://127.0.0.1:${region.port}/link`,
    linkToken: token,
    workersCount: 1,
    workerEntry: new URL('./test-slow-worker.ts', import.meta.url),
    logFiles: undefined,
    logDelivery: undefined,
    successionPath: join(folder, 'instance'),
    instance: 'one',
    clock: systemClock,
    log: silentLog,
    onWorkers: () => {},
  });
  context.after(async () => {
    node.kill();
    await node.stop(0);
    await region.close();
    rmSync(folder, { recursive: true, force: true });
  });
  assert.equal(await node.start(), undefined);
  await node.inStep;
  // The first is for the workers, who are slow; the second is not, and could overtake it.
  await region.write((view) => [
    put(view, 'target-group', 'g1', sampleTargetGroup),
    ...placed(view, 'lb1', 'node-1', 'g1'),
  ]);
  await region.write((view) => [put(view, 'load-balancer', 'other', { ...sampleLoadBalancer, name: 'other' })]);
  const inService = () => region.link.followers.get('node-1')!.revision;
  await until(() => inService() > 0, 'something is in service');
  assert.equal(region.journal.head.revision, 2);
  await until(() => inService() === 2, 'all is in service');
  await new Promise((resolve) => setTimeout(resolve, 400));
  assert.equal(inService(), 2);
});
