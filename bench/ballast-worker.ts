/**
 * The proxy worker alone, for measuring: one listener, one target group, no node and no control plane around it.
 *
 *     node bench/ballast-worker.ts LISTEN_PORT TARGET_PORT
 */
import { systemClock } from '#io/clock.ts';
import { processLog } from '#io/log.ts';
import { systemRandom } from '#io/random.ts';
import { createProxy } from '#proxy/proxy.ts';

const [port, targetPort] = process.argv.slice(2).map(Number) as [number, number];
const log = processLog('ballast-worker');
const proxy = createProxy({
  clock: systemClock,
  log,
  random: systemRandom,
  acceptPath: process.env.ACCEPT_PATH === 'public' ? 'public' : 'fast',
});
const outcome = await proxy.apply({
  listenerId: 'bench',
  address: '127.0.0.1',
  port,
  protocol: 'HTTP',
  loadBalancer: {
    id: 'bench',
    account: '000000000000',
    name: 'bench',
    idleTimeoutMs: 60_000,
    clientKeepAliveMs: 3_600_000,
  },
  rules: [{ id: 'default', action: { kind: 'forward', choices: [{ group: 0, share: 1 }] } }],
  groups: [
    {
      id: 'bench',
      name: 'bench',
      algorithm: 'round_robin',
      targets: [{ key: `bench/127.0.0.1:${targetPort}`, address: '127.0.0.1', port: targetPort, state: 'healthy' }],
      eligible: [0],
    },
  ],
});
if (outcome.kind === 'failed') {
  log.error(`cannot listen on port ${port}: ${outcome.reason}`);
  process.exitCode = 1;
  await proxy.drain(0);
}
process.on('SIGTERM', () => void proxy.drain(0));
