/** Compares the store with its copies and puts it back: a port, since the sentinel decides and touches no file. */
import type { Result } from '#base/result.ts';
import type { LostTransaction } from '#journal/find-lost.ts';

export interface Mended {
  /** What the store goes to since. */
  readonly revision: number;
  /** The folder in which the damaged files are kept. */
  readonly aside: string;
}

export interface StoreMender {
  /** The transactions that the file has lost or holds differently; throws `StoreDamaged` when it cannot be read. */
  findLost(): AsyncIterable<LostTransaction>;
  /** Puts the store back of what vault and memory agree on. Refuses, in a sentence, when they do not hold all of it. */
  mend(): Promise<Result<Mended, string>>;
}
