/** DescribeLoadBalancerAttributes: every attribute that applies, given or by default. */
import type {
  DescribeLoadBalancerAttributesInput,
  DescribeLoadBalancerAttributesOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept } from '#base/result.ts';
import { findByArn } from './arns.ts';
import { encodeLoadBalancerAttributes } from './attributes.ts';
import type { Elbv2Operation } from './shape.ts';

export const describeLoadBalancerAttributes: Elbv2Operation<
  DescribeLoadBalancerAttributesInput,
  DescribeLoadBalancerAttributesOutput
> = {
  kind: 'read',
  answer(view, input, context) {
    const found = findByArn(view, 'load-balancer', input.LoadBalancerArn, context);
    return found.ok ? accept({ Attributes: encodeLoadBalancerAttributes(found.value.document) }) : found;
  },
};
