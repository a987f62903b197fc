/**
 * CreateListener. The listener and its default rule are one transaction. The same call again gives the same listener
 * and changes nothing; another listener on a port that is taken is refused.
 */
import { isDeepStrictEqual } from 'node:util';
import type { CreateListenerInput, CreateListenerOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, type Result, refuse } from '#base/result.ts';
import { put } from '#model/change.ts';
import type { ListenerDocument, RuleDocument } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import { decodeActions } from './actions.ts';
import { findByArn } from './arns.ts';
import { checkAssociations } from './associations.ts';
import { checkRange, notOffered, portRange, shown } from './checks.ts';
import { defaultActionsOf, encodeListener } from './listener-answers.ts';
import { quotas } from './quotas.ts';
import type { Decoded, Elbv2Operation } from './shape.ts';
import { decodeTags } from './tags.ts';

export const createListener: Elbv2Operation<CreateListenerInput, CreateListenerOutput> = {
  kind: 'write',
  decide(view, input, context) {
    const found = findByArn(view, 'load-balancer', input.LoadBalancerArn, context);
    if (!found.ok) return found;
    const loadBalancer = found.value;
    const endpoint = decodeEndpoint(input);
    if (!endpoint.ok) return endpoint;
    const actions = decodeActions(view, 'DefaultActions', input.DefaultActions, context);
    if (!actions.ok) return actions;
    const tags = decodeTags(input.Tags);
    if (!tags.ok) return tags;

    const listeners = [...view.find('listenersOfLoadBalancer', loadBalancer.id)];
    const present = listeners.find(({ document }) => document.port === endpoint.value.port);
    if (present !== undefined) {
      const same =
        isDeepStrictEqual(defaultActionsOf(view, present.id), actions.value) &&
        isDeepStrictEqual(present.document.tags, tags.value);
      if (!same) {
        const message = `A listener already exists on port ${endpoint.value.port} of this load balancer, with different settings`;
        return refuse(fault('DuplicateListener', message));
      }
      const listener = { ...present, actions: actions.value };
      return accept({ changes: [], output: { Listeners: [encodeListener(view, loadBalancer, listener, context)] } });
    }

    if (listeners.length >= quotas.listenersPerLoadBalancer) {
      const message = `The load balancer has ${listeners.length} listeners, which is the limit`;
      return refuse(fault('TooManyListeners', message));
    }
    const wrong = checkAssociations(view, loadBalancer, actions.value);
    if (wrong !== undefined) return refuse(wrong);

    const id = context.newId();
    const document: ListenerDocument = {
      loadBalancerId: loadBalancer.id,
      ...endpoint.value,
      createdAtMs: context.nowMs,
      tags: tags.value,
    };
    const defaultRule: RuleDocument = { listenerId: id, priority: 'default', actions: actions.value, tags: [] };
    const listener = { id, document, actions: actions.value };
    return accept({
      changes: [put(view, 'listener', id, document), put(view, 'rule', context.newId(), defaultRule)],
      output: { Listeners: [encodeListener(view, loadBalancer, listener, context)] },
    });
  },
};

/** Protocol and port, with the refusals of everything that only a listener with TLS has. */
function decodeEndpoint(
  input: Decoded<CreateListenerInput>,
): Result<Pick<ListenerDocument, 'protocol' | 'port'>, Fault> {
  const { Protocol: protocol, Port: port } = input;
  if (protocol === undefined) return refuse(fault('ValidationError', 'A listener protocol must be specified'));
  if (port === undefined) return refuse(fault('ValidationError', 'A listener port must be specified'));
  if (protocol === 'HTTPS') return refuse(notOffered('Listener protocol', protocol, 'HTTP'));
  if (protocol !== 'HTTP') {
    return refuse(fault('ValidationError', `Listener protocol '${shown(protocol)}' must be one of 'HTTP, HTTPS'`));
  }
  const wrong = checkWithoutTls(input) ?? checkRange('Listener port', port, portRange);
  return wrong === undefined ? accept({ protocol, port }) : refuse(wrong);
}

function checkWithoutTls(input: Decoded<CreateListenerInput>): Fault | undefined {
  const [given] = [
    ...((input.Certificates ?? []).length > 0 ? ['A certificate'] : []),
    ...(input.SslPolicy !== undefined ? ['An SSL policy'] : []),
    ...((input.AlpnPolicy ?? []).length > 0 ? ['An ALPN policy'] : []),
    ...(input.MutualAuthentication !== undefined ? ['Mutual authentication'] : []),
  ];
  return given === undefined ? undefined : fault('ValidationError', `${given} cannot be specified for HTTP listeners`);
}
