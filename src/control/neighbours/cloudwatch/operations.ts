/**
 * What is offered of CloudWatch, API version 2010-08-01: the metrics of the caller's Application Load Balancers are
 * listed and read. What they are made of is in `observe/cloudwatch/`.
 * Source: the CloudWatch API reference.
 */
import type { AnyOperation } from '#control/operation.ts';
import { getMetricData } from './get-metric-data.ts';
import { getMetricStatistics } from './get-metric-statistics.ts';
import { listMetrics } from './list-metrics.ts';

export const cloudwatchOperations: Readonly<Record<string, AnyOperation>> = {
  GetMetricData: getMetricData,
  GetMetricStatistics: getMetricStatistics,
  ListMetrics: listMetrics,
};
