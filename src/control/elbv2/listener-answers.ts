/** A listener as the API answers it. What it does by default stands in the rule with priority `default`. */
import type { Listener } from '@aws-sdk/client-elastic-load-balancing-v2';
import { certificateArn } from '#control/certificates.ts';
import type { OperationContext } from '#control/operation.ts';
import type { Entry, HexId, ListenerDocument, RuleAction } from '#model/documents.ts';
import type { View } from '#model/view.ts';
import { encodeActions } from './actions.ts';
import { listenerArn, loadBalancerArn } from './arns.ts';
import { speaksTls } from './listener-settings.ts';
import { encodeMutualAuthentication } from './mutual-authentication.ts';

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
    ...encodeTls(view, listener.document, context),
    DefaultActions: encodeActions(view, listener.actions, context),
  };
}

/** What a listener that speaks TLS has; its other certificates have a call of their own. */
function encodeTls(view: View, listener: ListenerDocument, context: OperationContext): Partial<Listener> {
  const { protocol, sslPolicy, alpnPolicy, certificateIds = [] } = listener;
  if (!speaksTls(protocol)) return {};
  return {
    Certificates: encodeCertificates(view, certificateIds.slice(0, 1), context),
    SslPolicy: sslPolicy,
    ...(alpnPolicy !== undefined && { AlpnPolicy: [alpnPolicy] }),
    ...(protocol === 'HTTPS' && { MutualAuthentication: encodeMutualAuthentication(view, listener, context) }),
  };
}

/** Certificates by their ARNs; one that is not there any more is left out. */
export function encodeCertificates(
  view: View,
  ids: readonly string[],
  { settings }: OperationContext,
): { CertificateArn: string }[] {
  return ids.flatMap((id) => {
    const document = view.get('certificate', id);
    return document === undefined ? [] : [{ CertificateArn: certificateArn({ id, document }, settings.region) }];
  });
}

/** The actions of the listener's default rule. */
export function defaultActionsOf(view: View, listenerId: HexId): readonly RuleAction[] {
  return defaultRuleOf(view, listenerId)?.document.actions ?? [];
}

export function defaultRuleOf(view: View, listenerId: HexId): Entry<'rule'> | undefined {
  for (const rule of view.find('rulesOfListener', listenerId)) if (rule.document.priority === 'default') return rule;
  return undefined;
}
