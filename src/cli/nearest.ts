/** "Did you mean": the word of a list that is most likely to be the one that was mistyped. */

/** The word that begins so, or else the closest one, when it is close enough to be worth naming. */
export function nearest(found: string, words: readonly string[]): string | undefined {
  const begun = found.length < 2 ? [] : words.filter((word) => word.startsWith(found));
  if (begun.length === 1) return begun[0];
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(found.length / 3)) + 1;
  for (const word of words) {
    const distance = editDistance(found, word);
    if (distance >= bestDistance) continue;
    best = word;
    bestDistance = distance;
  }
  return best;
}

/** The sentence part that names the closest word, or nothing. */
export function didYouMean(found: string, words: readonly string[], prefix = ''): string {
  const word = nearest(found, words);
  return word === undefined ? '' : ` (did you mean ${prefix}${word}?)`;
}

/** How many letters must be put in, left out or exchanged (Levenshtein). */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const exchange = previous[column - 1]! + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(exchange, previous[column]! + 1, current[column - 1]! + 1));
    }
    previous = current;
  }
  return previous[to.length]!;
}
