/**
 * What is kept of each minute, of one node: for a load balancer, and for a target group of it, a list of numbers in
 * which most are nothing. A number's place in it is its column.
 */
import { histogramBucketsCount } from '#base/histogram.ts';
import type { FunctionCounts, HostCounts } from '#model/node-counts.ts';
import type { LoadBalancerTraffic } from '#observe/metrics.ts';

type GroupTraffic = LoadBalancerTraffic['targetGroups'][number];

/** What is known of a load balancer on a node at one moment. */
export interface BalancerSeen {
  readonly traffic: LoadBalancerTraffic;
  readonly functions: readonly FunctionCounts[];
}

export interface GroupSeen {
  readonly traffic: GroupTraffic;
  readonly hosts: HostCounts | undefined;
  readonly functions: FunctionCounts | undefined;
}

/** Numbers that only rise: of a minute, by how much they rose is kept. */
export const balancerCounts = {
  newConnections: ({ traffic }) => traffic.newConnections,
  newTargetConnections: ({ traffic }) => ofGroups(traffic, (group) => group.newConnections),
  rejectedConnections: ({ traffic }) => traffic.rejectedConnections,
  bytes: ({ traffic }) => traffic.bytesIn + traffic.bytesOut,
  functionBytes: ({ functions }) => functions.reduce((sum, { bytes }) => sum + bytes, 0),
  ipv6Requests: ({ traffic }) => traffic.ipv6Requests,
  ipv6Bytes: ({ traffic }) => traffic.ipv6Bytes,
  ruleEvaluations: ({ traffic }) => traffic.ruleEvaluations,
  fixedResponses: ({ traffic }) => traffic.fixedResponses,
  redirects: ({ traffic }) => traffic.redirects,
  redirectsTooLong: ({ traffic }) => traffic.redirectsTooLong,
  nonCompliantRequests: ({ traffic }) => traffic.nonCompliantRequests,
  droppedInvalidHeaders: ({ traffic }) => traffic.droppedInvalidHeaders,
  forwardedInvalidHeaders: ({ traffic }) => traffic.forwardedInvalidHeaders,
  elb3xx: ({ traffic }) => answersFrom(traffic, 300, 399),
  elb4xx: ({ traffic }) => answersFrom(traffic, 400, 499),
  elb5xx: ({ traffic }) => answersFrom(traffic, 500, 599),
  elb500: ({ traffic }) => answersFrom(traffic, 500, 500),
  elb502: ({ traffic }) => answersFrom(traffic, 502, 502),
  elb503: ({ traffic }) => answersFrom(traffic, 503, 503),
  elb504: ({ traffic }) => answersFrom(traffic, 504, 504),
} as const satisfies Record<string, (seen: BalancerSeen) => number>;

export const groupCounts = {
  requests: ({ traffic }) => traffic.requests - traffic.withoutTarget,
  ipv6Requests: ({ traffic }) => traffic.ipv6Requests,
  nonSticky: ({ traffic }) => traffic.nonSticky,
  unhealthyRouting: ({ traffic }) => traffic.unhealthyRouting,
  connectErrors: ({ traffic }) => traffic.connectErrors,
  target2xx: ({ traffic }) => traffic.responses['2xx'] ?? 0,
  target3xx: ({ traffic }) => traffic.responses['3xx'] ?? 0,
  target4xx: ({ traffic }) => traffic.responses['4xx'] ?? 0,
  target5xx: ({ traffic }) => traffic.responses['5xx'] ?? 0,
  functionUserErrors: ({ functions }) => functions?.userErrors ?? 0,
  functionInternalErrors: ({ functions }) => functions?.internalErrors ?? 0,
} as const satisfies Record<string, (seen: GroupSeen) => number>;

/** What is so at a moment; undefined: it is not known. */
export const balancerGauges = {
  activeConnections: ({ traffic }) => traffic.activeConnections + ofGroups(traffic, (group) => group.activeConnections),
} as const satisfies Record<string, (seen: BalancerSeen) => number | undefined>;

export const groupGauges = {
  healthy: ({ hosts }) => hosts?.healthy,
  unhealthy: ({ hosts }) => hosts?.unhealthy,
  // Requests for each target are not told of functions.
  targets: ({ hosts }) => (hosts?.isOfFunctions === false ? hosts.registered : undefined),
  healthyRouting: ({ hosts }) => hosts && Number(!hosts.isFailingOpen),
  anomalous: ({ hosts }) => hosts?.anomalous,
  mitigated: ({ hosts }) => hosts?.mitigated,
} as const satisfies Record<string, (seen: GroupSeen) => number | undefined>;

