/**
 * Which target groups a load balancer forwards to, and how many of them it may. A target group has one load balancer.
 */
import type { AccountLimits } from '#control/limits.ts';
import type {
  Entry,
  HexId,
  ListenerProtocol,
  LoadBalancerType,
  RuleAction,
  TargetGroupProtocol,
} from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import { targetGroupsOf } from '#model/rule-actions.ts';
import { isEmpty, type View } from '#model/view.ts';

/** The load balancers whose rules forward to the group. */
export function loadBalancersOfGroup(view: View, targetGroupId: HexId): ReadonlySet<HexId> {
  const found = new Set<HexId>();
  for (const { document } of view.find('rulesUsingTargetGroup', targetGroupId)) {
    const listener = view.get('listener', document.listenerId);
    if (listener !== undefined) found.add(listener.loadBalancerId);
  }
  return found;
}

/** The target groups that the load balancer's rules forward to. */
export function groupsOfLoadBalancer(view: View, loadBalancerId: HexId): Set<HexId> {
  const found = new Set<HexId>();
  for (const listener of view.find('listenersOfLoadBalancer', loadBalancerId)) {
    for (const { document } of view.find('rulesOfListener', listener.id)) {
      for (const id of targetGroupsOf(document.actions)) found.add(id);
    }
  }
  return found;
}

/** Whether any rule forwards to the group: only then its targets get traffic and are checked. */
export function isInUse(view: View, targetGroupId: HexId): boolean {
  return !isEmpty(view.find('rulesUsingTargetGroup', targetGroupId));
}

/** Which protocols the target groups of a network load balancer's listener can have ("Listener configuration"). */
const protocolsBehind: Readonly<Record<ListenerProtocol, readonly TargetGroupProtocol[]>> = {
  HTTP: ['HTTP', 'HTTPS'],
  HTTPS: ['HTTP', 'HTTPS'],
  TCP: ['TCP', 'TCP_UDP'],
  TLS: ['TCP', 'TLS'],
  UDP: ['UDP', 'TCP_UDP'],
  TCP_UDP: ['TCP_UDP'],
  QUIC: ['QUIC', 'TCP_QUIC'],
  TCP_QUIC: ['TCP_QUIC'],
};

/**
 * Checks that a listener of the load balancer may do what the actions say: they are for its protocol, and so are the
 * groups; each group has no other load balancer (AWS allows one); and neither the number of groups nor that of their
 * targets goes beyond its quota.
 */
export function checkAssociations(
  view: View,
  loadBalancer: Entry<'load-balancer'>,
  protocol: ListenerProtocol,
  actions: readonly RuleAction[],
  limits: AccountLimits,
): Fault | undefined {
  const wanted = targetGroupsOf(actions);
  const wrong =
    checkActionTypes(loadBalancer.document.type, protocol, actions) ?? checkProtocols(view, protocol, wanted);
  if (wrong !== undefined) return wrong;
  for (const id of wanted) {
    if ([...loadBalancersOfGroup(view, id)].every((user) => user === loadBalancer.id)) continue;
    const name = view.get('target-group', id)?.name;
    return fault(
      'TargetGroupAssociationLimit',
      `The target group '${name}' is used by another load balancer; a target group can have only one`,
    );
  }
  const groups = groupsOfLoadBalancer(view, loadBalancer.id);
  for (const id of wanted) groups.add(id);
  const groupsMax = limits['target-groups-per-application-load-balancer'];
  if (groups.size > groupsMax) {
    return fault(
      'TooManyUniqueTargetGroupsPerLoadBalancer',
      `The load balancer would use ${groups.size} target groups; the limit is ${groupsMax}`,
    );
  }
  const targetsCount = [...groups].reduce((sum, id) => sum + registeredCount(view, id), 0);
  return checkTargetsCount(loadBalancer.document.type, targetsCount, limits);
}

function checkActionTypes(
  type: LoadBalancerType,
  protocol: ListenerProtocol,
  actions: readonly RuleAction[],
): Fault | undefined {
  for (const { kind } of actions) {
    if (type === 'network' && kind !== 'forward') {
      const message = `Actions of type '${kind}' are for Application Load Balancers; listeners with protocol '${protocol}' forward`;
      return fault('InvalidLoadBalancerAction', message);
    }
    const asks = kind === 'jwt-validation' || kind.startsWith('authenticate-');
    if (!asks || protocol === 'HTTPS') continue;
    const message = `Actions of type '${kind}' are supported only on HTTPS listeners, not with protocol '${protocol}'`;
    return fault('InvalidLoadBalancerAction', message);
  }
  return undefined;
}

function checkProtocols(view: View, protocol: ListenerProtocol, groups: ReadonlySet<HexId>): Fault | undefined {
  for (const id of groups) {
    const group = view.get('target-group', id);
    if (group === undefined) continue;
    const { name, targetType, protocol: behind, protocolVersion } = group;
    const isApplication = protocol === 'HTTP' || protocol === 'HTTPS';
    if (behind === undefined ? !isApplication : !protocolsBehind[protocol].includes(behind)) {
      const found = behind === undefined ? `target type '${targetType}'` : `protocol '${behind}'`;
      const message = `The target group '${name}' has ${found}; a listener with protocol '${protocol}' needs '${protocolsBehind[protocol].join("' or '")}'`;
      return fault('IncompatibleProtocols', message);
    }
    if (protocol === 'HTTP' && protocolVersion === 'GRPC') {
      const message = `Listener protocol 'HTTP' is not supported with a target group with the protocol-version setting 'GRPC'`;
      return fault('InvalidConfigurationRequest', message);
    }
  }
  return undefined;
}

/** Checks the number of targets of one load balancer against its quota. */
export function checkTargetsCount(
  type: LoadBalancerType,
  targetsCount: number,
  limits: AccountLimits,
): Fault | undefined {
  const targetsMax = limits[`targets-per-${type}-load-balancer`];
  if (targetsCount <= targetsMax) return undefined;
  return fault('TooManyTargets', `The load balancer would have ${targetsCount} targets; the limit is ${targetsMax}`);
}

/** How many targets are registered with the group; one that drains is on its way out and does not count. */
export function registeredCount(view: View, targetGroupId: HexId): number {
  let count = 0;
  for (const { document } of view.find('targetsOfTargetGroup', targetGroupId)) {
    if (document.state.kind === 'registered') count += 1;
  }
  return count;
}
