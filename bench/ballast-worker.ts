/**
 * The proxy worker alone, for measuring: one listener with a single rule and one with a hundred, one target group, no
 * node and no control plane around it.
 *
 *     node bench/ballast-worker.ts LISTEN_PORT LISTEN_PORT_WITH_RULES TARGET_PORT
 */
import { systemClock } from '#io/clock.ts';
import { processLog } from '#io/log.ts';
import { systemRandom } from '#io/random.ts';
import { createProxy } from '#proxy/proxy.ts';
import type { RoutingAction, RoutingRule, RoutingTable } from '#routing/table.ts';
import { rules } from './http.ts';

const [port, rulesPort, targetPort] = process.argv.slice(2).map(Number) as [number, number, number];
const log = processLog('ballast-worker');
const proxy = createProxy({
  clock: systemClock,
  log,
  random: systemRandom,
  acceptPath: process.env.ACCEPT_PATH === 'public' ? 'public' : 'fast',
});
const forward: RoutingAction = { kind: 'forward', choices: [{ group: 0, share: 1 }] };
const notFound: RoutingAction = { kind: 'fixed-response', statusCode: 404, contentType: 'text/plain', body: '' };
const defaultRule = (action: RoutingAction) => ({ id: 'default', conditions: [], action, transforms: [] });

await serve('bench', port, [defaultRule(forward)]);
await serve('bench-rules', rulesPort, [
  ...rules.map(
    ({ host, prefix }, index): RoutingRule => ({
      id: `${index}`,
      conditions: [
        { field: 'host-header', values: [host], regexes: [] },
        { field: 'path-pattern', values: [`${prefix}*`], regexes: [] },
      ],
      action: forward,
      transforms: [],
    }),
  ),
  defaultRule(notFound),
]);
process.on('SIGTERM', () => void proxy.drain(0));

async function serve(listenerId: string, at: number, own: RoutingTable['rules']): Promise<void> {
  const outcome = await proxy.apply({
    listenerId,
    address: '127.0.0.1',
    port: at,
    protocol: 'HTTP',
    loadBalancer: {
      id: 'bench',
      account: '000000000000',
      name: 'bench',
      idleTimeoutMs: 60_000,
      clientKeepAliveMs: 3_600_000,
      requestFields: {
        forwardedFor: 'append',
        hasClientPort: false,
        dropsInvalid: false,
        preservesHost: true,
        desyncMode: 'defensive',
      },
    },
    rules: own,
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
  if (outcome.kind === 'listening') return;
  log.error(`cannot listen on port ${at}: ${outcome.reason}`);
  process.exitCode = 1;
  await proxy.drain(0);
}
