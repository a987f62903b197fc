/**
 * Attributes as callers give and get them. The tables are the model's; here stands what is refused: unknown keys,
 * values out of range, and values that contradict each other once they are put together. Only what differs from the
 * default is kept, so that a later default reaches everybody who never chose.
 */
import { accept, type Result, refuse } from '#base/result.ts';
import {
  type AttributeAllowed,
  type AttributeDefinition,
  allowedFor,
  attributeNumber,
  type LoadBalancerAttributeKey,
  loadBalancerAttribute,
  loadBalancerAttributeKeys,
  loadBalancerAttributes,
  type TargetGroupAttributeKey,
  targetGroupAttribute,
  targetGroupAttributeKeys,
  targetGroupAttributes,
} from '#model/attributes.ts';
import type { ListenerDocument, LoadBalancerDocument, TargetGroupDocument } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import {
  type ListenerAttributeKey,
  listenerAttribute,
  listenerAttributeKeys,
  listenerAttributes,
} from '#model/listener-attributes.ts';
import { checkCount, parseDecimal, shown } from './checks.ts';
import { quotas } from './quotas.ts';

export interface AttributeInput {
  readonly Key?: string | undefined;
  readonly Value?: string | undefined;
}

type Attributes = Readonly<Record<string, string>>;

const valueLengthMax = 1024;
/** RFC 9110, section 5.6.2: the name of a field is one, and RFC 6265 demands it of a cookie's name. */
const tokenPattern = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Visible ASCII with blanks within: what could end a field or begin another must never come into one. */
const headerValuePattern = /^([!-~]([ !-~]*[!-~])?)?$/;
const headerNameLengthMax = 256;
const reservedCookiePrefix = 'AWSALB';

/** Every attribute of the load balancer with its effective value. */
export function encodeLoadBalancerAttributes(document: LoadBalancerDocument): { Key: string; Value: string }[] {
  return loadBalancerAttributeKeys(document).map((key) => ({ Key: key, Value: loadBalancerAttribute(document, key) }));
}

/** Every attribute of the target group with its effective value. */
export function encodeTargetGroupAttributes(document: TargetGroupDocument): { Key: string; Value: string }[] {
  return targetGroupAttributeKeys(document).map((key) => ({ Key: key, Value: targetGroupAttribute(document, key) }));
}

/** Every attribute that a listener of its protocol has, with its effective value. */
export function encodeListenerAttributes(document: ListenerDocument): { Key: string; Value: string }[] {
  return listenerAttributeKeys(document.protocol).map((key) => ({ Key: key, Value: listenerAttribute(document, key) }));
}

/** The load balancer with the given attributes changed. */
export function changeLoadBalancerAttributes(
  document: LoadBalancerDocument,
  given: readonly AttributeInput[],
): Result<LoadBalancerDocument, Fault> {
  const keys = loadBalancerAttributeKeys(document);
  const values = checkGiven('Load balancer', tableFor(loadBalancerAttributes, document), given);
  if (!values.ok) return values;
  const foreign = checkForeign(values.value, keys, `load balancers with type '${document.type}'`);
  if (foreign !== undefined) return refuse(foreign);
  const changed = { ...document, attributes: { ...document.attributes, ...values.value } };
  const wrong = checkLogs(changed) ?? checkSecondaryAddresses(document, changed);
  if (wrong !== undefined) return refuse(wrong);
  const none = { ...document, attributes: {} };
  const byDefault = (key: LoadBalancerAttributeKey) => loadBalancerAttribute(none, key);
  return accept({ ...document, attributes: withoutDefaults(keys, changed.attributes, byDefault) });
}

/** The target group with the given attributes changed. */
export function changeTargetGroupAttributes(
  document: TargetGroupDocument,
  given: readonly AttributeInput[],
): Result<TargetGroupDocument, Fault> {
  const keys = targetGroupAttributeKeys(document);
  const values = checkGiven('Target group', tableFor(targetGroupAttributes, document), given);
  if (!values.ok) return values;
  const { targetType, protocol } = document;
  const those = protocol === undefined ? `target type '${targetType}'` : `protocol '${protocol}'`;
  const foreign = checkForeign(values.value, keys, `target groups with ${those}`);
  if (foreign !== undefined) return refuse(foreign);
  const changed = { ...document, attributes: { ...document.attributes, ...values.value } };
  const wrong = checkStickiness(changed) ?? checkAlgorithm(changed) ?? checkThresholds(changed);
  if (wrong !== undefined) return refuse(wrong);
  const none = { ...document, attributes: {} };
  const byDefault = (key: TargetGroupAttributeKey) => targetGroupAttribute(none, key);
  return accept({ ...document, attributes: withoutDefaults(keys, changed.attributes, byDefault) });
}

