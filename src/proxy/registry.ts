/**
 * What outlives routing tables: load balancers with their counters, target groups with their turns, targets with their
 * connections. Everything is counted by its users, and goes with the last of them.
 */
import { isIPv6 } from 'node:net';
import { assert } from '#base/assert.ts';
import type { RoutingTable, RoutingTarget } from '#routing/table.ts';
import { GroupCounters, LoadBalancerCounters, type TargetCounters, type TargetOwner } from './counters.ts';
import type { HttpTarget } from './http1/target-connection.ts';
import type { GroupState, Routes } from './routes.ts';
import { resolveRoutes } from './routes.ts';
import type { LoadBalancerStats, TargetOutcomes, TargetStats, TargetsWanted } from './stats.ts';
import { addLoadBalancers, busiest, responsesByClass } from './stats.ts';
import { RetryBudget } from './upstream/retry-budget.ts';
import { Target } from './upstream/target.ts';
import type { WorkerContext } from './worker-context.ts';

export type Family = 'ipv4' | 'ipv6';

/** What came in by one family of addresses: which one it is, an address of a listener says, and no request is asked. */
export interface FamilyState {
  readonly counters: LoadBalancerCounters;
  readonly groups: Map<string, GroupState>;
}

export interface LoadBalancerState {
  readonly id: string;
  readonly families: Readonly<Record<Family, FamilyState>>;
  /** Listeners, open ones and those that still have connections. */
  usesCount: number;
}

export class Registry {
  readonly #loadBalancers = new Map<string, LoadBalancerState>();
  readonly #targets = new Map<string, HttpTarget>();
  readonly #context: WorkerContext;

  constructor(context: WorkerContext) {
    this.#context = context;
  }

  /** The load balancer of a listener, until the listener gives it back. */
  takeLoadBalancer(id: string): LoadBalancerState {
    let state = this.#loadBalancers.get(id);
    if (state === undefined) {
      state = { id, families: { ipv4: newFamily(), ipv6: newFamily() }, usesCount: 0 };
      this.#loadBalancers.set(id, state);
    }
    state.usesCount += 1;
    return state;
  }

  giveLoadBalancer(state: LoadBalancerState): void {
    assert(state.usesCount > 0, 'a load balancer is given back as often as it was taken');
    state.usesCount -= 1;
    if (state.usesCount === 0) this.#loadBalancers.delete(state.id);
  }

  loadBalancerStats(): LoadBalancerStats[] {
    return [...this.#loadBalancers.values()].map(({ id, families }) =>
      addLoadBalancers(allFamilies.map((family) => loadBalancerStats(id, families[family], family))),
    );
  }

  /** Of the targets that were given a request. */
  targetStats(wanted: TargetsWanted): { readonly targets: readonly TargetStats[]; readonly targetsLeftOut: number } {
    const groups = wanted === 'all' ? undefined : new Set(wanted);
    const targets: HttpTarget[] = [];
    if (groups?.size !== 0) {
      for (const target of this.#targets.values()) {
        if (target.counters !== undefined && groups?.has(target.owner.targetGroupId) !== false) targets.push(target);
      }
    }
    const { told, leftOut } = busiest(targets);
    return { targets: told.map((target) => targetStats(target, target.counters!)), targetsLeftOut: leftOut };
  }

  /** What became of requests at each target since it was last asked; those that had none are left out. */
  takeOutcomes(): TargetOutcomes[] {
    const outcomes: TargetOutcomes[] = [];
    for (const target of this.#targets.values()) {
      const { told } = target;
      const { ended, failed } = target.counters?.outcomes() ?? told;
      if (ended === told.ended) continue;
      outcomes.push([target.key, ended - told.ended, failed - told.failed]);
      target.told = { ended, failed };
    }
    return outcomes;
  }

  /** Resolves a table; the targets that it names stay until the routes are given back. */
  takeRoutes(table: RoutingTable, loadBalancer: LoadBalancerState): Routes {
    const family = loadBalancer.families[familyOf(table)];
    const routes = resolveRoutes(
      table,
      {
        target: (target, owner) => this.#target(target, owner),
        group: (id) => this.#group(loadBalancer.id, family, id),
      },
      this.#context,
    );
    for (const group of routes.groups) {
      for (const target of group.targets) {
        target.usesCount += 1;
        // It gets nothing new, so whoever wants to leave need not wait for connections that nobody uses.
        if (target.isDraining) target.closeIdle();
      }
    }
    return routes;
  }

  /** Gives routes back: what no table names any more closes its idle connections, and finishes what is in flight. */
  giveRoutes(routes: Routes): void {
    for (const group of routes.groups) {
      for (const target of group.targets) {
        assert(target.usesCount > 0, 'a target is given back as often as it was taken');
        target.usesCount -= 1;
        if (target.usesCount > 0) continue;
        target.closeIdle();
        this.#targets.delete(target.key);
      }
    }
  }

  #target(description: RoutingTarget, owner: TargetOwner): HttpTarget {
    let target = this.#targets.get(description.key);
    if (target === undefined) {
      target = new Target(description, owner, this.#context.idleBudget);
      this.#targets.set(description.key, target);
    }
    target.isDraining = description.state === 'draining';
    return target;
  }

  #group(loadBalancerId: string, { groups }: FamilyState, targetGroupId: string): GroupState {
    let group = groups.get(targetGroupId);
    if (group === undefined) {
      // Workers begin at different targets, or the first one would get the first request of each.
      group = {
        loadBalancerId,
        targetGroupId,
        turns: { turn: this.#context.traceIds.next() },
        counters: new GroupCounters(),
        retryBudget: new RetryBudget(),
      };
      groups.set(targetGroupId, group);
    }
    return group;
  }
}

const allFamilies = ['ipv4', 'ipv6'] as const satisfies readonly Family[];

/** The family of the clients that a listener has. */
export function familyOf({ address }: Pick<RoutingTable, 'address'>): Family {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}

function newFamily(): FamilyState {
  return { counters: new LoadBalancerCounters(), groups: new Map() };
}

function loadBalancerStats(id: string, { counters, groups }: FamilyState, family: Family): LoadBalancerStats {
  const isIpv6 = family === 'ipv6';
  return {
    ...counters,
    id,
    ipv6Requests: isIpv6 ? counters.requests : 0,
    ipv6Bytes: isIpv6 ? counters.bytesIn + counters.bytesOut : 0,
    elbResponses: Object.fromEntries(counters.elbResponses),
    targetGroups: [...groups.values()].map(({ targetGroupId, counters: ofGroup }) => ({
      ...ofGroup,
      id: targetGroupId,
      ipv6Requests: isIpv6 ? ofGroup.requests - ofGroup.withoutTarget : 0,
      responses: responsesByClass(ofGroup.responses),
      responseTime: ofGroup.responseTime.toSparse(),
    })),
  };
}

function targetStats(target: HttpTarget, counters: TargetCounters): TargetStats {
  const { key, label, requests, outstanding, owner } = target;
  return {
    key,
    label,
    loadBalancerId: owner.loadBalancerId,
    targetGroupId: owner.targetGroupId,
    requests,
    outstanding,
    responses: responsesByClass(counters.responses),
    connectErrors: counters.connectErrors,
    responseTimeMs: counters.responseTimeMs,
    bytesOut: counters.bytesOut,
    bytesIn: counters.bytesIn,
  };
}
