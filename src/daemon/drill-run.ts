/**
 * Plays one scenario on a copy of the morning: starts the region, lets viewers watch and a prober go round, does the
 * harm, and takes down what came of it: who failed, who stalled, when it was noticed and when it was mended.
 */

import { rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AddTagsCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { formatDuration } from '#base/duration.ts';
import { Player } from '#drill/player.ts';
import { Prober } from '#drill/prober.ts';
import type { ScenarioEvent, ScenarioResult } from '#drill/scoreboard.ts';
import { systemClock } from '#io/clock.ts';
import { every, sleep } from '#io/timers.ts';
import {
  copyMorning,
  type DrillLoadBalancer,
  DrillRegion,
  drillPort,
  type Morning,
  type RegionOptions,
} from './drill-region.ts';
import type { Scenario } from './drill-scenarios.ts';
import type { Layer } from './messages.ts';

/** The promise, with all layers on. */
export const target = { noticedAfterMs: 1_000, mendedAfterMs: 5_000 } as const;

export const segment = { bytes: 64 * 1024, ms: 400, buffered: 3 } as const;
const playersPerStream = 3;
const probesPerSecond = 300;
const probeTimeoutMs = 5_000;
/** How long everything runs before the harm is done. */
const quietMs = 1_500;
/** How long it is watched afterwards, at least. */
const watchedMs = 4_000;
/** So long it is waited for that it is mended. */
const mendedMs = 30_000;
const pollMs = 50;
const callPeriodMs = 250;
/** A pause of the players' own is worth a word when it is longer. */
const heldSaidMs = 1_000;

/** What the sentinel tells; the drill's own server listens for it. */
export interface AlarmDesk {
  readonly url: string;
  readonly messages: { readonly atMs: number; readonly message: Record<string, unknown> }[];
  close(): void;
}

export async function openAlarmDesk(): Promise<AlarmDesk> {
  const messages: AlarmDesk['messages'] = [];
  const server = createServer((request, response) => {
    const atMs = systemClock.monotonicMs();
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      messages.push({ atMs, message: JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown> });
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/alarms`,
    messages,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

export interface RunOptions {
  readonly morning: Morning;
  readonly region: RegionOptions;
  readonly desk: AlarmDesk;
  readonly without: readonly Layer[];
  readonly victims: readonly DrillLoadBalancer[];
  /** Says in which step it is. */
  readonly say: (text: string) => void;
}

export async function playScenario(scenario: Scenario, options: RunOptions): Promise<ScenarioResult> {
  const { morning, without, say } = options;
  say(`${scenario.name}: starting the region`);
  const data = copyMorning(morning);
  const region = await DrillRegion.start(data, options.region, without);
  try {
    await region.settled(!without.includes('vault'));
    say(`${scenario.name}: playing`);
    return await watch(scenario, region, options);
  } finally {
    await region.stop();
    rmSync(data, { recursive: true, force: true });
  }
}

async function watch(scenario: Scenario, region: DrillRegion, options: RunOptions): Promise<ScenarioResult> {
  const { morning, desk, without, victims } = options;
  const addresses = await resolveAll(region, morning.loadBalancers);
  const endpoints = morning.loadBalancers.map(({ name }, index) => {
    const all = addresses.get(name)!;
    return { name, host: all[index % all.length]!, port: drillPort };
  });
  const prober = new Prober({ endpoints, requestsPerSecond: probesPerSecond, timeoutMs: probeTimeoutMs });
  const resolver = region.resolver();
  const players = morning.loadBalancers
    .filter(({ isStreaming }) => isStreaming)
    .flatMap(({ name, dnsName }) =>
      Array.from(
        { length: playersPerStream },
        (_, seat) =>
          new Player({
            host: dnsName,
            port: drillPort,
            channel: `${name}-${seat}`,
            segmentBytes: segment.bytes,
            segmentMs: segment.ms,
            bufferSegments: segment.buffered,
            resolve: async () => (await resolver.resolve4(dnsName))[seat % addresses.get(name)!.length]!,
          }),
      ),
    );
  const owner = new OwnerCalls(region, morning, victims);
  try {
    await sleep(quietMs);
    prober.mark();
    desk.messages.length = 0;
    const before = sumUp(prober, players);
    const startMs = systemClock.monotonicMs();
    const events: ScenarioEvent[] = [];
    const note = (text: string, atMs = systemClock.monotonicMs()) =>
      void events.push({ afterMs: atMs - startMs, text });
    const { barred, undo } = await scenario.play({ region, morning, victims, say: note });
    const barredAtMs = barred === undefined ? undefined : systemClock.monotonicMs();
    const isSeen = () => desk.messages.some(({ message }) => message.type === 'alarm');
    const isMended = () => barred !== undefined || desk.messages.some(({ message }) => message.state === 'mended');
    const mendsItself = !without.some((layer) => layer === 'sentinel' || layer === 'vault' || layer === 'guard');
    const waitMs = mendsItself ? mendedMs : watchedMs;
    for (const endMs = startMs + waitMs; !isMended() && systemClock.monotonicMs() < endMs; ) await sleep(pollMs);
    const leftMs = startMs + watchedMs - systemClock.monotonicMs();
    if (leftMs > 0) await sleep(leftMs);
    const undoneMs = undo !== undefined && isSeen() ? await takeBack(region, undo, note) : undefined;
    const sweep = await prober.sweep();
    const after = sumUp(prober, players);
    const { everImpaired } = prober.snapshot();
    for (const { atMs, message } of desk.messages) {
      const what = message.type === 'alarm' ? `noticed: ${message.what}` : `${message.state}: ${message.incident}`;
      note(what, atMs);
    }
    const alarm = desk.messages.find(({ message }) => message.type === 'alarm');
    const mended = desk.messages.find(({ message }) => message.state === 'mended');
    const left = await owner.countLoadBalancers();
    const heldMs = players.reduce((sum, player) => sum + player.figures().heldMs, 0) / players.length;
    const failedRequests = after.failures - before.failures;
    const result = {
      scenario: scenario.name,
      title: scenario.title,
      layersOff: without,
      loadBalancers: morning.loadBalancers.length,
      impaired: Math.max(everImpaired, sweep.failed.length),
      requests: after.requests - before.requests,
      failedRequests,
      stalls: after.stalls - before.stalls,
      noticedAfterMs: barredAtMs !== undefined ? barredAtMs - startMs : alarm && alarm.atMs - startMs,
      isBarred: barred !== undefined,
      mendedAfterMs: undoneMs !== undefined ? undoneMs - startMs : mended && mended.atMs - startMs,
      events: events.toSorted((one, other) => one.afterMs - other.afterMs),
      notes: [
        `An owner changed tags of another load balancer all the time: ${owner.calls} calls, ${owner.failures} of them refused.`,
        ...(heldMs > heldSaidMs
          ? [
              `The players' own process stood still for ${formatDuration(heldMs)} in all, which counts as nobody's stall.`,
            ]
          : []),
        left === undefined
          ? 'The API does not answer.'
          : `In the end the state knows ${left} of ${morning.loadBalancers.length} load balancers.`,
      ],
    };
    return { ...result, target: judge(result, left) };
  } finally {
    owner.stop();
    await prober.stop();
    await Promise.all(players.map((player) => player.stop()));
  }
}

/** With a layer off no request may fail; with all of them on nothing may be lost either, and it is mended soon. */
function judge(result: Omit<ScenarioResult, 'target'>, left: number | undefined): ScenarioResult['target'] {
  const {
    layersOff,
    isBarred,
    impaired,
    failedRequests,
    requests,
    stalls,
    noticedAfterMs,
    mendedAfterMs,
    loadBalancers,
  } = result;
  const missed: string[] = [];
  if (requests === 0) missed.push('nobody watched');
  if (failedRequests > 0) missed.push(`${failedRequests} requests failed; none may`);
  if (layersOff.length > 0) return { holds: missed.length === 0, missed };
  if (impaired > 0) missed.push(`${impaired} load balancers were impaired; none may be`);
  if (stalls > 0) missed.push(`players stalled ${stalls} times; none may`);
  if (noticedAfterMs === undefined) missed.push('it was not noticed');
  else if (noticedAfterMs > target.noticedAfterMs)
    missed.push(`it was noticed later than within ${target.noticedAfterMs} ms`);
  if (!isBarred && mendedAfterMs === undefined) missed.push('it was not mended');
  if (mendedAfterMs !== undefined && mendedAfterMs > target.mendedAfterMs) {
    missed.push(`it was mended later than within ${target.mendedAfterMs} ms`);
  }
  if (left !== loadBalancers) missed.push(`the state knows ${left ?? 'none'} of ${loadBalancers} load balancers`);
  return { holds: missed.length === 0, missed };
}

/** What an operator does who has read the alarm; gives the moment from which on everything was as before. */
async function takeBack(
  region: DrillRegion,
  undo: { readonly from: number; readonly to: number },
  note: (text: string) => void,
): Promise<number> {
  note(`an operator reads the alarm, and reverts revisions ${undo.from} to ${undo.to}`);
  await region.ask('/v1/revert', { ...undo, reason: 'it was a mistake' });
  await region.settled(false);
  const atMs = systemClock.monotonicMs();
  note('everything is back, and every node has it in service');
  return atMs;
}

async function resolveAll(
  region: DrillRegion,
  loadBalancers: readonly DrillLoadBalancer[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const resolver = region.resolver();
  const found = new Map<string, readonly string[]>();
  for (const { name, dnsName } of loadBalancers) found.set(name, (await resolver.resolve4(dnsName)).sort());
  return found;
}

function sumUp(prober: Prober, players: readonly Player[]) {
  const { requests, failures } = prober.snapshot();
  const sums = { requests, failures, stalls: 0 };
  for (const player of players) {
    const figures = player.figures();
    sums.requests += figures.requests;
    sums.failures += figures.failures;
    sums.stalls += figures.stalls;
  }
  return sums;
}

/** An owner whom all of this does not concern, and who goes on with their work. */
class OwnerCalls {
  calls = 0;
  failures = 0;
  readonly #region: DrillRegion;
  readonly #client;
  readonly #timer;
  #isCalling = false;

  constructor(region: DrillRegion, morning: Morning, victims: readonly DrillLoadBalancer[]) {
    this.#region = region;
    this.#client = region.client(morning.credentials);
    const account = morning.loadBalancers.find(({ arn }) => !victims.some((each) => each.arn === arn));
    const own = morning.loadBalancers.find(
      (each) => each.account === '333333333333' && !victims.some(({ arn }) => arn === each.arn),
    );
    const arn = (own ?? account)!.arn;
    this.#timer = every(callPeriodMs, async () => {
      if (this.#isCalling) return;
      this.#isCalling = true;
      this.calls += 1;
      const Tags = [{ Key: 'round', Value: `${this.calls}` }];
      try {
        await this.#client.send(new AddTagsCommand({ ResourceArns: [arn], Tags }));
      } catch {
        this.failures += 1;
      } finally {
        this.#isCalling = false;
      }
    });
  }

  /** As the state has it; undefined when nobody answers. */
  async countLoadBalancers(): Promise<number | undefined> {
    try {
      return (await this.#region.status()).counts.loadBalancers;
    } catch {
      return undefined;
    }
  }

  stop(): void {
    this.#timer.stop();
    this.#client.destroy();
  }
}
