/** ModifyListener. What is given takes the place of what there was; the rest stays. */
import type { ModifyListenerInput, ModifyListenerOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, refuse } from '#base/result.ts';
import { type Change, put } from '#model/change.ts';
import { fault } from '#model/fault.ts';
import { decodeActions } from './actions.ts';
import { findByArn, loadBalancerOf } from './arns.ts';
import { checkAssociations } from './associations.ts';
import { defaultRuleOf, encodeListener } from './listener-answers.ts';
import { decodeEndpoint } from './listener-endpoint.ts';
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
    const endpoint = decodeEndpoint({
      ...input,
      Protocol: input.Protocol ?? before.protocol,
      Port: input.Port ?? before.port,
    });
    if (!endpoint.ok) return endpoint;
    const { port } = endpoint.value;
    const others = [...view.find('listenersOfLoadBalancer', loadBalancer.id)].filter((other) => other.id !== id);
    if (others.some((other) => other.document.port === port)) {
      return refuse(fault('DuplicateListener', `A listener already exists on port ${port} of this load balancer`));
    }
    const actions =
      input.DefaultActions === undefined
        ? accept(rule.document.actions)
        : decodeActions(view, 'DefaultActions', input.DefaultActions, context);
    if (!actions.ok) return actions;
    const wrong = checkAssociations(view, loadBalancer, actions.value);
    if (wrong !== undefined) return refuse(wrong);

    const document = { ...before, ...endpoint.value };
    const changes: Change[] = [put(view, 'listener', id, document)];
    if (input.DefaultActions !== undefined) {
      changes.push(put(view, 'rule', rule.id, { ...rule.document, actions: actions.value }));
    }
    const listener = { id, document, actions: actions.value };
    return accept({ changes, output: { Listeners: [encodeListener(view, loadBalancer, listener, context)] } });
  },
};
