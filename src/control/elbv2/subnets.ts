/**
 * From the subnets that a caller names to the zones of a load balancer. Subnets that the network knows have their zone,
 * and any other well-formed id gets one by a stable hash, so that a script written
 * for AWS runs with its own ids. One subnet for each zone; an application load balancer has at least two.
 */
import { isIPv4, isIPv6 } from 'node:net';
import type { CreateLoadBalancerInput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { hashNumber } from '#base/hash.ts';
import { accept, type Result, refuse } from '#base/result.ts';
import type { OperationContext } from '#control/operation.ts';
import type { IpAddressType, LoadBalancerDocument, LoadBalancerType, ZoneMapping } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import { shown } from './checks.ts';
import type { Decoded } from './shape.ts';

export type SubnetsInput = Pick<Decoded<CreateLoadBalancerInput>, 'Subnets' | 'SubnetMappings'>;

const subnetPattern = /^subnet-[0-9a-z]{1,32}$/;
const zonesMin: Readonly<Record<LoadBalancerType, number>> = { application: 2, network: 1 };

/** For what kind of load balancer zones are chosen. */
export interface ZoneTerms {
  readonly context: OperationContext;
  readonly type: LoadBalancerType;
  readonly scheme: LoadBalancerDocument['scheme'];
  readonly ipAddressType: IpAddressType;
  /** Whether prefixes for source NAT can be given. */
  readonly sourceNat: 'on' | 'off' | undefined;
}

/**
 * The zones for what the caller names, in zone order; the default subnets when it names none. Two equal calls give the
 * same zones whatever the order of their subnets. A subnet that the load balancer has already stays in its zone.
 */
export function chooseZones(
  input: SubnetsInput,
  terms: ZoneTerms,
  present: readonly ZoneMapping[] = [],
): Result<readonly ZoneMapping[], Fault> {
  const { settings } = terms.context;
  const named = namedSubnets(input, terms);
  if (!named.ok) return named;
  const chosen = named.value.length > 0 ? named.value : settings.defaultSubnets.map(({ id }) => ({ subnetId: id }));
  const ids = chosen.map(({ subnetId }) => subnetId);
  const malformed = ids.find((id) => !subnetPattern.test(id));
  if (malformed !== undefined) {
    const allowed = `'subnet-' and 1 to 32 lower-case letters or digits`;
    return refuse(fault('InvalidSubnet', `The subnet ID '${shown(malformed)}' is not valid; it must be ${allowed}`));
  }
  if (ids.length > settings.zones.length) {
    const zones = `the ${settings.zones.length} Availability Zones of the region`;
    return refuse(fault('InvalidConfigurationRequest', `There are more subnets (${ids.length}) than ${zones}`));
  }
  const zoneOf = assignZones(ids, terms.context, present);
  if (!zoneOf.ok) return zoneOf;
  if (zoneOf.value.size < zonesMin[terms.type]) {
    const message =
      terms.type === 'application'
        ? 'At least two subnets in two different Availability Zones must be specified'
        : 'At least one subnet must be specified';
    return refuse(fault('ValidationError', message));
  }
  return accept(
    chosen
      .map((mapping) => ({ zone: zoneOf.value.get(mapping.subnetId)!, ...mapping }))
      .sort((a, b) => (a.zone < b.zone ? -1 : 1)),
  );
}

function namedSubnets(
  { Subnets = [], SubnetMappings = [] }: SubnetsInput,
  terms: ZoneTerms,
): Result<readonly Omit<ZoneMapping, 'zone'>[], Fault> {
  if (Subnets.length > 0 && SubnetMappings.length > 0) {
    return refuse(fault('ValidationError', 'You can specify either subnets or subnet mappings, but not both'));
  }
  const named: Omit<ZoneMapping, 'zone'>[] = Subnets.map((subnetId) => ({ subnetId }));
  for (const mapping of SubnetMappings) {
    const wrong = checkMapping(mapping, terms);
    if (wrong !== undefined) return refuse(wrong);
    const { SubnetId, AllocationId, PrivateIPv4Address, IPv6Address, SourceNatIpv6Prefix } = mapping;
    named.push({
      subnetId: SubnetId!,
      ...(AllocationId !== undefined && { allocationId: AllocationId }),
      ...(PrivateIPv4Address !== undefined && { privateIpv4Address: PrivateIPv4Address }),
      ...(IPv6Address !== undefined && { ipv6Address: IPv6Address }),
      ...(SourceNatIpv6Prefix !== undefined && { sourceNatIpv6Prefix: SourceNatIpv6Prefix }),
    });
  }
  return accept(named);
}

/** An address belongs to the schemes and address types that can have it; what it is, is kept and described. */
function checkMapping(
  mapping: NonNullable<SubnetsInput['SubnetMappings']>[number],
  terms: ZoneTerms,
): Fault | undefined {
  const { SubnetId, ...others } = mapping;
  if (SubnetId === undefined) {
    return fault('ValidationError', 'SubnetMappings: a subnet ID must be specified in each mapping');
  }
  for (const [member, value] of Object.entries(others)) {
    if (value === undefined) continue;
    if (terms.type === 'application') {
      const message = `SubnetMappings: ${member} cannot be specified for an Application Load Balancer`;
      return fault('InvalidConfigurationRequest', message);
    }
    const { needs, holds, isWell } = mappingMembers[member as keyof typeof mappingMembers];
    if (!holds(terms)) return fault('InvalidConfigurationRequest', `SubnetMappings: ${member} needs ${needs}`);
    if (isWell(value)) continue;
    const code = member === 'AllocationId' ? 'AllocationIdNotFound' : 'ValidationError';
    return fault(code, `SubnetMappings: ${member} '${shown(value)}' is not valid`);
  }
  return undefined;
}

const isDualstack = ({ ipAddressType }: ZoneTerms) => ipAddressType === 'dualstack';
const mappingMembers = {
  AllocationId: {
    needs: "scheme 'internet-facing'",
    holds: ({ scheme }: ZoneTerms) => scheme === 'internet-facing',
    isWell: (text: string) => /^eipalloc-[0-9a-z]{1,32}$/.test(text),
  },
  PrivateIPv4Address: {
    needs: "scheme 'internal'",
    holds: ({ scheme }: ZoneTerms) => scheme === 'internal',
    isWell: (text: string) => isIPv4(text),
  },
  IPv6Address: { needs: "IP address type 'dualstack'", holds: isDualstack, isWell: (text: string) => isIPv6(text) },
  SourceNatIpv6Prefix: {
    needs: "EnablePrefixForIpv6SourceNat 'on'",
    holds: ({ sourceNat }: ZoneTerms) => sourceNat === 'on',
    isWell: (text: string) => text === 'auto_assigned' || (text.endsWith('/80') && isIPv6(text.slice(0, -3))),
  },
} as const;

function assignZones(
  ids: readonly string[],
  { settings, network }: OperationContext,
  present: readonly ZoneMapping[],
): Result<ReadonlyMap<string, string>, Fault> {
  const subnetOfZone = new Map<string, string>();
  const known = new Map([
    ...present.map(({ subnetId, zone }) => [subnetId, zone] as const),
    ...settings.defaultSubnets.map(({ id, zone }) => [id, zone] as const),
    ...ids.flatMap((id) => {
      const zone = network.subnets.get(id)?.zone;
      return zone === undefined ? [] : [[id, zone] as const];
    }),
  ]);
  for (const id of ids) {
    const zone = known.get(id);
    if (zone === undefined) continue;
    if (subnetOfZone.has(zone)) return refuse(sameZone(zone));
    subnetOfZone.set(zone, id);
  }
  const unknown = ids.filter((id) => !known.has(id)).toSorted();
  for (const [index, id] of unknown.entries()) {
    const zone = freeZone(id, settings.zones, subnetOfZone);
    if (id === unknown[index - 1]) return refuse(sameZone(zone));
    subnetOfZone.set(zone, id);
  }
  return accept(new Map([...subnetOfZone].map(([zone, id]) => [id, zone])));
}

/** The zone that the id's hash points at, or the next one that has no subnet yet: there are no more ids than zones. */
function freeZone(id: string, zones: readonly string[], taken: ReadonlyMap<string, string>): string {
  const start = hashNumber(id) % zones.length;
  const order = [...zones.slice(start), ...zones.slice(0, start)];
  return order.find((zone) => !taken.has(zone)) ?? order[0]!;
}

function sameZone(zone: string): Fault {
  const message = `A load balancer cannot be attached to multiple subnets in the same Availability Zone (${zone})`;
  return fault('InvalidConfigurationRequest', message);
}
