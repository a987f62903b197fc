/**
 * Slow start: each target has its turn, but who has just become healthy passes it on by chance, less often the longer
 * it is healthy. So its share of requests grows evenly, and the others share alike what it leaves.
 * Source: "Slow start mode" in the documentation of target group attributes.
 */
import type { RoutingSlowStart } from '#routing/table.ts';
import { pickRoundRobin, type RoundRobinState } from './round-robin.ts';

/** At the very beginning a target gets so much of its share: without a request nothing in it would warm up. */
const shareMin = 0.01;

/** How much of its share a target takes at `atMs`, a wall clock's time: up to 1. */
export function shareAt({ beganAtMs, durationMs }: RoutingSlowStart, atMs: number): number {
  return Math.min(1, Math.max(shareMin, (atMs - beganAtMs) / durationMs));
}

/**
 * The next of `eligible` that is not in `tried` and takes its turn; undefined when none is left. `share` is in (0, 1],
 * `roll` gives a number in [0, 1) each time.
 */
export function pickInSlowStart<Target>(
  state: RoundRobinState,
  eligible: readonly Target[],
  tried: readonly Target[],
  { share, roll }: { readonly share: (target: Target) => number; readonly roll: () => number },
): Target | undefined {
  for (let turns = 0; turns < eligible.length; turns += 1) {
    const target = pickRoundRobin(state, eligible, tried);
    if (target === undefined || roll() < share(target)) return target;
  }
  // All have passed: somebody must take it.
  return pickRoundRobin(state, eligible, tried);
}
