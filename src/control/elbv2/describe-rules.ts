/** DescribeRules: those of one listener, or those named by ARNs; by priority, the default rule last, in pages. */
import type { DescribeRulesInput, DescribeRulesOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, type Result, refuse } from '#base/result.ts';
import type { OperationContext } from '#control/operation.ts';
import type { Entry } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import type { View } from '#model/view.ts';
import { findAllByArn, findByArn, loadBalancerOf } from './arns.ts';
import { rankedPageOf } from './pages.ts';
import { encodeRule } from './rules.ts';
import type { Decoded, Elbv2Operation } from './shape.ts';

/** Behind every priority that there can be. */
const defaultRank = 1_000_000;

export const describeRules: Elbv2Operation<DescribeRulesInput, DescribeRulesOutput> = {
  kind: 'read',
  answer(view, input, context) {
    const found = findWanted(view, input, context);
    if (!found.ok) return found;
    const page = rankedPageOf(found.value, input, ({ document: { priority } }) =>
      priority === 'default' ? defaultRank : priority,
    );
    if (!page.ok) return page;
    const Rules = page.value.items.flatMap((entry) => {
      const loadBalancer = loadBalancerOf(view, entry.document.listenerId);
      return loadBalancer === undefined ? [] : [encodeRule(view, loadBalancer, entry, context)];
    });
    return accept({ Rules, NextMarker: page.value.nextMarker });
  },
};

function findWanted(
  view: View,
  { ListenerArn: listenerArn, RuleArns: arns = [] }: Decoded<DescribeRulesInput>,
  context: OperationContext,
): Result<Iterable<Entry<'rule'>>, Fault> {
  if ((listenerArn === undefined) === (arns.length === 0)) {
    const both = listenerArn === undefined ? '' : ', but not both';
    return refuse(fault('ValidationError', `You must specify either listener rule ARNs or a listener ARN${both}`));
  }
  if (listenerArn === undefined) return findAllByArn(view, 'rule', arns, context);
  const listener = findByArn(view, 'listener', listenerArn, context);
  return listener.ok ? accept(view.find('rulesOfListener', listener.value.id)) : listener;
}
