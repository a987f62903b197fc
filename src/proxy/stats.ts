/** The counters of a worker as plain data that crosses process borders, and how those of several workers add up. */
import type { SparseHistogram } from '#base/histogram.ts';
import { Histogram } from '#base/histogram.ts';
import type { GroupCounters, LoadBalancerCounters } from './counters.ts';

export interface ProxyStats {
  readonly activeConnections: number;
  /** Connections to targets that wait for a request. */
  readonly idleTargetConnections: number;
  /** Entries of logs that were given up, because the disk was full or slow. */
  readonly droppedLogLines: number;
  readonly loadBalancers: readonly LoadBalancerStats[];
  /** Those that were asked for and were given a request, the busiest first. */
  readonly targets: readonly TargetStats[];
  /** Of these, so many at least are left out because they are too many. */
  readonly targetsLeftOut: number;
}

/** Of which target groups the targets are wanted. */
export type TargetsWanted = 'all' | readonly string[];

/** So many targets are told at once, so that a million of them hold nobody up. */
export const targetsMax = 10_000;

/** The numbers of `LoadBalancerCounters`, which says what each counts. */
export const loadBalancerNumbers = [
  'requests',
  'newConnections',
  'activeConnections',
  'rejectedConnections',
  'blockedConnections',
  'bytesIn',
  'bytesOut',
  'clientGone',
  'ruleEvaluations',
  'fixedResponses',
  'redirects',
  'redirectsTooLong',
  'nonCompliantRequests',
  'droppedInvalidHeaders',
  'forwardedInvalidHeaders',
] as const satisfies readonly (keyof LoadBalancerCounters)[];

/** The numbers of `GroupCounters`. */
export const groupNumbers = [
  'requests',
  'withoutTarget',
  'nonSticky',
  'unhealthyRouting',
  'connectionErrors',
  'connectErrors',
  'newConnections',
  'activeConnections',
  'retries',
  'retriesRefused',
] as const satisfies readonly (keyof GroupCounters)[];

type Numbers<Names extends readonly string[]> = Readonly<Record<Names[number], number>>;

export interface LoadBalancerStats extends Numbers<typeof loadBalancerNumbers> {
  readonly id: string;
  /** Requests and bytes, both ways, of clients that came by IPv6: they are part of the others. */
  readonly ipv6Requests: number;
  readonly ipv6Bytes: number;
  /** Status code → how many answers with it the load balancer made itself. */
  readonly elbResponses: Readonly<Record<string, number>>;
  readonly targetGroups: readonly TargetGroupStats[];
}

/** What one load balancer saw of one target group. */
export interface TargetGroupStats extends Numbers<typeof groupNumbers> {
  readonly id: string;
  readonly ipv6Requests: number;
  readonly responses: ResponsesByClass;
  readonly responseTime: SparseHistogram;
}

export type ResponsesByClass = Readonly<Record<'1xx' | '2xx' | '3xx' | '4xx' | '5xx', number>>;

/** See `TargetCounters`. */
export interface TargetStats {
  readonly key: string;
  readonly loadBalancerId: string;
  readonly targetGroupId: string;
  /** `ADDRESS:PORT`. */
  readonly label: string;
  /** Requests that it was given, retries among them. */
  readonly requests: number;
  /** Requests that it has been given and has not answered yet. */
  readonly outstanding: number;
  readonly responses: ResponsesByClass;
  readonly connectErrors: number;
  readonly responseTimeMs: number;
  readonly bytesOut: number;
  readonly bytesIn: number;
}

const targetNumbers = [
  'requests',
  'outstanding',
  'connectErrors',
  'responseTimeMs',
  'bytesOut',
  'bytesIn',
] as const satisfies readonly (keyof TargetStats)[];

/** What became of requests at a target: how many ended, and how many of them failed, by a 5xx or without an answer. */
export type TargetOutcomes = readonly [targetKey: string, ended: number, failed: number];

/** The sum over workers. */
export function addProxyStats(all: readonly ProxyStats[]): ProxyStats {
  const targets = busiest(
    grouped(
      all.flatMap((stats) => stats.targets),
      (stats) => stats.key,
      (same) => ({ ...same[0]!, ...addNumbers(same, targetNumbers), responses: addResponses(same) }),
    ),
  );
  return {
    activeConnections: sum(all, (stats) => stats.activeConnections),
    idleTargetConnections: sum(all, (stats) => stats.idleTargetConnections),
    droppedLogLines: sum(all, (stats) => stats.droppedLogLines),
    loadBalancers: grouped(
      all.flatMap((stats) => stats.loadBalancers),
      (stats) => stats.id,
      addLoadBalancers,
    ),
    targets: targets.told,
    targetsLeftOut: all.reduce((most, stats) => Math.max(most, stats.targetsLeftOut), targets.leftOut),
  };
}

/** As many as are told, those with the most requests first. */
export function busiest<Item extends { readonly requests: number }>(
  targets: readonly Item[],
): { readonly told: readonly Item[]; readonly leftOut: number } {
  const sorted = [...targets].sort((one, other) => other.requests - one.requests);
  return { told: sorted.slice(0, targetsMax), leftOut: Math.max(0, sorted.length - targetsMax) };
}

/** The sum of what was counted of one load balancer. */
export function addLoadBalancers(same: readonly LoadBalancerStats[]): LoadBalancerStats {
  const elbResponses: Record<string, number> = {};
  for (const stats of same) {
    for (const [code, count] of Object.entries(stats.elbResponses)) {
      elbResponses[code] = (elbResponses[code] ?? 0) + count;
    }
  }
  return {
    id: same[0]!.id,
    ...addNumbers(same, loadBalancerNumbers),
    ...addNumbers(same, ['ipv6Requests', 'ipv6Bytes'] as const),
    elbResponses,
    targetGroups: grouped(
      same.flatMap((stats) => stats.targetGroups),
      (stats) => stats.id,
      addTargetGroups,
    ),
  };
}

function addTargetGroups(same: readonly TargetGroupStats[]): TargetGroupStats {
  const responseTime = new Histogram();
  for (const stats of same) responseTime.add(Histogram.fromSparse(stats.responseTime));
  return {
    id: same[0]!.id,
    ...addNumbers(same, groupNumbers),
    ...addNumbers(same, ['ipv6Requests'] as const),
    responses: addResponses(same),
    responseTime: responseTime.toSparse(),
  };
}

/** Counts by the first digit of a status, as they are told. */
export function responsesByClass(byFirstDigit: readonly number[]): ResponsesByClass {
  const [, informational = 0, successful = 0, redirection = 0, client = 0, server = 0] = byFirstDigit;
  return { '1xx': informational, '2xx': successful, '3xx': redirection, '4xx': client, '5xx': server };
}

function addResponses(same: readonly { readonly responses: ResponsesByClass }[]): ResponsesByClass {
  return addNumbers(
    same.map(({ responses }) => responses),
    ['1xx', '2xx', '3xx', '4xx', '5xx'] as const,
  );
}

function addNumbers<Names extends readonly string[]>(same: readonly Numbers<Names>[], names: Names): Numbers<Names> {
  const sums = {} as Record<Names[number], number>;
  for (const name of names as readonly Names[number][]) sums[name] = sum(same, (stats) => stats[name]);
  return sums;
}

function sum<Item>(items: readonly Item[], number: (item: Item) => number): number {
  return items.reduce((total, item) => total + number(item), 0);
}

/** One item for each key, in the order of their first appearance. */
function grouped<Item>(items: readonly Item[], key: (item: Item) => string, add: (same: Item[]) => Item): Item[] {
  return [...Map.groupBy(items, key).values()].map(add);
}
