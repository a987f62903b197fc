/**
 * The embedded store: one SQLite file through Node's own `node:sqlite`, in write-ahead mode with synchronous=FULL, so a
 * commit that returned survives a power cut. `transaction_log` and `change` are append-only, and triggers hold other
 * programs to it; `document` is only a cache of them and is rebuilt whenever it does not fit.
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Cause, Change, Transaction } from '#model/change.ts';
import type { Entry, Kind } from '#model/documents.ts';
import { isKind } from '#model/documents.ts';
import { chainHash, genesisHash, type SealedTransaction } from './chain.ts';
import { type Head, type Store, StoreConflict, StoreDamaged, StoreFailure, type StoreIdentity } from './store.ts';

/** Raised whenever an older program could not read what this one writes. */
const formatVersion = 1;

/** How much of the chain's end is verified at every start; the whole of it is verified on demand. */
const verifiedAtStartCount = 10_000;

const schema = `
CREATE TABLE identity (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  format INTEGER NOT NULL, store_id TEXT NOT NULL, environment TEXT NOT NULL, region TEXT NOT NULL, created_at_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE transaction_log (
  revision INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, cause TEXT NOT NULL, changes INTEGER NOT NULL,
  previous_hash TEXT NOT NULL, hash TEXT NOT NULL
) STRICT;
CREATE TABLE change (
  revision INTEGER NOT NULL, position INTEGER NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL,
  before INTEGER NOT NULL, after TEXT, PRIMARY KEY (revision, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX change_by_key ON change (kind, id, revision);
CREATE TABLE document (
  kind TEXT NOT NULL, id TEXT NOT NULL, born INTEGER NOT NULL, revision INTEGER NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE document_state (only INTEGER PRIMARY KEY CHECK (only = 1), revision INTEGER NOT NULL, count INTEGER NOT NULL) STRICT;
INSERT INTO document_state VALUES (1, 0, 0);
${['transaction_log', 'change', 'identity']
  .flatMap((table) =>
    ['UPDATE', 'DELETE'].map(
      (verb) => `CREATE TRIGGER ${table}_refuses_${verb.toLowerCase()} BEFORE ${verb} ON ${table}
BEGIN SELECT RAISE(ABORT, 'the journal is append-only: ${verb} on ${table} is refused'); END;`,
    ),
  )
  .join('\n')}
-- INSERT OR REPLACE deletes without firing DELETE triggers, so inserting over a row is refused as well.
CREATE TRIGGER transaction_log_refuses_gap BEFORE INSERT ON transaction_log
WHEN NEW.revision <> (SELECT ifnull(max(revision), 0) + 1 FROM transaction_log)
BEGIN SELECT RAISE(ABORT, 'the journal is append-only: revisions continue without gaps'); END;
CREATE TRIGGER change_refuses_overwrite BEFORE INSERT ON change
WHEN EXISTS (SELECT 1 FROM change WHERE revision = NEW.revision AND position = NEW.position)
BEGIN SELECT RAISE(ABORT, 'the journal is append-only: a change is never overwritten'); END;
`;

interface TransactionRow {
  readonly revision: number;
  readonly time_ms: number;
  readonly cause: string;
  readonly changes: number;
  readonly previous_hash: string;
  readonly hash: string;
}

interface ChangeRow {
  readonly kind: string;
  readonly id: string;
  readonly before: number;
  readonly after: string | null;
}

