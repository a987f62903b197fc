/** ModifyListenerAttributes. Changes all that are given or none; what results must agree as a whole. */
import { isDeepStrictEqual } from 'node:util';
import type {
  ModifyListenerAttributesInput,
  ModifyListenerAttributesOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept } from '#base/result.ts';
import { put } from '#model/change.ts';
import { findByArn } from './arns.ts';
import { changeListenerAttributes, encodeListenerAttributes } from './attributes.ts';
import type { Elbv2Operation } from './shape.ts';

export const modifyListenerAttributes: Elbv2Operation<ModifyListenerAttributesInput, ModifyListenerAttributesOutput> = {
  kind: 'write',
  decide(view, input, context) {
    const found = findByArn(view, 'listener', input.ListenerArn, context);
    if (!found.ok) return found;
    const { id, document: present } = found.value;
    const document = changeListenerAttributes(present, input.Attributes);
    if (!document.ok) return document;
    return accept({
      changes: isDeepStrictEqual(document.value, present) ? [] : [put(view, 'listener', id, document.value)],
      output: { Attributes: encodeListenerAttributes(document.value) },
    });
  },
};
