/**
 * Round robin: every eligible target gets its turn. The turn lives outside of the routing table, so that a swap of
 * tables does not send everybody back to the first target.
 */

export interface RoundRobinState {
  /** The position whose turn it is; a table that has become shorter since wraps it around. */
  turn: number;
}

/** The next of `eligible` that is not in `tried`; undefined when none is left. Moves the turn on. */
export function pickRoundRobin<Target>(
  state: RoundRobinState,
  eligible: readonly Target[],
  tried: readonly Target[],
): Target | undefined {
  const count = eligible.length;
  for (let offset = 0; offset < count; offset += 1) {
    const position = (state.turn + offset) % count;
    const target = eligible[position]!;
    if (tried.includes(target)) continue;
    state.turn = position + 1;
    return target;
  }
  return undefined;
}
