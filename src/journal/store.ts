/**
 * What the journal needs of a place that keeps transactions. It is small on purpose: a second store (another database,
 * another machine) stands behind the same few calls, and nothing above it knows which one it is.
 */
import type { Transaction } from '#model/change.ts';
import type { Entry } from '#model/documents.ts';
import type { SealedTransaction } from './chain.ts';

/** Decided once, when the store is made; a process meant for one environment or region must not write to another's. */
export interface StoreIdentity {
  /** Random; tells this store from every other, even one made again in the same folder. */
  readonly storeId: string;
  readonly environment: string;
  readonly region: string;
  readonly createdAtMs: number;
}

/** The last transaction that the store holds; revision 0 and 64 zeros while it is empty. */
export interface Head {
  readonly revision: number;
  readonly hash: string;
}

export interface Store {
  readonly identity: StoreIdentity;
  head(): Head;
  /** The current documents, in the order in which their keys were first written. */
  documents(): Iterable<Entry>;
  /**
   * Makes the batch durable as a whole or not at all. It continues the head exactly, or the store throws
   * `StoreConflict`; when the store cannot write, it throws `StoreFailure` and holds what it held before.
   */
  append(batch: readonly SealedTransaction[]): Promise<void> | void;
  /** Transactions from `revision` on, oldest first, read as they are asked for. */
  transactionsFrom(revision: number): Iterable<Transaction>;
  /** The hash of one transaction; undefined when the store does not hold it. */
  hashAt(revision: number): string | undefined;
  close(): void;
}

/** Somebody else has written since: the caller reads again and decides anew. */
export class StoreConflict extends Error {
  override readonly name = 'StoreConflict';
}

/** The world's failure (disk full, I/O error): nothing was written, and trying again later may work. */
export class StoreFailure extends Error {
  override readonly name = 'StoreFailure';
}

/** What the store holds contradicts itself: it was changed by something other than the journal. */
export class StoreDamaged extends Error {
  override readonly name = 'StoreDamaged';
}
