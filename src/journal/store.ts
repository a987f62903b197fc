/**
 * What the journal needs of a place that keeps transactions. It is small on purpose: a second store (another database,
 * another machine) stands behind the same few calls, and nothing above it knows which one it is.
 */
import type { Change, Transaction, TransactionHeader } from '#model/change.ts';
import type { Documents, Entry, Kind } from '#model/documents.ts';
import type { IndexName } from '#model/view.ts';
import type { SealedTransaction, TransactionText } from './chain.ts';
import type { StoreFolding } from './sqlite-fold.ts';

/** Decided once, when the store is made; a process meant for one environment or region must not write to another's. */
export interface StoreIdentity {
  /** Random; tells this store from every other, even one made again in the same folder. */
  readonly storeId: string;
  readonly environment: string;
  readonly region: string;
  readonly createdAtMs: number;
  /**
   * The point that its history continues: revision 0 and 64 zeros, unless the store was rebuilt from what nodes
   * served. Then it is the last point they knew, and what happened up to there is not known.
   */
  readonly origin: { readonly revision: number; readonly hash: string };
}

/** The last transaction that the store holds; its origin, at time 0, while it holds none. */
export interface Head {
  readonly revision: number;
  readonly hash: string;
  readonly timeMs: number;
}

/** What a store sees of its own files without reading them. */
export interface StoreSight {
  /** Whether the file is still the one that was opened. */
  readonly file: 'there' | 'gone' | 'another';
  /** Something else has written to the log since the store was opened or looked at last. */
  readonly isLogWritten: boolean;
  /** The same of the index. */
  readonly isIndexWritten: boolean;
  /** Transactions that the log lacks by number alone; looked at when something else has written to it. */
  readonly missingCount: number;
  /** What keeps others from writing has been taken away, a sentence; undefined: it is there. */
  readonly lacks: string | undefined;
}

export interface Store {
  readonly identity: StoreIdentity;
  head(): Head;
  /** What has happened to the files behind the store's back. Costs little: it may be asked ten times a second. */
  sight(): StoreSight;
  /** The current documents, in the order in which their keys were first written. */
  documents(): Iterable<Entry>;
  /**
   * Makes the batch durable as a whole or not at all. It continues the head exactly, or the store throws
   * `StoreConflict`; when the store cannot write, it throws `StoreFailure` and holds what it held before.
   */
  append(batch: readonly SealedTransaction[]): Promise<void> | void;
  /** Transactions from `revision` on, oldest first, read and checked as they are asked for. */
  transactionsFrom(revision: number): Iterable<Transaction>;
  /** The same as the texts that were hashed, each read as it is asked for, and not checked. */
  textsFrom(revision: number): Iterable<TransactionText>;
  /** The same without their changes. */
  headersFrom(revision: number): Iterable<TransactionHeader>;
  /** Headers from `revision` down to the first that the store holds. */
  headersBackFrom(revision: number): Iterable<TransactionHeader>;
  header(revision: number): TransactionHeader | undefined;
  /** The changes of one transaction, in order, read as they are asked for; none when the store does not hold it. */
  changesOf(revision: number): Iterable<Change>;
  /** The hash at one revision, the origin's included; undefined when the store does not hold it. */
  hashAt(revision: number): string | undefined;
  /** Resolves once everything that is durable now can be found by key; `StoreFailure` when that cannot be written. */
  past(): Promise<Past>;
  /** What can be found by key at this moment: everything up to `revision`, which may be a little behind the head. */
  readonly pastSoFar: Past & { readonly revision: number };
  /** How changes of a far past are folded away, and put back. */
  readonly folding: StoreFolding;
  close(): void;
}

/** One version of a document. */
export interface Version<K extends Kind = Kind> {
  readonly revision: number;
  /** The revision that it replaced; 0 when there was none. */
  readonly before: number;
  /** Null for a tombstone. */
  readonly document: Documents[K] | null;
}

/** The past by key. What it answers about a revision never changes again. */
export interface Past {
  /** The document as it was at the revision; undefined when there was none. */
  documentAt<K extends Kind>(kind: K, id: string, revision: number): Entry<K> | undefined;
  /** Every version of one document, newest first. */
  versionsOf<K extends Kind>(kind: K, id: string): Iterable<Version<K>>;
  /** Ids of the documents that were ever found under the key of the index, in the order in which they first were. */
  everFound(index: IndexName, key: string): Iterable<string>;
  /** Ids of every document that there ever was of a kind, in the order in which they were first written. */
  everKept(kind: Kind): Iterable<string>;
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
