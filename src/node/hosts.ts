/**
 * How many targets a node sees healthy and unhealthy, for each target group of a load balancer, and whether they are
 * enough: counted in the tables that its workers serve by, once for each table.
 */
import type { AnomalyCounts } from '#model/anomaly.ts';
import type { HostCounts } from '#model/node-counts.ts';
import type { RoutingGroup, RoutingTable } from '#routing/table.ts';

type Counts = Omit<HostCounts, 'loadBalancerId' | 'targetGroupId' | 'anomalous' | 'mitigated'>;

/** A compiled group never changes. */
const counted = new WeakMap<RoutingGroup, Counts>();

/** `anomalies`: of the groups in which there are any. */
export function hostStats(tables: Iterable<RoutingTable>, anomalies: readonly AnomalyCounts[]): HostCounts[] {
  const anomaliesOf = new Map(anomalies.map((counts) => [counts.targetGroupId, counts]));
  const hosts = new Map<string, HostCounts>();
  for (const { loadBalancer, groups } of tables) {
    for (const group of groups) {
      const key = `${loadBalancer.id} ${group.id}`;
      if (hosts.has(key)) continue;
      const { anomalous = 0, mitigated = 0 } = anomaliesOf.get(group.id) ?? {};
      const ids = { loadBalancerId: loadBalancer.id, targetGroupId: group.id };
      hosts.set(key, { ...ids, ...countsOf(group), anomalous, mitigated });
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
