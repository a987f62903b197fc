/** ModifyRule. What is given takes the place of what there was, as a whole; the rest stays. */
import type { ModifyRuleInput, ModifyRuleOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, refuse } from '#base/result.ts';
import { put } from '#model/change.ts';
import type { RuleDocument } from '#model/documents.ts';
import { fault } from '#model/fault.ts';
import { decodeActions } from './actions.ts';
import { checkAssociations } from './associations.ts';
import { decodeConditions } from './conditions.ts';
import { encodeRule, findOwnRule } from './rules.ts';
import type { Elbv2Operation } from './shape.ts';
import { decodeTransforms } from './transforms.ts';

export const modifyRule: Elbv2Operation<ModifyRuleInput, ModifyRuleOutput> = {
  kind: 'write',
  decide(view, input, context) {
    const found = findOwnRule(view, input.RuleArn, 'modified', context);
    if (!found.ok) return found;
    const { rule, loadBalancer } = found.value;
    const { conditions: before, actions: actionsBefore, transforms: transformsBefore } = rule.document;
    const conditions = input.Conditions === undefined ? accept(before) : decodeConditions(input.Conditions);
    if (!conditions.ok) return conditions;
    const actions =
      input.Actions === undefined ? accept(actionsBefore) : decodeActions(view, 'Actions', input.Actions, context);
    if (!actions.ok) return actions;
    if (input.ResetTransforms === true && input.Transforms !== undefined) {
      return refuse(fault('ValidationError', 'ResetTransforms and Transforms cannot be specified together'));
    }
    const kept = input.ResetTransforms === true ? [] : transformsBefore;
    const transforms = input.Transforms === undefined ? accept(kept) : decodeTransforms(input.Transforms);
    if (!transforms.ok) return transforms;
    const associated = checkAssociations(view, loadBalancer, actions.value);
    if (associated !== undefined) return refuse(associated);

    const document: RuleDocument = {
      ...rule.document,
      conditions: conditions.value,
      actions: actions.value,
      transforms: transforms.value,
    };
    return accept({
      changes: [put(view, 'rule', rule.id, document)],
      output: { Rules: [encodeRule(view, loadBalancer, { id: rule.id, document }, context)] },
    });
  },
};
