/**
 * The attributes of load balancers and of target groups: key, default, allowed values, and who has them. Documents hold
 * only what differs from the default, so the effective value is always read through the functions below.
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

/** A default, the allowed values, and who has the attribute at all can depend on whose it is. */
export interface AttributeDefinition<Owner = never> {
  readonly default: string | ((owner: Owner) => string);
  readonly allowed: AttributeAllowed | ((owner: Owner) => AttributeAllowed);
  /** Undefined: everybody. */
  readonly isOf?: (owner: Owner) => boolean;
}

/** What decides about the attributes of a load balancer. */
export type LoadBalancerOwner = Pick<LoadBalancerDocument, 'type' | 'scheme' | 'attributes'>;
/** What decides about those of a target group. */
export type TargetGroupOwner = Pick<TargetGroupDocument, 'targetType' | 'protocol' | 'attributes'>;

export type LoadBalancerAttributeKey = keyof typeof loadBalancerAttributes;
export type TargetGroupAttributeKey = keyof typeof targetGroupAttributes;

const boolean = { kind: 'choice', values: ['true', 'false'] } as const;
const text = { kind: 'text' } as const;
/** The API bounds counts of targets by "the maximum number of targets"; this is above every quota. */
const targetsCount = { kind: 'integer', min: 1, max: 1_000_000 } as const;
const percentage = { kind: 'integer', min: 1, max: 100, or: 'off' } as const;
const isApplication = ({ type }: LoadBalancerOwner) => type === 'application';
const isNetwork = ({ type }: LoadBalancerOwner) => type === 'network';
const isHttp = ({ protocol }: TargetGroupOwner) => protocol === 'HTTP' || protocol === 'HTTPS';
const isFunction = ({ targetType }: TargetGroupOwner) => targetType === 'lambda';
const isNoFunction = (owner: TargetGroupOwner) => !isFunction(owner);
const isOfTransport = (owner: TargetGroupOwner) => !isFunction(owner) && !isHttp(owner);
const isDatagram = ({ protocol }: TargetGroupOwner) => protocol === 'UDP' || protocol === 'TCP_UDP';
const cookieSeconds = { kind: 'integer', min: 1, max: 604_800 } as const;

