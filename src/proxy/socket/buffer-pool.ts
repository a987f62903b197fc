/**
 * Buffers that are used again: what is allocated for each request with a body is more work for the garbage collector
 * than all the rest of it. There may be only so many at one time; whoever gets none goes on with what it has.
 */
import { assert } from '#base/assert.ts';

/** For more than comes with a head: a body that is on its way, or a request that is held until it is answered. */
export const mediumBufferBytes = 72 * 1024;
/** Where much arrives at a time: fewer system calls. */
export const largeBufferBytes = 1024 * 1024;

export interface BufferPoolSettings {
  readonly bytes: number;
  /** At one time. */
  readonly countMax: number;
  /** Kept for the next taker; the others are left to the garbage collector. */
  readonly keptMax: number;
}

export class BufferPool {
  readonly #settings: BufferPoolSettings;
  readonly #kept: Buffer[] = [];
  #taken = 0;

  constructor(settings: BufferPoolSettings) {
    this.#settings = settings;
  }

  take(): Buffer | undefined {
    const { bytes, countMax } = this.#settings;
    if (this.#taken === countMax) return undefined;
    this.#taken += 1;
    return this.#kept.pop() ?? Buffer.allocUnsafeSlow(bytes);
  }

  /** Gives a buffer back that nothing reads into or writes from any more. */
  give(buffer: Buffer): void {
    this.drop();
    if (this.#kept.length < this.#settings.keptMax) this.#kept.push(buffer);
  }

  /** Gives up a buffer of which something may still be under way: it is not used again. */
  drop(): void {
    assert(this.#taken > 0, 'a buffer is given back as often as it was taken');
    this.#taken -= 1;
  }
}
