/**
 * Compiles what the documents say about one listener, and what is known of its targets' health, into its routing table.
 * A pure function: the same documents and health give the same table, on every node and in every test.
 */
import { loadBalancerAttribute, type TargetGroupOwner, targetGroupAttribute } from '#model/attributes.ts';
import type { Documents, Entry, HexId, RuleAction, WeightedGroup } from '#model/documents.ts';
import type { HealthLookup, HealthVerdict } from '#model/health.ts';
import { placementKey } from '#model/keys.ts';
import { type ListenerAttributeKey, listenerAttribute } from '#model/listener-attributes.ts';
import { formatLogHeading, logPlace } from '#model/log-place.ts';
import type { View } from '#model/view.ts';
import type {
  RoutingAction,
  RoutingAlgorithm,
  RoutingGroup,
  RoutingRequestFields,
  RoutingRule,
  RoutingTable,
  RoutingTarget,
} from './table.ts';

/**
 * The table with which `nodeId` serves the listener; undefined when the listener, its load balancer or the load
 * balancer's place on that node does not exist. What is missing behind them is answered with 503, not with silence.
 */
export function compileListener(
  view: View,
  health: HealthLookup,
  { listenerId, nodeId, region }: { readonly listenerId: HexId; readonly nodeId: string; readonly region: string },
  { functionPort = () => undefined, weight = () => 1 }: TargetLookups = {},
): RoutingTable | undefined {
  const listener = view.get('listener', listenerId);
  // The engine speaks HTTP/1.1 in the clear; listeners of other protocols are kept and described, and not served yet.
  if (listener?.protocol !== 'HTTP') return undefined;
  const { loadBalancerId } = listener;
  const loadBalancer = view.get('load-balancer', loadBalancerId);
  const placement = view.get('placement', placementKey({ loadBalancerId, nodeId }));
  if (loadBalancer === undefined || placement === undefined) return undefined;
  const groups = new Groups(view, { health, functionPort, weight }, placement.zone);
  return {
    listenerId,
    address: placement.address,
    port: listener.port,
    protocol: listener.protocol,
    ...sources(loadBalancer, listener.port),
    ...logs({ id: loadBalancerId, document: loadBalancer }, { region, address: placement.address }),
    loadBalancer: {
      id: loadBalancerId,
      account: loadBalancer.account,
      name: loadBalancer.name,
      idleTimeoutMs: Number(loadBalancerAttribute(loadBalancer, 'idle_timeout.timeout_seconds')) * 1000,
      clientKeepAliveMs: Number(loadBalancerAttribute(loadBalancer, 'client_keep_alive.seconds')) * 1000,
      requestFields: requestFields(loadBalancer),
    },
    ...responseFields(listener),
    rules: sortedRules(view, listenerId).map((rule) => compileRule(rule, groups)),
    groups: groups.compiled,
  };
}

function sources({ ingress }: Documents['load-balancer'], port: number): Pick<RoutingTable, 'sources'> {
  if (ingress === undefined) return {};
  const ofPort = ingress.filter(({ fromPort, toPort }) => fromPort <= port && port <= toPort);
  return { sources: [...new Set(ofPort.flatMap(({ cidrs }) => cidrs))] };
}

function logs(
  loadBalancer: Parameters<typeof logPlace>[1],
  at: { readonly region: string; readonly address: string },
): Pick<RoutingTable, 'logs'> {
  const access = logPlace('access', loadBalancer, at);
  const connection = logPlace('connection', loadBalancer, at);
  if (access === undefined && connection === undefined) return {};
  return {
    logs: {
      region: at.region,
      ...(access && { access: formatLogHeading(access) }),
      ...(connection && { connection: formatLogHeading(connection) }),
    },
  };
}

function requestFields(loadBalancer: Documents['load-balancer']): RoutingRequestFields {
  const attribute = (key: Parameters<typeof loadBalancerAttribute>[1]) => loadBalancerAttribute(loadBalancer, key);
  return {
    forwardedFor: attribute('routing.http.xff_header_processing.mode') as RoutingRequestFields['forwardedFor'],
    hasClientPort: attribute('routing.http.xff_client_port.enabled') === 'true',
    dropsInvalid: attribute('routing.http.drop_invalid_header_fields.enabled') === 'true',
    preservesHost: attribute('routing.http.preserve_host_header.enabled') === 'true',
    desyncMode: attribute('routing.http.desync_mitigation_mode') as RoutingRequestFields['desyncMode'],
  };
}

/** Which attribute sets which field. */
const responseFieldNames = {
  'routing.http.response.strict_transport_security.header_value': 'Strict-Transport-Security',
  'routing.http.response.access_control_allow_origin.header_value': 'Access-Control-Allow-Origin',
  'routing.http.response.access_control_allow_methods.header_value': 'Access-Control-Allow-Methods',
  'routing.http.response.access_control_allow_headers.header_value': 'Access-Control-Allow-Headers',
  'routing.http.response.access_control_allow_credentials.header_value': 'Access-Control-Allow-Credentials',
  'routing.http.response.access_control_expose_headers.header_value': 'Access-Control-Expose-Headers',
  'routing.http.response.access_control_max_age.header_value': 'Access-Control-Max-Age',
  'routing.http.response.content_security_policy.header_value': 'Content-Security-Policy',
  'routing.http.response.x_content_type_options.header_value': 'X-Content-Type-Options',
  'routing.http.response.x_frame_options.header_value': 'X-Frame-Options',
} as const satisfies Partial<Record<ListenerAttributeKey, string>>;

