/** ModifyTargetGroupAttributes. Changes all that are given or none; what results must agree as a whole. */
import { isDeepStrictEqual } from 'node:util';
import type {
  ModifyTargetGroupAttributesInput,
  ModifyTargetGroupAttributesOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept } from '#base/result.ts';
import { put } from '#model/change.ts';
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
    return accept({
      changes: isDeepStrictEqual(document.value, present) ? [] : [put(view, 'target-group', id, document.value)],
      output: { Attributes: encodeTargetGroupAttributes(document.value) },
    });
  },
};
