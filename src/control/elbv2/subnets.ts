/**
 * From the subnets that a caller names to the zones of a load balancer. A region of Ballast has no real network: the
 * configured subnets have their zone, and any other well-formed id gets one by a stable hash, so that a script written
 * for AWS runs with its own ids. One subnet for each zone, at least two zones, as AWS demands.
 */
import type { CreateLoadBalancerInput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { hashNumber } from '#base/hash.ts';
import { accept, type Result, refuse } from '#base/result.ts';
import type { RegionSettings } from '#control/operation.ts';
import type { ZoneMapping } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import { shown } from './checks.ts';
import type { Decoded } from './shape.ts';

export type SubnetsInput = Pick<Decoded<CreateLoadBalancerInput>, 'Subnets' | 'SubnetMappings'>;

const subnetPattern = /^subnet-[0-9a-z]{1,32}$/;
const zonesMin = 2;

/**
 * The zones for what the caller names, in zone order; the default subnets when it names none. Two equal calls give the
 * same zones whatever the order of their subnets. A subnet that the load balancer has already stays in its zone.
 */
export function chooseZones(
  input: SubnetsInput,
  settings: RegionSettings,
  present: readonly ZoneMapping[] = [],
): Result<readonly ZoneMapping[], Fault> {
  const subnetIds = namedSubnets(input);
  if (!subnetIds.ok) return subnetIds;
  const ids = subnetIds.value.length > 0 ? subnetIds.value : settings.defaultSubnets.map(({ id }) => id);
  const malformed = ids.find((id) => !subnetPattern.test(id));
  if (malformed !== undefined) {
    const allowed = `'subnet-' and 1 to 32 lower-case letters or digits`;
    return refuse(fault('InvalidSubnet', `The subnet ID '${shown(malformed)}' is not valid; it must be ${allowed}`));
  }
  if (ids.length > settings.zones.length) {
    const zones = `the ${settings.zones.length} Availability Zones of the region`;
    return refuse(fault('InvalidConfigurationRequest', `There are more subnets (${ids.length}) than ${zones}`));
  }
  return assignZones(ids, settings, present);
}

function namedSubnets({ Subnets = [], SubnetMappings = [] }: SubnetsInput): Result<readonly string[], Fault> {
  if (Subnets.length > 0 && SubnetMappings.length > 0) {
    return refuse(fault('ValidationError', 'You can specify either subnets or subnet mappings, but not both'));
  }
  const ids = [...Subnets];
  for (const { SubnetId, ...others } of SubnetMappings) {
    const [extra] = Object.entries(others).find(([, value]) => value !== undefined) ?? [];
    if (extra !== undefined) {
      const message = `SubnetMappings: ${extra} cannot be specified for an Application Load Balancer`;
      return refuse(fault('InvalidConfigurationRequest', message));
    }
    if (SubnetId === undefined) {
      return refuse(fault('ValidationError', 'SubnetMappings: a subnet ID must be specified in each mapping'));
    }
    ids.push(SubnetId);
  }
  return accept(ids);
}

function assignZones(
  ids: readonly string[],
  settings: RegionSettings,
  present: readonly ZoneMapping[],
): Result<readonly ZoneMapping[], Fault> {
  const subnetOfZone = new Map<string, string>();
  const known = new Map([
    ...present.map(({ subnetId, zone }) => [subnetId, zone] as const),
    ...settings.defaultSubnets.map(({ id, zone }) => [id, zone] as const),
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
  if (subnetOfZone.size < zonesMin) {
    const message = 'At least two subnets in two different Availability Zones must be specified';
    return refuse(fault('ValidationError', message));
  }
  return accept(
    [...subnetOfZone].map(([zone, subnetId]) => ({ zone, subnetId })).sort((a, b) => (a.zone < b.zone ? -1 : 1)),
  );
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
