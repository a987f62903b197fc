/**
 * The embedded store: one SQLite file through Node's own `node:sqlite`, in write-ahead mode with synchronous=FULL, so a
 * commit that returned survives a power cut. It holds the log and nothing else, in exactly the text that was hashed;
 * triggers keep other programs from changing it. What is looked up in it stands in the index beside it.
 */
import { statSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { after, soon, type Timer } from '#io/timers.ts';
import type { Change, Transaction, TransactionHeader } from '#model/change.ts';
import type { Entry } from '#model/documents.ts';
import {
  causeOf,
  chainHash,
  changeOf,
  digestOf,
  hasFoldedLines,
  linesOf,
  type SealedTransaction,
  type TransactionText,
} from './chain.ts';
import type { Part } from './fold.ts';
import { defineDigest, FoldTable, type Rewrite, type StoreFolding } from './sqlite-fold.ts';
import { openSqliteIndex, type SqliteIndex } from './sqlite-index.ts';
import { asStoreError, indexPathOf, type LogRow, missingTrigger, openIdentity } from './sqlite-schema.ts';
import {
  type Head,
  type Past,
  type Store,
  StoreConflict,
  StoreDamaged,
  StoreFailure,
  type StoreIdentity,
  type StoreSight,
} from './store.ts';

/** How much of the chain's end is verified at every start; the whole of it is verified in the background. */
const verifiedAtStart = { transactions: 10_000, changes: 200_000 };

/**
 * The index follows in steps of so many changes: each holds the event loop for some milliseconds, and larger ones for
 * longer. It takes large ones when it is far behind, so that it never stays behind for good.
 */
const indexedPerStep = { usual: 250, most: 2_000 };
const indexRetryMs = 1_000;

/** So much text is written before the write-ahead log is taken into the file, once the commit has been answered. */
const checkpointAfterCharacters = 1024 * 1024;

const rowsPerPage = 200;
/** What a row of the log takes beside its cause. */
const rowCharacters = 300;

const statementTexts = {
  last: 'SELECT * FROM transaction_log ORDER BY revision DESC LIMIT 1',
  row: 'SELECT * FROM transaction_log WHERE revision = ?',
  pageFrom: `SELECT * FROM transaction_log WHERE revision >= ? ORDER BY revision LIMIT ${rowsPerPage}`,
  pageBackFrom: `SELECT * FROM transaction_log WHERE revision <= ? ORDER BY revision DESC LIMIT ${rowsPerPage}`,
  part: 'SELECT lines FROM part WHERE number = ?',
  dataVersion: 'PRAGMA data_version',
  lastPart: 'SELECT ifnull(max(number), 0) AS number FROM part',
  insertTransaction: 'INSERT INTO transaction_log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  insertPart: 'INSERT INTO part VALUES (?, ?, ?)',
} as const;

/**
 * Opens the store at `path`, and makes it with `identity` when the file is not there. Refuses (`StoreDamaged`) a file
 * whose chain does not verify, and (`StoreFailure`) one that cannot be opened or is of another format.
 */
export function openSqliteStore(path: string, identity: StoreIdentity): Store {
  try {
    return new SqliteStore(path, identity);
  } catch (error) {
    throw asStoreError(error, path);
  }
}

class SqliteStore implements Store {
  readonly identity: StoreIdentity;
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #statements: Record<keyof typeof statementTexts, StatementSync>;
  readonly #index: SqliteIndex;
  readonly #folds: FoldTable;
  #head: Head;
  #lastPart: number;
  #charactersSinceCheckpoint = 0;
  /** As it was seen last. */
  #file: FileSight | undefined;
  #seenVersion: number;
  /** How often we have written ourselves, and how often we had at the last look. */
  #writes = 0;
  #seenWrites = -1;
  #wal: FileSight | undefined;
  #indexing: Timer | 'soon' | undefined;
  #waiting: { readonly revision: number; resolve: (past: Past) => void; reject: (error: Error) => void }[] = [];
  #closed = false;

  constructor(path: string, identity: StoreIdentity) {
    this.#path = path;
    this.#database = new DatabaseSync(path, { timeout: 5_000 });
    try {
      this.#database.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;');
      defineDigest(this.#database);
      this.identity = openIdentity(this.#database, identity);
      this.#statements = prepareAll(this.#database);
      this.#folds = new FoldTable(this.#database);
      this.#seenVersion = this.#dataVersion();
      this.#file = fileOf(path);
      this.#head = this.#readHead();
      this.#lastPart = Number(this.#statements.lastPart.get()!.number);
      for (const _ of this.transactionsFrom(this.#verifyFrom()));
      this.#index = openSqliteIndex(indexPathOf(path), this.#indexedLog());
      this.#catchUp();
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  head(): Head {
    return this.#head;
  }

  /** From the index, and from the log where that is ahead: on a full disk the index cannot follow. */
  *documents(): Iterable<Entry> {
    const newer = new Map<string, Entry | undefined>();
    for (const { revision, changes } of this.transactionsFrom(this.#index.revision + 1)) {
      for (const { kind, id, after: document } of changes) {
        newer.set(`${kind}/${id}`, document === null ? undefined : ({ kind, id, revision, document } as Entry));
      }
    }
    for (const entry of this.#index.documents()) if (!newer.has(`${entry.kind}/${entry.id}`)) yield entry;
    for (const entry of newer.values()) if (entry !== undefined) yield entry;
  }

  sight(): StoreSight {
    const file = fileOf(this.#path);
    const isSame = file?.id === this.#file?.id;
    const version = this.#dataVersion();
    // Beside what SQLite tells of, only we change the files: in a checkpoint the first, in every commit the second.
    const isFileWritten = isSame && file?.written !== this.#file?.written;
    const wal = fileOf(`${this.#path}-wal`);
    const isWalWritten = this.#writes === this.#seenWrites && wal?.written !== this.#wal?.written;
    this.#wal = wal;
    this.#seenWrites = this.#writes;
    const isLogWritten = version !== this.#seenVersion || isFileWritten || isWalWritten;
    this.#seenVersion = version;
    if (isSame) this.#file = file;
    const lacks = isLogWritten ? missingTrigger(this.#database) : undefined;
    const missingCount = isLogWritten ? this.#missingCount() : 0;
    return {
      file: file === undefined ? 'gone' : isSame ? 'there' : 'another',
      isLogWritten,
      isIndexWritten: this.#index.isWrittenByOthers(),
      missingCount,
      lacks,
    };
  }

  append(batch: readonly SealedTransaction[]): void {
    if (batch.length === 0) return;
    // What is written to a file that has lost its name is gone with the next restart.
    if (fileOf(this.#path)?.id !== this.#file?.id) {
      throw new StoreFailure(`${this.#path} is not the file any more that was opened`);
    }
    const first = batch[0]!.transaction;
    if (first.previousHash !== this.#head.hash || first.revision !== this.#head.revision + 1) {
      throw new StoreConflict(`the store is at revision ${this.#head.revision}, not ${first.revision - 1}`);
    }
    let part = this.#lastPart;
    let characters = 0;
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      // Another program may have written since: the file decides, not our memory of it.
      if (this.#readHead().hash !== this.#head.hash) {
        throw new StoreDamaged(`${this.#path}: the end of the journal was changed by another program`);
      }
      for (const { transaction, causeText, parts } of batch) {
        const { revision, timeMs, harmed, changesCount, digest, previousHash, hash } = transaction;
        const row = [revision, timeMs, causeText, harmed, changesCount, digest, previousHash, hash] as const;
        this.#statements.insertTransaction.run(...row, part + 1, parts.length);
        characters += rowCharacters + causeText.length;
        for (const lines of parts) {
          part += 1;
          characters += lines.length;
          this.#statements.insertPart.run(part, revision, lines);
        }
        if (parts.some(hasFoldedLines)) this.#folds.listFolded(part - parts.length + 1, parts);
      }
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw asStoreError(error, this.#path);
    }
    const { revision, hash, timeMs } = batch.at(-1)!.transaction;
    this.#writes += 1;
    this.#head = { revision, hash, timeMs };
    this.#lastPart = part;
    this.#charactersSinceCheckpoint += characters;
    this.#scheduleIndexing();
  }

  *transactionsFrom(revision: number): Iterable<Transaction> {
    const { origin } = this.identity;
    const start = Math.max(origin.revision + 1, revision);
    let previousHash = this.hashAt(start - 1);
    let expected = start;
    for (const row of this.#rowsFrom(start)) {
      if (row.revision !== expected || row.previous_hash !== previousHash) {
        throw new StoreDamaged(`${this.#path}: the chain breaks at revision ${expected}`);
      }
      yield this.#readChecked(row);
      previousHash = row.hash;
      expected += 1;
    }
  }

  *textsFrom(revision: number): Iterable<TransactionText> {
    for (const row of this.#rowsFrom(revision)) {
      yield { header: headerOf(row), causeText: row.cause, parts: this.#textsOf(row.revision) };
    }
  }

  *headersFrom(revision: number): Iterable<TransactionHeader> {
    for (const row of this.#rowsFrom(revision)) yield headerOf(row);
  }

  *headersBackFrom(revision: number): Iterable<TransactionHeader> {
    for (let next = revision; ; ) {
      const page = this.#statements.pageBackFrom.all(next) as unknown as LogRow[];
      for (const row of page) yield headerOf(row);
      if (page.length < rowsPerPage) return;
      next = page.at(-1)!.revision - 1;
    }
  }

  header(revision: number): TransactionHeader | undefined {
    const row = this.#row(revision);
    return row && headerOf(row);
  }

  *changesOf(revision: number): Iterable<Change> {
    try {
      for (const { lines } of this.#partsOf(revision, 0)) for (const line of linesOf(lines)) yield changeOf(line);
    } catch (error) {
      throw asStoreError(error, `${this.#path}: revision ${revision}`);
    }
  }

  hashAt(revision: number): string | undefined {
    const { origin } = this.identity;
    return revision === origin.revision ? origin.hash : this.#row(revision)?.hash;
  }

  get pastSoFar(): Past & { readonly revision: number } {
    return this.#index;
  }

  past(): Promise<Past> {
    if (this.#index.revision >= this.#head.revision) return Promise.resolve(this.#index);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ revision: this.#head.revision, resolve, reject });
    });
  }

  get folding(): StoreFolding {
    return {
      header: (revision) => this.header(revision),
      partNumbers: (revision) => {
        const row = this.#row(revision);
        return { first: row?.first_part ?? 1, count: row?.parts ?? 0 };
      },
      part: (number) => {
        const lines = this.#part(number);
        if (lines === undefined) throw new StoreDamaged(`${this.#path}: part ${number} of the journal is lost`);
        return { number, lines };
      },
      listed: (part) => this.#folds.listed(part),
      isDone: (fold) => this.#folds.isDone(fold),
      rewrite: (batch) => this.#rewrite(batch),
    };
  }

  close(): void {
    this.#closed = true;
    if (typeof this.#indexing === 'object') this.#indexing.stop();
    for (const { reject } of this.#waiting.splice(0)) reject(new StoreFailure('the store is closed'));
    this.#index.close();
    this.#database.close();
  }

  /** The index knows at no moment a line that the log has not. */
  #rewrite(batch: readonly Rewrite[]): void {
    const writes = batch.filter((step) => step.kind === 'write');
    const gone = writes.flatMap(({ gone, revision, part }) => gone.map((line) => ({ ...line, revision, part })));
    const back = writes.flatMap(({ back, revision, part }) => back.map((line) => ({ ...line, revision, part })));
    const path = indexPathOf(this.#path);
    this.#write(path, () => gone.length > 0 && this.#index.forget(gone));
    this.#write(this.#path, () => {
      this.#database.exec('BEGIN IMMEDIATE');
      this.#folds.take(batch);
      this.#database.exec('COMMIT');
      this.#writes += 1;
      for (const { lines } of writes) this.#charactersSinceCheckpoint += lines.length;
      this.#checkpoint();
    });
    this.#write(path, () => back.length > 0 && this.#index.remember(back));
  }

  #write(path: string, write: () => unknown): void {
    try {
      write();
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw asStoreError(error, path);
    }
  }

  /** At the start the whole of the log is taken in; where the disk does not allow it, later. */
  #catchUp(): void {
    try {
      while (this.#index.advance(100_000));
    } catch (error) {
      if (!(asStoreError(error, this.#path) instanceof StoreFailure)) throw error;
      this.#indexing = after(indexRetryMs, () => this.#advanceIndex());
    }
  }

  #scheduleIndexing(): void {
    if (this.#indexing !== undefined) return;
    this.#indexing = 'soon';
    soon(() => this.#advanceIndex());
  }

  /** One step, then room for others; a disk that cannot be written is tried again until it can. */
  #advanceIndex(): void {
    this.#indexing = undefined;
    if (this.#closed) return;
    try {
      this.#checkpoint();
      const behind = this.#head.revision - this.#index.revision;
      const linesMax = Math.min(Math.max(indexedPerStep.usual, behind), indexedPerStep.most);
      if (this.#index.advance(linesMax)) this.#scheduleIndexing();
    } catch (error) {
      const failure = asStoreError(error, indexPathOf(this.#path));
      if (!(failure instanceof StoreFailure)) throw failure;
      for (const { reject } of this.#waiting.splice(0)) reject(failure);
      this.#indexing = after(indexRetryMs, () => this.#advanceIndex());
      return;
    }
    const isKnown = ({ revision }: { revision: number }) => revision <= this.#index.revision;
    for (const { resolve } of this.#waiting.filter(isKnown)) resolve(this.#index);
    this.#waiting = this.#waiting.filter((waiting) => !isKnown(waiting));
  }

  /** Not in the commit itself, which somebody waits for. What a reader holds up is taken in with the next one. */
  #checkpoint(): void {
    if (this.#charactersSinceCheckpoint < checkpointAfterCharacters) return;
    this.#database.exec('PRAGMA wal_checkpoint(PASSIVE)');
    this.#writes += 1;
    const file = fileOf(this.#path);
    if (file?.id === this.#file?.id) this.#file = file;
    this.#charactersSinceCheckpoint = 0;
  }

  #missingCount(): number {
    const { count } = this.#database.prepare('SELECT count(*) AS count FROM transaction_log').get()!;
    return Math.max(0, this.#head.revision - this.identity.origin.revision - Number(count));
  }

  /** Another number each time that another connection has written. */
  #dataVersion(): number {
    return Number(this.#statements.dataVersion.get()!.data_version);
  }

  #indexedLog() {
    return {
      storeId: this.identity.storeId,
      origin: this.identity.origin,
      hashAt: (revision: number) => this.hashAt(revision),
      header: (revision: number) => this.header(revision),
      partsOf: (revision: number, from: number) => this.#partsOf(revision, from),
      part: (number: number) => this.#part(number),
    };
  }

  *#rowsFrom(revision: number): Iterable<LogRow> {
    // Read in pages: a statement left open by a consumer that pauses would block checkpoints.
    for (let next = revision; ; ) {
      const page = this.#statements.pageFrom.all(next) as unknown as LogRow[];
      yield* page;
      if (page.length < rowsPerPage) return;
      next = page.at(-1)!.revision + 1;
    }
  }

  #row(revision: number): LogRow | undefined {
    return this.#statements.row.get(revision) as unknown as LogRow | undefined;
  }

  *#partsOf(revision: number, from: number): Iterable<Part> {
    const row = this.#row(revision);
    for (let position = from; position < (row?.parts ?? 0); position += 1) {
      const number = row!.first_part + position;
      const lines = this.#part(number);
      if (lines === undefined) throw new StoreDamaged(`${this.#path}: revision ${revision} has lost changes`);
      yield { number, lines };
    }
  }

  *#textsOf(revision: number): Iterable<string> {
    for (const { lines } of this.#partsOf(revision, 0)) yield lines;
  }

  #part(number: number): string | undefined {
    return (this.#statements.part.get(number) as { lines: string } | undefined)?.lines;
  }

  #readChecked(row: LogRow): Transaction {
    const parts: string[] = [];
    for (const { lines } of this.#partsOf(row.revision, 0)) parts.push(lines);
    const header = headerOf(row);
    const changes: Change[] = [];
    try {
      for (const part of parts) for (const line of linesOf(part)) changes.push(changeOf(line));
    } catch (error) {
      throw asStoreError(error, `${this.#path}: revision ${row.revision}`);
    }
    const isWhole = changes.length === row.changes && digestOf(parts) === row.digest;
    if (!(isWhole || this.#isFolded(row, parts)) || chainHash(header, row.cause) !== row.hash) {
      throw new StoreDamaged(`${this.#path}: revision ${row.revision} is not what was written`);
    }
    return { ...header, changes };
  }

  /** Whether lines are missing only where a fold took them. */
  #isFolded(row: LogRow, parts: readonly string[]): boolean {
    const lines = parts.reduce((count, part) => count + part.split('\n').length - 1, 0);
    const isListed = (part: string, index: number) => this.#folds.accountsFor(row.first_part + index, part);
    return lines === row.changes && parts.some(hasFoldedLines) && parts.every(isListed);
  }

  #readHead(): Head {
    const { origin } = this.identity;
    const row = this.#statements.last.get() as unknown as LogRow | undefined;
    return row === undefined
      ? { revision: origin.revision, hash: origin.hash, timeMs: 0 }
      : { revision: row.revision, hash: row.hash, timeMs: row.time_ms };
  }

  /** The first revision of those at the end that are verified at every start. */
  #verifyFrom(): number {
    let changes = 0;
    let transactions = 0;
    for (const header of this.headersBackFrom(this.#head.revision)) {
      changes += header.changesCount;
      transactions += 1;
      if (changes > verifiedAtStart.changes || transactions > verifiedAtStart.transactions) return header.revision + 1;
    }
    return this.identity.origin.revision + 1;
  }
}

interface FileSight {
  /** Names the file itself, whatever it is called. */
  readonly id: string;
  /** Changes whenever something is written to it. */
  readonly written: string;
}

function fileOf(path: string): FileSight | undefined {
  const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stat && { id: `${stat.dev}/${stat.ino}`, written: `${stat.mtimeNs}/${stat.size}` };
}

function headerOf(row: LogRow): TransactionHeader {
  return {
    revision: row.revision,
    timeMs: row.time_ms,
    cause: causeOf(row.cause),
    harmed: row.harmed,
    changesCount: row.changes,
    digest: row.digest,
    previousHash: row.previous_hash,
    hash: row.hash,
  };
}

function prepareAll(database: DatabaseSync): Record<keyof typeof statementTexts, StatementSync> {
  const names = Object.keys(statementTexts) as (keyof typeof statementTexts)[];
  return Object.fromEntries(names.map((name) => [name, database.prepare(statementTexts[name])])) as Record<
    keyof typeof statementTexts,
    StatementSync
  >;
}
