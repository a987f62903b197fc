/**
 * DeleteLoadBalancer. Takes the listeners, their rules and the addresses along, and leaves the target groups. Deleting
 * what is not there succeeds; deleting what is protected does not.
 */
import type { DeleteLoadBalancerInput, DeleteLoadBalancerOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, refuse } from '#base/result.ts';
import { loadBalancerAttribute } from '#model/attributes.ts';
import { remove } from '#model/change.ts';
import { fault } from '#model/fault.ts';
import { findByArn } from './arns.ts';
import { removeListener } from './delete-listener.ts';
import type { Elbv2Operation } from './shape.ts';

export const deleteLoadBalancer: Elbv2Operation<DeleteLoadBalancerInput, DeleteLoadBalancerOutput> = {
  kind: 'write',
  decide(view, input, context) {
    const found = findByArn(view, 'load-balancer', input.LoadBalancerArn, context);
    if (!found.ok) {
      return found.fault.code === 'LoadBalancerNotFound' ? accept({ changes: [], output: {} }) : found;
    }
    const { id, document } = found.value;
    if (loadBalancerAttribute(document, 'deletion_protection.enabled') === 'true') {
      const message = `Load balancer '${input.LoadBalancerArn}' cannot be deleted because deletion protection is enabled`;
      return refuse(fault('OperationNotPermitted', message));
    }
    return accept({
      changes: [
        ...[...view.find('listenersOfLoadBalancer', id)].flatMap((listener) => removeListener(view, listener.id)),
        ...[...view.find('placementsOfLoadBalancer', id)].map((entry) => remove(view, 'placement', entry.id)),
        remove(view, 'load-balancer', id),
      ],
      output: {},
    });
  },
};
