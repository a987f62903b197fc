/**
 * The metrics of Application Load Balancers under their names in CloudWatch: what each is made of, by which dimensions
 * it is told, and what it is called in Prometheus. The page about metrics is held equal to this table.
 * Source: "CloudWatch metrics for your Application Load Balancer".
 */
import type { MetricUnit } from '#model/metrics.ts';
import type { families } from '#observe/metrics.ts';
import type { BalancerCount, Gauge, GroupCount } from './columns.ts';

/** The sets of dimensions that a metric is told by: B load balancer, Z availability zone, G target group. */
export type Dimensions = 'B' | 'ZB' | 'BG' | 'ZBG' | 'G' | 'ZG';

export type Source =
  /** How much it was; a sample is what one node says of a minute. `isEach`: every one is a sample of its own, of 1. */
  | { readonly kind: 'balancer-count'; readonly columns: readonly BalancerCount[]; readonly isEach?: true }
  | { readonly kind: 'group-count'; readonly columns: readonly GroupCount[]; readonly isEach?: true }
  /** How much there is whenever it is looked. */
  | { readonly kind: 'balancer-gauge' | 'group-gauge'; readonly gauge: Gauge }
  /** How many zones are well, or are not. */
  | { readonly kind: 'zones'; readonly counts: 'healthy' | 'unhealthy' }
  | { readonly kind: 'requests-per-target' }
  | { readonly kind: 'response-time' };

export interface Metric {
  readonly unit: MetricUnit;
  readonly source: Source;
  readonly dimensions: readonly Dimensions[];
  /** Told also when it is 0. */
  readonly isAlways?: true;
  /** The statistics that mean something. */
  readonly statistics: string;
  readonly prometheus: keyof typeof families | '';
}

const balancer = ['B', 'ZB'] as const;
const group = ['BG', 'ZBG'] as const;
const both = [...balancer, ...group] as const;

function balancerCount(prometheus: Metric['prometheus'], ...columns: BalancerCount[]): Metric {
  const source = { kind: 'balancer-count', columns } as const;
  return { unit: 'Count', source, dimensions: balancer, statistics: 'Sum', prometheus };
}

/** Each one is a sample: that is what AWS says of its minimum, maximum and average. */
function eachOf(metric: Metric): Metric {
  const { source } = metric;
  if (source.kind !== 'balancer-count' && source.kind !== 'group-count') return metric;
  return { ...metric, source: { ...source, isEach: true } };
}

function groupCount(
  prometheus: Metric['prometheus'],
  column: GroupCount,
  dimensions: readonly Dimensions[] = both,
): Metric {
  const source = { kind: 'group-count', columns: [column] } as const;
  return { unit: 'Count', source, dimensions, statistics: 'Sum', prometheus };
}

function hosts(prometheus: Metric['prometheus'], gauge: Gauge): Metric {
  const source = { kind: 'group-gauge', gauge } as const;
  const statistics = 'Average, Minimum, Maximum';
  return { unit: 'Count', source, dimensions: group, isAlways: true, statistics, prometheus };
}

function zones(counts: 'healthy' | 'unhealthy'): Metric {
  return {
    unit: 'Count',
    source: { kind: 'zones', counts },
    dimensions: group,
    isAlways: true,
    statistics: 'Minimum',
    prometheus: 'ballast_healthy_routing',
  };
}

