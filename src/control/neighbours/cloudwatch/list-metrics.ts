/** ListMetrics: the series of the caller's load balancers that have points, in pages of 500. */
import type { DimensionFilter, ListMetricsInput, ListMetricsOutput } from '@aws-sdk/client-cloudwatch';
import { accept, refuse } from '#base/result.ts';
import { shown } from '#control/elbv2/checks.ts';
import type { Decoded } from '#control/elbv2/shape.ts';
import { pageAfter, readToken } from '#control/neighbours/pages.ts';
import type { Operation, OperationContext } from '#control/operation.ts';
import { fault } from '#model/fault.ts';
import { metricsNamespace } from '#model/metrics.ts';
import type { View } from '#model/view.ts';
import { dimensionsOf, loadBalancerLabel } from './dimensions.ts';

type Input = Decoded<ListMetricsInput>;

const pageSize = 500;
const filtersMax = 10;

interface Listed {
  /** Sorts as its load balancer does, then by metric and dimensions. */
  readonly key: string;
  readonly MetricName: string;
  readonly Dimensions: readonly { readonly Name: string; readonly Value: string }[];
}

export const listMetrics: Operation<Input, ListMetricsOutput> = {
  kind: 'read',
  answer(view, input, context) {
    const { Namespace, MetricName, Dimensions = [], NextToken, RecentlyActive, OwningAccount } = input;
    if (RecentlyActive !== undefined && RecentlyActive !== 'PT3H') {
      return refuse(fault('InvalidParameterValue', `RecentlyActive '${shown(RecentlyActive)}' must be PT3H`));
    }
    if (Dimensions.length > filtersMax) {
      return refuse(fault('InvalidParameterValue', `Dimensions has more than ${filtersMax} filters`));
    }
    const isElsewhere =
      (Namespace !== undefined && Namespace !== metricsNamespace) ||
      (OwningAccount !== undefined && OwningAccount !== context.account);
    const found = isElsewhere ? [] : listed(view, { MetricName, Dimensions, NextToken }, context);
    const page = pageAfter(found, ({ key }) => key, { token: NextToken, size: pageSize });
    if (page === undefined) {
      return refuse(fault('InvalidParameterValue', 'NextToken is not valid; take it from an answer'));
    }
    return accept({
      Metrics: page.items.map((each) => ({
        Namespace: metricsNamespace,
        MetricName: each.MetricName,
        Dimensions: [...each.Dimensions],
      })),
      ...(page.next !== undefined && { NextToken: page.next }),
    });
  },
};

/** At least a page from the token on, if there is as much: of other load balancers nothing is worked out. */
function listed(
  view: View,
  { MetricName, Dimensions, NextToken }: Pick<Input, 'MetricName' | 'NextToken'> & { Dimensions: readonly Filter[] },
  { account, metrics }: OperationContext,
): Listed[] {
  const last = (NextToken === undefined ? undefined : readToken(NextToken)) ?? '';
  const balancers = [...view.find('loadBalancersOfAccount', account)]
    .map((entry) => ({ id: entry.id, label: loadBalancerLabel(entry) }))
    .filter(({ label }) => label >= last.slice(0, label.length))
    .sort((one, other) => (one.label < other.label ? -1 : 1));
  const found: Listed[] = [];
  for (const { id, label } of balancers) {
    if (found.length > pageSize) break;
    for (const series of metrics?.seriesOf(id) ?? []) {
      if (MetricName !== undefined && series.metric !== MetricName) continue;
      const dimensions = dimensionsOf(view, series);
      if (dimensions === undefined || !Dimensions.every((filter) => holds(filter, dimensions))) continue;
      const key = `${label} ${series.metric} ${dimensions.map(({ Name, Value }) => `${Name}=${Value}`).join(' ')}`;
      if (key > last) found.push({ key, MetricName: series.metric, Dimensions: dimensions });
    }
  }
  return found;
}

type Filter = Decoded<DimensionFilter>;

function holds({ Name, Value }: Filter, dimensions: Listed['Dimensions']): boolean {
  return dimensions.some((each) => each.Name === Name && (Value === undefined || each.Value === Value));
}
