/**
 * Where to find things in the log: the current documents, every version of each key, and what was ever found under an
 * index. All of it is worked out from the log, in a file of its own that may be deleted at any time: it is made anew.
 * It follows the log a little behind, so that no commit waits for it.
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { removeFile } from '#io/files.ts';
import type { TransactionHeader } from '#model/change.ts';
import type { Documents, Entry, Kind } from '#model/documents.ts';
import { type IndexName, indexes, keysOf } from '#model/view.ts';
import { changeOf, documentOf, type Line, linesOf, type PlacedLine, UnreadableLine } from './chain.ts';
import { type Past, StoreDamaged, type Version } from './store.ts';

/** Raised whenever the file is laid out differently; one of another format is made anew. */
export const indexFormat = 1;

const schema = `
CREATE TABLE key (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, UNIQUE (kind, id)) STRICT;
CREATE TABLE version (
  key INTEGER NOT NULL, revision INTEGER NOT NULL, part INTEGER NOT NULL, position INTEGER NOT NULL,
  PRIMARY KEY (key, revision)
) STRICT, WITHOUT ROWID;
CREATE TABLE document (key INTEGER PRIMARY KEY, revision INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE ever_found (
  index_name TEXT NOT NULL, index_key TEXT NOT NULL, key INTEGER NOT NULL, PRIMARY KEY (index_name, index_key, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE progress (
  only INTEGER PRIMARY KEY CHECK (only = 1), format INTEGER NOT NULL, store_id TEXT NOT NULL,
  revision INTEGER NOT NULL, hash TEXT NOT NULL, parts_of_next INTEGER NOT NULL
) STRICT;
`;

const statementTexts = {
  progress: 'SELECT format, store_id, revision, hash, parts_of_next FROM progress',
  setProgress: 'UPDATE progress SET revision = ?, hash = ?, parts_of_next = ?',
  findKey: 'SELECT number FROM key WHERE kind = ? AND id = ?',
  insertKey: 'INSERT INTO key (kind, id) VALUES (?, ?) ON CONFLICT DO NOTHING',
  idsOfKind: 'SELECT id FROM key WHERE kind = ? ORDER BY number',
  idsWithPrefix: 'SELECT id FROM key WHERE kind = ? AND id >= ? AND id < ? ORDER BY number',
  insertVersion: 'INSERT OR REPLACE INTO version VALUES (?, ?, ?, ?)',
  versionAt:
    'SELECT revision, part, position FROM version WHERE key = ? AND revision <= ? ORDER BY revision DESC LIMIT 1',
  putDocument: 'INSERT OR REPLACE INTO document VALUES (?, ?, ?)',
  deleteVersion: 'DELETE FROM version WHERE key = ? AND revision = ?',
  deleteDocument: 'DELETE FROM document WHERE key = ?',
  documents: 'SELECT kind, id, revision, body FROM document CROSS JOIN key ON number = key ORDER BY key',
  insertFound: 'INSERT OR IGNORE INTO ever_found VALUES (?, ?, ?)',
  idsFound: `SELECT id FROM ever_found CROSS JOIN key ON number = key
    WHERE index_name = ? AND index_key = ? ORDER BY number`,
} as const;

/** What the index reads of the log. */
export interface IndexedLog {
  readonly storeId: string;
  readonly origin: { readonly revision: number; readonly hash: string };
  hashAt(revision: number): string | undefined;
  header(revision: number): TransactionHeader | undefined;
  /** The parts of one transaction from the n-th on, each with its number in the whole log. */
  partsOf(revision: number, from: number): Iterable<{ readonly number: number; readonly lines: string }>;
  part(number: number): string | undefined;
}

/** Where a version stands in the log. */
export interface Placed extends Pick<PlacedLine, 'kind' | 'id' | 'position'> {
  readonly revision: number;
  readonly part: number;
}

/** Which indexes are kept as a table, by kind: those that the id's beginning does not answer. */
const tablesOfKind = new Map<Kind, IndexName[]>();
for (const [name, { kind, past }] of Object.entries(indexes)) {
  if (past === 'table') tablesOfKind.set(kind, [...(tablesOfKind.get(kind) ?? []), name as IndexName]);
}

/** SQLite's result codes for a table that is missing, a malformed file, and one that is no database. */
const notAnIndexCodes = new Set([1, 11, 26]);

/** Opens the index at `path` for the log, and makes it anew when it is another's, damaged, or not there. */
export function openSqliteIndex(path: string, log: IndexedLog): SqliteIndex {
  try {
    const index = new SqliteIndex(path, log);
    if (index.fits) return index;
    index.close();
  } catch (error) {
    // An index that is not one holds nothing that the log does not; a disk that cannot be read or written is no reason.
    if (!notAnIndexCodes.has((error as { errcode?: number }).errcode ?? 0)) throw error;
  }
  for (const suffix of ['', '-wal', '-shm']) removeFile(`${path}${suffix}`);
  return new SqliteIndex(path, log);
}

