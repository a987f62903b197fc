/** CreateRule. A listener has one rule of each priority. */
import type { CreateRuleInput, CreateRuleOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, refuse } from '#base/result.ts';
import { put } from '#model/change.ts';
import type { RuleDocument } from '#model/documents.ts';
import { fault } from '#model/fault.ts';
import { decodeActions } from './actions.ts';
import { findByArn, loadBalancerOf } from './arns.ts';
import { checkAssociations } from './associations.ts';
import { sealClientSecret } from './client-secrets.ts';
import { decodeConditions } from './conditions.ts';
import { checkPriority, countRules, encodeRule } from './rules.ts';
import type { Elbv2Operation } from './shape.ts';
import { decodeTags } from './tags.ts';
import { decodeTransforms } from './transforms.ts';

export const createRule: Elbv2Operation<CreateRuleInput, CreateRuleOutput> = {
  kind: 'write',
  decide(view, input, context) {
    const { ListenerArn: arn, Priority: priority } = input;
    const listener = findByArn(view, 'listener', arn, context);
    if (!listener.ok) return listener;
    const { id: listenerId } = listener.value;
    const loadBalancer = loadBalancerOf(view, listenerId);
    if (loadBalancer === undefined) return refuse(fault('ListenerNotFound', `Listener '${arn}' not found`));
    const wrong = checkPriority(priority);
    if (wrong !== undefined) return refuse(wrong);
    const conditions = decodeConditions(input.Conditions);
    if (!conditions.ok) return conditions;
    if (loadBalancer.document.type === 'network') {
      const message = 'Rules are for listeners of Application Load Balancers; others have their default action alone';
      return refuse(fault('OperationNotPermitted', message));
    }
    const decoded = decodeActions(view, 'Actions', input.Actions, context);
    if (!decoded.ok) return decoded;
    const { actions, secret } = decoded.value;
    const transforms = decodeTransforms(input.Transforms ?? []);
    if (!transforms.ok) return transforms;
    const tags = decodeTags(input.Tags);
    if (!tags.ok) return tags;

    if ([...view.find('rulesOfListener', listenerId)].some(({ document }) => document.priority === priority)) {
      return refuse(fault('PriorityInUse', `Priority '${priority}' is currently in use`));
    }
    const rulesMax = context.limits['rules-per-application-load-balancer'];
    if (countRules(view, loadBalancer.id) >= rulesMax) {
      const message = `The load balancer has ${rulesMax} rules besides the default ones, which is the limit`;
      return refuse(fault('TooManyRules', message));
    }
    const associated = checkAssociations(view, loadBalancer, listener.value.document.protocol, actions, context.limits);
    if (associated !== undefined) return refuse(associated);

    const id = context.newId();
    const sealed = sealClientSecret(id, secret, {}, context);
    if (!sealed.ok) return sealed;
    const document: RuleDocument = {
      listenerId,
      priority,
      conditions: conditions.value,
      actions,
      transforms: transforms.value,
      ...sealed.value,
      tags: tags.value,
    };
    return accept({
      changes: [put(view, 'rule', id, document)],
      output: { Rules: [encodeRule(view, loadBalancer, { id, document }, context)] },
    });
  },
};
