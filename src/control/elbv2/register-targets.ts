/**
 * RegisterTargets. A target that drains is registered again; one that is registered already stays as it is.
 */
import type { RegisterTargetsInput, RegisterTargetsOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, refuse } from '#base/result.ts';
import type { AccountLimits } from '#control/limits.ts';
import { instancePattern } from '#control/network.ts';
import { add, type Change, put } from '#model/change.ts';
import type { Entry, HexId, TargetDocument } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import type { View } from '#model/view.ts';
import { findByArn } from './arns.ts';
import { checkTargetsCount, groupsOfLoadBalancer, loadBalancersOfGroup, registeredCount } from './associations.ts';
import { checkCount } from './checks.ts';
import { quotas } from './quotas.ts';
import type { Elbv2Operation } from './shape.ts';
import { decodeTarget, functionPattern, type NamedTarget, resolveTarget } from './targets.ts';

export const registerTargets: Elbv2Operation<RegisterTargetsInput, RegisterTargetsOutput> = {
  kind: 'write',
  async gather({ Targets }, world) {
    const instances = Targets.map(({ Id }) => Id).filter((id) => instancePattern.test(id));
    if (instances.length === 0 && !Targets.some(({ Id }) => functionPattern.test(Id))) return accept({});
    const network = await world.network({ instances });
    return network.ok ? accept({ network: network.value }) : network;
  },
  decide(view, input, context) {
    const group = findByArn(view, 'target-group', input.TargetGroupArn, context);
    if (!group.ok) return group;
    const wrong = checkCount('Targets', input.Targets, quotas.targetsPerCall);
    if (wrong !== undefined) return refuse(wrong);
    const changes = new Map<string, Change>();
    let addedCount = 0;
    for (const description of input.Targets) {
      const target = decodeTarget(group.value, description, context);
      if (!target.ok) return target;
      const { key } = target.value;
      const address = resolveTarget(view, group.value, target.value, context);
      if (!address.ok) return address;
      const present = view.get('target', key);
      const document = registered(group.value, { ...target.value, address: address.value }, present, context.nowMs);
      if (present?.state.kind !== 'registered' && !changes.has(key)) addedCount += 1;
      // A target named twice is registered as it was named last.
      if (document === present) changes.delete(key);
      else changes.set(key, present === undefined ? add('target', key, document) : put(view, 'target', key, document));
    }
    const tooMany = addedCount === 0 ? undefined : checkQuotas(view, group.value, addedCount, context.limits);
    return tooMany === undefined ? accept({ changes: [...changes.values()], output: {} }) : refuse(tooMany);
  },
};

/** The target's document once it is registered: the present one itself where nothing differs. */
function registered(
  { id: targetGroupId, document: group }: Entry<'target-group'>,
  { id, address, port, availabilityZone, quicServerId }: NamedTarget & { readonly address: string },
  present: TargetDocument | undefined,
  nowMs: number,
): TargetDocument {
  const stays = present?.state.kind === 'registered';
  const isSame =
    present?.availabilityZone === availabilityZone &&
    present?.address === address &&
    present.quicServerId === quicServerId;
  if (stays && isSame) return present;
  return {
    targetGroupId,
    address,
    port,
    ...(group.targetType !== 'ip' && { named: id }),
    ...(quicServerId !== undefined && { quicServerId }),
    ...(availabilityZone !== undefined && { availabilityZone }),
    state: stays ? present.state : { kind: 'registered', sinceMs: nowMs },
  };
}

/** How many targets there are in all is known without looking at each, and mostly it is few enough. */
function checkQuotas(
  view: View,
  group: Entry<'target-group'>,
  addedCount: number,
  limits: AccountLimits,
): Fault | undefined {
  const allCount = (id: HexId) => view.countFound('targetsOfTargetGroup', id);
  if (quotaFault(view, group, { addedCount, limits, countOf: allCount }) === undefined) return undefined;
  return quotaFault(view, group, { addedCount, limits, countOf: (id) => registeredCount(view, id) });
}

interface Counting {
  readonly addedCount: number;
  readonly limits: AccountLimits;
  readonly countOf: (targetGroupId: HexId) => number;
}

function quotaFault(
  view: View,
  { id: targetGroupId, document: { targetType } }: Entry<'target-group'>,
  { addedCount, limits, countOf }: Counting,
): Fault | undefined {
  const count = countOf(targetGroupId) + addedCount;
  const countMax = targetType === 'lambda' || targetType === 'alb' ? 1 : limits['targets-per-target-group'];
  if (count > countMax) {
    return fault('TooManyTargets', `The target group would have ${count} targets; the limit is ${countMax}`);
  }
  for (const loadBalancerId of loadBalancersOfGroup(view, targetGroupId)) {
    const groups = [...groupsOfLoadBalancer(view, loadBalancerId)];
    const present = groups.reduce((sum, id) => sum + countOf(id), 0);
    const type = view.get('load-balancer', loadBalancerId)?.type ?? 'application';
    const wrong = checkTargetsCount(type, present + addedCount, limits);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}
