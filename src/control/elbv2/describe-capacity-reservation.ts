/** DescribeCapacityReservation: what is reserved for the load balancer, zone by zone. */
import type {
  DescribeCapacityReservationInput,
  DescribeCapacityReservationOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept } from '#base/result.ts';
import { findByArn } from './arns.ts';
import { encodeCapacity } from './capacity.ts';
import type { Elbv2Operation } from './shape.ts';

export const describeCapacityReservation: Elbv2Operation<
  DescribeCapacityReservationInput,
  DescribeCapacityReservationOutput
> = {
  kind: 'read',
  answer(view, input, context) {
    const found = findByArn(view, 'load-balancer', input.LoadBalancerArn, context);
    return found.ok ? accept(encodeCapacity(found.value.document, context.nowMs)) : found;
  },
};
