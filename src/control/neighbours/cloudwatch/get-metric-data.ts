/**
 * GetMetricData: the values of up to 500 series, in pages. A token says how many values were given and how late it was
 * at the first page, so that what is measured between two pages moves nothing.
 */
import type { GetMetricDataInput, GetMetricDataOutput, MetricDataResult } from '@aws-sdk/client-cloudwatch';
import { accept, type Result, refuse } from '#base/result.ts';
import { shown } from '#control/elbv2/checks.ts';
import type { Decoded } from '#control/elbv2/shape.ts';
import { makeToken, readToken } from '#control/neighbours/pages.ts';
import type { Operation, OperationContext } from '#control/operation.ts';
import { type Fault, fault } from '#model/fault.ts';
import { type MetricPoint, metricsNamespace } from '#model/metrics.ts';
import type { View } from '#model/view.ts';
import { seriesNamed } from './dimensions.ts';
import { percentile, readPeriods, type Statistic, simpleStatistic, unknownStatistic } from './statistics.ts';

type Input = Decoded<GetMetricDataInput>;
type Query = Input['MetricDataQueries'][number];

const queriesMax = 500;
const pageSizeMax = 100_800;
const idPattern = /^[a-z][A-Za-z0-9_]{0,254}$/;

interface Found {
  readonly id: string;
  readonly label: string;
  readonly isForbidden: boolean;
  readonly values: readonly (readonly [atMs: number, value: number])[];
}

export const getMetricData: Operation<Input, GetMetricDataOutput> = {
  kind: 'read',
  answer(view, input, context) {
    const wrong = checkInput(input);
    if (wrong !== undefined) return refuse(wrong);
    const { MetricDataQueries, NextToken, ScanBy, MaxDatapoints = pageSizeMax } = input;
    const place = NextToken === undefined ? { given: 0, untilMs: context.nowMs } : readPlace(NextToken);
    if (place === undefined) {
      return refuse(fault('InvalidNextToken', 'NextToken is not valid; take it from an answer'));
    }
    const all: Found[] = [];
    for (const query of MetricDataQueries) {
      const found = answerQuery(view, query, { input, untilMs: place.untilMs }, context);
      if (!found.ok) return found;
      if (query.ReturnData === false) continue;
      const values = ScanBy === 'TimestampAscending' ? found.value.values : found.value.values.toReversed();
      all.push({ ...found.value, values });
    }
    const { results, given } = cut(all, place.given, MaxDatapoints);
    const isMore = given < all.reduce((sum, { values }) => sum + values.length, 0);
    return accept({
      MetricDataResults: results,
      Messages: [],
      ...(isMore && { NextToken: makeToken(`${given} ${place.untilMs}`) }),
    });
  },
};

function checkInput({ MetricDataQueries, MaxDatapoints, ScanBy }: Input): Fault | undefined {
  const wrong = (message: string) => fault('ValidationError', message);
  if (MetricDataQueries.length === 0 || MetricDataQueries.length > queriesMax) {
    return wrong(`MetricDataQueries has ${MetricDataQueries.length} entries; allowed: 1 to ${queriesMax}`);
  }
  const ids = new Set<string>();
  for (const { Id, Expression, MetricStat } of MetricDataQueries) {
    if (!idPattern.test(Id)) {
      return wrong(`Id '${shown(Id)}' must begin with a lower case letter and hold letters, digits and _ alone`);
    }
    if (ids.has(Id)) return wrong(`Id '${Id}' is there twice`);
    ids.add(Id);
    if (Expression !== undefined) {
      return wrong(`Query '${Id}' has an Expression: metric math and queries are not offered, MetricStat is`);
    }
    if (MetricStat === undefined) return wrong(`Query '${Id}' needs a MetricStat`);
  }
  if (MaxDatapoints !== undefined && (MaxDatapoints < 1 || MaxDatapoints > pageSizeMax)) {
    return wrong(`MaxDatapoints '${MaxDatapoints}' must be 1 to ${pageSizeMax}`);
  }
  if (ScanBy !== undefined && ScanBy !== 'TimestampAscending' && ScanBy !== 'TimestampDescending') {
    return wrong(`ScanBy '${shown(ScanBy)}' must be TimestampAscending or TimestampDescending`);
  }
  return undefined;
}

function answerQuery(
  view: View,
  { Id, MetricStat, Label, AccountId }: Query,
  { input, untilMs }: { readonly input: Input; readonly untilMs: number },
  context: OperationContext,
): Result<Found, Fault> {
  const { Metric, Period, Stat, Unit } = MetricStat!;
  const statistic = simpleStatistic(Stat) ?? percentile(Stat);
  if (statistic === undefined) return refuse(fault('ValidationError', unknownStatistic(Stat)));
  const { StartTime, EndTime } = input;
  const periods = readPeriods({ StartTime, EndTime, Period }, true);
  if (!periods.ok) return refuse(fault('ValidationError', `Query '${Id}': ${periods.fault}`));
  const { MetricName = '', Namespace = '', Dimensions = [] } = Metric;
  const found = { id: Id, label: Label ?? MetricName, isForbidden: false };
  if (AccountId !== undefined && AccountId !== context.account) {
    return accept({ ...found, isForbidden: true, values: [] });
  }
  const unit = context.metrics?.unitOf(MetricName);
  const series = seriesNamed(view, MetricName, Dimensions, context);
  const isThere = Namespace === metricsNamespace && unit !== undefined && (Unit === undefined || Unit === unit);
  const points = isThere && series !== undefined ? context.metrics!.points(series, periods.value) : [];
  return accept({ ...found, values: valuesOf(points, statistic, untilMs) });
}

function valuesOf(points: readonly MetricPoint[], statistic: Statistic, untilMs: number): Found['values'] {
  return points.flatMap((point) => {
    const value = point.atMs < untilMs ? statistic(point) : undefined;
    return value === undefined ? [] : [[point.atMs, value] as const];
  });
}

/** The values of one page, after as many as were given. The first page names every query, also those without values. */
function cut(all: readonly Found[], skipped: number, size: number): { results: MetricDataResult[]; given: number } {
  const results: MetricDataResult[] = [];
  const end = skipped + size;
  let at = 0;
  for (const { id, label, isForbidden, values } of all) {
    const page = values.slice(Math.max(0, skipped - at), Math.max(0, end - at));
    const isCut = at + values.length > end;
    at += values.length;
    if (page.length === 0 && (skipped > 0 || isCut)) continue;
    results.push({
      Id: id,
      Label: label,
      Timestamps: page.map(([atMs]) => new Date(atMs)),
      Values: page.map(([, value]) => value),
      StatusCode: isForbidden ? 'Forbidden' : isCut ? 'PartialData' : 'Complete',
    });
  }
  return { results, given: Math.min(end, at) };
}

function readPlace(token: string): { readonly given: number; readonly untilMs: number } | undefined {
  const match = /^(\d{1,15}) (\d{1,15})$/.exec(readToken(token) ?? '');
  return match === null ? undefined : { given: Number(match[1]), untilMs: Number(match[2]) };
}
