/**
 * What the nodes say about their targets. Observations are not state: they live in memory, by node, and go when the
 * node goes. A target is as well as the node that sees it worst, because that node's clients get no answer from it.
 */
import type { HealthVerdict } from '#model/health.ts';

const severity = { healthy: 0, initial: 1, unhealthy: 2 } as const satisfies Record<HealthVerdict['kind'], number>;

export class HealthBoard {
  readonly #byTarget = new Map<string, Map<string, HealthVerdict>>();

  /** Takes in what a node has found out; null: it does not look at that target any more. */
  record(nodeId: string, verdicts: readonly (readonly [targetKey: string, verdict: HealthVerdict | null])[]): void {
    for (const [key, verdict] of verdicts) {
      const seen = this.#byTarget.get(key);
      if (verdict === null) {
        seen?.delete(nodeId);
        if (seen?.size === 0) this.#byTarget.delete(key);
      } else if (seen === undefined) {
        this.#byTarget.set(key, new Map([[nodeId, verdict]]));
      } else {
        seen.set(nodeId, verdict);
      }
    }
  }

  /** The worst that any node says; undefined when none has looked. */
  lookup(targetKey: string): HealthVerdict | undefined {
    let worst: HealthVerdict | undefined;
    for (const verdict of this.#byTarget.get(targetKey)?.values() ?? []) {
      if (worst === undefined || severity[verdict.kind] > severity[worst.kind]) worst = verdict;
    }
    return worst;
  }

  /** Drops everything that a node has said: it is gone, or begins anew. */
  forget(nodeId: string): void {
    for (const [key, seen] of this.#byTarget) {
      if (seen.delete(nodeId) && seen.size === 0) this.#byTarget.delete(key);
    }
  }
}
