/**
 * Least outstanding requests: who has the fewest requests that are not answered yet. Among equals it goes by turns, so
 * that targets with nothing to do share alike.
 */
import type { RoundRobinState } from './round-robin.ts';

/** Undefined when none of `eligible` is left that is not in `tried`. Moves the turn on. */
export function pickLeastOutstanding<Target extends { readonly outstanding: number }>(
  state: RoundRobinState,
  eligible: readonly Target[],
  tried: readonly Target[],
): Target | undefined {
  const count = eligible.length;
  let best: Target | undefined;
  let bestPosition = 0;
  for (let offset = 0; offset < count; offset += 1) {
    const position = (state.turn + offset) % count;
    const target = eligible[position]!;
    if ((best !== undefined && target.outstanding >= best.outstanding) || tried.includes(target)) continue;
    best = target;
    bestPosition = position;
    if (target.outstanding === 0) break;
  }
  if (best !== undefined) state.turn = bestPosition + 1;
  return best;
}
