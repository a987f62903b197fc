/**
 * Do a target's requests fail more often than those of its peers, or is it chance? Both sides are counts, so the answer
 * is a likelihood ratio: how many times likelier what was seen is when the two have failure rates of their own than
 * when they share one. Pure; few requests never accuse anybody.
 */

/** What became of requests. */
export interface Outcomes {
  /** Those that ended, either way. */
  readonly ended: number;
  readonly failed: number;
}

export const noOutcomes: Outcomes = { ended: 0, failed: 0 };

/** Fewer say nothing about anybody, however they ended. */
const endedMin = 10;
const failedMin = 5;
/** With many requests chance hardly matters, and differences are seen that nobody would act on. */
const excessMin = 0.01;
const oddsRatioMin = 3;
/** When it is not far from that of the peers any more, it does not stand out. */
const oddsRatioGone = 1.5;
/**
 * In units of the logarithm of the likelihood ratio. Twice that is a chi-squared of one degree: 14 is left to chance
 * about once in ten million looks, and a look is taken every few seconds at each of some thousand targets.
 */
const evidenceMin = 14;
/** Of a target that went wrong: so much likelier is it that it is well again, before anybody says so. */
const trustNeeded = Math.log(1_000);
/** What always fails may succeed once by chance: nothing is impossible. */
const rateMin = 0.001;
const rateMax = 0.95;

export function add(one: Outcomes, other: Outcomes): Outcomes {
  return { ended: one.ended + other.ended, failed: one.failed + other.failed };
}

export function failureRate({ ended, failed }: Outcomes): number {
  return ended === 0 ? 0 : failed / ended;
}

/** Whether the target fails far more often than its peers, beyond chance. */
export function isFarWorse(target: Outcomes, peers: Outcomes): boolean {
  if (target.ended < endedMin || target.failed < failedMin) return false;
  if (failureRate(target) - failureRate(peers) < excessMin) return false;
  return odds(target) >= oddsRatioMin * odds(peers) && evidenceOfDifference(target, peers) >= evidenceMin;
}

/** The logarithm of the likelihood ratio of two rates over one. */
export function evidenceOfDifference(one: Outcomes, other: Outcomes): number {
  return logLikelihood(one) + logLikelihood(other) - logLikelihood(add(one, other));
}

/** How sure it is that a target, accused for its failure rate, is like its peers again: grows up to `trustNeeded`. */
export interface Trust {
  readonly accusedOf: number;
  readonly gained: number;
}

/**
 * The trust after some more outcomes; undefined when it is whole. Page's cumulative sum: each outcome counts for how
 * much likelier it is of one who is well than of one who still fails as it did, and what is lost below nothing is
 * forgotten. So one that always failed is believed after a few successes, one that failed a little after many, and as
 * few of them in an hour count as much as in a second.
 */
export function regain({ accusedOf, gained }: Trust, now: Outcomes, peers: Outcomes): Trust | undefined {
  const wrong = clamp(accusedOf);
  const well = clamp(failureRate(peers));
  // The peers have become as bad: whatever it is, it is nothing of this target's own.
  if (wrong / (1 - wrong) < (oddsRatioGone * well) / (1 - well)) return undefined;
  const succeeded = now.ended - now.failed;
  const more = succeeded * Math.log((1 - well) / (1 - wrong)) + now.failed * Math.log(well / wrong);
  const sum = Math.max(0, gained + more);
  return sum >= trustNeeded ? undefined : { accusedOf, gained: sum };
}

function clamp(rate: number): number {
  return Math.min(rateMax, Math.max(rateMin, rate));
}

/** Half an outcome each way keeps the odds of few finite. */
function odds({ ended, failed }: Outcomes): number {
  return (failed + 0.5) / (ended - failed + 0.5);
}

/** Of what was seen, at its own rate. */
function logLikelihood(outcomes: Outcomes): number {
  const { ended, failed } = outcomes;
  return times(failed, ended) + times(ended - failed, ended);
}

function times(count: number, ended: number): number {
  return count === 0 ? 0 : count * Math.log(count / ended);
}
