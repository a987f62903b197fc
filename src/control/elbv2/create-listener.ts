/**
 * CreateListener. The listener and its default rule are one transaction. The same call again gives the same listener
 * and changes nothing; another listener on a port that is taken is refused.
 */
import { isDeepStrictEqual } from 'node:util';
import type { CreateListenerInput, CreateListenerOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, refuse } from '#base/result.ts';
import { put } from '#model/change.ts';
import type { ListenerDocument, RuleDocument } from '#model/documents.ts';
import { fault } from '#model/fault.ts';
import { decodeActions } from './actions.ts';
import { findByArn } from './arns.ts';
import { checkAssociations } from './associations.ts';
import { sealClientSecret } from './client-secrets.ts';
import { defaultActionsOf, encodeListener } from './listener-answers.ts';
import { decodeListener, settingsOf } from './listener-settings.ts';
import type { Elbv2Operation } from './shape.ts';
import { decodeTags } from './tags.ts';

export const createListener: Elbv2Operation<CreateListenerInput, CreateListenerOutput> = {
  kind: 'write',
  decide(view, input, context) {
    const found = findByArn(view, 'load-balancer', input.LoadBalancerArn, context);
    if (!found.ok) return found;
    const loadBalancer = found.value;
    const settings = decodeListener(view, loadBalancer.document.type, input, context);
    if (!settings.ok) return settings;
    const { protocol, port } = settings.value;
    const decoded = decodeActions(view, 'DefaultActions', input.DefaultActions, context);
    if (!decoded.ok) return decoded;
    const { actions, secret } = decoded.value;
    const tags = decodeTags(input.Tags);
    if (!tags.ok) return tags;

    const listeners = [...view.find('listenersOfLoadBalancer', loadBalancer.id)];
    const present = listeners.find(({ document }) => document.port === port);
    if (present !== undefined) {
      const same =
        isDeepStrictEqual(defaultActionsOf(view, present.id), actions) &&
        isDeepStrictEqual(settingsOf(present.document), settings.value) &&
        isDeepStrictEqual(present.document.tags, tags.value);
      if (!same) {
        const message = `A listener already exists on port ${port} of this load balancer, with different settings`;
        return refuse(fault('DuplicateListener', message));
      }
      const listener = { ...present, actions };
      return accept({ changes: [], output: { Listeners: [encodeListener(view, loadBalancer, listener, context)] } });
    }

    if (listeners.length >= context.limits[`listeners-per-${loadBalancer.document.type}-load-balancer`]) {
      const message = `The load balancer has ${listeners.length} listeners, which is the limit`;
      return refuse(fault('TooManyListeners', message));
    }
    const wrong = checkAssociations(view, loadBalancer, protocol, actions, context.limits);
    if (wrong !== undefined) return refuse(wrong);

    const id = context.newId();
    const document: ListenerDocument = {
      loadBalancerId: loadBalancer.id,
      ...settings.value,
      createdAtMs: context.nowMs,
      attributes: {},
      tags: tags.value,
    };
    const ruleId = context.newId();
    const sealed = sealClientSecret(ruleId, secret, {}, context);
    if (!sealed.ok) return sealed;
    const defaultRule: RuleDocument = {
      listenerId: id,
      priority: 'default',
      conditions: [],
      actions,
      transforms: [],
      ...sealed.value,
      tags: [],
    };
    const listener = { id, document, actions };
    return accept({
      changes: [put(view, 'listener', id, document), put(view, 'rule', ruleId, defaultRule)],
      output: { Listeners: [encodeListener(view, loadBalancer, listener, context)] },
    });
  },
};
