/** SetSecurityGroups: those that are named take the place of those that the load balancer has. */
import { isDeepStrictEqual } from 'node:util';
import type { SetSecurityGroupsInput, SetSecurityGroupsOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, type Result, refuse } from '#base/result.ts';
import { ingressOf } from '#control/ingress.ts';
import { put } from '#model/change.ts';
import type { LoadBalancerType } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import { findByArn } from './arns.ts';
import { checkChoice } from './checks.ts';
import { typeNames } from './load-balancer-settings.ts';
import { checkSecurityGroups, gatherNetwork } from './network-checks.ts';
import { decodeSecurityGroups } from './security-groups.ts';
import type { Elbv2Operation } from './shape.ts';

export const setSecurityGroups: Elbv2Operation<SetSecurityGroupsInput, SetSecurityGroupsOutput> = {
  kind: 'write',
  gather: ({ SecurityGroups }, world) => gatherNetwork(world, { securityGroups: SecurityGroups }),
  decide(view, input, context) {
    const found = findByArn(view, 'load-balancer', input.LoadBalancerArn, context);
    if (!found.ok) return found;
    const { id, document } = found.value;
    const enforced = decodeEnforced(input.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic, document.type);
    if (!enforced.ok) return enforced;
    if (document.type === 'network' && document.securityGroups.length === 0) {
      const message = 'Security groups can only be set on a Network Load Balancer that was created with some';
      return refuse(fault('InvalidConfigurationRequest', message));
    }
    if (input.SecurityGroups.length === 0) {
      return refuse(fault('ValidationError', 'SecurityGroups: at least one security group must be specified'));
    }
    const decoded = decodeSecurityGroups(input.SecurityGroups);
    if (!decoded.ok) return decoded;
    const securityGroups = decoded.value;
    const strange = checkSecurityGroups(context.network, securityGroups, document.vpcId);
    if (strange !== undefined) return refuse(strange);
    const ingress = ingressOf(context.network, securityGroups);
    const { ingress: _, ...rest } = document;
    const after = {
      ...rest,
      securityGroups,
      ...(ingress !== undefined && { ingress }),
      ...(enforced.value !== undefined && { inboundRulesOnPrivateLink: enforced.value }),
    };
    const isNetwork = document.type === 'network';
    return accept({
      changes: isDeepStrictEqual(document, after) ? [] : [put(view, 'load-balancer', id, after)],
      output: {
        SecurityGroupIds: [...securityGroups],
        ...(isNetwork && {
          EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic: after.inboundRulesOnPrivateLink ?? 'on',
        }),
      },
    });
  },
};

/** Whether traffic through PrivateLink is held to inbound rules as well: of network load balancers. */
function decodeEnforced(value: string | undefined, type: LoadBalancerType): Result<'on' | 'off' | undefined, Fault> {
  if (value === undefined) return accept(undefined);
  const member = 'EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic';
  const wrong = checkChoice(member, value, ['on', 'off']);
  if (wrong !== undefined) return refuse(wrong);
  if (type === 'network') return accept(value as 'on' | 'off');
  return refuse(fault('InvalidConfigurationRequest', `${member} cannot be specified for ${typeNames[type]}`));
}
