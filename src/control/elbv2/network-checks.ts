/** What a network says of the ids that a caller names: where it is complete, what it does not have does not exist. */
import { accept, type Result, refuse } from '#base/result.ts';
import type { Network } from '#control/network.ts';
import type { Gathered } from '#control/operation.ts';
import type { NetworkIds, World } from '#control/world.ts';
import { type Fault, fault } from '#model/fault.ts';
import type { SubnetsInput } from './subnets.ts';

/** Asks the world about these ids. */
export async function gatherNetwork(world: World, ids: NetworkIds): Promise<Result<Gathered, Fault>> {
  const network = await world.network(ids);
  return network.ok ? accept({ network: network.value }) : network;
}

/** The subnets that a caller names in either way. */
export function subnetIdsOf({ Subnets = [], SubnetMappings = [] }: SubnetsInput): readonly string[] {
  return [...Subnets, ...SubnetMappings.flatMap(({ SubnetId }) => (SubnetId === undefined ? [] : [SubnetId]))];
}

/** The VPC of the subnets; undefined when nobody knows one. Refuses subnets that are not there, or of several VPCs. */
export function vpcOfSubnets(network: Network, ids: readonly string[]): Result<string | undefined, Fault> {
  const vpcs = new Set<string>();
  for (const id of ids) {
    const subnet = network.subnets.get(id);
    if (subnet !== undefined) vpcs.add(subnet.vpcId);
    else if (network.isComplete) return refuse(fault('SubnetNotFound', `The subnet ID '${id}' does not exist`));
  }
  if (vpcs.size <= 1) return accept([...vpcs][0]);
  const message = `All subnets must belong to the same VPC; these are of ${[...vpcs].join(' and ')}`;
  return refuse(fault('InvalidConfigurationRequest', message));
}

/** Refuses security groups that are not there, or of another VPC than the load balancer's. */
export function checkSecurityGroups(network: Network, ids: readonly string[], vpcId: string): Fault | undefined {
  for (const id of ids) {
    const group = network.securityGroups.get(id);
    if (group === undefined) {
      if (network.isComplete) return fault('InvalidSecurityGroup', `The security group '${id}' does not exist`);
    } else if (group.vpcId !== vpcId) {
      const message = `The security group '${id}' is of VPC '${group.vpcId}'; the load balancer is in '${vpcId}'`;
      return fault('InvalidConfigurationRequest', message);
    }
  }
  return undefined;
}

export function checkVpcThere(network: Network, vpcId: string | undefined): Fault | undefined {
  if (vpcId === undefined || !network.isComplete || network.vpcs.has(vpcId)) return undefined;
  return fault('ValidationError', `The VPC ID '${vpcId}' is not found`);
}
