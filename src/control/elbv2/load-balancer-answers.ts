/**
 * A load balancer as the API answers it. Its state is not kept anywhere: it is what the nodes say of its addresses.
 */
import type { AvailabilityZone, LoadBalancer, LoadBalancerState } from '@aws-sdk/client-elastic-load-balancing-v2';
import { hashNumber } from '#base/hash.ts';
import type { RegionSettings } from '#control/operation.ts';
import type { HexId, LoadBalancerDocument, PlacementDocument } from '#model/documents.ts';
import { loadBalancerArn } from './arns.ts';

/** The load balancer with what was found out about it. */
export function encodeLoadBalancer(
  settings: RegionSettings,
  id: HexId,
  document: LoadBalancerDocument,
  placements: readonly PlacementDocument[],
): LoadBalancer {
  return {
    LoadBalancerArn: loadBalancerArn(settings.region, id, document),
    DNSName: document.dnsName,
    CanonicalHostedZoneId: hostedZoneId(settings.region),
    CreatedTime: new Date(document.createdAtMs),
    LoadBalancerName: document.name,
    Scheme: document.scheme,
    VpcId: document.vpcId,
    State: stateOf(placements),
    Type: document.type,
    AvailabilityZones: encodeZones(document),
    SecurityGroups: [...document.securityGroups],
    IpAddressType: document.ipAddressType,
    ...(document.customerOwnedIpv4Pool !== undefined && { CustomerOwnedIpv4Pool: document.customerOwnedIpv4Pool }),
    ...(document.ipv4IpamPoolId !== undefined && { IpamPools: { Ipv4IpamPoolId: document.ipv4IpamPoolId } }),
    ...(document.type === 'network' && {
      EnablePrefixForIpv6SourceNat: document.prefixForIpv6SourceNat ?? 'off',
      ...(document.securityGroups.length > 0 && {
        EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic: document.inboundRulesOnPrivateLink ?? 'on',
      }),
    }),
  };
}

/** The zones with their subnets; the addresses that were chosen are a network load balancer's. */
export function encodeZones({ zones }: Pick<LoadBalancerDocument, 'zones'>): AvailabilityZone[] {
  return zones.map((mapping) => {
    const { zone, subnetId, allocationId, privateIpv4Address, ipv6Address, sourceNatIpv6Prefix } = mapping;
    const address = {
      ...(allocationId !== undefined && { AllocationId: allocationId }),
      ...(privateIpv4Address !== undefined && { PrivateIPv4Address: privateIpv4Address }),
      ...(ipv6Address !== undefined && { IPv6Address: ipv6Address }),
    };
    return {
      ZoneName: zone,
      SubnetId: subnetId,
      LoadBalancerAddresses: Object.keys(address).length > 0 ? [address] : [],
      ...(sourceNatIpv6Prefix !== undefined && { SourceNatIpv6Prefixes: [sourceNatIpv6Prefix] }),
    };
  });
}

/** Active once an address serves; impaired while another one, or a listener on one, does not. */
function stateOf(placements: readonly PlacementDocument[]): LoadBalancerState {
  const states = placements.map(({ state }) => state);
  const [reason] = states.flatMap((state) => {
    if (state.kind === 'failed') return [state.reason];
    return state.kind === 'serving' && state.impairment !== undefined ? [state.impairment] : [];
  });
  if (states.some(({ kind }) => kind === 'serving' || kind === 'leaving')) {
    return reason === undefined ? { Code: 'active' } : { Code: 'active_impaired', Reason: reason };
  }
  const failed = states.length > 0 && states.every(({ kind }) => kind === 'failed');
  return failed ? { Code: 'failed', Reason: reason } : { Code: 'provisioning' };
}

/** Clients hand it to a DNS service as an opaque constant of the region. */
function hostedZoneId(region: string): string {
  return `Z${hashNumber(region).toString(36).toUpperCase().padStart(12, '0')}`;
}