/**
 * Opens the store at `path`, and makes it with `identity` when the file is not there. Refuses (`StoreDamaged`) a file
 * whose chain does not verify, and (`StoreFailure`) one that cannot be opened or was written by a newer program.
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
  #head: Head;

  constructor(path: string, identity: StoreIdentity) {
    this.#path = path;
    this.#database = new DatabaseSync(path, { timeout: 5_000 });
    try {
      this.#database.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000;');
      this.identity = openIdentity(this.#database, identity);
      this.#statements = prepareAll(this.#database);
      const last = this.#statements.lastTransaction.get() as TransactionRow | undefined;
      this.#head =
        last === undefined ? { revision: 0, hash: genesisHash } : { revision: last.revision, hash: last.hash };
      for (const _ of this.transactionsFrom(Math.max(1, this.#head.revision - verifiedAtStartCount + 1)));
      this.#rebuildDocumentsUnlessTheyFit();
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  head(): Head {
    return this.#head;
  }

  *documents(): Iterable<Entry> {
    for (const row of this.#statements.documents.iterate()) {
      const { kind, id, revision, body } = row as { kind: string; id: string; revision: number; body: string };
      if (!isKind(kind)) throw new StoreDamaged(`${this.#path}: unknown kind of document '${kind}'`);
      yield { kind, id, revision, document: JSON.parse(body) } as Entry;
    }
  }

  append(batch: readonly SealedTransaction[]): void {
    if (batch.length === 0) return;
    const first = batch[0]!.transaction;
    if (first.previousHash !== this.#head.hash || first.revision !== this.#head.revision + 1) {
      throw new StoreConflict(`the store is at revision ${this.#head.revision}, not ${first.revision - 1}`);
    }
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      // Another program may have written since: the file decides, not our memory of it.
      const stored = this.#statements.lastTransaction.get() as TransactionRow | undefined;
      if ((stored?.hash ?? genesisHash) !== this.#head.hash) {
        throw new StoreDamaged(`${this.#path}: the end of the journal was changed by another program`);
      }
      for (const sealed of batch) this.#insert(sealed);
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw asStoreError(error, this.#path);
    }
    const last = batch.at(-1)!.transaction;
    this.#head = { revision: last.revision, hash: last.hash };
  }

  *transactionsFrom(revision: number): Iterable<Transaction> {
    let previousHash = revision <= 1 ? genesisHash : this.hashAt(revision - 1);
    let expected = Math.max(1, revision);
    while (true) {
      // Read in pages: a statement left open by a consumer that pauses would block checkpoints.
      const page = this.#statements.transactionPage.all(expected) as unknown as TransactionRow[];
      if (page.length === 0) return;
      for (const row of page) {
        const transaction = this.#read(row);
        if (row.revision !== expected || row.previous_hash !== previousHash) {
          throw new StoreDamaged(`${this.#path}: the chain breaks at revision ${expected}`);
        }
        yield transaction;
        previousHash = row.hash;
        expected += 1;
      }
    }
  }

  hashAt(revision: number): string | undefined {
    if (revision === 0) return genesisHash;
    return (this.#statements.hashAt.get(revision) as { hash: string } | undefined)?.hash;
  }

  close(): void {
    this.#database.close();
  }

  #insert({ transaction, causeText, afterTexts }: SealedTransaction): void {
    const { revision, timeMs, changes, previousHash, hash } = transaction;
    const statements = this.#statements;
    statements.insertTransaction.run(revision, timeMs, causeText, changes.length, previousHash, hash);
    let born = 0;
    for (const [position, { kind, id, before }] of changes.entries()) {
      const after = afterTexts[position]!;
      statements.insertChange.run(revision, position, kind, id, before, after);
      if (after === null) {
        born -= Number(statements.deleteDocument.run(kind, id).changes);
      } else if (before === 0) {
        statements.insertDocument.run(kind, id, revision, revision, after);
        born += 1;
      } else {
        statements.updateDocument.run(revision, after, kind, id);
      }
    }
    statements.documentState.run(revision, born);
  }

  #read(row: TransactionRow): Transaction {
    const rows = this.#statements.changes.all(row.revision) as unknown as ChangeRow[];
    const changes = rows.map(({ kind, id, before, after }) => ({
      kind: kind as Kind,
      id,
      before,
      after: after === null ? null : JSON.parse(after),
    })) as Change[];
    const unsealed = { revision: row.revision, timeMs: row.time_ms, changes, previousHash: row.previous_hash };
    const hash = chainHash(
      unsealed,
      row.cause,
      rows.map(({ after }) => after),
    );
    if (rows.length !== row.changes || hash !== row.hash || !changes.every(({ kind }) => isKind(kind))) {
      throw new StoreDamaged(`${this.#path}: revision ${row.revision} is not what was written`);
    }
    return { ...unsealed, cause: JSON.parse(row.cause) as Cause, hash };
  }

  #rebuildDocumentsUnlessTheyFit(): void {
    const state = this.#statements.readDocumentState.get() as { revision: number; count: number } | undefined;
    const found = this.#statements.countDocuments.get() as { count: number; revision: number };
    if (state?.revision === this.#head.revision && found.count === state.count && found.revision <= this.#head.revision)
      return;
    this.#database.exec(rebuildDocuments);
  }
}

/** The newest change of each key that is not a tombstone; `born` is the first revision after its last tombstone. */
const rebuildDocuments = `
BEGIN IMMEDIATE;
DELETE FROM document;
INSERT INTO document (kind, id, born, revision, body)
  SELECT kind, id,
    (SELECT min(revision) FROM change AS birth WHERE birth.kind = newest.kind AND birth.id = newest.id AND birth.revision >
      (SELECT ifnull(max(revision), 0) FROM change AS end WHERE end.kind = newest.kind AND end.id = newest.id AND end.after IS NULL)),
    revision, after
  FROM change AS newest
  WHERE after IS NOT NULL
    AND revision = (SELECT max(revision) FROM change AS other WHERE other.kind = newest.kind AND other.id = newest.id);
DELETE FROM document_state;
INSERT INTO document_state SELECT 1, (SELECT ifnull(max(revision), 0) FROM transaction_log), (SELECT count(*) FROM document);
COMMIT;
`;

