/**
 * How many targets a node sees healthy and unhealthy, for each target group of a load balancer, and whether they are
 * enough: counted in the tables that its workers serve by, once for each table.
 */
import type { RoutingGroup, RoutingTable } from '#routing/table.ts';

export interface HostStats {
  readonly loadBalancerId: string;
  readonly targetGroupId: string;
  readonly healthy: number;
  readonly unhealthy: number;
  /** Those that are registered and do not drain, whatever their health. */
  readonly registered: number;
  /** Too few are healthy, so that all get requests. */
  readonly isFailingOpen: boolean;
  readonly isOfFunctions: boolean;
  /** Targets that anomaly detection finds anomalous, and those that get fewer requests for it; undefined without it. */
  readonly anomalous?: number;
  readonly mitigated?: number;
}

type Counts = Omit<HostStats, 'loadBalancerId' | 'targetGroupId'>;

/** A compiled group never changes. */
const counted = new WeakMap<RoutingGroup, Counts>();

export function hostStats(tables: Iterable<RoutingTable>): HostStats[] {
  const hosts = new Map<string, HostStats>();
  for (const { loadBalancer, groups } of tables) {
    for (const group of groups) {
      const key = `${loadBalancer.id} ${group.id}`;
      if (hosts.has(key)) continue;
      hosts.set(key, { loadBalancerId: loadBalancer.id, targetGroupId: group.id, ...countsOf(group) });
    }
  }
  return [...hosts.values()];
}

function countsOf(group: RoutingGroup): Counts {
  const known = counted.get(group);
  if (known !== undefined) return known;
  let [healthy, unhealthy, registered] = [0, 0, 0];
  for (const { state } of group.targets) {
    if (state !== 'draining') registered += 1;
    if (state === 'healthy') healthy += 1;
    else if (state === 'unhealthy') unhealthy += 1;
  }
  const { isFailingOpen = false, isOfFunctions = false } = group;
  const counts = { healthy, unhealthy, registered, isFailingOpen, isOfFunctions };
  counted.set(group, counts);
  return counts;
}