export class SqliteIndex implements Past {
  #seenVersion = 0;
  readonly #database: DatabaseSync;
  readonly #log: IndexedLog;
  readonly #statements: Record<keyof typeof statementTexts, StatementSync>;
  /** Everything up to `revision` is indexed, and of the one after it `partsOfNext` parts. */
  #progress: { revision: number; hash: string; partsOfNext: number };
  /** The part read last, split: neighbours in the log are often asked for one after the other. */
  #lastPart: { readonly number: number; readonly lines: ReadonlyMap<number, Line> } | undefined;

  constructor(path: string, log: IndexedLog) {
    this.#log = log;
    this.#database = new DatabaseSync(path, { timeout: 5_000 });
    try {
      // NORMAL: what a power cut takes of it is worked out again.
      this.#database.exec(
        'PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536; PRAGMA wal_autocheckpoint=1000;',
      );
      const tables = this.#database.prepare("SELECT count(*) AS count FROM sqlite_schema WHERE type = 'table'").get();
      if (Number(tables!.count) === 0) {
        this.#database.exec(`BEGIN; ${schema}`);
        const { revision, hash } = log.origin;
        this.#database
          .prepare('INSERT INTO progress VALUES (1, ?, ?, ?, ?, 0)')
          .run(indexFormat, log.storeId, revision, hash);
        this.#database.exec('COMMIT');
      }
      this.#statements = Object.fromEntries(
        Object.entries(statementTexts).map(([name, text]) => [name, this.#database.prepare(text)]),
      ) as Record<keyof typeof statementTexts, StatementSync>;
      for (const name of ['findKey', 'versionAt', 'documents', 'idsOfKind', 'idsWithPrefix', 'idsFound'] as const) {
        this.#statements[name].setReturnArrays(true);
      }
      this.#progress = this.#readProgress();
      this.#seenVersion = this.#dataVersion();
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  /** Whether it is an index of this log as it is now. */
  get fits(): boolean {
    const row = this.#statements.progress.get();
    const isOurs = row !== undefined && row.format === indexFormat && row.store_id === this.#log.storeId;
    return isOurs && this.#log.hashAt(this.#progress.revision) === this.#progress.hash;
  }

  /** The last revision that it knows in full. */
  get revision(): number {
    return this.#progress.revision;
  }

  /**
   * Takes in what is new in the log, at least one part and at most about `linesMax` lines: all of it or nothing. Gives
   * back whether there is more.
   */
  advance(linesMax: number): boolean {
    const before = this.#progress;
    let left = linesMax;
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      while (left > 0) {
        const { revision, partsOfNext } = this.#progress;
        const header = this.#log.header(revision + 1);
        if (header === undefined) break;
        left -= this.#advanceIn(header, partsOfNext, left);
      }
      const { revision, hash, partsOfNext } = this.#progress;
      this.#statements.setProgress.run(revision, hash, partsOfNext);
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#progress = before;
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
    return left <= 0;
  }

  /** Forgets versions whose lines are about to be folded away: at no moment does it know one that the log has not. */
  forget(versions: readonly Placed[]): void {
    this.#writeDurably(versions, (key, { revision }) => this.#statements.deleteVersion.run(key, revision));
  }

  /** Takes in versions whose lines are back, or were never gone. */
  remember(versions: readonly Placed[]): void {
    this.#writeDurably(versions, (key, { revision, part, position }) => {
      this.#statements.insertVersion.run(key, revision, part, position);
    });
  }

  *documents(): Iterable<Entry> {
    for (const row of this.#statements.documents.iterate()) {
      const [kind, id, revision, body] = row as unknown as [Kind, string, number, string];
      yield { kind, id, revision, document: JSON.parse(body) } as Entry;
    }
  }

  documentAt<K extends Kind>(kind: K, id: string, revision: number): Entry<K> | undefined {
    const key = this.#findKey(kind, id);
    const found = key === undefined ? undefined : this.#versionAt(key, revision);
    if (found === undefined || found.line.afterText === '') return undefined;
    return { kind, id, revision: found.revision, document: documentOf(found.line.afterText) } as Entry<K>;
  }

  *versionsOf<K extends Kind>(kind: K, id: string): Iterable<Version<K>> {
    const key = this.#findKey(kind, id);
    if (key === undefined) return;
    let revision = Number.MAX_SAFE_INTEGER;
    while (true) {
      const found = this.#versionAt(key, revision);
      if (found === undefined) return;
      const { after } = changeOf(found.line);
      yield { revision: found.revision, before: found.line.before, document: after as Documents[K] | null };
      revision = found.revision - 1;
    }
  }