const statementTexts = {
  lastTransaction: 'SELECT * FROM transaction_log ORDER BY revision DESC LIMIT 1',
  transactionPage: 'SELECT * FROM transaction_log WHERE revision >= ? ORDER BY revision LIMIT 200',
  changes: 'SELECT kind, id, before, after FROM change WHERE revision = ? ORDER BY position',
  hashAt: 'SELECT hash FROM transaction_log WHERE revision = ?',
  documents: 'SELECT kind, id, revision, body FROM document ORDER BY born',
  countDocuments: 'SELECT count(*) AS count, ifnull(max(revision), 0) AS revision FROM document',
  readDocumentState: 'SELECT revision, count FROM document_state',
  insertTransaction: 'INSERT INTO transaction_log VALUES (?, ?, ?, ?, ?, ?)',
  insertChange: 'INSERT INTO change VALUES (?, ?, ?, ?, ?, ?)',
  insertDocument: 'INSERT INTO document (kind, id, born, revision, body) VALUES (?, ?, ?, ?, ?)',
  updateDocument: 'UPDATE document SET revision = ?, body = ? WHERE kind = ? AND id = ?',
  deleteDocument: 'DELETE FROM document WHERE kind = ? AND id = ?',
  documentState: 'UPDATE document_state SET revision = ?, count = count + ?',
} as const;

function prepareAll(database: DatabaseSync): Record<keyof typeof statementTexts, StatementSync> {
  const names = Object.keys(statementTexts) as (keyof typeof statementTexts)[];
  return Object.fromEntries(names.map((name) => [name, database.prepare(statementTexts[name])])) as Record<
    keyof typeof statementTexts,
    StatementSync
  >;
}

function openIdentity(database: DatabaseSync, wanted: StoreIdentity): StoreIdentity {
  const tables = database.prepare("SELECT count(*) AS count FROM sqlite_schema WHERE type = 'table'").get() as {
    count: number;
  };
  if (tables.count === 0) {
    database.exec('BEGIN EXCLUSIVE');
    database.exec(schema);
    database
      .prepare('INSERT INTO identity VALUES (1, ?, ?, ?, ?, ?)')
      .run(formatVersion, wanted.storeId, wanted.environment, wanted.region, wanted.createdAtMs);
    database.exec('COMMIT');
  }
  const row = database.prepare('SELECT * FROM identity').get();
  if (row === undefined) throw new StoreDamaged('the store has lost its identity');
  if (Number(row.format) > formatVersion) {
    throw new StoreFailure(
      `the store has format ${row.format}; this program reads formats up to ${formatVersion}: update Ballast`,
    );
  }
  return {
    storeId: String(row.store_id),
    environment: String(row.environment),
    region: String(row.region),
    createdAtMs: Number(row.created_at_ms),
  };
}

/** SQLite's primary result codes that mean "this file is not what it should be" (https://sqlite.org/rescode.html). */
const damageCodes = new Set([11, 26]);

function asStoreError(error: unknown, path: string): Error {
  if (error instanceof StoreConflict || error instanceof StoreDamaged || error instanceof StoreFailure) return error;
  const { errcode, message } = error as { errcode?: number; message: string };
  // An error that SQLite did not raise is a bug of ours, and stays one.
  if (errcode === undefined) return error as Error;
  if (damageCodes.has(errcode & 0xff)) return new StoreDamaged(`${path}: ${message}`);
  return new StoreFailure(`${path}: ${message}`);
}
