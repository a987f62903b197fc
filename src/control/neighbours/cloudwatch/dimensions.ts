/**
 * Load balancers, target groups and zones as the dimensions of CloudWatch name them: by the last part of their ARNs.
 * Only what is the caller's own is found.
 */
import type { Dimension } from '@aws-sdk/client-cloudwatch';
import type { Decoded } from '#control/elbv2/shape.ts';
import type { OperationContext } from '#control/operation.ts';
import type { Entry } from '#model/documents.ts';
import type { MetricSeries } from '#model/metrics.ts';
import type { View } from '#model/view.ts';

const loadBalancerPattern = /^app\/([A-Za-z0-9-]+)\/([0-9a-f]{16})$/;
const targetGroupPattern = /^targetgroup\/([A-Za-z0-9-]+)\/([0-9a-f]{16})$/;

export function loadBalancerLabel({ id, document }: Entry<'load-balancer'>): string {
  return `app/${document.name}/${id}`;
}

/** The dimensions of a series, in the order of their names; undefined when it names what the view does not have. */
export function dimensionsOf(view: View, series: MetricSeries): readonly Decoded<Dimension>[] | undefined {
  const { loadBalancerId, targetGroupId, zone } = series;
  const dimensions: Decoded<Dimension>[] = [];
  if (zone !== undefined) dimensions.push({ Name: 'AvailabilityZone', Value: zone });
  if (loadBalancerId !== undefined) {
    const document = view.get('load-balancer', loadBalancerId);
    if (document === undefined) return undefined;
    dimensions.push({ Name: 'LoadBalancer', Value: loadBalancerLabel({ id: loadBalancerId, document } as never) });
  }
  if (targetGroupId !== undefined) {
    const document = view.get('target-group', targetGroupId);
    if (document === undefined) return undefined;
    dimensions.push({ Name: 'TargetGroup', Value: `targetgroup/${document.name}/${targetGroupId}` });
  }
  return dimensions;
}

/** The series that the dimensions name; undefined where there is none of the caller's. */
export function seriesNamed(
  view: View,
  metric: string,
  dimensions: readonly Decoded<Dimension>[],
  { account }: Pick<OperationContext, 'account'>,
): MetricSeries | undefined {
  const series: { -readonly [Name in keyof MetricSeries]: MetricSeries[Name] } = { metric };
  const names = new Set(dimensions.map(({ Name }) => Name));
  if (names.size < dimensions.length || names.size === 0) return undefined;
  for (const { Name, Value } of dimensions) {
    switch (Name) {
      case 'AvailabilityZone':
        series.zone = Value;
        break;
      case 'LoadBalancer': {
        const [, name, id = ''] = loadBalancerPattern.exec(Value) ?? [];
        const found = view.get('load-balancer', id);
        if (found?.account !== account || found.name !== name || found.type === 'network') return undefined;
        series.loadBalancerId = id;
        break;
      }
      case 'TargetGroup': {
        const [, name, id = ''] = targetGroupPattern.exec(Value) ?? [];
        const found = view.get('target-group', id);
        if (found?.account !== account || found.name !== name) return undefined;
        series.targetGroupId = id;
        break;
      }
      default:
        return undefined;
    }
  }
  // A zone alone is nobody's.
  return series.loadBalancerId === undefined && series.targetGroupId === undefined ? undefined : series;
}
