/** From the rows of minutes to a metric's points: what each statistic is made of. Pure. */
import { Histogram } from '#base/histogram.ts';
import type { MetricPeriods, MetricPoint } from '#model/metrics.ts';
import type { Metric } from './catalogue.ts';
import {
  addRows,
  balancerColumn,
  columnsCount,
  gaugeColumns,
  groupColumn,
  looksColumn,
  type Row,
  timesColumns,
} from './columns.ts';

/** What one node says of one minute: of the load balancer, or of target groups of it. */
export interface NodeMinute {
  readonly minute: number;
  readonly zone: string;
  readonly rows: readonly Row[];
}

export const minuteMs = 60_000;

/** The points of the metric in these periods; nodes' minutes come in any order. */
export function pointsOf(metric: Metric, minutes: Iterable<NodeMinute>, periods: MetricPeriods): MetricPoint[] {
  const { startMs, endMs, periodMs } = periods;
  const sums = new Map<number, Sum>();
  for (const [minute, ofNodes] of Map.groupBy(minutes, (each) => each.minute)) {
    const atMs = startMs + Math.floor((minute * minuteMs - startMs) / periodMs) * periodMs;
    if (atMs < startMs || atMs >= endMs) continue;
    const sum = sums.get(atMs) ?? new Sum();
    add(sum, metric, ofNodes);
    if (sum.sampleCount > 0) sums.set(atMs, sum);
  }
  return [...sums].sort(([one], [other]) => one - other).map(([atMs, sum]) => sum.toPoint(atMs));
}

class Sum {
  sampleCount = 0;
  sum = 0;
  minimum = Number.POSITIVE_INFINITY;
  maximum = Number.NEGATIVE_INFINITY;
  times: Histogram | undefined;

  /** Samples that add up to `sum`, of which these are the least and the greatest. */
  take(sampleCount: number, sum: number, minimum: number, maximum: number): void {
    this.sampleCount += sampleCount;
    this.sum += sum;
    this.minimum = Math.min(this.minimum, minimum);
    this.maximum = Math.max(this.maximum, maximum);
  }

  toPoint(atMs: number): MetricPoint {
    const { sampleCount, sum, minimum, maximum, times } = this;
    if (times === undefined) return { atMs, sampleCount, sum, minimum, maximum, percentile: undefined };
    const average = sum / sampleCount;
    return {
      atMs,
      sampleCount,
      sum,
      // The ends are those of the histogram's steps; an average is never beyond them.
      minimum: Math.min(times.leastMs() / 1_000, average),
      maximum: Math.max(times.quantileMs(1) / 1_000, average),
      percentile: (share: number) => times.quantileMs(share) / 1_000,
    };
  }
}

/** Adds one minute of all nodes. */
function add(sum: Sum, metric: Metric, nodes: readonly NodeMinute[]): void {
  const { source, isAlways = false } = metric;
  switch (source.kind) {
    case 'balancer-count':
    case 'group-count': {
      const columns =
        source.kind === 'balancer-count' ? source.columns.map(balancerColumn) : source.columns.map(groupColumn);
      for (const { rows } of nodes) {
        const row = addRows(rows);
        const value = columns.reduce((total, column) => total + (row.get(column) ?? 0), 0);
        if (value > 0 && source.isEach) sum.take(value, value, 1, 1);
        else if (value > 0 || (isAlways && row.has(looksColumn))) sum.take(1, value, value, value);
      }
      return;
    }
    case 'balancer-gauge':
    case 'group-gauge': {
      const columns = gaugeColumns(source.gauge);
      for (const row of nodes.flatMap(({ rows }) => rows)) {
        const samples = row.get(columns.samples) ?? 0;
        const maximum = row.get(columns.maximum) ?? 0;
        if (samples === 0 || (maximum === 0 && !isAlways)) continue;
        sum.take(samples, row.get(columns.sum) ?? 0, row.get(columns.minimum) ?? 0, maximum);
      }
      return;
    }
    case 'zones': {
      const { samples, minimum } = gaugeColumns('healthyRouting');
      const zones = new Map<string, boolean>();
      for (const { zone, rows } of nodes) {
        const known = rows.filter((row) => row.has(samples));
        if (known.length === 0) continue;
        const isHealthy = known.every((row) => (row.get(minimum) ?? 0) > 0);
        zones.set(zone, isHealthy && zones.get(zone) !== false);
      }
      if (zones.size === 0) return;
      const count = [...zones.values()].filter((isHealthy) => isHealthy === (source.counts === 'healthy')).length;
      sum.take(1, count, count, count);
      return;
    }
    case 'requests-per-target': {
      const targets = gaugeColumns('targets');
      const requests = groupColumn('requests');
      const rows = nodes.flatMap((node) => node.rows).filter((row) => row.has(looksColumn));
      // Nodes of different zones may see different targets: as many as the one sees that sees the most.
      const count = rows.reduce((most, row) => Math.max(most, row.get(targets.maximum) ?? 0), 0);
      if (count === 0) return;
      const value = rows.reduce((total, row) => total + (row.get(requests) ?? 0), 0) / count;
      sum.take(1, value, value, value);
      return;
    }
    case 'response-time': {
      for (const row of nodes.flatMap(({ rows }) => rows)) {
        const count = row.get(timesColumns.count) ?? 0;
        if (count === 0) continue;
        sum.sampleCount += count;
        sum.sum += (row.get(timesColumns.sum) ?? 0) / 1e6;
        sum.times ??= new Histogram();
        addTimes(sum.times, row);
      }
      return;
    }
  }
}

function addTimes(times: Histogram, row: Row): void {
  times.count += row.get(timesColumns.count) ?? 0;
  times.sumMicroseconds += row.get(timesColumns.sum) ?? 0;
  for (const [column, count] of row) {
    if (column >= timesColumns.bucket && column < columnsCount) times.buckets[column - timesColumns.bucket]! += count;
  }
}

/** The last column of a row that the metric is made of. */
export function lastColumnOf({ source }: Metric): number {
  switch (source.kind) {
    case 'balancer-count':
      return Math.max(...source.columns.map(balancerColumn));
    case 'group-count':
      return Math.max(...source.columns.map(groupColumn));
    case 'balancer-gauge':
    case 'group-gauge':
      return gaugeColumns(source.gauge).maximum;
    case 'zones':
      return gaugeColumns('healthyRouting').maximum;
    case 'requests-per-target':
      return gaugeColumns('targets').maximum;
    case 'response-time':
      return columnsCount;
  }
}