/** The listener with the given attributes changed. Refuses those that listeners of its protocol do not have. */
export function changeListenerAttributes(
  document: ListenerDocument,
  given: readonly AttributeInput[],
): Result<ListenerDocument, Fault> {
  const values = checkGiven('Listener', listenerAttributes, given);
  if (!values.ok) return values;
  const keys = listenerAttributeKeys(document.protocol);
  const foreign = checkForeign(values.value, keys, `listeners with protocol '${document.protocol}'`);
  if (foreign !== undefined) return refuse(foreign);
  const changed = { ...document, attributes: { ...document.attributes, ...values.value } };
  const wrong = checkHeaderNames(changed);
  if (wrong !== undefined) return refuse(wrong);
  const byDefault = (key: ListenerAttributeKey) => listenerAttribute({}, key);
  return accept({ ...document, attributes: withoutDefaults(keys, changed.attributes, byDefault) });
}

/** The table with what is allowed for just this owner. */
function tableFor<Owner>(
  table: Readonly<Record<string, AttributeDefinition<Owner>>>,
  owner: Owner,
): Readonly<Record<string, { readonly allowed: AttributeAllowed }>> {
  return Object.fromEntries(
    Object.entries(table).map(([key, definition]) => [key, { allowed: allowedFor(definition, owner) }]),
  );
}

/** Refuses attributes that the API knows and that others have. */
function checkForeign(values: Attributes, own: readonly string[], those: string): Fault | undefined {
  const foreign = Object.keys(values).find((key) => !own.includes(key));
  return foreign === undefined
    ? undefined
    : fault('InvalidConfigurationRequest', `Attribute '${foreign}' is not supported for ${those}`);
}

function checkGiven(
  title: 'Load balancer' | 'Target group' | 'Listener',
  table: Readonly<Record<string, { readonly allowed: AttributeAllowed }>>,
  given: readonly AttributeInput[],
): Result<Attributes, Fault> {
  const wrongCount = checkCount('Attributes', given, quotas.attributesPerCall);
  if (wrongCount !== undefined) return refuse(wrongCount);
  const values = new Map<string, string>();
  for (const { Key: key, Value: value } of given) {
    if (key === undefined || value === undefined) {
      return refuse(fault('ValidationError', 'A key and a value must be specified for each attribute'));
    }
    const definition = Object.hasOwn(table, key) ? table[key] : undefined;
    if (definition === undefined) {
      return refuse(fault('ValidationError', `${title} attribute key '${shown(key)}' is not recognized`));
    }
    if (values.has(key)) {
      return refuse(fault('ValidationError', `${title} attribute key '${key}' is specified more than once`));
    }
    const allowed = whatIsAllowed(definition.allowed, value);
    if (allowed !== undefined) {
      const message = `${title} attribute '${key}' must be ${allowed}, not '${shown(value)}'`;
      return refuse(fault('ValidationError', message));
    }
    values.set(key, value);
  }
  return accept(Object.fromEntries(values));
}

/** What the value would have to be; undefined when it is. */
function whatIsAllowed(allowed: AttributeAllowed, value: string): string | undefined {
  switch (allowed.kind) {
    case 'choice':
      return allowed.values.includes(value) ? undefined : `one of '${allowed.values.join(', ')}'`;
    case 'integer': {
      const number = parseDecimal(value) ?? Number.NaN;
      if (value === allowed.or || (number >= allowed.min && number <= allowed.max)) return undefined;
      const or = allowed.or === undefined ? '' : `'${allowed.or}' or `;
      return `${or}between '${allowed.min}' and '${allowed.max}' inclusive`;
    }
    case 'text':
      return value.length <= valueLengthMax ? undefined : `at most ${valueLengthMax} characters long`;
    case 'header-name':
      if (value.length <= headerNameLengthMax && tokenPattern.test(value)) return undefined;
      return `a header name of at most ${headerNameLengthMax} characters`;
    case 'header-value':
      if (value.length <= valueLengthMax && headerValuePattern.test(value)) return undefined;
      return `a header value of at most ${valueLengthMax} visible ASCII characters`;
  }
}

function withoutDefaults<Key extends string>(
  keys: readonly Key[],
  attributes: Attributes,
  byDefault: (key: Key) => string,
): Attributes {
  const kept = keys.flatMap((key) => {
    const value = attributes[key];
    return value === undefined || value === byDefault(key) ? [] : [[key, value]];
  });
  return Object.fromEntries(kept);
}

function checkLogs(document: LoadBalancerDocument): Fault | undefined {
  for (const logs of ['access_logs', 'connection_logs', 'health_check_logs'] as const) {
    const enabled = loadBalancerAttribute(document, `${logs}.s3.enabled`) === 'true';
    if (!enabled || loadBalancerAttribute(document, `${logs}.s3.bucket`) !== '') continue;
    const message = `'${logs}.s3.bucket' must be specified when '${logs}.s3.enabled' is 'true'`;
    return fault('InvalidConfigurationRequest', message);
  }
  return undefined;
}