function responseFields(listener: Documents['listener']): Pick<RoutingTable, 'responseFields'> {
  const keys = Object.keys(responseFieldNames) as (keyof typeof responseFieldNames)[];
  const set = keys.flatMap((key) => {
    const value = listenerAttribute(listener, key);
    return value === '' ? [] : [{ name: responseFieldNames[key], value }];
  });
  const hidesServer = listenerAttribute(listener, 'routing.http.response.server.enabled') === 'false';
  return set.length === 0 && !hidesServer ? {} : { responseFields: { set, hidesServer } };
}

/** What a node knows of its targets besides their health, by their keys. */
export interface TargetLookups {
  /** Where on loopback a function is reached; undefined while it cannot be. */
  readonly functionPort?: (targetKey: string) => number | undefined;
  /** How much of its share a target gets that has gone wrong, up to 1; it counts with `weighted_random` alone. */
  readonly weight?: (targetKey: string) => number;
}

interface Lookups extends Required<TargetLookups> {
  readonly health: HealthLookup;
}

const loopback = '127.0.0.1';

/** What the API asks for when stickiness is enabled. */
const groupStickinessSeconds = 3_600;

type RuleEntry = Entry<'rule'>;

/** By priority, the default rule last. */
function sortedRules(view: View, listenerId: HexId): RuleEntry[] {
  const order = ({ document }: RuleEntry) =>
    document.priority === 'default' ? Number.POSITIVE_INFINITY : document.priority;
  return [...view.find('rulesOfListener', listenerId)].sort((a, b) => order(a) - order(b));
}

function compileRule({ id, document }: RuleEntry, groups: Groups): RoutingRule {
  // The last action is the one that routes; those before it authenticate.
  const { conditions, actions, transforms } = document;
  // Who cannot be asked who they are gets nothing.
  const asks = actions.some(({ kind }) => kind.startsWith('authenticate-') || kind === 'jwt-validation');
  const { priority } = document;
  const action = asks ? closed : compileAction(actions.at(-1), groups);
  return { id, ...(priority !== 'default' && { priority }), conditions, action, transforms };
}

const closed: RoutingAction = { kind: 'fixed-response', statusCode: 500, contentType: 'text/plain', body: '' };

function compileAction(action: RuleAction | undefined, groups: Groups): RoutingAction {
  switch (action?.kind) {
    case undefined:
      return { kind: 'forward', choices: [] };
    case 'forward':
      return {
        kind: 'forward',
        choices: shares(action.groups, groups),
        ...(action.stickiness?.enabled === true && {
          stickiness: { durationSeconds: action.stickiness.durationSeconds ?? groupStickinessSeconds },
        }),
      };
    case 'redirect':
      return action;
    case 'fixed-response':
      return {
        kind: 'fixed-response',
        statusCode: action.statusCode,
        contentType: action.contentType ?? 'text/plain',
        body: action.body ?? '',
      };
    case 'authenticate-oidc':
    case 'authenticate-cognito':
    case 'jwt-validation':
      return closed;
  }
}

/** A group of weight 0 gets nothing, unless none has more: then all get the same. */
function shares(weighted: readonly WeightedGroup[], groups: Groups): { group: number; share: number }[] {
  const total = weighted.reduce((sum, { weight }) => sum + weight, 0);
  return weighted.map(({ targetGroupId, weight }) => ({
    group: groups.indexOf(targetGroupId),
    share: total === 0 ? 1 / weighted.length : weight / total,
  }));
}

/** The target groups that the rules use, each compiled once. */
class Groups {
  readonly compiled: RoutingGroup[] = [];
  readonly #indexes = new Map<HexId, number>();
  readonly #view: View;
  readonly #lookups: Lookups;
  readonly #zone: string;

  constructor(view: View, lookups: Lookups, zone: string) {
    this.#view = view;
    this.#lookups = lookups;
    this.#zone = zone;
  }

