/**
 * Looks at the nodes' counters whenever a period of the wall clock ends, so that what is measured falls into the minute
 * that it is measured for.
 */
import type { Clock } from '#io/clock.ts';
import { after, type Timer } from '#io/timers.ts';

const minuteMs = 60_000;

export interface SamplerOptions {
  /** Up to a minute. */
  readonly periodMs: number;
  readonly clock: Clock;
  /** `atMs`: the end of the period. */
  readonly look: (atMs: number) => Promise<void>;
}

export class Sampler {
  readonly #options: SamplerOptions;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(options: SamplerOptions) {
    this.#options = options;
    this.#await();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.stop();
  }

  #await(): void {
    const { periodMs, clock, look } = this.#options;
    const nowMs = clock.wallMs();
    const atMs = nextLookMs(nowMs, periodMs);
    // A timer may be a little early; then there is no more to look at than a moment before.
    this.#timer = after(atMs - nowMs + 1, async () => {
      await look(atMs);
      if (!this.#isStopped) this.#await();
    });
  }
}

/** When a period ends next: they begin anew with each minute, so that its last one ends with it. */
export function nextLookMs(nowMs: number, periodMs: number): number {
  const minuteStartMs = Math.floor(nowMs / minuteMs) * minuteMs;
  const periodsOver = Math.floor((nowMs - minuteStartMs) / periodMs);
  return minuteStartMs + Math.min((periodsOver + 1) * periodMs, minuteMs);
}
