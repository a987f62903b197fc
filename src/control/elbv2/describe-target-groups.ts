/**
 * DescribeTargetGroups: all of the account's, or those named by ARNs, by names, or by the load balancer that uses
 * them.
 */
import type { DescribeTargetGroupsInput, DescribeTargetGroupsOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, type Result, refuse } from '#base/result.ts';
import type { OperationContext } from '#control/operation.ts';
import type { Entry } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import { nameKey } from '#model/keys.ts';
import { findFirst, type View } from '#model/view.ts';
import { findAllByArn, findByArn, noneFound } from './arns.ts';
import { groupsOfLoadBalancer } from './associations.ts';
import { pageOf } from './pages.ts';
import type { Decoded, Elbv2Operation } from './shape.ts';
import { encodeTargetGroup } from './target-group-answers.ts';

export const describeTargetGroups: Elbv2Operation<DescribeTargetGroupsInput, DescribeTargetGroupsOutput> = {
  kind: 'read',
  answer(view, input, context) {
    const found = findWanted(view, input, context);
    if (!found.ok) return found;
    const page = pageOf(found.value, input);
    if (!page.ok) return page;
    const TargetGroups = page.value.items.map(({ id, document }) =>
      encodeTargetGroup(view, context.settings, id, document),
    );
    return accept({ TargetGroups, NextMarker: page.value.nextMarker });
  },
};

function findWanted(
  view: View,
  { LoadBalancerArn, TargetGroupArns: arns = [], Names: names = [] }: Decoded<DescribeTargetGroupsInput>,
  context: OperationContext,
): Result<Iterable<Entry<'target-group'>>, Fault> {
  if (Number(LoadBalancerArn !== undefined) + Number(arns.length > 0) + Number(names.length > 0) > 1) {
    const message = 'You can specify one of a load balancer ARN, target group ARNs and names, but not several';
    return refuse(fault('ValidationError', message));
  }
  if (LoadBalancerArn !== undefined) return findOfLoadBalancer(view, LoadBalancerArn, context);
  if (arns.length > 0) return findAllByArn(view, 'target-group', arns, context);
  if (names.length === 0) return accept(view.find('targetGroupsOfAccount', context.account));
  const found: Entry<'target-group'>[] = [];
  for (const name of new Set(names)) {
    const entry = findFirst(view, 'targetGroupByName', nameKey({ account: context.account, name }));
    if (entry === undefined) return refuse(noneFound('target-group'));
    found.push(entry);
  }
  return accept(found);
}

function findOfLoadBalancer(
  view: View,
  arn: string,
  context: OperationContext,
): Result<readonly Entry<'target-group'>[], Fault> {
  const loadBalancer = findByArn(view, 'load-balancer', arn, context);
  if (!loadBalancer.ok) return loadBalancer;
  const found = [...groupsOfLoadBalancer(view, loadBalancer.value.id)].flatMap((id): Entry<'target-group'>[] => {
    const document = view.get('target-group', id);
    if (document === undefined) return [];
    return [{ kind: 'target-group', id, revision: view.revisionOf('target-group', id), document }];
  });
  return accept(found);
}
