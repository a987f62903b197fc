/**
 * Which targets of a group are anomalous, and how much of its share each gets: judged anew in each interval from what
 * became of the group's requests. Pure: the same counts give the same verdicts, on every node and in every test.
 * Source: "Automatic Target Weights (ATW)" in the documentation of target group attributes.
 *
 *               far worse than its peers
 *     normal ──────────────────────────────▶ anomalous      weight: halved in each interval, down to 1/32
 *        ▲                                       │
 *        └── likelier well than not, or silent ──┘          weight: raised by an eighth in each interval, up to 1
 */
import { add, failureRate, isFarWorse, noOutcomes, type Outcomes, regain, type Trust } from './evidence.ts';

/** Intervals that are looked back on: a minute, by AWS's period of five seconds. */
export const intervalsMax = 12;
/** Fewer healthy targets have no peers to speak of. */
const targetsMin = 3;
/** One of which nothing is heard for so many intervals is not held to what it once did. */
const silentIntervalsMax = 60;
const weightMin = 1 / 32;
const weightLess = 1 / 2;
const weightMore = 1 / 8;

export interface TargetState {
  /** What became of its requests in the last intervals, the newest last. */
  readonly recent: readonly Outcomes[];
  /** While it is anomalous. */
  readonly trust?: Trust;
  readonly silentIntervals: number;
  /** Its part of a whole share of the group's requests, up to 1. */
  readonly weight: number;
}

/** By target key. */
export type GroupState = ReadonlyMap<string, TargetState>;

export interface Interval {
  /** Keys of the healthy targets that get requests. */
  readonly targets: readonly string[];
  /** By target key; who is not there had none. */
  readonly outcomes: ReadonlyMap<string, Outcomes>;
  /** Whether anomalous targets are to get less. */
  readonly mitigates: boolean;
}

interface Judged {
  readonly key: string;
  readonly before: TargetState;
  readonly now: Outcomes;
  readonly recent: readonly Outcomes[];
  readonly sum: Outcomes;
}

const newcomer: TargetState = { recent: [], silentIntervals: 0, weight: 1 };

/**
 * The group after one more interval. When targets have gone, and most of those that are left were anomalous beside
 * them, that is doubted first: all begin anew.
 */
export function judge(before: GroupState, { targets, outcomes, mitigates }: Interval): GroupState {
  if (targets.length < targetsMin) return new Map();
  const left = targets.filter((key) => before.get(key)?.trust !== undefined).length;
  const isDoubted = left > targets.length / 2;
  const judged = targets.map((key): Judged => {
    const state = before.get(key) ?? newcomer;
    const known = isDoubted ? { ...newcomer, weight: state.weight } : state;
    const now = outcomes.get(key) ?? noOutcomes;
    const recent = [...known.recent, now].slice(-intervalsMax);
    return { key, before: known, now, recent, sum: recent.reduce(add) };
  });
  const { accused, peers } = accuse(judged);
  const after = new Map<string, TargetState>();
  for (const each of judged) {
    const anomaly = accused.has(each)
      ? { trust: { accusedOf: failureRate(each.sum), gained: 0 }, silentIntervals: 0, recent: each.recent }
      : reconsider(each, peers);
    after.set(each.key, {
      ...anomaly,
      weight: weightAfter(each.before.weight, anomaly.trust !== undefined, mitigates),
    });
  }
  return after;
}

/** Whether nothing of the group has to be remembered. */
export function isForgettable(group: GroupState): boolean {
  for (const { trust, weight, recent } of group.values()) {
    if (trust !== undefined || weight < 1 || recent.some(({ ended }) => ended > 0)) return false;
  }
  return true;
}

/**
 * Those that were normal and stand out now. The better half of the group is normal, whatever it does: so never more
 * than half of the targets are accused, and where all fail alike nobody is.
 */
function accuse(judged: readonly Judged[]): { readonly accused: ReadonlySet<Judged>; readonly peers: Outcomes } {
  const normal = judged.filter(({ before }) => before.trust === undefined);
  const halfCount = Math.ceil(judged.length / 2);
  const sorted = normal.toSorted((one, other) => failureRate(one.sum) - failureRate(other.sum));
  let peers = sorted.slice(0, halfCount);
  let suspects = sorted.slice(halfCount);
  // The better half looks better than the group is. So this asks again with all whom it does not suspect, until those
  // who are left stand out from all the others together: each round has fewer of them.
  for (;;) {
    const standard = sumOf(peers);
    const [worse, others] = partition(suspects, ({ sum }) => isFarWorse(sum, standard));
    suspects = worse;
    if (others.length === 0) return { accused: new Set(suspects), peers: standard };
    peers = [...peers, ...others];
  }
}

/** One that was not accused now: normal, or anomalous since before and perhaps well again. */
function reconsider({ before, now, recent }: Judged, peers: Outcomes): Omit<TargetState, 'weight'> {
  if (before.trust === undefined) return { recent, silentIntervals: 0 };
  const silentIntervals = now.ended === 0 ? before.silentIntervals + 1 : 0;
  const trust = silentIntervals < silentIntervalsMax ? regain(before.trust, now, peers) : undefined;
  // What it was accused of is not held against it a second time.
  return trust === undefined ? { recent: [], silentIntervals: 0 } : { recent, trust, silentIntervals };
}

function weightAfter(weight: number, isAnomalous: boolean, mitigates: boolean): number {
  if (!mitigates) return 1;
  return isAnomalous ? Math.max(weightMin, weight * weightLess) : Math.min(1, weight + weightMore);
}

function sumOf(targets: readonly Judged[]): Outcomes {
  return targets.reduce((total, { sum }) => add(total, sum), noOutcomes);
}

function partition<Item>(items: readonly Item[], holds: (item: Item) => boolean): [Item[], Item[]] {
  const [those, others]: [Item[], Item[]] = [[], []];
  for (const item of items) (holds(item) ? those : others).push(item);
  return [those, others];
}
