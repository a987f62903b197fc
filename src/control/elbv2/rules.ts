/** What the operations on rules have in common: how a rule is answered, found, and told from the default one. */
import type { Rule } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, type Result, refuse } from '#base/result.ts';
import type { OperationContext } from '#control/operation.ts';
import type { Entry, HexId, RuleDocument } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import type { View } from '#model/view.ts';
import { encodeActions } from './actions.ts';
import { findByArn, loadBalancerOf, ruleArn } from './arns.ts';
import { checkRange } from './checks.ts';
import { encodeConditions } from './conditions.ts';
import { encodeTransforms } from './transforms.ts';

const priorityRange = { min: 1, max: 50_000 };

/** A rule that may be changed, with the load balancer it belongs to. */
export interface OwnRule {
  readonly rule: Entry<'rule'>;
  readonly loadBalancer: Entry<'load-balancer'>;
}

/** The rule as the API answers it. */
export function encodeRule(
  view: View,
  loadBalancer: Entry<'load-balancer'>,
  { id, document }: { readonly id: HexId; readonly document: RuleDocument },
  context: OperationContext,
): Rule {
  return {
    RuleArn: ruleArn(context.settings.region, id, document.listenerId, loadBalancer),
    Priority: `${document.priority}`,
    Conditions: encodeConditions(document.conditions),
    Actions: encodeActions(view, document.actions, context),
    IsDefault: document.priority === 'default',
    ...(document.transforms.length > 0 && { Transforms: encodeTransforms(document.transforms) }),
  };
}

/** Finds the rule of an ARN; refuses the default rule, which only its listener changes. */
export function findOwnRule(
  view: View,
  arn: string,
  verb: 'modified' | 'deleted' | 'given another priority',
  context: OperationContext,
): Result<OwnRule, Fault> {
  const rule = findByArn(view, 'rule', arn, context);
  if (!rule.ok) return rule;
  if (rule.value.document.priority === 'default') {
    return refuse(fault('OperationNotPermitted', `Default rule '${arn}' cannot be ${verb}`));
  }
  const loadBalancer = loadBalancerOf(view, rule.value.document.listenerId);
  if (loadBalancer === undefined) return refuse(fault('RuleNotFound', `Rule '${arn}' not found`));
  return accept({ rule: rule.value, loadBalancer });
}

export function checkPriority(priority: number): Fault | undefined {
  return checkRange('Rule priority', priority, priorityRange);
}

/** The rules of the load balancer but the default ones. */
export function countRules(view: View, loadBalancerId: HexId): number {
  let count = 0;
  for (const { id } of view.find('listenersOfLoadBalancer', loadBalancerId)) {
    for (const { document } of view.find('rulesOfListener', id)) if (document.priority !== 'default') count += 1;
  }
  return count;
}
