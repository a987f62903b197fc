/**
 * SetSubnets: the subnets that are named take the place of those before, and with them the zones. The addresses follow:
 * new ones in the new zones first; those of zones that are gone leave once others serve.
 */
import { isDeepStrictEqual } from 'node:util';
import type { SetSubnetsInput, SetSubnetsOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, refuse } from '#base/result.ts';
import { follow } from '#control/workflows/placement.ts';
import { put } from '#model/change.ts';
import type { LoadBalancerDocument, ZoneMapping } from '#model/documents.ts';
import { fault } from '#model/fault.ts';
import { findByArn } from './arns.ts';
import { encodeZones } from './load-balancer-answers.ts';
import { decodeIpAddressType, decodeSourceNat } from './load-balancer-settings.ts';
import { gatherNetwork, subnetIdsOf, vpcOfSubnets } from './network-checks.ts';
import type { Elbv2Operation } from './shape.ts';
import { chooseZones } from './subnets.ts';

export const setSubnets: Elbv2Operation<SetSubnetsInput, SetSubnetsOutput> = {
  kind: 'write',
  gather: (input, world) => gatherNetwork(world, { subnets: subnetIdsOf(input) }),
  decide(view, input, context) {
    const found = findByArn(view, 'load-balancer', input.LoadBalancerArn, context);
    if (!found.ok) return found;
    const { id, document } = found.value;
    const { type, scheme } = document;
    if ((input.Subnets ?? []).length === 0 && (input.SubnetMappings ?? []).length === 0) {
      return refuse(fault('ValidationError', 'You must specify either subnets or subnet mappings'));
    }
    const ipAddressType = decodeIpAddressType(input.IpAddressType ?? document.ipAddressType, document);
    if (!ipAddressType.ok) return ipAddressType;
    const given = input.EnablePrefixForIpv6SourceNat ?? document.prefixForIpv6SourceNat;
    const sourceNat = decodeSourceNat(given, { type, ipAddressType: ipAddressType.value });
    if (!sourceNat.ok) return sourceNat;
    const zoneTerms = { context, type, scheme, ipAddressType: ipAddressType.value, sourceNat: sourceNat.value };
    const chosen = chooseZones(input, zoneTerms, document.zones);
    if (!chosen.ok) return chosen;
    const vpc = vpcOfSubnets(
      context.network,
      chosen.value.map(({ subnetId }) => subnetId),
    );
    if (!vpc.ok) return vpc;
    if (vpc.value !== undefined && vpc.value !== document.vpcId) {
      const message = `The subnets are of VPC '${vpc.value}'; the load balancer is in '${document.vpcId}'`;
      return refuse(fault('InvalidConfigurationRequest', message));
    }
    // A caller that names the subnet alone leaves its addresses as they are.
    const zones = chosen.value.map((zone) => present(document, zone) ?? zone);
    const lacking =
      type === 'network'
        ? document.zones.find((zone) => !zones.some((each) => isDeepStrictEqual(each, zone)))
        : undefined;
    if (lacking !== undefined) {
      const message = `The subnets of a Network Load Balancer stay, with their addresses; '${lacking.subnetId}' is missing or other`;
      return refuse(fault('InvalidConfigurationRequest', message));
    }
    const wish = { loadBalancerId: id, zones: zones.map(({ zone }) => zone) };
    const terms = { nowMs: context.nowMs, holdAddressesMs: context.settings.holdAddressesMs };
    const { prefixForIpv6SourceNat: _, ...others } = document;
    const after: LoadBalancerDocument = {
      ...others,
      ipAddressType: ipAddressType.value,
      zones: zones,
      ...(sourceNat.value === 'on' && { prefixForIpv6SourceNat: 'on' as const }),
    };
    const isSame = isDeepStrictEqual(document, after);
    return accept({
      changes: [...(isSame ? [] : [put(view, 'load-balancer', id, after)]), ...follow(view, wish, terms)],
      output: {
        AvailabilityZones: encodeZones(after),
        IpAddressType: after.ipAddressType,
        ...(type === 'network' && { EnablePrefixForIpv6SourceNat: after.prefixForIpv6SourceNat ?? 'off' }),
      },
    });
  },
};

/** What the load balancer has in the subnet, when nothing else is asked for than the subnet. */
function present({ zones }: LoadBalancerDocument, { zone, subnetId, ...others }: ZoneMapping): ZoneMapping | undefined {
  if (Object.keys(others).length > 0) return undefined;
  return zones.find((each) => each.zone === zone && each.subnetId === subnetId);
}
