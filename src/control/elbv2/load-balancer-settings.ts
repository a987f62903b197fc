/**
 * What a load balancer is made with, by its type: what only a network load balancer has is refused for an application
 * load balancer, and the other way round.
 * Source: CreateLoadBalancer in the ELB API reference; "Create a Network Load Balancer" in the guide.
 */
import type { CreateLoadBalancerInput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, type Result, refuse } from '#base/result.ts';
import type { OperationContext } from '#control/operation.ts';
import {
  type IpAddressType,
  ipAddressTypes,
  type LoadBalancerDocument,
  type LoadBalancerType,
  loadBalancerTypes,
} from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import { checkChoice, shown } from './checks.ts';
import { checkSecurityGroups, vpcOfSubnets } from './network-checks.ts';
import { decodeSecurityGroups } from './security-groups.ts';
import type { Decoded } from './shape.ts';
import { chooseZones } from './subnets.ts';
import { decodeTags } from './tags.ts';

type Input = Decoded<CreateLoadBalancerInput>;

export type LoadBalancerSettings = Omit<
  LoadBalancerDocument,
  'account' | 'name' | 'dnsName' | 'createdAtMs' | 'attributes' | 'capacityReservation'
>;

/** Where the words for a type stand in messages. */
export const typeNames: Readonly<Record<LoadBalancerType, string>> = {
  application: 'an Application Load Balancer',
  network: 'a Network Load Balancer',
};

const coipPattern = /^ipv4pool-coip-[a-zA-Z0-9]{1,242}$/;
const ipamPattern = /^ipam-pool-[A-Za-z0-9]{1,990}$/;

/** Reads the settings of a new load balancer. */
export function decodeLoadBalancer(input: Input, context: OperationContext): Result<LoadBalancerSettings, Fault> {
  const wrong = checkTypeAndScheme(input);
  if (wrong !== undefined) return refuse(wrong);
  const type = (input.Type ?? 'application') as LoadBalancerType;
  const scheme = input.Scheme === 'internal' ? 'internal' : 'internet-facing';
  const ipAddressType = decodeIpAddressType(input.IpAddressType ?? 'ipv4', { type, scheme });
  if (!ipAddressType.ok) return ipAddressType;
  const sourceNat = decodeSourceNat(input.EnablePrefixForIpv6SourceNat, { type, ipAddressType: ipAddressType.value });
  if (!sourceNat.ok) return sourceNat;
  const zones = chooseZones(input, {
    context,
    type,
    scheme,
    ipAddressType: ipAddressType.value,
    sourceNat: sourceNat.value,
  });
  if (!zones.ok) return zones;
  const securityGroups = decodeSecurityGroups(input.SecurityGroups ?? []);
  if (!securityGroups.ok) return securityGroups;
  const vpc = vpcOfSubnets(
    context.network,
    zones.value.map(({ subnetId }) => subnetId),
  );
  if (!vpc.ok) return vpc;
  const vpcId = vpc.value ?? context.settings.vpcId;
  const strange = checkSecurityGroups(context.network, securityGroups.value, vpcId);
  if (strange !== undefined) return refuse(strange);
  const tags = decodeTags(input.Tags);
  if (!tags.ok) return tags;
  const { CustomerOwnedIpv4Pool: coip, IpamPools } = input;
  if (coip !== undefined && (type !== 'application' || !coipPattern.test(coip))) {
    const allowed =
      type === 'application' ? `must match ${coipPattern.source}` : `cannot be specified for ${typeNames[type]}`;
    return refuse(fault('ValidationError', `CustomerOwnedIpv4Pool '${shown(coip)}' ${allowed}`));
  }
  const pool = decodeIpamPool(IpamPools?.Ipv4IpamPoolId, { type, scheme });
  if (!pool.ok) return pool;
  return accept({
    type,
    scheme,
    vpcId,
    ipAddressType: ipAddressType.value,
    zones: zones.value,
    securityGroups: securityGroups.value,
    ...(sourceNat.value === 'on' && { prefixForIpv6SourceNat: 'on' as const }),
    ...(coip !== undefined && { customerOwnedIpv4Pool: coip }),
    ...(pool.value !== undefined && { ipv4IpamPoolId: pool.value }),
    tags: tags.value,
  });
}

/** An address type that a load balancer of its type and scheme can have. */
export function decodeIpAddressType(
  value: string,
  { type, scheme }: Pick<LoadBalancerDocument, 'type' | 'scheme'>,
): Result<IpAddressType, Fault> {
  const wrong = checkChoice('IP address type', value, ipAddressTypes);
  if (wrong !== undefined) return refuse(wrong);
  if (value === 'dualstack-without-public-ipv4' && (type !== 'application' || scheme !== 'internet-facing')) {
    const message = `IP address type '${value}' is for internet-facing Application Load Balancers`;
    return refuse(fault('InvalidConfigurationRequest', message));
  }
  return accept(value as IpAddressType);
}

/** `on` or `off`, where it is given; of dual-stack network load balancers. */
export function decodeSourceNat(
  value: string | undefined,
  { type, ipAddressType }: Pick<LoadBalancerDocument, 'type' | 'ipAddressType'>,
): Result<'on' | 'off' | undefined, Fault> {
  if (value === undefined) return accept(undefined);
  const member = 'EnablePrefixForIpv6SourceNat';
  const wrong = checkChoice(member, value, ['on', 'off']);
  if (wrong !== undefined) return refuse(wrong);
  if (type !== 'network') {
    return refuse(fault('InvalidConfigurationRequest', `${member} cannot be specified for ${typeNames[type]}`));
  }
  if (value === 'on' && ipAddressType !== 'dualstack') {
    const message = `${member} needs IP address type 'dualstack'; the load balancer has '${ipAddressType}'`;
    return refuse(fault('InvalidConfigurationRequest', message));
  }
  return accept(value as 'on' | 'off');
}

/** The pool of an internet-facing application load balancer. It is kept and described: there is no IPAM here. */
export function decodeIpamPool(
  poolId: string | undefined,
  { type, scheme }: Pick<LoadBalancerDocument, 'type' | 'scheme'>,
): Result<string | undefined, Fault> {
  if (poolId === undefined) return accept(undefined);
  if (!ipamPattern.test(poolId)) {
    const allowed = `it must be 'ipam-pool-' and letters or digits, at most 1000 characters`;
    return refuse(fault('ValidationError', `The IPAM pool ID '${shown(poolId)}' is not valid; ${allowed}`));
  }
  if (type === 'application' && scheme === 'internet-facing') return accept(poolId);
  return refuse(fault('InvalidConfigurationRequest', 'IPAM pools are for internet-facing Application Load Balancers'));
}

function checkTypeAndScheme({ Type = 'application', Scheme = 'internet-facing' }: Input): Fault | undefined {
  const wrong = checkChoice('Load balancer type', Type, [...loadBalancerTypes, 'gateway']);
  if (wrong !== undefined) return wrong;
  if (Type === 'gateway') {
    const message = `Load balancer type 'gateway' is not offered: Ballast has no appliances to send packets through; '${loadBalancerTypes.join("' and '")}' are`;
    return fault('InvalidConfigurationRequest', message);
  }
  return ['internet-facing', 'internal'].includes(Scheme)
    ? undefined
    : fault('InvalidScheme', `Scheme '${shown(Scheme)}' must be one of 'internet-facing, internal'`);
}
