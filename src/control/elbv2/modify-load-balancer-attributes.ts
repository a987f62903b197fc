/** ModifyLoadBalancerAttributes. Changes all that are given or none; what results must agree as a whole. */
import { isDeepStrictEqual } from 'node:util';
import type {
  ModifyLoadBalancerAttributesInput,
  ModifyLoadBalancerAttributesOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept } from '#base/result.ts';
import { put } from '#model/change.ts';
import { findByArn } from './arns.ts';
import { changeLoadBalancerAttributes, encodeLoadBalancerAttributes } from './attributes.ts';
import { gatherLogBuckets } from './log-buckets.ts';
import type { Elbv2Operation } from './shape.ts';

export const modifyLoadBalancerAttributes: Elbv2Operation<
  ModifyLoadBalancerAttributesInput,
  ModifyLoadBalancerAttributesOutput
> = {
  kind: 'write',
  gather: ({ LoadBalancerArn, Attributes = [] }, world) => gatherLogBuckets(LoadBalancerArn, Attributes, world),
  decide(view, input, context) {
    const found = findByArn(view, 'load-balancer', input.LoadBalancerArn, context);
    if (!found.ok) return found;
    const { id, document: present } = found.value;
    const document = changeLoadBalancerAttributes(present, input.Attributes);
    if (!document.ok) return document;
    return accept({
      changes: isDeepStrictEqual(document.value, present) ? [] : [put(view, 'load-balancer', id, document.value)],
      output: { Attributes: encodeLoadBalancerAttributes(document.value) },
    });
  },
};
