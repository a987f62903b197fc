/** Statistics, periods and ranges of time: what may be asked for, and what a point says of it. */
import { accept, type Result, refuse } from '#base/result.ts';
import { shown } from '#control/elbv2/checks.ts';
import type { MetricPeriods, MetricPoint } from '#model/metrics.ts';

/** The value of a point; undefined where a point has none of this kind. */
export type Statistic = (point: MetricPoint) => number | undefined;

const simple: Readonly<Record<string, Statistic>> = {
  SampleCount: ({ sampleCount }) => sampleCount,
  Average: ({ sum, sampleCount }) => sum / sampleCount,
  Sum: ({ sum }) => sum,
  Minimum: ({ minimum }) => minimum,
  Maximum: ({ maximum }) => maximum,
};
export const simpleStatistics: readonly string[] = Object.keys(simple);

const minuteSeconds = 60;
const percentilePattern = /^p(\d{1,2}(?:\.\d{1,10})?|100(?:\.0{1,10})?)$/;

/** `Sum` and the like. */
export function simpleStatistic(name: string): Statistic | undefined {
  return Object.hasOwn(simple, name) ? simple[name] : undefined;
}

/** `p99`, `p99.9`: of whatever single values are known. */
export function percentile(name: string): Statistic | undefined {
  const digits = percentilePattern.exec(name)?.[1];
  if (digits === undefined) return undefined;
  const share = Number(digits) / 100;
  return (point) => point.percentile?.(share);
}

/** Refuses, in a sentence, periods that are not whole minutes. */
export function checkPeriod(seconds: number): string | undefined {
  if (seconds >= minuteSeconds && seconds % minuteSeconds === 0) return undefined;
  return `The parameter Period must be a multiple of ${minuteSeconds}; found '${seconds}'`;
}

/** `isAligned`: periods begin at multiples of their length; else at the minute of the start. */
export function readPeriods(
  { StartTime, EndTime, Period }: { readonly StartTime: Date; readonly EndTime: Date; readonly Period: number },
  isAligned: boolean,
): Result<MetricPeriods, string> {
  const wrong = checkPeriod(Period);
  if (wrong !== undefined) return refuse(wrong);
  const [fromMs, endMs] = [StartTime.getTime(), EndTime.getTime()];
  if (!(Number.isFinite(fromMs) && Number.isFinite(endMs))) return refuse('StartTime and EndTime must be times');
  if (fromMs >= endMs) return refuse('The parameter StartTime must be less than the parameter EndTime.');
  const periodMs = Period * 1_000;
  const stepMs = isAligned ? periodMs : minuteSeconds * 1_000;
  return accept({ startMs: Math.floor(fromMs / stepMs) * stepMs, endMs, periodMs });
}

export function unknownStatistic(name: string): string {
  const allowed = [...simpleStatistics, 'pNN, as p99.9'].join(', ');
  return `The statistic '${shown(name)}' is not offered; allowed: ${allowed}`;
}
