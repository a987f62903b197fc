/** GetMetricStatistics: the points of one series, with one or several statistics. */
import type { Datapoint, GetMetricStatisticsInput, GetMetricStatisticsOutput } from '@aws-sdk/client-cloudwatch';
import { accept, type Result, refuse } from '#base/result.ts';
import type { Decoded } from '#control/elbv2/shape.ts';
import type { Operation } from '#control/operation.ts';
import { type Fault, fault } from '#model/fault.ts';
import { metricsNamespace } from '#model/metrics.ts';
import { seriesNamed } from './dimensions.ts';
import { percentile, readPeriods, type Statistic, simpleStatistic, unknownStatistic } from './statistics.ts';

type Input = Decoded<GetMetricStatisticsInput>;

const pointsMax = 1_440;

interface Asked {
  readonly name: string;
  readonly isExtended: boolean;
  readonly of: Statistic;
}

export const getMetricStatistics: Operation<Input, GetMetricStatisticsOutput> = {
  kind: 'read',
  answer(view, input, context) {
    const { Namespace, MetricName, Dimensions = [], Unit } = input;
    const asked = readStatistics(input);
    if (!asked.ok) return asked;
    const periods = readPeriods(input, false);
    if (!periods.ok) return refuse(fault('InvalidParameterValue', periods.fault));
    const { startMs, endMs, periodMs } = periods.value;
    const count = Math.ceil((endMs - startMs) / periodMs);
    if (count > pointsMax) {
      const message = `You have requested up to ${count} datapoints, which exceeds the limit of ${pointsMax}: a longer Period gives fewer`;
      return refuse(fault('InvalidParameterCombination', message));
    }
    const unit = context.metrics?.unitOf(MetricName);
    const series = seriesNamed(view, MetricName, Dimensions, context);
    const isThere = Namespace === metricsNamespace && unit !== undefined && (Unit === undefined || Unit === unit);
    const points = isThere && series !== undefined ? context.metrics!.points(series, periods.value) : [];
    const Datapoints = points.flatMap((point): Datapoint[] => {
      const values = asked.value.flatMap(({ name, isExtended, of }) => {
        const value = of(point);
        return value === undefined ? [] : [{ name, isExtended, value }];
      });
      if (values.length === 0) return [];
      const extended = values.filter(({ isExtended }) => isExtended).map(({ name, value }) => [name, value]);
      return [
        {
          Timestamp: new Date(point.atMs),
          Unit: unit!,
          ...Object.fromEntries(values.filter(({ isExtended }) => !isExtended).map(({ name, value }) => [name, value])),
          ...(extended.length > 0 && { ExtendedStatistics: Object.fromEntries(extended) }),
        },
      ];
    });
    return accept({ Label: MetricName, Datapoints });
  },
};

function readStatistics({ Statistics = [], ExtendedStatistics = [] }: Input): Result<readonly Asked[], Fault> {
  if (Statistics.length > 0 === ExtendedStatistics.length > 0) {
    const message = 'Either Statistics or ExtendedStatistics must be specified, and not both';
    return refuse(fault('InvalidParameterCombination', message));
  }
  const asked: Asked[] = [];
  for (const name of new Set([...Statistics, ...ExtendedStatistics])) {
    const isExtended = ExtendedStatistics.length > 0;
    const of = isExtended ? percentile(name) : simpleStatistic(name);
    if (of === undefined) return refuse(fault('InvalidParameterValue', unknownStatistic(name)));
    asked.push({ name, isExtended, of });
  }
  return accept(asked);
}
