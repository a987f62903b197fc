/**
 * What outlives routing tables: load balancers with their counters, target groups with their turns, targets with their
 * connections. Everything is counted by its users, and goes with the last of them.
 */
import { assert } from '#base/assert.ts';
import type { RoutingTable, RoutingTarget } from '#routing/table.ts';
import { GroupCounters, LoadBalancerCounters } from './counters.ts';
import type { HttpTarget } from './http1/target-connection.ts';
import type { GroupState, Routes } from './routes.ts';
import { resolveRoutes } from './routes.ts';
import type { LoadBalancerStats, TargetGroupStats, TargetOutcomes, TargetStats } from './stats.ts';
import { RetryBudget } from './upstream/retry-budget.ts';
import { Target } from './upstream/target.ts';
import type { WorkerContext } from './worker-context.ts';

export interface LoadBalancerState {
  readonly id: string;
  readonly counters: LoadBalancerCounters;
  readonly groups: Map<string, GroupState>;
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
      state = { id, counters: new LoadBalancerCounters(), groups: new Map(), usesCount: 0 };
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
    return [...this.#loadBalancers.values()].map(({ id, counters, groups }) => ({
      ...counters,
      id,
      elbResponses: Object.fromEntries(counters.elbResponses),
      targetGroups: [...groups].map(([groupId, group]) => groupStats(groupId, group.counters)),
    }));
  }

  targetStats(): TargetStats[] {
    return [...this.#targets.values()].map(({ key, requests, outstanding }) => ({ key, requests, outstanding }));
  }

  /** What became of requests at each target since it was last asked; those that had none are left out. */
  takeOutcomes(): TargetOutcomes[] {
    const outcomes: TargetOutcomes[] = [];
    for (const target of this.#targets.values()) {
      if (target.ended === 0) continue;
      outcomes.push([target.key, target.ended, target.failed]);
      target.ended = 0;
      target.failed = 0;
    }
    return outcomes;
  }

  /** Resolves a table; the targets that it names stay until the routes are given back. */
  takeRoutes(table: RoutingTable, loadBalancer: LoadBalancerState): Routes {
    const routes = resolveRoutes(
      table,
      { target: (target) => this.#target(target), group: (id) => this.#group(loadBalancer, id) },
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

  #target(description: RoutingTarget): HttpTarget {
    let target = this.#targets.get(description.key);
    if (target === undefined) {
      target = new Target(description, this.#context.idleBudget);
      this.#targets.set(description.key, target);
    }
    target.isDraining = description.state === 'draining';
    return target;
  }

  #group(loadBalancer: LoadBalancerState, id: string): GroupState {
    let group = loadBalancer.groups.get(id);
    if (group === undefined) {
      // Workers begin at different targets, or the first one would get the first request of each.
      group = {
        turns: { turn: this.#context.traceIds.next() },
        counters: new GroupCounters(),
        retryBudget: new RetryBudget(),
      };
      loadBalancer.groups.set(id, group);
    }
    return group;
  }
}

function groupStats(id: string, counters: GroupCounters): TargetGroupStats {
  const { requests, responses, connectionErrors, retries, retriesRefused, responseTime } = counters;
  return {
    id,
    requests,
    responses: {
      '1xx': responses[1]!,
      '2xx': responses[2]!,
      '3xx': responses[3]!,
      '4xx': responses[4]!,
      '5xx': responses[5]!,
    },
    connectionErrors,
    retries,
    retriesRefused,
    responseTime: responseTime.toSparse(),
  };
}