/** In the order in which DescribeLoadBalancerAttributes answers. */
export const loadBalancerAttributes = {
  'access_logs.s3.enabled': { default: 'false', allowed: boolean },
  'access_logs.s3.bucket': { default: '', allowed: text },
  'access_logs.s3.prefix': { default: '', allowed: text },
  'connection_logs.s3.enabled': { isOf: isApplication, default: 'false', allowed: boolean },
  'connection_logs.s3.bucket': { isOf: isApplication, default: '', allowed: text },
  'connection_logs.s3.prefix': { isOf: isApplication, default: '', allowed: text },
  'health_check_logs.s3.enabled': { isOf: isApplication, default: 'false', allowed: boolean },
  'health_check_logs.s3.bucket': { isOf: isApplication, default: '', allowed: text },
  'health_check_logs.s3.prefix': { isOf: isApplication, default: '', allowed: text },
  'client_keep_alive.seconds': {
    isOf: isApplication,
    default: '3600',
    allowed: { kind: 'integer', min: 60, max: 604_800 },
  },
  'deletion_protection.enabled': { default: 'false', allowed: boolean },
  'dns_record.client_routing_policy': {
    isOf: isNetwork,
    default: 'any_availability_zone',
    allowed: {
      kind: 'choice',
      values: ['any_availability_zone', 'availability_zone_affinity', 'partial_availability_zone_affinity'],
    },
  },
  'idle_timeout.timeout_seconds': {
    isOf: isApplication,
    default: '60',
    allowed: { kind: 'integer', min: 1, max: 4000 },
  },
  'ipv6.deny_all_igw_traffic': {
    default: ({ scheme }: LoadBalancerOwner) => (scheme === 'internal' ? 'true' : 'false'),
    allowed: boolean,
  },
  // Always on for an Application Load Balancer; a target group can turn it off for itself.
  'load_balancing.cross_zone.enabled': {
    default: (owner: LoadBalancerOwner) => (isApplication(owner) ? 'true' : 'false'),
    allowed: (owner: LoadBalancerOwner) => (isApplication(owner) ? { kind: 'choice', values: ['true'] } : boolean),
  },
  'routing.http.desync_mitigation_mode': {
    isOf: isApplication,
    default: 'defensive',
    allowed: { kind: 'choice', values: ['monitor', 'defensive', 'strictest'] },
  },
  'routing.http.drop_invalid_header_fields.enabled': { isOf: isApplication, default: 'false', allowed: boolean },
  'routing.http.preserve_host_header.enabled': { isOf: isApplication, default: 'false', allowed: boolean },
  'routing.http.x_amzn_tls_version_and_cipher_suite.enabled': {
    isOf: isApplication,
    default: 'false',
    allowed: boolean,
  },
  'routing.http.xff_client_port.enabled': { isOf: isApplication, default: 'false', allowed: boolean },
  'routing.http.xff_header_processing.mode': {
    isOf: isApplication,
    default: 'append',
    allowed: { kind: 'choice', values: ['append', 'preserve', 'remove'] },
  },
  'routing.http2.enabled': { isOf: isApplication, default: 'true', allowed: boolean },
  'secondary_ips.auto_assigned.per_subnet': {
    isOf: isNetwork,
    default: '0',
    allowed: { kind: 'integer', min: 0, max: 7 },
  },
  'waf.fail_open.enabled': { isOf: isApplication, default: 'false', allowed: boolean },
  'zonal_shift.config.enabled': { default: 'false', allowed: boolean },
} as const satisfies Readonly<Record<string, AttributeDefinition<LoadBalancerOwner>>>;

/** In the order in which DescribeTargetGroupAttributes answers. */
export const targetGroupAttributes = {
  'deregistration_delay.timeout_seconds': {
    isOf: isNoFunction,
    default: '300',
    allowed: { kind: 'integer', min: 0, max: 3600 },
  },
  'stickiness.enabled': { isOf: isNoFunction, default: 'false', allowed: boolean },
  'stickiness.type': {
    isOf: isNoFunction,
    default: (owner: TargetGroupOwner) => (isHttp(owner) ? 'lb_cookie' : 'source_ip'),
    allowed: (owner: TargetGroupOwner) => ({
      kind: 'choice',
      values: isHttp(owner) ? ['lb_cookie', 'app_cookie'] : ['source_ip'],
    }),
  },
  'stickiness.lb_cookie.duration_seconds': { isOf: isHttp, default: '86400', allowed: cookieSeconds },
  'stickiness.app_cookie.cookie_name': { isOf: isHttp, default: '', allowed: text },
  'stickiness.app_cookie.duration_seconds': { isOf: isHttp, default: '86400', allowed: cookieSeconds },
  'slow_start.duration_seconds': {
    isOf: isHttp,
    default: '0',
    allowed: { kind: 'integer', min: 30, max: 900, or: '0' },
  },
  'load_balancing.algorithm.type': {
    isOf: isHttp,
    default: 'round_robin',
    allowed: { kind: 'choice', values: ['round_robin', 'least_outstanding_requests', 'weighted_random'] },
  },
  'load_balancing.algorithm.anomaly_mitigation': {
    isOf: isHttp,
    default: 'off',
    allowed: { kind: 'choice', values: ['on', 'off'] },
  },
  'load_balancing.cross_zone.enabled': {
    isOf: isNoFunction,
    default: 'use_load_balancer_configuration',
    allowed: { kind: 'choice', values: ['true', 'false', 'use_load_balancer_configuration'] },
  },
  'target_group_health.dns_failover.minimum_healthy_targets.count': {
    isOf: isNoFunction,
    default: '1',
    allowed: { ...targetsCount, or: 'off' },
  },
  'target_group_health.dns_failover.minimum_healthy_targets.percentage': {
    isOf: isNoFunction,
    default: 'off',
    allowed: percentage,
  },
  'target_group_health.unhealthy_state_routing.minimum_healthy_targets.count': {
    isOf: isNoFunction,
    default: '1',
    allowed: targetsCount,
  },
  'target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage': {
    isOf: isNoFunction,
    default: 'off',
    allowed: percentage,
  },
  'lambda.multi_value_headers.enabled': { isOf: isFunction, default: 'false', allowed: boolean },
  'deregistration_delay.connection_termination.enabled': {
    isOf: isOfTransport,
    default: (owner: TargetGroupOwner) => (isDatagram(owner) ? 'true' : 'false'),
    allowed: boolean,
  },
  'preserve_client_ip.enabled': {
    isOf: isOfTransport,
    default: (owner: TargetGroupOwner) =>
      owner.targetType === 'ip' && (owner.protocol === 'TCP' || owner.protocol === 'TLS') ? 'false' : 'true',
    // Datagrams have no other way to say whom to answer.
    allowed: (owner: TargetGroupOwner) => (isDatagram(owner) ? { kind: 'choice', values: ['true'] } : boolean),
  },
  'proxy_protocol_v2.enabled': { isOf: isOfTransport, default: 'false', allowed: boolean },
  'target_health_state.unhealthy.connection_termination.enabled': {
    isOf: isOfTransport,
    default: 'true',
    allowed: boolean,
  },
  'target_health_state.unhealthy.draining_interval_seconds': {
    isOf: isOfTransport,
    default: '0',
    allowed: { kind: 'integer', min: 0, max: 360_000 },
  },
} as const satisfies Readonly<Record<string, AttributeDefinition<TargetGroupOwner>>>;

