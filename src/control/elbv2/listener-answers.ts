/** A listener as the API answers it. What it does by default stands in the rule with priority `default`. */
import type { Listener } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { OperationContext } from '#control/operation.ts';
import type { Entry, HexId, ListenerDocument, RuleAction } from '#model/documents.ts';
import type { View } from '#model/view.ts';
import { encodeActions } from './actions.ts';
import { listenerArn, loadBalancerArn } from './arns.ts';

/** The listener with its default actions. */
export function encodeListener(
  view: View,
  loadBalancer: Entry<'load-balancer'>,
  listener: { readonly id: HexId; readonly document: ListenerDocument; readonly actions: readonly RuleAction[] },
  context: OperationContext,
): Listener {
  const { region } = context.settings;
  return {
    ListenerArn: listenerArn(region, listener.id, loadBalancer),
    LoadBalancerArn: loadBalancerArn(region, loadBalancer.id, loadBalancer.document),
    Port: listener.document.port,
    Protocol: listener.document.protocol,
    DefaultActions: encodeActions(view, listener.actions, context),
  };
}

/** The actions of the listener's default rule. */
export function defaultActionsOf(view: View, listenerId: HexId): readonly RuleAction[] {
  return defaultRuleOf(view, listenerId)?.document.actions ?? [];
}

export function defaultRuleOf(view: View, listenerId: HexId): Entry<'rule'> | undefined {
  for (const rule of view.find('rulesOfListener', listenerId)) if (rule.document.priority === 'default') return rule;
  return undefined;
}