  indexOf(id: HexId): number {
    let index = this.#indexes.get(id);
    if (index === undefined) {
      index = this.compiled.push(this.#compile(id)) - 1;
      this.#indexes.set(id, index);
    }
    return index;
  }

  #compile(id: HexId): RoutingGroup {
    // Targets without their group are damage, and go on being served like those of any other group.
    const group: KnownGroup = this.#view.get('target-group', id) ?? unknownGroup;
    const isSpoken = group.targetType === 'lambda' || (group.protocol === 'HTTP' && isHttp1(group));
    const all = isSpoken ? [...this.#view.find('targetsOfTargetGroup', id)] : [];
    const near = all.filter(({ document }) => isNear(group, document, this.#zone));
    const targets = near.flatMap((target) => compileTarget(target, group, this.#lookups));
    return {
      id,
      name: group.name,
      algorithm: targetGroupAttribute(group, 'load_balancing.algorithm.type') as RoutingAlgorithm,
      ...(!isHttp1(group) && { refusesHttp1: true as const }),
      ...(group.targetType === 'lambda' && { isOfFunctions: true as const }),
      ...stickiness(group),
      targets,
      ...eligible(group, targets),
    };
  }
}

type KnownGroup = TargetGroupOwner & Partial<Documents['target-group']> & { readonly name: string };
const unknownGroup: KnownGroup = { name: '', targetType: 'ip', protocol: 'HTTP', attributes: {} };

/** Whether the node's zone gives requests to the target: where zones are kept apart, those of others do not count. */
function isNear(group: TargetGroupOwner, { availabilityZone = 'all' }: Documents['target'], zone: string): boolean {
  if (availabilityZone === 'all' || availabilityZone === zone) return true;
  return targetGroupAttribute(group, 'load_balancing.cross_zone.enabled') !== 'false';
}

/** By the load balancer's own cookie alone, or by one that the application sets. */
function stickiness(group: TargetGroupOwner): Pick<RoutingGroup, 'stickiness'> {
  const attribute = (key: Parameters<typeof targetGroupAttribute>[1]) => targetGroupAttribute(group, key);
  if (attribute('stickiness.enabled') !== 'true') return {};
  switch (attribute('stickiness.type')) {
    case 'lb_cookie':
      return { stickiness: { durationSeconds: Number(attribute('stickiness.lb_cookie.duration_seconds')) } };
    case 'app_cookie': {
      const durationSeconds = Number(attribute('stickiness.app_cookie.duration_seconds'));
      return { stickiness: { durationSeconds, applicationCookie: attribute('stickiness.app_cookie.cookie_name') } };
    }
    default:
      return {};
  }
}

/** Targets that speak another protocol than HTTP/1.1 get nothing that they could misunderstand. */
function isHttp1({ protocolVersion = 'HTTP1' }: Pick<Documents['target-group'], 'protocolVersion'>): boolean {
  return protocolVersion === 'HTTP1';
}

/** A function that nobody can reach yet is left out; one that is not checked counts as healthy. */
function compileTarget(
  { id, document }: Entry<'target'>,
  group: KnownGroup,
  { health, functionPort, weight }: Lookups,
): RoutingTarget[] {
  const isFunction = group.targetType === 'lambda';
  const port = isFunction ? functionPort(id) : document.port;
  const address = isFunction ? loopback : document.address;
  if (port === undefined || address === '') return [];
  const verdict = health(id);
  const known = group.healthCheck?.enabled === false ? 'healthy' : (verdict?.kind ?? 'initial');
  const place = { key: id, address, port };
  if (document.state.kind === 'draining') return [{ ...place, state: 'draining' }];
  return [{ ...place, state: known, ...slowStart(group, verdict), ...weighted(group, weight(id)) }];
}

function slowStart(group: TargetGroupOwner, verdict: HealthVerdict | undefined): Pick<RoutingTarget, 'slowStart'> {
  if (verdict?.kind !== 'healthy' || verdict.slowStartAtMs === undefined) return {};
  const durationMs = Number(targetGroupAttribute(group, 'slow_start.duration_seconds')) * 1_000;
  return durationMs === 0 ? {} : { slowStart: { beganAtMs: verdict.slowStartAtMs, durationMs } };
}

function weighted(group: TargetGroupOwner, weight: number): Pick<RoutingTarget, 'weight'> {
  if (weight === 1 || targetGroupAttribute(group, 'load_balancing.algorithm.type') !== 'weighted_random') return {};
  return { weight };
}

/**
 * The healthy targets; all registered ones when too few are healthy ("Target group health": unhealthy state routing,
 * failing open). Draining targets get no new requests in either case.
 */
function eligible(
  group: TargetGroupOwner,
  targets: readonly RoutingTarget[],
): Pick<RoutingGroup, 'eligible' | 'isFailingOpen'> {
  const registered = indexesWhere(targets, ({ state }) => state !== 'draining');
  const healthy = registered.filter((index) => targets[index]!.state === 'healthy');
  const count = targetGroupAttribute(
    group,
    'target_group_health.unhealthy_state_routing.minimum_healthy_targets.count',
  );
  const percentage = targetGroupAttribute(
    group,
    'target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage',
  );
  const isEnough =
    healthy.length >= Number(count) &&
    (percentage === 'off' || healthy.length * 100 >= registered.length * Number(percentage));
  return isEnough ? { eligible: healthy } : { eligible: registered, isFailingOpen: true };
}

function indexesWhere<Item>(items: readonly Item[], holds: (item: Item) => boolean): number[] {
  return items.flatMap((item, index) => (holds(item) ? [index] : []));
}