/** The attributes that a load balancer of its type has. */
export function loadBalancerAttributeKeys(owner: LoadBalancerOwner): readonly LoadBalancerAttributeKey[] {
  const keys = Object.keys(loadBalancerAttributes) as LoadBalancerAttributeKey[];
  return keys.filter((key) => definitionOf(loadBalancerAttributes, key).isOf?.(owner) ?? true);
}

/** The attributes that a target group of its protocol and target type has. */
export function targetGroupAttributeKeys(owner: TargetGroupOwner): readonly TargetGroupAttributeKey[] {
  const keys = Object.keys(targetGroupAttributes) as TargetGroupAttributeKey[];
  return keys.filter((key) => definitionOf(targetGroupAttributes, key).isOf?.(owner) ?? true);
}

/** The effective value, given or by default. */
export function loadBalancerAttribute(owner: LoadBalancerOwner, key: LoadBalancerAttributeKey): string {
  return owner.attributes[key] ?? defaultOf(definitionOf(loadBalancerAttributes, key), owner);
}

/** The effective value, given or by default. */
export function targetGroupAttribute(owner: TargetGroupOwner, key: TargetGroupAttributeKey): string {
  return owner.attributes[key] ?? defaultOf(definitionOf(targetGroupAttributes, key), owner);
}

/** What the owner may set the attribute to. */
export function allowedFor<Owner>({ allowed }: AttributeDefinition<Owner>, owner: Owner): AttributeAllowed {
  return typeof allowed === 'function' ? allowed(owner) : allowed;
}

function definitionOf<Key extends string, Owner>(
  table: Readonly<Record<Key, AttributeDefinition<Owner>>>,
  key: Key,
): AttributeDefinition<Owner> {
  return table[key];
}

function defaultOf<Owner>({ default: byDefault }: AttributeDefinition<Owner>, owner: Owner): string {
  return typeof byDefault === 'function' ? byDefault(owner) : byDefault;
}

/** What an integer attribute's value says; undefined for `off`. */
export function attributeNumber(value: string): number | undefined {
  return value === 'off' ? undefined : Number(value);
}
