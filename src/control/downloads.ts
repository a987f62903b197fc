/**
 * Texts that can be fetched without a signature for some minutes, under a name that nobody can guess. Nothing of them
 * is written down: whoever asks later asks again.
 */
import type { Clock } from '#io/clock.ts';
import type { Random } from '#io/random.ts';

const lifeMs = 15 * 60_000;
const keptMax = 1_000;

export class Downloads {
  readonly #texts = new Map<string, { readonly text: string; readonly untilMs: number }>();
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** The path under which the text is found from now on. */
  offer(text: string): string {
    const nowMs = this.#clock.monotonicMs();
    for (const [name, { untilMs }] of this.#texts) {
      // Oldest first: what is behind the first that lasts, lasts too.
      if (untilMs > nowMs && this.#texts.size < keptMax) break;
      this.#texts.delete(name);
    }
    const name = this.#random.hex(64);
    this.#texts.set(name, { text, untilMs: nowMs + lifeMs });
    return `/downloads/${name}`;
  }

  /** The text under a path; undefined when there is none, or its time is up. */
  find(path: string): string | undefined {
    const found = this.#texts.get(path.replace(/^\/downloads\//, ''));
    return found !== undefined && found.untilMs > this.#clock.monotonicMs() ? found.text : undefined;
  }
}
