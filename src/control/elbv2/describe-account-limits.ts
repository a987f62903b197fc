/** DescribeAccountLimits: the quotas by the names that AWS gives them. Of what is not offered there can be none. */
import type {
  DescribeAccountLimitsInput,
  DescribeAccountLimitsOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept } from '#base/result.ts';
import { quotas } from './quotas.ts';
import type { Elbv2Operation } from './shape.ts';
import { tablePageOf } from './table-pages.ts';

export const describeAccountLimits: Elbv2Operation<DescribeAccountLimitsInput, DescribeAccountLimitsOutput> = {
  kind: 'read',
  answer(_view, input) {
    const page = tablePageOf(Object.entries(limits), ([name]) => name, input);
    if (!page.ok) return page;
    const Limits = page.value.items.map(([Name, max]) => ({ Name, Max: `${max}` }));
    return accept({ Limits, NextMarker: page.value.nextMarker });
  },
};

/** All names of the `Limit` type in the ELB API reference. */
const limits = {
  'application-load-balancers': quotas.loadBalancersPerAccount,
  'condition-values-per-alb-rule': quotas.conditionValuesPerRule,
  'condition-wildcards-per-alb-rule': quotas.conditionWildcardsPerRule,
  'gateway-load-balancers': 0,
  'gateway-load-balancers-per-vpc': 0,
  'geneve-target-groups': 0,
  'listeners-per-application-load-balancer': quotas.listenersPerLoadBalancer,
  'listeners-per-network-load-balancer': quotas.listenersPerLoadBalancer,
  'network-load-balancers': quotas.loadBalancersPerAccount,
  'rules-per-application-load-balancer': quotas.rulesPerLoadBalancer,
  'target-groups': quotas.targetGroupsPerAccount,
  'target-groups-per-action-on-application-load-balancer': quotas.targetGroupsPerAction,
  'target-groups-per-action-on-network-load-balancer': quotas.targetGroupsPerAction,
  'target-groups-per-application-load-balancer': quotas.targetGroupsPerLoadBalancer,
  'targets-per-application-load-balancer': quotas.targetsPerLoadBalancer,
  'targets-per-availability-zone-per-gateway-load-balancer': 0,
  'targets-per-availability-zone-per-network-load-balancer': quotas.targetsPerLoadBalancer,
  'targets-per-network-load-balancer': quotas.targetsPerLoadBalancer,
} as const;
