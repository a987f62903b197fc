/** ModifyCapacityReservation: reserves another amount for the load balancer, or nothing any more. */
import type {
  ModifyCapacityReservationInput,
  ModifyCapacityReservationOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, type Result, refuse } from '#base/result.ts';
import type { OperationContext } from '#control/operation.ts';
import { put } from '#model/change.ts';
import type { LoadBalancerDocument } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import { findByArn } from './arns.ts';
import { encodeCapacity, reserveCapacity, resetCapacity } from './capacity.ts';
import type { Decoded, Elbv2Operation } from './shape.ts';

export const modifyCapacityReservation: Elbv2Operation<
  ModifyCapacityReservationInput,
  ModifyCapacityReservationOutput
> = {
  kind: 'write',
  decide(view, input, context) {
    const found = findByArn(view, 'load-balancer', input.LoadBalancerArn, context);
    if (!found.ok) return found;
    const { id, document: present } = found.value;
    const document = changed(present, input, context);
    if (!document.ok) return document;
    return accept({
      changes: document.value === present ? [] : [put(view, 'load-balancer', id, document.value)],
      output: encodeCapacity(document.value, context.nowMs),
    });
  },
};

function changed(
  document: LoadBalancerDocument,
  {
    MinimumLoadBalancerCapacity: minimum,
    ResetCapacityReservation: isReset = false,
  }: Decoded<ModifyCapacityReservationInput>,
  context: OperationContext,
): Result<LoadBalancerDocument, Fault> {
  if ((minimum === undefined) !== isReset) {
    const message = 'You must specify either MinimumLoadBalancerCapacity or ResetCapacityReservation, and not both';
    return refuse(fault('ValidationError', message));
  }
  if (minimum === undefined) return accept(resetCapacity(document, context.nowMs));
  if (minimum.CapacityUnits === undefined) {
    return refuse(fault('ValidationError', 'MinimumLoadBalancerCapacity: CapacityUnits must be specified'));
  }
  return reserveCapacity(document, minimum.CapacityUnits, context);
}
