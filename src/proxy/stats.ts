/** The counters of a worker as plain data that crosses process borders, and how those of several workers add up. */
import type { SparseHistogram } from '#base/histogram.ts';
import { Histogram } from '#base/histogram.ts';

export interface ProxyStats {
  readonly activeConnections: number;
  /** Connections to targets that wait for a request. */
  readonly idleTargetConnections: number;
  /** Entries of logs that were given up, because the disk was full or slow. */
  readonly droppedLogLines: number;
  readonly loadBalancers: readonly LoadBalancerStats[];
  readonly targets: readonly TargetStats[];
}

/** See `LoadBalancerCounters` for what each number counts. */
export interface LoadBalancerStats {
  readonly id: string;
  readonly requests: number;
  readonly newConnections: number;
  readonly activeConnections: number;
  readonly rejectedConnections: number;
  readonly blockedConnections: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly clientGone: number;
  /** Status code → how many answers with it the load balancer made itself. */
  readonly elbResponses: Readonly<Record<string, number>>;
  readonly targetGroups: readonly TargetGroupStats[];
}

/** What one load balancer saw of one target group; see `GroupCounters`. */
export interface TargetGroupStats {
  readonly id: string;
  readonly requests: number;
  readonly responses: ResponsesByClass;
  readonly connectionErrors: number;
  readonly retries: number;
  readonly retriesRefused: number;
  readonly responseTime: SparseHistogram;
}

export type ResponsesByClass = Readonly<Record<'1xx' | '2xx' | '3xx' | '4xx' | '5xx', number>>;

export interface TargetStats {
  readonly key: string;
  readonly requests: number;
  /** Requests that it has been given and has not answered yet. */
  readonly outstanding: number;
}

/** What became of requests at a target: how many ended, and how many of them failed, by a 5xx or without an answer. */
export type TargetOutcomes = readonly [targetKey: string, ended: number, failed: number];

/** The sum over workers. */
export function addProxyStats(all: readonly ProxyStats[]): ProxyStats {
  return {
    activeConnections: sum(all, (stats) => stats.activeConnections),
    idleTargetConnections: sum(all, (stats) => stats.idleTargetConnections),
    droppedLogLines: sum(all, (stats) => stats.droppedLogLines),
    loadBalancers: grouped(
      all.flatMap((stats) => stats.loadBalancers),
      (stats) => stats.id,
      addLoadBalancers,
    ),
    targets: grouped(
      all.flatMap((stats) => stats.targets),
      (stats) => stats.key,
      (same) => ({
        key: same[0]!.key,
        requests: sum(same, (stats) => stats.requests),
        outstanding: sum(same, (stats) => stats.outstanding),
      }),
    ),
  };
}

function addLoadBalancers(same: readonly LoadBalancerStats[]): LoadBalancerStats {
  const elbResponses: Record<string, number> = {};
  for (const stats of same) {
    for (const [code, count] of Object.entries(stats.elbResponses)) {
      elbResponses[code] = (elbResponses[code] ?? 0) + count;
    }
  }
  return {
    id: same[0]!.id,
    requests: sum(same, (stats) => stats.requests),
    newConnections: sum(same, (stats) => stats.newConnections),
    activeConnections: sum(same, (stats) => stats.activeConnections),
    rejectedConnections: sum(same, (stats) => stats.rejectedConnections),
    blockedConnections: sum(same, (stats) => stats.blockedConnections),
    bytesIn: sum(same, (stats) => stats.bytesIn),
    bytesOut: sum(same, (stats) => stats.bytesOut),
    clientGone: sum(same, (stats) => stats.clientGone),
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
    requests: sum(same, (stats) => stats.requests),
    responses: {
      '1xx': sum(same, (stats) => stats.responses['1xx']),
      '2xx': sum(same, (stats) => stats.responses['2xx']),
      '3xx': sum(same, (stats) => stats.responses['3xx']),
      '4xx': sum(same, (stats) => stats.responses['4xx']),
      '5xx': sum(same, (stats) => stats.responses['5xx']),
    },
    connectionErrors: sum(same, (stats) => stats.connectionErrors),
    retries: sum(same, (stats) => stats.retries),
    retriesRefused: sum(same, (stats) => stats.retriesRefused),
    responseTime: responseTime.toSparse(),
  };
}

function sum<Item>(items: readonly Item[], number: (item: Item) => number): number {
  return items.reduce((total, item) => total + number(item), 0);
}

/** One item for each key, in the order of their first appearance. */
function grouped<Item>(items: readonly Item[], key: (item: Item) => string, add: (same: Item[]) => Item): Item[] {
  return [...Map.groupBy(items, key).values()].map(add);
}