export type BalancerCount = keyof typeof balancerCounts;
export type GroupCount = keyof typeof groupCounts;
export type Gauge = keyof typeof balancerGauges | keyof typeof groupGauges;

function ofGroups({ targetGroups }: LoadBalancerTraffic, number: (group: GroupTraffic) => number): number {
  return targetGroups.reduce((sum, group) => sum + number(group), 0);
}

function answersFrom({ elbResponses }: LoadBalancerTraffic, first: number, last: number): number {
  let sum = 0;
  for (const [code, answers] of Object.entries(elbResponses)) {
    if (Number(code) >= first && Number(code) <= last) sum += answers;
  }
  return sum;
}

/** Column → number; what is not there is 0. */
export type Row = Map<number, number>;

/** How often it was looked in this minute. */
export const looksColumn = 0;
export const firstCount = 1;
/** Far more than there are counts, and gauges, so that one more moves nothing. */
const firstGauge = 64;
const firstOfTimes = 128;
/** Of answers: how many, and the microseconds that they took, added up; then the buckets of their histogram. */
export const timesColumns = { count: firstOfTimes, sum: firstOfTimes + 1, bucket: firstOfTimes + 2 } as const;
export const columnsCount = timesColumns.bucket + histogramBucketsCount;

/** How counts are read, in the order of their columns from `firstCount` on. */
export const balancerReaders: readonly ((seen: BalancerSeen) => number)[] = Object.values(balancerCounts);
export const groupReaders: readonly ((seen: GroupSeen) => number)[] = Object.values(groupCounts);
const balancerNames = Object.keys(balancerCounts);
const groupNames = Object.keys(groupCounts);

export function balancerColumn(name: BalancerCount): number {
  return firstCount + balancerNames.indexOf(name);
}

export function groupColumn(name: GroupCount): number {
  return firstCount + groupNames.indexOf(name);
}

/** The columns of a gauge: how often it was known, the sum of what it was then, the least and the most. */
export interface GaugeColumns {
  readonly samples: number;
  readonly sum: number;
  readonly minimum: number;
  readonly maximum: number;
}

const gaugeNames: readonly Gauge[] = [
  ...(Object.keys(balancerGauges) as (keyof typeof balancerGauges)[]),
  ...(Object.keys(groupGauges) as (keyof typeof groupGauges)[]),
];

export function gaugeColumns(gauge: Gauge): GaugeColumns {
  const samples = firstGauge + 4 * gaugeNames.indexOf(gauge);
  return { samples, sum: samples + 1, minimum: samples + 2, maximum: samples + 3 };
}

/** How gauges are read, with their columns. */
export const balancerGaugeReaders = gaugeReaders<BalancerSeen>(balancerGauges);
export const groupGaugeReaders = gaugeReaders<GroupSeen>(groupGauges);

type GaugeReader<Seen> = readonly [columns: GaugeColumns, read: (seen: Seen) => number | undefined];

function gaugeReaders<Seen>(gauges: Readonly<Record<string, (seen: Seen) => number | undefined>>) {
  return Object.entries(gauges).map(([name, read]): GaugeReader<Seen> => [gaugeColumns(name as Gauge), read]);
}

/** Adds what a gauge is now to a row. */
export function noteGauge(row: Row, columns: GaugeColumns, value: number | undefined): void {
  if (value === undefined) return;
  const samples = row.get(columns.samples) ?? 0;
  const least = samples === 0 ? value : Math.min(row.get(columns.minimum) ?? 0, value);
  row.set(columns.samples, samples + 1);
  addTo(row, columns.sum, value);
  row.set(columns.minimum, least);
  row.set(columns.maximum, Math.max(row.get(columns.maximum) ?? 0, value));
}

export function addTo(row: Row, column: number, value: number): void {
  if (value !== 0) row.set(column, (row.get(column) ?? 0) + value);
}

/** Row and row, as of two things that were counted together: sums of counts, and of gauges. */
export function addRows(rows: readonly Row[]): Row {
  const [first, ...others] = rows;
  if (others.length === 0) return first ?? new Map();
  const sum: Row = new Map(first);
  for (const row of others) for (const [column, value] of row) addTo(sum, column, value);
  return sum;
}
