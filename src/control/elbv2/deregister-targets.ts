/**
 * DeregisterTargets. A target first drains for the group's deregistration delay; it goes at once when there is no
 * delay, or when no rule uses the group and so nothing can be under way to it. A target that is not there is no
 * error.
 */
import type { DeregisterTargetsInput, DeregisterTargetsOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, refuse } from '#base/result.ts';
import { attributeNumber, targetGroupAttribute } from '#model/attributes.ts';
import { type Change, put, remove } from '#model/change.ts';
import { findByArn } from './arns.ts';
import { isInUse } from './associations.ts';
import { checkCount } from './checks.ts';
import { quotas } from './quotas.ts';
import type { Elbv2Operation } from './shape.ts';
import { decodeTarget } from './targets.ts';

export const deregisterTargets: Elbv2Operation<DeregisterTargetsInput, DeregisterTargetsOutput> = {
  kind: 'write',
  decide(view, input, context) {
    const group = findByArn(view, 'target-group', input.TargetGroupArn, context);
    if (!group.ok) return group;
    const wrong = checkCount('Targets', input.Targets, quotas.targetsPerCall);
    if (wrong !== undefined) return refuse(wrong);
    const delaySeconds =
      attributeNumber(targetGroupAttribute(group.value.document, 'deregistration_delay.timeout_seconds')) ?? 0;
    const drains = delaySeconds > 0 && isInUse(view, group.value.id);
    const { nowMs } = context;
    const changes = new Map<string, Change>();
    for (const description of input.Targets) {
      const target = decodeTarget(group.value, description, context);
      if (!target.ok) return target;
      const { key } = target.value;
      const present = view.get('target', key);
      if (present === undefined || (present.state.kind === 'draining' && drains)) continue;
      const state = { kind: 'draining', sinceMs: nowMs, untilMs: nowMs + delaySeconds * 1000 } as const;
      changes.set(key, drains ? put(view, 'target', key, { ...present, state }) : remove(view, 'target', key));
    }
    return accept({ changes: [...changes.values()], output: {} });
  },
};
