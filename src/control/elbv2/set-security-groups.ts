/** SetSecurityGroups: those that are named take the place of those that the load balancer has. */
import { isDeepStrictEqual } from 'node:util';
import type { SetSecurityGroupsInput, SetSecurityGroupsOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, refuse } from '#base/result.ts';
import { put } from '#model/change.ts';
import { fault } from '#model/fault.ts';
import { findByArn } from './arns.ts';
import { checkChoice } from './checks.ts';
import { decodeSecurityGroups } from './security-groups.ts';
import type { Elbv2Operation } from './shape.ts';

export const setSecurityGroups: Elbv2Operation<SetSecurityGroupsInput, SetSecurityGroupsOutput> = {
  kind: 'write',
  decide(view, input, context) {
    const found = findByArn(view, 'load-balancer', input.LoadBalancerArn, context);
    if (!found.ok) return found;
    const { EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic: enforce } = input;
    if (enforce !== undefined) {
      const member = 'EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic';
      const wrong = checkChoice(member, enforce, ['on', 'off']);
      const message = `${member} cannot be specified for an Application Load Balancer`;
      return refuse(wrong ?? fault('InvalidConfigurationRequest', message));
    }
    if (input.SecurityGroups.length === 0) {
      return refuse(fault('ValidationError', 'SecurityGroups: at least one security group must be specified'));
    }
    const decoded = decodeSecurityGroups(input.SecurityGroups);
    if (!decoded.ok) return decoded;
    const { id, document } = found.value;
    const securityGroups = decoded.value;
    const isSame = isDeepStrictEqual(document.securityGroups, securityGroups);
    return accept({
      changes: isSame ? [] : [put(view, 'load-balancer', id, { ...document, securityGroups })],
      output: { SecurityGroupIds: [...securityGroups] },
    });
  },
};
