/**
 * The attributes of Application Load Balancers and of their `ip` target groups: key, default, allowed values. Documents
 * hold only what differs from the default, so the effective value is always read through the two functions below.
 * Source: `LoadBalancerAttribute` and `TargetGroupAttribute` in the ELB API reference, version 2015-12-01.
 */
import type { LoadBalancerDocument, TargetGroupDocument } from './documents.ts';

export type AttributeAllowed =
  | { readonly kind: 'choice'; readonly values: readonly string[] }
  /** Decimal without sign or leading zeros; `or` is one more value, outside the range. */
  | { readonly kind: 'integer'; readonly min: number; readonly max: number; readonly or?: string }
  | { readonly kind: 'text' }
  /** The name of a field, and what may stand in one: RFC 9110, sections 5.1 and 5.5. */
  | { readonly kind: 'header-name' }
  | { readonly kind: 'header-value' };

export interface AttributeDefinition {
  readonly default: string | Readonly<Record<LoadBalancerDocument['scheme'], string>>;
  readonly allowed: AttributeAllowed;
}

export type LoadBalancerAttributeKey = keyof typeof loadBalancerAttributes;
export type TargetGroupAttributeKey = keyof typeof targetGroupAttributes;

const boolean = { kind: 'choice', values: ['true', 'false'] } as const;
const text = { kind: 'text' } as const;
/** The API bounds counts of targets by "the maximum number of targets"; this is above every quota. */
const targetsCount = { kind: 'integer', min: 1, max: 1_000_000 } as const;
const percentage = { kind: 'integer', min: 1, max: 100, or: 'off' } as const;
const cookieSeconds = { kind: 'integer', min: 1, max: 604_800 } as const;

/** In the order in which DescribeLoadBalancerAttributes answers. */
export const loadBalancerAttributes = {
  'access_logs.s3.enabled': { default: 'false', allowed: boolean },
  'access_logs.s3.bucket': { default: '', allowed: text },
  'access_logs.s3.prefix': { default: '', allowed: text },
  'connection_logs.s3.enabled': { default: 'false', allowed: boolean },
  'connection_logs.s3.bucket': { default: '', allowed: text },
  'connection_logs.s3.prefix': { default: '', allowed: text },
  'health_check_logs.s3.enabled': { default: 'false', allowed: boolean },
  'health_check_logs.s3.bucket': { default: '', allowed: text },
  'health_check_logs.s3.prefix': { default: '', allowed: text },
  'client_keep_alive.seconds': { default: '3600', allowed: { kind: 'integer', min: 60, max: 604_800 } },
  'deletion_protection.enabled': { default: 'false', allowed: boolean },
  'idle_timeout.timeout_seconds': { default: '60', allowed: { kind: 'integer', min: 1, max: 4000 } },
  'ipv6.deny_all_igw_traffic': { default: { 'internet-facing': 'false', internal: 'true' }, allowed: boolean },
  // Always on for an Application Load Balancer; a target group can turn it off for itself.
  'load_balancing.cross_zone.enabled': { default: 'true', allowed: { kind: 'choice', values: ['true'] } },
  'routing.http.desync_mitigation_mode': {
    default: 'defensive',
    allowed: { kind: 'choice', values: ['monitor', 'defensive', 'strictest'] },
  },
  'routing.http.drop_invalid_header_fields.enabled': { default: 'false', allowed: boolean },
  'routing.http.preserve_host_header.enabled': { default: 'false', allowed: boolean },
  'routing.http.x_amzn_tls_version_and_cipher_suite.enabled': { default: 'false', allowed: boolean },
  'routing.http.xff_client_port.enabled': { default: 'false', allowed: boolean },
  'routing.http.xff_header_processing.mode': {
    default: 'append',
    allowed: { kind: 'choice', values: ['append', 'preserve', 'remove'] },
  },
  'routing.http2.enabled': { default: 'true', allowed: boolean },
  'waf.fail_open.enabled': { default: 'false', allowed: boolean },
  'zonal_shift.config.enabled': { default: 'false', allowed: boolean },
} as const satisfies Readonly<Record<string, AttributeDefinition>>;

/** In the order in which DescribeTargetGroupAttributes answers. */
export const targetGroupAttributes = {
  'deregistration_delay.timeout_seconds': { default: '300', allowed: { kind: 'integer', min: 0, max: 3600 } },
  'stickiness.enabled': { default: 'false', allowed: boolean },
  'stickiness.type': { default: 'lb_cookie', allowed: { kind: 'choice', values: ['lb_cookie', 'app_cookie'] } },
  'stickiness.lb_cookie.duration_seconds': { default: '86400', allowed: cookieSeconds },
  'stickiness.app_cookie.cookie_name': { default: '', allowed: text },
  'stickiness.app_cookie.duration_seconds': { default: '86400', allowed: cookieSeconds },
  'slow_start.duration_seconds': { default: '0', allowed: { kind: 'integer', min: 30, max: 900, or: '0' } },
  'load_balancing.algorithm.type': {
    default: 'round_robin',
    allowed: { kind: 'choice', values: ['round_robin', 'least_outstanding_requests', 'weighted_random'] },
  },
  'load_balancing.algorithm.anomaly_mitigation': {
    default: 'off',
    allowed: { kind: 'choice', values: ['on', 'off'] },
  },
  'load_balancing.cross_zone.enabled': {
    default: 'use_load_balancer_configuration',
    allowed: { kind: 'choice', values: ['true', 'false', 'use_load_balancer_configuration'] },
  },
  'target_group_health.dns_failover.minimum_healthy_targets.count': {
    default: '1',
    allowed: { ...targetsCount, or: 'off' },
  },
  'target_group_health.dns_failover.minimum_healthy_targets.percentage': { default: 'off', allowed: percentage },
  'target_group_health.unhealthy_state_routing.minimum_healthy_targets.count': { default: '1', allowed: targetsCount },
  'target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage': {
    default: 'off',
    allowed: percentage,
  },
} as const satisfies Readonly<Record<string, AttributeDefinition>>;

/** The effective value, given or by default. */
export function loadBalancerAttribute(
  document: Pick<LoadBalancerDocument, 'attributes' | 'scheme'>,
  key: LoadBalancerAttributeKey,
): string {
  const byDefault: AttributeDefinition['default'] = loadBalancerAttributes[key].default;
  return document.attributes[key] ?? (typeof byDefault === 'string' ? byDefault : byDefault[document.scheme]);
}

/** The effective value, given or by default. */
export function targetGroupAttribute(
  document: Pick<TargetGroupDocument, 'attributes'>,
  key: TargetGroupAttributeKey,
): string {
  return document.attributes[key] ?? targetGroupAttributes[key].default;
}

/** What an integer attribute's value says; undefined for `off`. */
export function attributeNumber(value: string): number | undefined {
  return value === 'off' ? undefined : Number(value);
}
