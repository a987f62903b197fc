/** Builds a load balancer node's process. */
import { systemClock } from '#io/clock.ts';
import { objectWriter } from '#io/object-store.ts';
import { sleep } from '#io/timers.ts';
import { BalancerNode } from '#node/node.ts';
import { LogCourier } from '#observe/log-courier.ts';
import type { NodeSettings } from './messages.ts';
import { paths } from './paths.ts';
import type { RoleContext, Started } from './process.ts';

/** How long running requests may take when Ballast is told to stop. */
const stopDrainMs = 5_000;
/** How long a start waits for the control plane. */
export const controlPlaneMaxMs = 5_000;

export async function startNode(
  settings: NodeSettings,
  { log, instance, tell, onKill }: RoleContext,
): Promise<Started> {
  const write = objectWriter(settings);
  const folder = paths.logs(settings.data, settings.id);
  const courier = write && new LogCourier({ folder, write, clock: systemClock, log });
  const node = new BalancerNode({
    id: settings.id,
    zone: settings.zone,
    prefix: settings.prefix,
    lastGoodPath: paths.lastGood(settings.data, settings.id),
    environment: settings.environment,
    region: settings.region,
    isBrakeOff: settings.without.includes('brake'),
    linkUrl: settings.linkUrl,
    linkToken: settings.linkToken,
    workersCount: settings.workers,
    workerEntry: new URL('./worker.ts', import.meta.url),
    successionPath: paths.nodeInstance(settings.data, settings.id),
    instance,
    logFiles: courier && { folder, intervalMs: settings.logIntervalSeconds * 1_000 },
    logDelivery: courier && (() => courier.stats),
    clock: systemClock,
    log,
    onWorkers: (workerPids) => tell({ type: 'info', info: { workerPids } }),
  });
  onKill(() => node.kill());
  const refused = await node.start();
  if (refused !== undefined) return refused;
  // Ready means in step, unless there is no control plane to be in step with: then the last good state serves.
  await Promise.race([node.inStep, sleep(controlPlaneMaxMs)]);
  return {
    info: { workerPids: node.workerPids },
    stop: async () => {
      await node.stop(stopDrainMs);
      await courier?.stop();
    },
    // The workers stay and serve until the successor's have taken over.
    yieldToSuccessor: () => Promise.resolve(),
  };
}
