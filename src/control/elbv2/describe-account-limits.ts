/** DescribeAccountLimits: the quotas by the names that AWS gives them. Of what is not offered there can be none. */
import type {
  DescribeAccountLimitsInput,
  DescribeAccountLimitsOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept } from '#base/result.ts';
import type { AccountLimits } from '#control/limits.ts';
import { quotas } from './quotas.ts';
import type { Elbv2Operation } from './shape.ts';
import { tablePageOf } from './table-pages.ts';

export const describeAccountLimits: Elbv2Operation<DescribeAccountLimitsInput, DescribeAccountLimitsOutput> = {
  kind: 'read',
  answer(_view, input, context) {
    const page = tablePageOf(Object.entries(limitsFor(context.limits)), ([name]) => name, input);
    if (!page.ok) return page;
    const Limits = page.value.items.map(([Name, max]) => ({ Name, Max: `${max}` }));
    return accept({ Limits, NextMarker: page.value.nextMarker });
  },
};

/** All names of the `Limit` type in the ELB API reference, in its order. */
function limitsFor(limits: AccountLimits): Readonly<Record<string, number>> {
  return {
    'application-load-balancers': limits['application-load-balancers'],
    'condition-values-per-alb-rule': quotas.conditionValuesPerRule,
    'condition-wildcards-per-alb-rule': quotas.conditionWildcardsPerRule,
    'gateway-load-balancers': 0,
    'gateway-load-balancers-per-vpc': 0,
    'geneve-target-groups': 0,
    'listeners-per-application-load-balancer': limits['listeners-per-application-load-balancer'],
    'listeners-per-network-load-balancer': limits['listeners-per-network-load-balancer'],
    'network-load-balancers': limits['network-load-balancers'],
    'rules-per-application-load-balancer': limits['rules-per-application-load-balancer'],
    'target-groups': limits['target-groups'],
    'target-groups-per-action-on-application-load-balancer': quotas.targetGroupsPerAction,
    'target-groups-per-action-on-network-load-balancer': quotas.targetGroupsPerAction,
    'target-groups-per-application-load-balancer': limits['target-groups-per-application-load-balancer'],
    'targets-per-application-load-balancer': limits['targets-per-application-load-balancer'],
    'targets-per-availability-zone-per-gateway-load-balancer': 0,
    'targets-per-availability-zone-per-network-load-balancer': limits['targets-per-network-load-balancer'],
    'targets-per-network-load-balancer': limits['targets-per-network-load-balancer'],
  };
}
