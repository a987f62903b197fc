/** DescribeListeners: those of one load balancer, or those named by ARNs; oldest first, in pages. */
import type { DescribeListenersInput, DescribeListenersOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, type Result, refuse } from '#base/result.ts';
import type { OperationContext } from '#control/operation.ts';
import type { Entry } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import type { View } from '#model/view.ts';
import { findAllByArn, findByArn, loadBalancerOf } from './arns.ts';
import { defaultActionsOf, encodeListener } from './listener-answers.ts';
import { pageOf } from './pages.ts';
import type { Decoded, Elbv2Operation } from './shape.ts';

export const describeListeners: Elbv2Operation<DescribeListenersInput, DescribeListenersOutput> = {
  kind: 'read',
  answer(view, input, context) {
    const found = findWanted(view, input, context);
    if (!found.ok) return found;
    const page = pageOf(found.value, input);
    if (!page.ok) return page;
    const Listeners = page.value.items.flatMap((entry) => {
      const loadBalancer = loadBalancerOf(view, entry.id);
      if (loadBalancer === undefined) return [];
      return [encodeListener(view, loadBalancer, { ...entry, actions: defaultActionsOf(view, entry.id) }, context)];
    });
    return accept({ Listeners, NextMarker: page.value.nextMarker });
  },
};

function findWanted(
  view: View,
  { LoadBalancerArn: loadBalancerArn, ListenerArns: arns = [] }: Decoded<DescribeListenersInput>,
  context: OperationContext,
): Result<Iterable<Entry<'listener'>>, Fault> {
  if ((loadBalancerArn === undefined) === (arns.length === 0)) {
    const both = loadBalancerArn === undefined ? '' : ', but not both';
    return refuse(fault('ValidationError', `You must specify either listener ARNs or a load balancer ARN${both}`));
  }
  if (loadBalancerArn === undefined) return findAllByArn(view, 'listener', arns, context);
  const loadBalancer = findByArn(view, 'load-balancer', loadBalancerArn, context);
  return loadBalancer.ok ? accept(view.find('listenersOfLoadBalancer', loadBalancer.value.id)) : loadBalancer;
}
