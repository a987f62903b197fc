/**
 * SetSubnets: the subnets that are named take the place of those before, and with them the zones. The addresses follow:
 * new ones in the new zones first; those of zones that are gone leave once others serve.
 */
import { isDeepStrictEqual } from 'node:util';
import type { SetSubnetsInput, SetSubnetsOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, refuse } from '#base/result.ts';
import { follow } from '#control/workflows/placement.ts';
import { put } from '#model/change.ts';
import { type Fault, fault } from '#model/fault.ts';
import { findByArn } from './arns.ts';
import { checkIpAddressType } from './ip-address-type.ts';
import { encodeZones } from './load-balancer-answers.ts';
import type { Decoded, Elbv2Operation } from './shape.ts';
import { chooseZones } from './subnets.ts';

export const setSubnets: Elbv2Operation<SetSubnetsInput, SetSubnetsOutput> = {
  kind: 'write',
  decide(view, input, context) {
    const found = findByArn(view, 'load-balancer', input.LoadBalancerArn, context);
    if (!found.ok) return found;
    const wrong = checkOffered(input);
    if (wrong !== undefined) return refuse(wrong);
    const { id, document } = found.value;
    const zones = chooseZones(input, context.settings, document.zones);
    if (!zones.ok) return zones;
    const wish = { loadBalancerId: id, zones: zones.value.map(({ zone }) => zone) };
    const terms = { nowMs: context.nowMs, holdAddressesMs: context.settings.holdAddressesMs };
    const isSame = isDeepStrictEqual(document.zones, zones.value);
    return accept({
      changes: [
        ...(isSame ? [] : [put(view, 'load-balancer', id, { ...document, zones: zones.value })]),
        ...follow(view, wish, terms),
      ],
      output: { AvailabilityZones: encodeZones(zones.value), IpAddressType: document.ipAddressType },
    });
  },
};

function checkOffered(input: Decoded<SetSubnetsInput>): Fault | undefined {
  const { Subnets = [], SubnetMappings = [], IpAddressType = 'ipv4', EnablePrefixForIpv6SourceNat: prefix } = input;
  if (Subnets.length === 0 && SubnetMappings.length === 0) {
    return fault('ValidationError', 'You must specify either subnets or subnet mappings');
  }
  if (prefix !== undefined) {
    const message = 'EnablePrefixForIpv6SourceNat cannot be specified for an Application Load Balancer';
    return fault('InvalidConfigurationRequest', message);
  }
  return checkIpAddressType(IpAddressType);
}
