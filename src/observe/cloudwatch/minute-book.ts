/**
 * What was measured in the last three hours, by minute: differences of what the nodes have counted. Of a minute in
 * which a node said nothing there is nothing from it, and never a zero as if it were known.
 */

import type { SparseHistogram } from '#base/histogram.ts';
import type { MetricPeriods, MetricPoint, MetricSeries, MetricsReader, MetricUnit } from '#model/metrics.ts';
import type { FunctionCounts, HostCounts } from '#model/node-counts.ts';
import type { LoadBalancerTraffic } from '#observe/metrics.ts';
import { catalogue, type Dimensions, type Metric, metricNamed } from './catalogue.ts';
import {
  addTo,
  balancerColumn,
  balancerGaugeReaders,
  balancerReaders,
  firstCount,
  gaugeColumns,
  groupColumn,
  groupGaugeReaders,
  groupReaders,
  looksColumn,
  noteGauge,
  type Row,
  timesColumns,
} from './columns.ts';
import { MinuteSeries } from './minute-series.ts';
import { lastColumnOf, minuteMs, type NodeMinute, pointsOf } from './points.ts';

/** How long points are kept, and in how much memory: when that does not suffice, the oldest go first. */
export const keptMinutes = 180;
export const keptBytesMax = 128 * 1024 * 1024;
/** Forgetting costs a look at everything, so it is done now and then. */
const forgetEveryMinutes = 10;
/** So many take about a millisecond. */
const balancersPerStep = 100;

/** What a node has counted since it began. */
export interface NodeCounts {
  readonly zone: string;
  /** Another one: it began anew, at `startedAtMs`. */
  readonly instance: string;
  readonly startedAtMs: number;
  readonly loadBalancers: readonly LoadBalancerTraffic[];
  readonly hosts: readonly HostCounts[];
  readonly functions: readonly FunctionCounts[];
}

/** What was counted of one thing when it was last looked. */
interface Totals {
  /** In the order of their columns. */
  readonly counts: readonly number[];
  readonly times: SparseHistogram | undefined;
}

/** The rows of one thing on one node. */
interface Kept {
  readonly series: MinuteSeries;
  /** Every column that ever held something. */
  readonly columns: Set<number>;
  /** The minute that is not over yet. */
  open: { readonly minute: number; readonly row: Row } | undefined;
}

interface OnNode {
  readonly zone: string;
  readonly balancer: Kept;
  readonly groups: Map<string, Kept>;
}

interface Baseline {
  /** When the node was last heard. */
  readonly minute: number;
  readonly instance: string;
  readonly totals: Map<string, Totals>;
}

export interface MinuteBookOptions {
  /** When it began to look. */
  readonly sinceMs: number;
  readonly bytesMax?: number;
}

export class MinuteBook implements MetricsReader {
  readonly #bytesMax: number;
  readonly #balancers = new Map<string, Map<string, OnNode>>();
  readonly #balancersOfGroup = new Map<string, Set<string>>();
  readonly #baselines = new Map<string, Baseline>();
  #lookedAtMs: number;
  #first = 0;
  #forgottenAt = 0;

  constructor({ sinceMs, bytesMax = keptBytesMax }: MinuteBookOptions) {
    this.#lookedAtMs = sinceMs;
    this.#bytesMax = bytesMax;
  }

  /** Takes in what the nodes have counted until `atMs`, each by its id. Times only go forward. */
  look(atMs: number, nodes: ReadonlyMap<string, NodeCounts>): void {
    const steps = this.lookInSteps(atMs, nodes);
    while (steps.next().done !== true);
  }

