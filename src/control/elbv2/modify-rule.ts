/** ModifyRule. What is given takes the place of what there was, as a whole; the rest stays. */
import type { ModifyRuleInput, ModifyRuleOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, refuse } from '#base/result.ts';
import { put } from '#model/change.ts';
import type { RuleDocument } from '#model/documents.ts';
import { fault } from '#model/fault.ts';
import { type DecodedActions, decodeActions } from './actions.ts';
import { checkAssociations } from './associations.ts';
import { sealClientSecret } from './client-secrets.ts';
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
    const decoded =
      input.Actions === undefined
        ? accept({ actions: actionsBefore })
        : decodeActions(view, 'Actions', input.Actions, context);
    if (!decoded.ok) return decoded;
    const { actions, secret }: DecodedActions = decoded.value;
    if (input.ResetTransforms === true && input.Transforms !== undefined) {
      return refuse(fault('ValidationError', 'ResetTransforms and Transforms cannot be specified together'));
    }
    const kept = input.ResetTransforms === true ? [] : transformsBefore;
    const transforms = input.Transforms === undefined ? accept(kept) : decodeTransforms(input.Transforms);
    if (!transforms.ok) return transforms;
    const { protocol } = view.get('listener', rule.document.listenerId)!;
    const associated = checkAssociations(view, loadBalancer, protocol, actions, context.limits);
    if (associated !== undefined) return refuse(associated);

    const { sealedClientSecret, ...others } = rule.document;
    const sealed =
      input.Actions === undefined
        ? accept(sealedClientSecret === undefined ? {} : { sealedClientSecret })
        : sealClientSecret(rule.id, secret, rule.document, context);
    if (!sealed.ok) return sealed;
    const document: RuleDocument = {
      ...others,
      conditions: conditions.value,
      actions,
      transforms: transforms.value,
      ...sealed.value,
    };
    return accept({
      changes: [put(view, 'rule', rule.id, document)],
      output: { Rules: [encodeRule(view, loadBalancer, { id: rule.id, document }, context)] },
    });
  },
};
