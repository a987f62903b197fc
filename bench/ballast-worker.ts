/**
 * The proxy worker alone, for measuring: a listener with a single rule, one with a hundred, one for WebSocket and one
 * whose targets change, no node and no control plane around it. At SIGHUP it reads the ports of these targets anew.
 *
 *     node bench/ballast-worker.ts FILE_WITH_TARGETS PLAIN RULES ECHO CHURN TARGET ECHO_TARGET
 */
import { readFileSync } from 'node:fs';
import { systemClock } from '#io/clock.ts';
import { processLog } from '#io/log.ts';
import { systemRandom } from '#io/random.ts';
import { createProxy } from '#proxy/proxy.ts';
import type { RoutingAction, RoutingRule, RoutingTable } from '#routing/table.ts';
import { rules } from './http-cases.ts';

const [targetsFile, ...numbers] = process.argv.slice(2);
const [plain, withRules, echo, churn, target, echoTarget] = numbers.map(Number) as [
  number,
  number,
  number,
  number,
  number,
  number,
];
const log = processLog('ballast-worker');
const proxy = createProxy({
  clock: systemClock,
  log,
  random: systemRandom,
  socketPath: process.env.SOCKET_PATH === 'public' ? 'public' : 'fast',
});
const forward: RoutingAction = { kind: 'forward', choices: [{ group: 0, share: 1 }] };
const notFound: RoutingAction = { kind: 'fixed-response', statusCode: 404, contentType: 'text/plain', body: '' };
const defaultRule = (action: RoutingAction) => ({ id: 'default', conditions: [], action, transforms: [] });

await serve('echo', echo, [echoTarget], [defaultRule(forward)]);
await serveChurn();
await serve(
  'rules',
  withRules,
  [target],
  [
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
  ],
);
// Last: whoever waits for this one finds the others, too.
await serve('plain', plain, [target], [defaultRule(forward)]);
process.on('SIGHUP', () => void serveChurn());
process.on('SIGTERM', () => void proxy.drain(0));

function serveChurn(): Promise<void> {
  const targets = readFileSync(targetsFile!, 'utf8').split(' ').map(Number);
  return serve('churn', churn, targets, [defaultRule(forward)]);
}

async function serve(
  listenerId: string,
  at: number,
  targets: readonly number[],
  own: RoutingTable['rules'],
): Promise<void> {
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
        targets: targets.map((port) => ({
          key: `bench/127.0.0.1:${port}`,
          address: '127.0.0.1',
          port,
          state: 'healthy',
        })),
        eligible: [...targets.keys()],
      },
    ],
  });
  if (outcome.kind === 'listening') return;
  log.error(`cannot listen on port ${at}: ${outcome.reason}`);
  process.exitCode = 1;
  await proxy.drain(0);
}