  /** The same, a little at a time: of ten thousand load balancers it takes longer than others should have to wait. */
  *lookInSteps(atMs: number, nodes: ReadonlyMap<string, NodeCounts>): Generator<'more'> {
    if (atMs <= this.#lookedAtMs) return;
    const minute = Math.floor((atMs - 1) / minuteMs);
    for (const [id, counts] of nodes) yield* this.#take(id, counts, minute);
    this.#lookedAtMs = atMs;
    this.#first = Math.max(this.#first, minute - keptMinutes + 1);
    if (minute >= this.#forgottenAt + forgetEveryMinutes) this.#forget(minute);
  }

  unitOf(metric: string): MetricUnit | undefined {
    return metricNamed(metric)?.unit;
  }

  seriesOf(loadBalancerId: string): MetricSeries[] {
    const nodes = [...(this.#balancers.get(loadBalancerId)?.values() ?? [])];
    const found: MetricSeries[] = [];
    for (const [name, metric] of Object.entries(catalogue) as [string, Metric][]) {
      for (const dimensions of metric.dimensions) {
        const zones = dimensions.includes('Z') ? [...new Set(nodes.map(({ zone }) => zone))].sort() : [undefined];
        for (const zone of zones) {
          const there = nodes.filter((node) => zone === undefined || node.zone === zone);
          for (const targetGroupId of dimensions.includes('G') ? groupsOf(there) : [undefined]) {
            if (!there.some((node) => hasPoints(metric, node, targetGroupId))) continue;
            const balancer = dimensions.includes('B') ? { loadBalancerId } : {};
            found.push({ metric: name, ...balancer, ...(targetGroupId && { targetGroupId }), ...(zone && { zone }) });
          }
        }
      }
    }
    return found;
  }

  points(series: MetricSeries, periods: MetricPeriods): MetricPoint[] {
    const metric = metricNamed(series.metric);
    if (metric === undefined || !metric.dimensions.includes(dimensionsOf(series) as never)) return [];
    const { loadBalancerId, targetGroupId, zone } = series;
    const balancers =
      loadBalancerId === undefined ? (this.#balancersOfGroup.get(targetGroupId!) ?? []) : [loadBalancerId];
    const range = { first: Math.max(this.#first, periods.startMs / minuteMs), end: lastEnd(periods) / minuteMs };
    const minutes = [...balancers].flatMap((id) =>
      [...(this.#balancers.get(id)?.values() ?? [])]
        .filter((node) => zone === undefined || node.zone === zone)
        .flatMap((node) => nodeMinutes(metric, node, { targetGroupId, ...range })),
    );
    return pointsOf(metric, minutes, periods);
  }

  /** What is kept, in bytes. */
  get sizeBytes(): number {
    return [...this.#allKept()].reduce((sum, { series }) => sum + series.sizeBytes, 0);
  }

  *#take(nodeId: string, counts: NodeCounts, minute: number): Generator<'more'> {
    const { zone, instance, startedAtMs, loadBalancers, hosts, functions } = counts;
    const known = this.#baselines.get(nodeId);
    // What was counted before anybody looked belongs to no minute that is known.
    const beganUnseen = known === undefined && startedAtMs < this.#lookedAtMs;
    const before = known?.instance === instance ? known.totals : new Map<string, Totals>();
    const totals = new Map<string, Totals>();
    const note = (key: string, kept: Kept, now: Totals): Row => {
      totals.set(key, now);
      const row = openRow(kept, minute);
      if (beganUnseen) return row;
      addTo(row, looksColumn, 1);
      addDifference(row, now, before.get(key));
      return row;
    };
    const hostsOf = new Map(hosts.map((each) => [`${each.loadBalancerId} ${each.targetGroupId}`, each]));
    const functionsOf = new Map(functions.map((each) => [each.targetGroupId, each]));
    for (const [index, traffic] of loadBalancers.entries()) {
      if (index % balancersPerStep === balancersPerStep - 1) yield 'more';
      const seen = { traffic, functions: traffic.targetGroups.flatMap(({ id }) => functionsOf.get(id) ?? []) };
      const onNode = this.#onNode(traffic.id, nodeId, zone);
      const row = note(traffic.id, onNode.balancer, {
        counts: balancerReaders.map((read) => read(seen)),
        times: undefined,
      });
      for (const [columns, read] of balancerGaugeReaders) noteGauge(row, columns, read(seen));
      noteColumns(onNode.balancer);
      for (const group of traffic.targetGroups) {
        const ofGroup = {
          traffic: group,
          hosts: hostsOf.get(`${traffic.id} ${group.id}`),
          functions: functionsOf.get(group.id),
        };
        const kept = this.#keptGroup(onNode, traffic.id, group.id);
        const groupRow = note(`${traffic.id} ${group.id}`, kept, {
          counts: groupReaders.map((read) => read(ofGroup)),
          times: group.responseTime,
        });
        for (const [columns, read] of groupGaugeReaders) noteGauge(groupRow, columns, read(ofGroup));
        noteColumns(kept);
      }
    }
    this.#baselines.set(nodeId, { minute, instance, totals });
  }

  #onNode(loadBalancerId: string, nodeId: string, zone: string): OnNode {
    let nodes = this.#balancers.get(loadBalancerId);
    if (nodes === undefined) {
      nodes = new Map();
      this.#balancers.set(loadBalancerId, nodes);
    }
    let onNode = nodes.get(nodeId);
    if (onNode?.zone !== zone) {
      onNode = { zone, balancer: newKept(), groups: new Map() };
      nodes.set(nodeId, onNode);
    }
    return onNode;
  }

  #keptGroup({ groups }: OnNode, loadBalancerId: string, targetGroupId: string): Kept {
    let kept = groups.get(targetGroupId);
    if (kept === undefined) {
      kept = newKept();
      groups.set(targetGroupId, kept);
      const balancers = this.#balancersOfGroup.get(targetGroupId) ?? new Set();
      this.#balancersOfGroup.set(targetGroupId, balancers.add(loadBalancerId));
    }
    return kept;
  }

  /** Forgets what is too old, and of the oldest as much as is too much; then whatever nothing is left of. */
  #forget(minute: number): void {
    this.#forgottenAt = minute;
    for (;;) {
      for (const { series } of this.#allKept()) series.dropBefore(this.#first);
      const isTooMuch = this.sizeBytes > this.#bytesMax;
      if (!isTooMuch || this.#first >= minute) break;
      this.#first += Math.ceil((minute - this.#first) / 4);
    }
    for (const [id, { minute: heard }] of this.#baselines) if (heard < this.#first) this.#baselines.delete(id);
    const isGone = ({ series, open }: Kept) => series.isEmpty && (open === undefined || open.minute < this.#first);
    for (const [id, nodes] of this.#balancers) {
      for (const [nodeId, { balancer, groups }] of nodes) {
        for (const [group, kept] of groups) if (isGone(kept)) groups.delete(group);
        if (groups.size === 0 && isGone(balancer)) nodes.delete(nodeId);
      }
      if (nodes.size === 0) this.#balancers.delete(id);
    }
    for (const [group, balancers] of this.#balancersOfGroup) {
      for (const id of balancers) {
        const isThere = [...(this.#balancers.get(id)?.values() ?? [])].some(({ groups }) => groups.has(group));
        if (!isThere) balancers.delete(id);
      }
      if (balancers.size === 0) this.#balancersOfGroup.delete(group);
    }
  }

  *#allKept(): Iterable<Kept> {
    for (const nodes of this.#balancers.values()) {
      for (const { balancer, groups } of nodes.values()) {
        yield balancer;
        yield* groups.values();
      }
    }
  }
}

function newKept(): Kept {
  return { series: new MinuteSeries(), columns: new Set(), open: undefined };
}

/** The row of this minute; what was open of one before is put away. */
function openRow(kept: Kept, minute: number): Row {
  const { open, series } = kept;
  if (open?.minute === minute) return open.row;
  if (open !== undefined) series.append(open.minute, open.row);
  kept.open = { minute, row: new Map() };
  return kept.open.row;
}

function noteColumns({ open, columns }: Kept): void {
  for (const column of open!.row.keys()) columns.add(column);
}

/** Counters only rise: one that has fallen began anew, and all that it says is new. */
function addDifference(row: Row, now: Totals, before: Totals | undefined): void {
  for (const [index, count] of now.counts.entries()) {
    addTo(row, firstCount + index, rise(count, before?.counts[index]));
  }
  const { times } = now;
  if (times === undefined || times.count === before?.times?.count) return;
  const known = before?.times !== undefined && before.times.count <= times.count ? before.times : undefined;
  const buckets = new Map(known?.pairs);
  addTo(row, timesColumns.count, times.count - (known?.count ?? 0));
  addTo(row, timesColumns.sum, Math.max(0, Math.round(times.sumMicroseconds - (known?.sumMicroseconds ?? 0))));
  for (const [bucket, count] of times.pairs) {
    addTo(row, timesColumns.bucket + bucket, rise(count, buckets.get(bucket)));
  }
}

function rise(now: number, before = 0): number {
  return now >= before ? now - before : now;
}

function groupsOf(nodes: readonly OnNode[]): readonly string[] {
  return [...new Set(nodes.flatMap(({ groups }) => [...groups.keys()]))].sort();
}

/** Whether the metric of the node's load balancer, or of a target group of it, has ever had a point. */
function hasPoints(metric: Metric, { balancer, groups }: OnNode, targetGroupId: string | undefined): boolean {
  const kept = isOfGroups(metric)
    ? targetGroupId === undefined
      ? [...groups.values()]
      : [groups.get(targetGroupId)].filter((each) => each !== undefined)
    : [balancer];
  return kept.some(({ columns }) => columnsThatTell(metric).some((column) => columns.has(column)));
}

/** That one of them is there says that there is a point. */
function columnsThatTell({ source, isAlways }: Metric): readonly number[] {
  switch (source.kind) {
    case 'balancer-count':
      return isAlways ? [looksColumn] : source.columns.map(balancerColumn);
    case 'group-count':
      return isAlways ? [looksColumn] : source.columns.map(groupColumn);
    case 'balancer-gauge':
    case 'group-gauge':
      return [isAlways ? gaugeColumns(source.gauge).samples : gaugeColumns(source.gauge).sum];
    case 'zones':
      return [gaugeColumns('healthyRouting').samples];
    case 'requests-per-target':
      return [gaugeColumns('targets').samples];
    case 'response-time':
      return [timesColumns.count];
  }
}

function isOfGroups({ source }: Metric): boolean {
  return source.kind !== 'balancer-count' && source.kind !== 'balancer-gauge';
}

function dimensionsOf({ loadBalancerId, targetGroupId, zone }: MetricSeries): string {
  const [z, b, g] = [zone && 'Z', loadBalancerId && 'B', targetGroupId && 'G'];
  return `${z ?? ''}${b ?? ''}${g ?? ''}` satisfies string | Dimensions;
}

function lastEnd({ startMs, endMs, periodMs }: MetricPeriods): number {
  return startMs + Math.ceil((endMs - startMs) / periodMs) * periodMs;
}

/** The minutes of a node, with the rows that the metric is made of. */
function nodeMinutes(
  metric: Metric,
  { zone, balancer, groups }: OnNode,
  range: { readonly targetGroupId: string | undefined; readonly first: number; readonly end: number },
): NodeMinute[] {
  const { targetGroupId, first, end } = range;
  const kept = !isOfGroups(metric)
    ? [balancer]
    : [...groups].flatMap(([id, group]) => (targetGroupId === undefined || id === targetGroupId ? [group] : []));
  const lastColumn = lastColumnOf(metric);
  const minutes = new Map<number, Row[]>();
  for (const { series, open } of kept) {
    const rows = [...series.rows(first, end, lastColumn)];
    if (open !== undefined && open.minute >= first && open.minute < end) rows.push(open);
    for (const { minute, row } of rows) {
      const known = minutes.get(minute);
      if (known === undefined) minutes.set(minute, [row]);
      else known.push(row);
    }
  }
  return [...minutes].map(([minute, rows]) => ({ minute, zone, rows }));
}
