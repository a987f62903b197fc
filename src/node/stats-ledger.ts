/**
 * The counters of a node's workers, added up so that the sums never fall while the node lives: a worker that does not
 * answer in time counts as it last did, and what one that has ended had counted stays. Of what no worker serves any
 * more nothing stays.
 */
import { addProxyStats, type LoadBalancerStats, type ProxyStats } from '#proxy/stats.ts';

export interface WorkerAnswer {
  /** Tells a worker from the one that takes its place. */
  readonly worker: number;
  /** Undefined: it did not answer in time. */
  readonly stats: ProxyStats | undefined;
}

export class StatsLedger {
  readonly #last = new Map<number, ProxyStats>();
  /** What workers that have ended had counted, added up. */
  #ended: readonly LoadBalancerStats[] = [];

  /** The sums, from the answers of all workers that are alive. */
  add(answers: readonly WorkerAnswer[]): ProxyStats {
    const alive = new Set(answers.map(({ worker }) => worker));
    for (const { worker, stats } of answers) if (stats !== undefined) this.#last.set(worker, stats);
    const ended: LoadBalancerStats[][] = [[...this.#ended]];
    for (const [worker, stats] of this.#last) {
      if (alive.has(worker)) continue;
      this.#last.delete(worker);
      ended.push(stats.loadBalancers.map(withoutPresent));
    }
    const present = addProxyStats([...this.#last.values()]);
    const served = new Map(
      present.loadBalancers.map(({ id, targetGroups }) => [id, new Set(targetGroups.map((group) => group.id))]),
    );
    // Whether anything is still served, only one that answers can say.
    if (this.#last.size > 0) {
      this.#ended = ofLoadBalancers(ended.flat())
        .filter(({ id }) => served.has(id))
        .map((stats) => ({
          ...stats,
          targetGroups: stats.targetGroups.filter((group) => served.get(stats.id)!.has(group.id)),
        }));
    } else this.#ended = ofLoadBalancers(ended.flat());
    return { ...present, loadBalancers: ofLoadBalancers([...present.loadBalancers, ...this.#ended]) };
  }
}

function ofLoadBalancers(loadBalancers: readonly LoadBalancerStats[]): readonly LoadBalancerStats[] {
  return addProxyStats([{ ...nothing, loadBalancers }]).loadBalancers;
}

const nothing: ProxyStats = {
  activeConnections: 0,
  idleTargetConnections: 0,
  droppedLogLines: 0,
  loadBalancers: [],
  targets: [],
  targetsLeftOut: 0,
};

/** What was open has ended with its worker. */
function withoutPresent(stats: LoadBalancerStats): LoadBalancerStats {
  const targetGroups = stats.targetGroups.map((group) => ({ ...group, activeConnections: 0 }));
  return { ...stats, activeConnections: 0, targetGroups };
}