export const catalogue = {
  ActiveConnectionCount: {
    unit: 'Count',
    source: { kind: 'balancer-gauge', gauge: 'activeConnections' },
    dimensions: balancer,
    statistics: 'Sum',
    prometheus: 'ballast_connections_active',
  },
  AnomalousHostCount: hosts('ballast_anomalous_hosts', 'anomalous'),
  DesyncMitigationMode_NonCompliant_Request_Count: balancerCount(
    'ballast_noncompliant_requests_total',
    'nonCompliantRequests',
  ),
  DroppedInvalidHeaderRequestCount: {
    ...balancerCount('ballast_dropped_invalid_headers_total', 'droppedInvalidHeaders'),
    isAlways: true,
  },
  ForwardedInvalidHeaderRequestCount: {
    ...balancerCount('ballast_forwarded_invalid_headers_total', 'forwardedInvalidHeaders'),
    isAlways: true,
  },
  HTTPCode_ELB_3XX_Count: balancerCount('ballast_elb_responses_total', 'elb3xx'),
  HTTPCode_ELB_4XX_Count: eachOf(balancerCount('ballast_elb_responses_total', 'elb4xx')),
  HTTPCode_ELB_500_Count: balancerCount('ballast_elb_responses_total', 'elb500'),
  HTTPCode_ELB_502_Count: balancerCount('ballast_elb_responses_total', 'elb502'),
  HTTPCode_ELB_503_Count: balancerCount('ballast_elb_responses_total', 'elb503'),
  HTTPCode_ELB_504_Count: balancerCount('ballast_elb_responses_total', 'elb504'),
  HTTPCode_ELB_5XX_Count: eachOf(balancerCount('ballast_elb_responses_total', 'elb5xx')),
  HTTPCode_Target_2XX_Count: eachOf(groupCount('ballast_target_responses_total', 'target2xx')),
  HTTPCode_Target_3XX_Count: eachOf(groupCount('ballast_target_responses_total', 'target3xx')),
  HTTPCode_Target_4XX_Count: eachOf(groupCount('ballast_target_responses_total', 'target4xx')),
  HTTPCode_Target_5XX_Count: eachOf(groupCount('ballast_target_responses_total', 'target5xx')),
  HTTP_Fixed_Response_Count: balancerCount('ballast_fixed_responses_total', 'fixedResponses'),
  HTTP_Redirect_Count: balancerCount('ballast_redirects_total', 'redirects'),
  HTTP_Redirect_Url_Limit_Exceeded_Count: balancerCount('ballast_redirects_too_long_total', 'redirectsTooLong'),
  HealthyHostCount: hosts('ballast_healthy_hosts', 'healthy'),
  HealthyStateRouting: zones('healthy'),
  IPv6ProcessedBytes: { ...balancerCount('ballast_ipv6_bytes_total', 'ipv6Bytes'), unit: 'Bytes' },
  IPv6RequestCount: eachOf(groupCount('ballast_ipv6_requests_total', 'ipv6Requests')),
  LambdaInternalError: groupCount('ballast_function_errors_total', 'functionInternalErrors', ['G', 'BG']),
  LambdaTargetProcessedBytes: {
    ...balancerCount('ballast_function_bytes_total', 'functionBytes'),
    unit: 'Bytes',
    dimensions: ['B'],
  },
  LambdaUserError: groupCount('ballast_function_errors_total', 'functionUserErrors', ['G', 'BG']),
  MitigatedHostCount: hosts('ballast_mitigated_hosts', 'mitigated'),
  NewConnectionCount: balancerCount('ballast_connections_total', 'newConnections', 'newTargetConnections'),
  NonStickyRequestCount: groupCount('ballast_nonsticky_requests_total', 'nonSticky', balancer),
  ProcessedBytes: { ...balancerCount('ballast_received_bytes_total', 'bytes', 'functionBytes'), unit: 'Bytes' },
  RejectedConnectionCount: balancerCount('ballast_connections_rejected_total', 'rejectedConnections'),
  RequestCount: { ...eachOf(groupCount('ballast_target_requests_total', 'requests')), isAlways: true },
  RequestCountPerTarget: {
    unit: 'Count',
    source: { kind: 'requests-per-target' },
    dimensions: ['G', 'ZG', ...group],
    isAlways: true,
    statistics: 'Sum (the average over the targets)',
    prometheus: '',
  },
  RuleEvaluations: {
    ...balancerCount('ballast_rule_evaluations_total', 'ruleEvaluations'),
    dimensions: ['B'],
  },
  TargetConnectionErrorCount: groupCount('ballast_target_connect_errors_total', 'connectErrors'),
  TargetResponseTime: {
    unit: 'Seconds',
    source: { kind: 'response-time' },
    dimensions: both,
    statistics: 'Average, Minimum, Maximum, percentiles',
    prometheus: 'ballast_target_response_seconds',
  },
  UnHealthyHostCount: hosts('ballast_unhealthy_hosts', 'unhealthy'),
  UnhealthyRoutingRequestCount: groupCount('ballast_unhealthy_routing_requests_total', 'unhealthyRouting', group),
  UnhealthyStateRouting: zones('unhealthy'),
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof catalogue;

/** The metric of that name. */
export function metricNamed(name: string): Metric | undefined {
  return Object.hasOwn(catalogue, name) ? catalogue[name as MetricName] : undefined;
}
