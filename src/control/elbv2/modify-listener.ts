/** ModifyListener. What is given takes the place of what there was; the rest stays. */
import type { ModifyListenerInput, ModifyListenerOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, refuse } from '#base/result.ts';
import type { AccountLimits } from '#control/limits.ts';
import { type Change, put } from '#model/change.ts';
import type { Entry, HexId, ListenerDocument, ListenerProtocol, RuleAction } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import type { View } from '#model/view.ts';
import { type DecodedActions, decodeActions } from './actions.ts';
import { findByArn, loadBalancerOf } from './arns.ts';
import { checkAssociations } from './associations.ts';
import { sealClientSecret } from './client-secrets.ts';
import { defaultRuleOf, encodeListener } from './listener-answers.ts';
import { decodeListener } from './listener-settings.ts';
import type { Elbv2Operation } from './shape.ts';

export const modifyListener: Elbv2Operation<ModifyListenerInput, ModifyListenerOutput> = {
  kind: 'write',
  decide(view, input, context) {
    const { ListenerArn: arn } = input;
    const found = findByArn(view, 'listener', arn, context);
    if (!found.ok) return found;
    const { id, document: before } = found.value;
    const loadBalancer = loadBalancerOf(view, id);
    const rule = defaultRuleOf(view, id);
    if (loadBalancer === undefined || rule === undefined) {
      return refuse(fault('ListenerNotFound', `Listener '${arn}' not found`));
    }
    const settings = decodeListener(view, loadBalancer.document.type, input, context, before);
    if (!settings.ok) return settings;
    const { port, protocol } = settings.value;
    const others = [...view.find('listenersOfLoadBalancer', loadBalancer.id)].filter((other) => other.id !== id);
    if (others.some((other) => other.document.port === port)) {
      return refuse(fault('DuplicateListener', `A listener already exists on port ${port} of this load balancer`));
    }
    const decoded =
      input.DefaultActions === undefined
        ? accept({ actions: rule.document.actions })
        : decodeActions(view, 'DefaultActions', input.DefaultActions, context);
    if (!decoded.ok) return decoded;
    const { actions, secret }: DecodedActions = decoded.value;
    const wrong = checkAllActions(
      view,
      { loadBalancer, listenerId: id, protocol, defaultActions: actions },
      context.limits,
    );
    if (wrong !== undefined) return refuse(wrong);

    const document: ListenerDocument = { ...withoutSettings(before), ...settings.value };
    const changes: Change[] = [put(view, 'listener', id, document)];
    if (input.DefaultActions !== undefined) {
      const sealed = sealClientSecret(rule.id, secret, rule.document, context);
      if (!sealed.ok) return sealed;
      const { sealedClientSecret: _, ...kept } = rule.document;
      changes.push(put(view, 'rule', rule.id, { ...kept, actions, ...sealed.value }));
    }
    const listener = { id, document, actions };
    return accept({ changes, output: { Listeners: [encodeListener(view, loadBalancer, listener, context)] } });
  },
};

/** Another protocol has other members. */
function withoutSettings(document: ListenerDocument): Omit<ListenerDocument, 'protocol' | 'port'> {
  const {
    protocol: _protocol,
    port: _port,
    sslPolicy: _policy,
    certificateIds: _certificates,
    alpnPolicy: _alpn,
    mutualAuthentication: _mutual,
    ...others
  } = document;
  return others;
}

/** What its rules do must be for the listener's protocol, which may be another from now on. */
function checkAllActions(
  view: View,
  listener: {
    readonly loadBalancer: Entry<'load-balancer'>;
    readonly listenerId: HexId;
    readonly protocol: ListenerProtocol;
    readonly defaultActions: readonly RuleAction[];
  },
  limits: AccountLimits,
): Fault | undefined {
  const { loadBalancer, listenerId, protocol, defaultActions } = listener;
  for (const { document } of view.find('rulesOfListener', listenerId)) {
    const actions = document.priority === 'default' ? defaultActions : document.actions;
    const wrong = checkAssociations(view, loadBalancer, protocol, actions, limits);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}
