/** SetIpAddressType. The address type is kept and described; addresses are IPv4 whatever it is. */
import type { SetIpAddressTypeInput, SetIpAddressTypeOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, refuse } from '#base/result.ts';
import { put } from '#model/change.ts';
import { fault } from '#model/fault.ts';
import { findByArn } from './arns.ts';
import { decodeIpAddressType } from './load-balancer-settings.ts';
import type { Elbv2Operation } from './shape.ts';

export const setIpAddressType: Elbv2Operation<SetIpAddressTypeInput, SetIpAddressTypeOutput> = {
  kind: 'write',
  decide(view, input, context) {
    const found = findByArn(view, 'load-balancer', input.LoadBalancerArn, context);
    if (!found.ok) return found;
    const { id, document } = found.value;
    const decoded = decodeIpAddressType(input.IpAddressType, document);
    if (!decoded.ok) return decoded;
    const ipAddressType = decoded.value;
    if (ipAddressType === 'ipv4' && document.prefixForIpv6SourceNat === 'on') {
      const message = "IP address type 'ipv4' needs EnablePrefixForIpv6SourceNat to be 'off'";
      return refuse(fault('InvalidConfigurationRequest', message));
    }
    const isSame = ipAddressType === document.ipAddressType;
    return accept({
      changes: isSame ? [] : [put(view, 'load-balancer', id, { ...document, ipAddressType })],
      output: { IpAddressType: ipAddressType },
    });
  },
};
