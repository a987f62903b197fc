/** SetIpAddressType. Every load balancer has `ipv4`, so what is not refused changes nothing. */
import type { SetIpAddressTypeInput, SetIpAddressTypeOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, refuse } from '#base/result.ts';
import { findByArn } from './arns.ts';
import { checkIpAddressType } from './ip-address-type.ts';
import type { Elbv2Operation } from './shape.ts';

export const setIpAddressType: Elbv2Operation<SetIpAddressTypeInput, SetIpAddressTypeOutput> = {
  kind: 'write',
  decide(view, input, context) {
    const found = findByArn(view, 'load-balancer', input.LoadBalancerArn, context);
    if (!found.ok) return found;
    const wrong = checkIpAddressType(input.IpAddressType);
    if (wrong !== undefined) return refuse(wrong);
    return accept({ changes: [], output: { IpAddressType: found.value.document.ipAddressType } });
  },
};
