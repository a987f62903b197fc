/**
 * ModifyIpPools. Addresses come from the prefixes of the nodes and not from IPAM: the pool is kept and described.
 */
import type { ModifyIpPoolsInput, ModifyIpPoolsOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, refuse } from '#base/result.ts';
import { put } from '#model/change.ts';
import { fault } from '#model/fault.ts';
import { findByArn } from './arns.ts';
import { checkChoice } from './checks.ts';
import { decodeIpamPool } from './load-balancer-settings.ts';
import type { Elbv2Operation } from './shape.ts';

export const modifyIpPools: Elbv2Operation<ModifyIpPoolsInput, ModifyIpPoolsOutput> = {
  kind: 'write',
  decide(view, input, context) {
    const found = findByArn(view, 'load-balancer', input.LoadBalancerArn, context);
    if (!found.ok) return found;
    const { id, document } = found.value;
    const removed = input.RemoveIpamPools ?? [];
    for (const each of removed) {
      const wrong = checkChoice('RemoveIpamPools', each, ['ipv4']);
      if (wrong !== undefined) return refuse(wrong);
    }
    const pool = decodeIpamPool(input.IpamPools?.Ipv4IpamPoolId, document);
    if (!pool.ok) return pool;
    if ((pool.value === undefined) === (removed.length === 0)) {
      return refuse(fault('ValidationError', 'You must specify either IpamPools or RemoveIpamPools, and not both'));
    }
    const { ipv4IpamPoolId: present, ...others } = document;
    const after = pool.value === undefined ? others : { ...others, ipv4IpamPoolId: pool.value };
    return accept({
      changes: present === pool.value ? [] : [put(view, 'load-balancer', id, after)],
      output: pool.value === undefined ? {} : { IpamPools: { Ipv4IpamPoolId: pool.value } },
    });
  },
};