/** Addresses that were given out are not taken back by a number. */
function checkSecondaryAddresses(before: LoadBalancerDocument, after: LoadBalancerDocument): Fault | undefined {
  const count = (document: LoadBalancerDocument) =>
    Number(loadBalancerAttribute(document, 'secondary_ips.auto_assigned.per_subnet'));
  if (count(after) >= count(before)) return undefined;
  const message = `'secondary_ips.auto_assigned.per_subnet' cannot be decreased; it is '${count(before)}'`;
  return fault('InvalidConfigurationRequest', message);
}

/** Two headers of one name would leave the target to guess which is which. */
function checkHeaderNames(document: ListenerDocument): Fault | undefined {
  const keyOfName = new Map<string, string>();
  for (const key of listenerAttributeKeys(document.protocol)) {
    if (listenerAttributes[key].allowed.kind !== 'header-name') continue;
    const name = listenerAttribute(document, key).toLowerCase();
    const other = keyOfName.get(name);
    if (other !== undefined) {
      const message = `'${key}' and '${other}' must not both be '${shown(listenerAttribute(document, key))}'`;
      return fault('InvalidConfigurationRequest', message);
    }
    keyOfName.set(name, key);
  }
  return undefined;
}

function checkStickiness(document: TargetGroupDocument): Fault | undefined {
  const { protocol = '' } = document;
  const isEnabled = targetGroupAttribute(document, 'stickiness.enabled') === 'true';
  if (isEnabled && ['TLS', 'QUIC', 'TCP_QUIC'].includes(protocol)) {
    const message = `Stickiness is not supported for target groups with protocol '${protocol}'`;
    return fault('InvalidConfigurationRequest', message);
  }
  // "Considerations" of sticky sessions, and "Weighted random", in the documentation of target group attributes.
  if (isEnabled && ['HTTP', 'HTTPS'].includes(protocol)) {
    if (targetGroupAttribute(document, 'load_balancing.cross_zone.enabled') === 'false') {
      const message = 'Stickiness is not supported where cross-zone load balancing is off';
      return fault('InvalidConfigurationRequest', message);
    }
    if (targetGroupAttribute(document, 'load_balancing.algorithm.type') === 'weighted_random') {
      return fault('InvalidConfigurationRequest', `Stickiness is not supported with the algorithm 'weighted_random'`);
    }
  }
  const cookieName = targetGroupAttribute(document, 'stickiness.app_cookie.cookie_name');
  const needsName = isEnabled && targetGroupAttribute(document, 'stickiness.type') === 'app_cookie';
  if (cookieName === '') {
    if (!needsName) return undefined;
    const message = `'stickiness.app_cookie.cookie_name' must be specified for stickiness of type 'app_cookie'`;
    return fault('InvalidConfigurationRequest', message);
  }
  if (cookieName.toUpperCase().startsWith(reservedCookiePrefix)) {
    const message = `Cookie name '${shown(cookieName)}' must not start with '${reservedCookiePrefix}', which is reserved`;
    return fault('InvalidConfigurationRequest', message);
  }
  if (tokenPattern.test(cookieName)) return undefined;
  return fault('ValidationError', `Cookie name '${shown(cookieName)}' has characters that a cookie name must not have`);
}

/** Slow start works only with round robin, anomaly mitigation only with weighted random. */
function checkAlgorithm(document: TargetGroupDocument): Fault | undefined {
  const algorithm = targetGroupAttribute(document, 'load_balancing.algorithm.type');
  const mitigation = targetGroupAttribute(document, 'load_balancing.algorithm.anomaly_mitigation');
  if (mitigation === 'on' && algorithm !== 'weighted_random') {
    const message = `Anomaly mitigation needs the algorithm 'weighted_random'; the target group has '${algorithm}'`;
    return fault('InvalidConfigurationRequest', message);
  }
  if (targetGroupAttribute(document, 'slow_start.duration_seconds') !== '0' && algorithm !== 'round_robin') {
    const message = `Slow start needs the algorithm 'round_robin'; the target group has '${algorithm}'`;
    return fault('InvalidConfigurationRequest', message);
  }
  return undefined;
}

/**
 * Zones must leave DNS before, or when, their traffic goes to unhealthy targets: where both thresholds are chosen,
 * the one for DNS must not be the lower one ("Target group health", requirements).
 */
function checkThresholds(document: TargetGroupDocument): Fault | undefined {
  for (const unit of ['count', 'percentage'] as const) {
    const dnsKey = `target_group_health.dns_failover.minimum_healthy_targets.${unit}` as const;
    const routingKey = `target_group_health.unhealthy_state_routing.minimum_healthy_targets.${unit}` as const;
    if (document.attributes[dnsKey] === undefined || document.attributes[routingKey] === undefined) continue;
    const dns = attributeNumber(targetGroupAttribute(document, dnsKey));
    const routing = attributeNumber(targetGroupAttribute(document, routingKey));
    if (dns === undefined || routing === undefined || dns >= routing) continue;
    const message = `'${dnsKey}' (${dns}) must not be lower than '${routingKey}' (${routing})`;
    return fault('InvalidConfigurationRequest', message);
  }
  return undefined;
}
