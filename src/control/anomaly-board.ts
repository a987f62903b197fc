/**
 * What the nodes say about targets whose answers stand out from those of their peers. Observations are not state: they
 * live in memory, by node, and go when the node goes. One node that finds a target anomalous, or gives it less, is
 * enough to say so: its clients get those answers.
 */
import { type AnomalyVerdict, noAnomaly } from '#model/anomaly.ts';

export class AnomalyBoard {
  /** Only what is something special, by target and node. */
  readonly #byTarget = new Map<string, Map<string, AnomalyVerdict>>();

  /** Takes in what a node has found out. */
  record(nodeId: string, verdicts: readonly (readonly [targetKey: string, verdict: AnomalyVerdict])[]): void {
    for (const [key, verdict] of verdicts) {
      const seen = this.#byTarget.get(key) ?? new Map<string, AnomalyVerdict>();
      if (verdict.isAnomalous || verdict.isMitigated) seen.set(nodeId, verdict);
      else seen.delete(nodeId);
      if (seen.size === 0) this.#byTarget.delete(key);
      else this.#byTarget.set(key, seen);
    }
  }

  lookup(targetKey: string): AnomalyVerdict {
    const seen = this.#byTarget.get(targetKey);
    if (seen === undefined) return noAnomaly;
    const all = [...seen.values()];
    return {
      isAnomalous: all.some(({ isAnomalous }) => isAnomalous),
      isMitigated: all.some(({ isMitigated }) => isMitigated),
    };
  }

  /** Drops everything that a node has said: it is gone, or begins anew. */
  forget(nodeId: string): void {
    for (const [key, seen] of this.#byTarget) {
      if (seen.delete(nodeId) && seen.size === 0) this.#byTarget.delete(key);
    }
  }
}
