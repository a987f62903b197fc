/** Security groups as a caller names them. A region of Ballast has no firewall of its own, so they are only kept. */
import { accept, type Result, refuse } from '#base/result.ts';
import { type Fault, fault } from '#model/fault.ts';
import { shown } from './checks.ts';
import { quotas } from './quotas.ts';

const securityGroupPattern = /^sg-[0-9a-z]{1,32}$/;

/** The groups, each once. Refuses what is not the id of one, and more than a load balancer can have. */
export function decodeSecurityGroups(ids: readonly string[]): Result<readonly string[], Fault> {
  const securityGroups = [...new Set(ids)];
  const malformed = securityGroups.find((id) => !securityGroupPattern.test(id));
  if (malformed !== undefined) {
    const allowed = `it must be 'sg-' and 1 to 32 lower-case letters or digits`;
    return refuse(fault('InvalidSecurityGroup', `Security group '${shown(malformed)}' is not valid; ${allowed}`));
  }
  if (securityGroups.length > quotas.securityGroupsPerLoadBalancer) {
    const limit = `the limit is ${quotas.securityGroupsPerLoadBalancer}`;
    const message = `There are ${securityGroups.length} security groups for one load balancer; ${limit}`;
    return refuse(fault('InvalidConfigurationRequest', message));
  }
  return accept(securityGroups);
}
