/**
 * Watches what becomes of requests at the node's targets: every few seconds it asks all workers, has each group judged
 * (`health/anomalies.ts`), and says whose verdict and whose weight is another one. One judge for all workers sees the
 * most, and a worker that dies takes nothing with it. What is known is kept in memory alone: a node that starts anew
 * finds everybody normal, and sees for itself.
 */
import { type GroupState, isForgettable, judge } from '#health/anomalies.ts';
import { add, noOutcomes, type Outcomes } from '#health/evidence.ts';
import { every, type Timer } from '#io/timers.ts';
import { type AnomalyCounts, type AnomalyVerdict, noAnomaly } from '#model/anomaly.ts';
import type { HexId } from '#model/documents.ts';
import type { TargetOutcomes } from '#proxy/stats.ts';

export interface AnomalyNews {
  /** Those that are not what they were; `noAnomaly` of those that are nothing special any more. */
  readonly verdicts: readonly (readonly [targetKey: string, verdict: AnomalyVerdict])[];
  /** Groups in which targets have another weight than before. */
  readonly reweighted: readonly HexId[];
}

export interface WatchedGroup {
  /** Keys of the healthy targets to which the node gives requests. */
  readonly targets: readonly string[];
  readonly mitigates: boolean;
}

export interface AnomalyWatchOptions {
  readonly periodMs: number;
  /** What became of requests since it was last asked, of each worker. */
  readonly takeOutcomes: () => Promise<readonly (readonly TargetOutcomes[])[]>;
  /** Undefined: the group is none that is watched. */
  readonly group: (targetGroupId: HexId) => WatchedGroup | undefined;
  readonly onNews: (news: AnomalyNews) => void;
}

export class AnomalyWatch {
  readonly #options: AnomalyWatchOptions;
  readonly #groups = new Map<HexId, GroupState>();
  readonly #timer: Timer;
  #isLooking = false;

  constructor(options: AnomalyWatchOptions) {
    this.#options = options;
    this.#timer = every(options.periodMs, () => void this.#look());
  }

  /** How much of its share a target gets, up to 1. */
  weight(targetKey: string): number {
    return this.#groups.get(groupOf(targetKey))?.get(targetKey)?.weight ?? 1;
  }

  /** All that are something special. */
  get verdicts(): (readonly [targetKey: string, verdict: AnomalyVerdict])[] {
    return [...this.#groups.values()].flatMap((group) => [...verdictsOf(group)]);
  }

  /** Of the groups in which somebody is something special. */
  get counts(): AnomalyCounts[] {
    return [...this.#groups].flatMap(([targetGroupId, group]) => {
      const verdicts = [...verdictsOf(group).values()];
      if (verdicts.length === 0) return [];
      const anomalous = verdicts.filter(({ isAnomalous }) => isAnomalous).length;
      const mitigated = verdicts.filter(({ isMitigated }) => isMitigated).length;
      return [{ targetGroupId, anomalous, mitigated }];
    });
  }

  stop(): void {
    this.#timer.stop();
  }

  async #look(): Promise<void> {
    // Whoever is slow to answer is asked once.
    if (this.#isLooking) return;
    this.#isLooking = true;
    const outcomes = sumByGroup(await this.#options.takeOutcomes());
    this.#isLooking = false;
    const verdicts: [string, AnomalyVerdict][] = [];
    const reweighted: HexId[] = [];
    for (const id of new Set([...this.#groups.keys(), ...outcomes.keys()])) {
      const before = this.#groups.get(id) ?? new Map();
      const after = this.#judge(id, before, outcomes.get(id) ?? new Map());
      verdicts.push(...differences(verdictsOf(before), verdictsOf(after)));
      if (hasOtherWeights(before, after)) reweighted.push(id);
      if (isForgettable(after)) this.#groups.delete(id);
      else this.#groups.set(id, after);
    }
    if (verdicts.length > 0 || reweighted.length > 0) this.#options.onNews({ verdicts, reweighted });
  }

  #judge(id: HexId, before: GroupState, outcomes: ReadonlyMap<string, Outcomes>): GroupState {
    const group = this.#options.group(id);
    return group === undefined ? new Map() : judge(before, { ...group, outcomes });
  }
}

function groupOf(targetKey: string): HexId {
  return targetKey.slice(0, targetKey.indexOf('/'));
}

function sumByGroup(all: readonly (readonly TargetOutcomes[])[]): Map<HexId, Map<string, Outcomes>> {
  const groups = new Map<HexId, Map<string, Outcomes>>();
  for (const [key, ended, failed] of all.flat()) {
    const id = groupOf(key);
    const group = groups.get(id) ?? new Map<string, Outcomes>();
    groups.set(id, group.set(key, add(group.get(key) ?? noOutcomes, { ended, failed })));
  }
  return groups;
}

function verdictsOf(group: GroupState): Map<string, AnomalyVerdict> {
  const verdicts = new Map<string, AnomalyVerdict>();
  for (const [key, { trust, weight }] of group) {
    if (trust !== undefined || weight < 1)
      verdicts.set(key, { isAnomalous: trust !== undefined, isMitigated: weight < 1 });
  }
  return verdicts;
}

function differences(
  before: ReadonlyMap<string, AnomalyVerdict>,
  after: ReadonlyMap<string, AnomalyVerdict>,
): [string, AnomalyVerdict][] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((key): [string, AnomalyVerdict][] => {
    const [was, is] = [before.get(key) ?? noAnomaly, after.get(key) ?? noAnomaly];
    return was.isAnomalous === is.isAnomalous && was.isMitigated === is.isMitigated ? [] : [[key, is]];
  });
}

function hasOtherWeights(before: GroupState, after: GroupState): boolean {
  const keys = new Set([...before.keys(), ...after.keys()]);
  return [...keys].some((key) => (before.get(key)?.weight ?? 1) !== (after.get(key)?.weight ?? 1));
}
