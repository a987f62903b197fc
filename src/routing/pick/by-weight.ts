/**
 * Picks at random by weights, at the same cost for ten targets and for ten thousand: Walker's alias method. The targets
 * are laid out once as places of equal size, each shared by at most two of them; a pick rolls a place and a spot in it.
 */

export interface WeightedChoices<Target> {
  readonly targets: readonly Target[];
  readonly weights: readonly number[];
  /** Up to which part of each place the target of that place is picked, and who has the rest of it. */
  readonly parts: Float64Array;
  readonly others: Uint32Array;
}

/** Weights are above 0, one for each target. */
export function layOut<Target>(targets: readonly Target[], weights: readonly number[]): WeightedChoices<Target> {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const parts = Float64Array.from(weights, (weight) => (weight * targets.length) / total);
  const others = Uint32Array.from(targets, (_, index) => index);
  const small: number[] = [];
  const large: number[] = [];
  for (const [index, part] of parts.entries()) (part < 1 ? small : large).push(index);
  // Who fills less than its place shares it with one who has more than its own.
  while (small.length > 0 && large.length > 0) {
    const [less, more] = [small.pop()!, large.at(-1)!];
    others[less] = more;
    parts[more]! -= 1 - parts[less]!;
    if (parts[more]! < 1) small.push(large.pop()!);
  }
  // What is left has a place of its own, up to a rounding error.
  for (const index of [...small, ...large]) parts[index] = 1;
  return { targets, weights, parts, others };
}

/** `roll` is in [0, 1). Undefined when all are in `tried`. */
export function pickByWeight<Target>(
  choices: WeightedChoices<Target>,
  tried: readonly Target[],
  roll: number,
): Target | undefined {
  const { targets, parts, others } = choices;
  // Few requests are tried again: they may look at every target.
  if (tried.length > 0) return pickUntried(choices, tried, roll);
  const spot = roll * targets.length;
  const place = Math.floor(spot);
  return targets[spot - place < parts[place]! ? place : others[place]!];
}

function pickUntried<Target>(
  { targets, weights }: WeightedChoices<Target>,
  tried: readonly Target[],
  roll: number,
): Target | undefined {
  const weightOf = (index: number) => (tried.includes(targets[index]!) ? 0 : weights[index]!);
  let rest = 0;
  for (let index = 0; index < targets.length; index += 1) rest += weightOf(index);
  rest *= roll;
  let last: Target | undefined;
  for (let index = 0; index < targets.length; index += 1) {
    const weight = weightOf(index);
    if (weight === 0) continue;
    last = targets[index];
    rest -= weight;
    if (rest < 0) return last;
  }
  // Up to a rounding error it was the last one's.
  return last;
}
