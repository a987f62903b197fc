/**
 * What a node has found out about a target's answers beside those of its peers. Like health it is an observation, not
 * state: it lives in the nodes, travels as deltas and is never journaled. The words are those of the API's
 * `AnomalyDetection`.
 */

export interface AnomalyVerdict {
  /** Its requests fail far more often than those of its peers. */
  readonly isAnomalous: boolean;
  /** It gets less than its share of requests because of that, or because of that a while ago. */
  readonly isMitigated: boolean;
}

export const noAnomaly: AnomalyVerdict = { isAnomalous: false, isMitigated: false };

/** By target key. Nobody says anything of most targets, and that is `noAnomaly`. */
export type AnomalyLookup = (targetKey: string) => AnomalyVerdict;

/** How many targets of a group a node finds anomalous, and how many get less because of it. */
export interface AnomalyCounts {
  readonly targetGroupId: string;
  readonly anomalous: number;
  readonly mitigated: number;
}
