/** Long reading in turns, between which others get theirs. */
import { soon } from '#io/timers.ts';

const stepsPerTurn = 5_000;

export class Turns {
  #steps = 0;

  /** To be asked at each step. */
  isOver(): boolean {
    this.#steps += 1;
    return this.#steps % stepsPerTurn === 0;
  }

  /** Resolves once others have had their turn. */
  next(): Promise<void> {
    return new Promise(soon);
  }
}