  *everFound(index: IndexName, key: string): Iterable<string> {
    const { kind, past } = indexes[index];
    // '0' is the character after '/', which stands between the parts of an id.
    if (past === 'id-prefix') yield* this.#ids(this.#statements.idsWithPrefix, kind, `${key}/`, `${key}0`);
    else yield* this.#ids(this.#statements.idsFound, index, key);
  }

  *everKept(kind: Kind): Iterable<string> {
    yield* this.#ids(this.#statements.idsOfKind, kind);
  }

  close(): void {
    this.#database.close();
  }

  /** What is not worked out from the log again after a power cut: the log does not say when it was folded. */
  #writeDurably(versions: readonly Placed[], write: (key: number, version: Placed) => void): void {
    this.#lastPart = undefined;
    this.#database.exec('PRAGMA synchronous=FULL; BEGIN IMMEDIATE');
    try {
      for (const version of versions) {
        const key = this.#findKey(version.kind, version.id);
        if (key !== undefined) write(key, version);
      }
      this.#database.exec('COMMIT');
    } finally {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      this.#database.exec('PRAGMA synchronous=NORMAL');
    }
  }

  *#ids(statement: StatementSync, ...values: string[]): Iterable<string> {
    // All at once: a statement that a consumer leaves open would meet the writes of `advance`.
    for (const [id] of statement.all(...values) as unknown as [string][]) yield id;
  }

  /** Takes in parts of one transaction until it is done or `linesMax` are; gives back how many lines that were. */
  #advanceIn(header: TransactionHeader, partsDone: number, linesMax: number): number {
    const { revision, hash } = header;
    let count = 1;
    let partsOfNext = partsDone;
    for (const part of this.#log.partsOf(revision, partsDone)) {
      if (count > linesMax) {
        this.#progress = { ...this.#progress, partsOfNext };
        return count;
      }
      for (const line of linesOf(part.lines)) {
        this.#take(revision, part.number, line.position, line);
        count += 1;
      }
      partsOfNext += 1;
    }
    this.#progress = { revision, hash, partsOfNext: 0 };
    return count;
  }

  #take(revision: number, part: number, position: number, line: Line): void {
    const { kind, id, before, afterText } = line;
    const statements = this.#statements;
    const key = (before === 0 ? undefined : this.#findKey(kind, id)) ?? this.#makeKey(kind, id);
    statements.insertVersion.run(key, revision, part, position);
    if (afterText === '') {
      statements.deleteDocument.run(key);
      return;
    }
    statements.putDocument.run(key, revision, afterText);
    const tables = tablesOfKind.get(kind);
    if (tables === undefined) return;
    const document = documentOf(afterText) as Documents[Kind];
    for (const name of tables) for (const found of keysOf(name, document)) statements.insertFound.run(name, found, key);
  }

  /** Most that were not there before never were: that is tried first. */
  #makeKey(kind: Kind, id: string): number {
    const { changes, lastInsertRowid } = this.#statements.insertKey.run(kind, id);
    return changes === 0 ? this.#findKey(kind, id)! : Number(lastInsertRowid);
  }

  #findKey(kind: Kind, id: string): number | undefined {
    return (this.#statements.findKey.get(kind, id) as unknown as [number] | undefined)?.[0];
  }

  #versionAt(key: number, revision: number): { readonly revision: number; readonly line: Line } | undefined {
    const row = this.#statements.versionAt.get(key, revision) as unknown as [number, number, number] | undefined;
    if (row === undefined) return undefined;
    const [found, part, position] = row;
    const line = this.#lines(part).get(position);
    if (line === undefined) throw new StoreDamaged(`revision ${found} has lost a change that the index knows`);
    return { revision: found, line };
  }

  #lines(number: number): ReadonlyMap<number, Line> {
    if (this.#lastPart?.number === number) return this.#lastPart.lines;
    const part = this.#log.part(number) ?? '';
    try {
      const lines = new Map([...linesOf(part)].map((line) => [line.position, line]));
      this.#lastPart = { number, lines };
      return lines;
    } catch (error) {
      if (error instanceof UnreadableLine) throw new StoreDamaged(`part ${number} of the journal: ${error.message}`);
      throw error;
    }
  }

  /** Since the index was opened or this was asked last. */
  isWrittenByOthers(): boolean {
    const version = this.#dataVersion();
    const isWritten = version !== this.#seenVersion;
    this.#seenVersion = version;
    return isWritten;
  }

  #dataVersion(): number {
    return Number(this.#database.prepare('PRAGMA data_version').get()!.data_version);
  }

  #readProgress(): { revision: number; hash: string; partsOfNext: number } {
    const row = this.#statements.progress.get();
    return {
      revision: Number(row?.revision ?? 0),
      hash: String(row?.hash ?? ''),
      partsOfNext: Number(row?.parts_of_next ?? 0),
    };
  }
}
