/** Picks among choices in proportion to their shares, from one roll of the dice. */

/** `roll` is in [0, 1); the shares add up to 1. A choice whose share is 0 is never picked, unless all are. */
export function pickWeighted<Choice extends { readonly share: number }>(
  choices: readonly Choice[],
  roll: number,
): Choice | undefined {
  let rest = roll;
  let last: Choice | undefined = choices[0];
  for (const choice of choices) {
    if (choice.share === 0) continue;
    last = choice;
    rest -= choice.share;
    if (rest < 0) return choice;
  }
  // Shares are fractions: their sum may fall short of 1 by a rounding error.
  return last;
}
