/**
 * ModifyTargetGroupAttributes. Changes all that are given or none; what results must agree as a whole, and with the
 * targets: zones cannot be kept apart while some target belongs to all of them.
 */
import { isDeepStrictEqual } from 'node:util';
import type {
  ModifyTargetGroupAttributesInput,
  ModifyTargetGroupAttributesOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, refuse } from '#base/result.ts';
import { targetGroupAttribute } from '#model/attributes.ts';
import { put } from '#model/change.ts';
import type { HexId, TargetGroupDocument } from '#model/documents.ts';
import { fault } from '#model/fault.ts';
import type { View } from '#model/view.ts';
import { findByArn } from './arns.ts';
import { changeTargetGroupAttributes, encodeTargetGroupAttributes } from './attributes.ts';
import type { Elbv2Operation } from './shape.ts';

export const modifyTargetGroupAttributes: Elbv2Operation<
  ModifyTargetGroupAttributesInput,
  ModifyTargetGroupAttributesOutput
> = {
  kind: 'write',
  decide(view, input, context) {
    const found = findByArn(view, 'target-group', input.TargetGroupArn, context);
    if (!found.ok) return found;
    const { id, document: present } = found.value;
    const document = changeTargetGroupAttributes(present, input.Attributes);
    if (!document.ok) return document;
    if (keepsApart(document.value) && !keepsApart(present) && hasTargetOfAll(view, id)) {
      const message = `Cross-zone load balancing cannot be turned off while targets are registered with the zone 'all'`;
      return refuse(fault('InvalidConfigurationRequest', message));
    }
    return accept({
      changes: isDeepStrictEqual(document.value, present) ? [] : [put(view, 'target-group', id, document.value)],
      output: { Attributes: encodeTargetGroupAttributes(document.value) },
    });
  },
};

function keepsApart(group: TargetGroupDocument): boolean {
  return targetGroupAttribute(group, 'load_balancing.cross_zone.enabled') === 'false';
}

function hasTargetOfAll(view: View, targetGroupId: HexId): boolean {
  for (const { document } of view.find('targetsOfTargetGroup', targetGroupId)) {
    if (document.availabilityZone === 'all') return true;
  }
  return false;
}
