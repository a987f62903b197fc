/**
 * SetRulePriorities. All of it or nothing: what counts is that every listener has one rule of each priority afterwards,
 * so two rules can change places.
 */
import type { SetRulePrioritiesInput, SetRulePrioritiesOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, refuse } from '#base/result.ts';
import { put } from '#model/change.ts';
import type { HexId } from '#model/documents.ts';
import { fault } from '#model/fault.ts';
import { noneFound } from './arns.ts';
import { shown } from './checks.ts';
import { checkPriority, encodeRule, findOwnRule, type OwnRule } from './rules.ts';
import type { Elbv2Operation } from './shape.ts';

export const setRulePriorities: Elbv2Operation<SetRulePrioritiesInput, SetRulePrioritiesOutput> = {
  kind: 'write',
  decide(view, input, context) {
    const moved = new Map<HexId, OwnRule & { readonly priority: number }>();
    for (const { RuleArn: arn, Priority: priority } of input.RulePriorities) {
      if (arn === undefined || priority === undefined) {
        return refuse(
          fault('ValidationError', 'A rule ARN and a priority must be specified in each of RulePriorities'),
        );
      }
      const wrong = checkPriority(priority);
      if (wrong !== undefined) return refuse(wrong);
      const found = findOwnRule(view, arn, 'given another priority', context);
      if (!found.ok) return found.fault.code === 'RuleNotFound' ? refuse(noneFound('rule')) : found;
      const { id } = found.value.rule;
      if (moved.has(id)) {
        return refuse(fault('ValidationError', `Rule '${shown(arn)}' is specified more than once`));
      }
      moved.set(id, { ...found.value, priority });
    }
    if (moved.size === 0) return refuse(fault('ValidationError', 'RulePriorities is empty; it must name a rule'));

    for (const listenerId of new Set([...moved.values()].map(({ rule }) => rule.document.listenerId))) {
      const taken = new Set<number | 'default'>();
      for (const { id, document } of view.find('rulesOfListener', listenerId)) {
        const priority = moved.get(id)?.priority ?? document.priority;
        if (taken.has(priority)) {
          return refuse(fault('PriorityInUse', `Priority '${priority}' would be in use twice on one listener`));
        }
        taken.add(priority);
      }
    }
    const after = [...moved.values()].map(({ rule, loadBalancer, priority }) => ({
      id: rule.id,
      loadBalancer,
      document: { ...rule.document, priority },
    }));
    return accept({
      changes: after.map(({ id, document }) => put(view, 'rule', id, document)),
      output: { Rules: after.map((each) => encodeRule(view, each.loadBalancer, each, context)) },
    });
  },
};
