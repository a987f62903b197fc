/**
 * A store whose files can be put in place anew while it is in use: whoever holds it goes on with the mended one and
 * notices nothing but that what was being read at that moment is to be read again.
 */
import type { Change, Transaction, TransactionHeader } from '#model/change.ts';
import type { Entry } from '#model/documents.ts';
import type { SealedTransaction, TransactionText } from './chain.ts';
import type { StoreFolding } from './sqlite-fold.ts';
import { openSqliteStore } from './sqlite-store.ts';
import {
  type Head,
  type Past,
  type Store,
  StoreConflict,
  StoreFailure,
  type StoreIdentity,
  type StoreSight,
} from './store.ts';

export class MendableStore implements Store {
  readonly #path: string;
  #store: Store;

  /** Throws what `openSqliteStore` throws. */
  constructor(path: string, identity: StoreIdentity) {
    this.#path = path;
    this.#store = openSqliteStore(path, identity);
  }

  get identity(): StoreIdentity {
    return this.#store.identity;
  }

  head(): Head {
    return this.#store.head();
  }

  /**
   * Lets go of the files, has others put in their place, and goes on with those. They must hold exactly what this store
   * held: throws `StoreConflict` when they end elsewhere, `StoreFailure` when they cannot be opened; until another
   * attempt succeeds nothing can be read or written then.
   */
  replace(put: () => void): void {
    const { identity } = this;
    const { revision, hash } = this.head();
    this.#store.close();
    put();
    const store = openSqliteStore(this.#path, identity);
    const head = store.head();
    if (store.identity.storeId !== identity.storeId || head.revision !== revision || head.hash !== hash) {
      store.close();
      throw new StoreConflict(`the mended store ends at revision ${head.revision}, and this one at ${revision}`);
    }
    this.#store = store;
  }

  sight(): StoreSight {
    return this.#reading(() => this.#store.sight());
  }

  documents(): Iterable<Entry> {
    return this.#iterating((store) => store.documents());
  }

  append(batch: readonly SealedTransaction[]): Promise<void> | void {
    return this.#reading(() => this.#store.append(batch));
  }

  transactionsFrom(revision: number): Iterable<Transaction> {
    return this.#iterating((store) => store.transactionsFrom(revision));
  }

  textsFrom(revision: number): Iterable<TransactionText> {
    return this.#iterating((store) => store.textsFrom(revision));
  }

  headersFrom(revision: number): Iterable<TransactionHeader> {
    return this.#iterating((store) => store.headersFrom(revision));
  }

  headersBackFrom(revision: number): Iterable<TransactionHeader> {
    return this.#iterating((store) => store.headersBackFrom(revision));
  }

  header(revision: number): TransactionHeader | undefined {
    return this.#reading(() => this.#store.header(revision));
  }

  changesOf(revision: number): Iterable<Change> {
    return this.#iterating((store) => store.changesOf(revision));
  }

  hashAt(revision: number): string | undefined {
    return this.#reading(() => this.#store.hashAt(revision));
  }

  past(): Promise<Past> {
    return this.#store.past();
  }

  get pastSoFar(): Past & { readonly revision: number } {
    return this.#store.pastSoFar;
  }

  get folding(): StoreFolding {
    return this.#store.folding;
  }

  close(): void {
    this.#store.close();
  }

  *#iterating<T>(read: (store: Store) => Iterable<T>): Iterable<T> {
    try {
      yield* read(this.#store);
    } catch (error) {
      throw asClosed(error);
    }
  }

  #reading<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw asClosed(error);
    }
  }
}

/** What was read from files that were let go of meanwhile is the world's failure: trying again works. */
function asClosed(error: unknown): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'ERR_INVALID_STATE') return error;
  return new StoreFailure('the state store is being put in place anew: try again');
}
