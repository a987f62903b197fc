/**
 * Large read buffers for connections on which much arrives at a time: eight times the bytes a system call. There are
 * only so many; whoever gets none goes on with the buffer that it has.
 */
import { assert } from '#base/assert.ts';

export const largeBufferBytes = 512 * 1024;
/** Kept for the next taker; the others are left to the garbage collector. */
const keptMax = 16;

export class LargeBuffers {
  readonly #max: number;
  readonly #kept: Buffer[] = [];
  #taken = 0;

  constructor(max: number) {
    this.#max = max;
  }

  take(): Buffer | undefined {
    if (this.#taken === this.#max) return undefined;
    this.#taken += 1;
    return this.#kept.pop() ?? Buffer.allocUnsafeSlow(largeBufferBytes);
  }

  /** Gives a buffer back that nothing reads into or writes from any more. */
  give(buffer: Buffer): void {
    this.drop();
    if (this.#kept.length < keptMax) this.#kept.push(buffer);
  }

  /** Gives up a buffer of which something may still be under way: it is not used again. */
  drop(): void {
    assert(this.#taken > 0, 'a large buffer is given back as often as it was taken');
    this.#taken -= 1;
  }
}
