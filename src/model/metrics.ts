/**
 * What may be asked about measurements under CloudWatch's names. Measurements are observations, not state: they are
 * never in the journal, and who answers keeps them in memory.
 */

export const metricsNamespace = 'AWS/ApplicationELB';

/** One metric of one thing. What is undefined is no dimension of it: its points are those of all together. */
export interface MetricSeries {
  readonly metric: string;
  readonly loadBalancerId?: string | undefined;
  readonly targetGroupId?: string | undefined;
  readonly zone?: string | undefined;
}

/** Periods one after the other, from `startMs` on, that begin before `endMs`; times are whole minutes. */
export interface MetricPeriods {
  readonly startMs: number;
  readonly endMs: number;
  readonly periodMs: number;
}

export type MetricUnit = 'Count' | 'Bytes' | 'Seconds';

/** What was measured in one period. */
export interface MetricPoint {
  /** When the period began. */
  readonly atMs: number;
  readonly sampleCount: number;
  readonly sum: number;
  readonly minimum: number;
  readonly maximum: number;
  /** The value below which this share (0 to 1) of all measured ones lies; undefined: single values are not known. */
  readonly percentile: ((share: number) => number) | undefined;
}

export interface MetricsReader {
  /** Undefined: there is no such metric. */
  unitOf(metric: string): MetricUnit | undefined;
  /** Every series of the load balancer that has points. */
  seriesOf(loadBalancerId: string): readonly MetricSeries[];
  /** The oldest first; a period in which nothing is known to have been measured has none. */
  points(series: MetricSeries, periods: MetricPeriods): readonly MetricPoint[];
}
