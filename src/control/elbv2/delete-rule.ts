/** DeleteRule. The default rule goes only with its listener. */
import type { DeleteRuleInput, DeleteRuleOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept } from '#base/result.ts';
import { remove } from '#model/change.ts';
import { findOwnRule } from './rules.ts';
import type { Elbv2Operation } from './shape.ts';

export const deleteRule: Elbv2Operation<DeleteRuleInput, DeleteRuleOutput> = {
  kind: 'write',
  decide(view, input, context) {
    const found = findOwnRule(view, input.RuleArn, 'deleted', context);
    return found.ok ? accept({ changes: [remove(view, 'rule', found.value.rule.id)], output: {} }) : found;
  },
};
