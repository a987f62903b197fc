/** DescribeLoadBalancers: all of the account's, or those named by ARNs or by names; oldest first, in pages. */
import type {
  DescribeLoadBalancersInput,
  DescribeLoadBalancersOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, type Result, refuse } from '#base/result.ts';
import type { OperationContext } from '#control/operation.ts';
import type { Entry } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import { nameKey } from '#model/keys.ts';
import { findFirst, type View } from '#model/view.ts';
import { findAllByArn, noneFound } from './arns.ts';
import { checkCount } from './checks.ts';
import { encodeLoadBalancer } from './load-balancer-answers.ts';
import { pageOf } from './pages.ts';
import { quotas } from './quotas.ts';
import type { Decoded, Elbv2Operation } from './shape.ts';

export const describeLoadBalancers: Elbv2Operation<DescribeLoadBalancersInput, DescribeLoadBalancersOutput> = {
  kind: 'read',
  answer(view, input, context) {
    const found = findWanted(view, input, context);
    if (!found.ok) return found;
    const page = pageOf(found.value, input);
    if (!page.ok) return page;
    const LoadBalancers = page.value.items.map(({ id, document }) => {
      const placements = [...view.find('placementsOfLoadBalancer', id)].map((placement) => placement.document);
      return encodeLoadBalancer(context.settings, id, document, placements);
    });
    return accept({ LoadBalancers, NextMarker: page.value.nextMarker });
  },
};

function findWanted(
  view: View,
  { LoadBalancerArns: arns = [], Names: names = [] }: Decoded<DescribeLoadBalancersInput>,
  context: OperationContext,
): Result<Iterable<Entry<'load-balancer'>>, Fault> {
  if (arns.length > 0 && names.length > 0) {
    return refuse(fault('ValidationError', 'You can specify either load balancer ARNs or names, but not both'));
  }
  if (arns.length > 0) {
    const wrong = checkCount('LoadBalancerArns', arns, quotas.resourcesPerCall);
    return wrong === undefined ? findAllByArn(view, 'load-balancer', arns, context) : refuse(wrong);
  }
  if (names.length === 0) return accept(view.find('loadBalancersOfAccount', context.account));
  const found: Entry<'load-balancer'>[] = [];
  for (const name of new Set(names)) {
    const entry = findFirst(view, 'loadBalancerByName', nameKey({ account: context.account, name }));
    if (entry === undefined) return refuse(noneFound('load-balancer'));
    found.push(entry);
  }
  return accept(found);
}
