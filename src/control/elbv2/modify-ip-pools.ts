/**
 * ModifyIpPools. Addresses come from the prefixes of the nodes and not from IPAM, so no pool can be given; to remove
 * the one that a load balancer does not have changes nothing.
 */
import type { ModifyIpPoolsInput, ModifyIpPoolsOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, refuse } from '#base/result.ts';
import { type Fault, fault } from '#model/fault.ts';
import { findByArn } from './arns.ts';
import { checkChoice, shown } from './checks.ts';
import type { Decoded, Elbv2Operation } from './shape.ts';

const poolPattern = /^ipam-pool-[A-Za-z0-9]{1,990}$/;

export const modifyIpPools: Elbv2Operation<ModifyIpPoolsInput, ModifyIpPoolsOutput> = {
  kind: 'write',
  decide(view, input, context) {
    const found = findByArn(view, 'load-balancer', input.LoadBalancerArn, context);
    if (!found.ok) return found;
    const wrong = checkPools(input);
    return wrong === undefined ? accept({ changes: [], output: {} }) : refuse(wrong);
  },
};

function checkPools({
  IpamPools: pools,
  RemoveIpamPools: removed = [],
}: Decoded<ModifyIpPoolsInput>): Fault | undefined {
  for (const each of removed) {
    const wrong = checkChoice('RemoveIpamPools', each, ['ipv4']);
    if (wrong !== undefined) return wrong;
  }
  const poolId = pools?.Ipv4IpamPoolId;
  if (poolId === undefined) {
    if (removed.length > 0) return undefined;
    return fault('ValidationError', 'You must specify either IpamPools or RemoveIpamPools');
  }
  if (!poolPattern.test(poolId)) {
    const allowed = `it must be 'ipam-pool-' and letters or digits, at most 1000 characters`;
    return fault('ValidationError', `The IPAM pool ID '${shown(poolId)}' is not valid; ${allowed}`);
  }
  return fault(
    'InvalidConfigurationRequest',
    `IPAM pool '${shown(poolId)}': there is no IPAM in this version of Ballast`,
  );
}
