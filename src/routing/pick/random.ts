/** Picks at random, each target as likely as any other. */

/** `roll` is in [0, 1). Undefined when none of `eligible` is left that is not in `tried`. */
export function pickRandom<Target>(
  eligible: readonly Target[],
  tried: readonly Target[],
  roll: number,
): Target | undefined {
  const left = tried.length === 0 ? eligible : eligible.filter((target) => !tried.includes(target));
  return left[Math.floor(roll * left.length)];
}
