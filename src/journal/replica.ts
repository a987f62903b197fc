/**
 * Last good: the part of the state that a node or the DNS server works with, on its own disk. It is fed by the link and
 * only ever told what to put and what to take away; what nobody mentions stays. Applying the same news twice changes
 * nothing, because a document is replaced only by one of a later revision.
 */
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { accept, type Result, refuse } from '#base/result.ts';
import { makeFolderOf, moveFile } from '#io/files.ts';
import type { Log } from '#io/log.ts';
import type { Cause, Change, Channel } from '#model/change.ts';
import type { Entry, HexId, Kind } from '#model/documents.ts';
import { isKind } from '#model/documents.ts';
import type { HealthVerdict } from '#model/health.ts';
import type { View } from '#model/view.ts';
import { documentOf, genesisHash } from './chain.ts';
import { Tables } from './tables.ts';

/** Where in which journal the replica is. `storeId` is empty while it has never been in step with any. */
export interface Position {
  readonly storeId: string;
  readonly revision: number;
  readonly hash: string;
}

/** A change with the revision that made it. */
export interface RevisedChange {
  readonly revision: number;
  readonly change: Change;
}

/** A transaction that the follower's guard holds back. */
export interface HeldTransaction {
  readonly revision: number;
  readonly timeMs: number;
  readonly cause: Cause;
  /** Of the whole transaction; empty for whole documents, which have no cause of their own. */
  readonly digest: string;
  readonly reason: string;
  /** The load balancers that go on serving because of it. */
  readonly harmed: readonly HexId[];
}

/** Load balancers that stopped serving by a transaction, and by whose word, if it took one. */
export interface HarmLetThrough {
  readonly revision: number;
  readonly timeMs: number;
  readonly principal: string;
  readonly channel: Channel;
  readonly loadBalancers: readonly HexId[];
  readonly approvalId?: HexId;
}

/** Longer than any approval holds, and any limit looks back. */
const harmKeptMs = 2 * 86_400_000;

/** What one `apply` did to a document. */
export interface Applied {
  readonly kind: Kind;
  readonly id: string;
  readonly before: Entry | undefined;
  readonly after: Entry | undefined;
}

/** The world's failure (disk full, I/O error): nothing was changed, and trying again later may work. */
export class ReplicaFailure extends Error {
  override readonly name = 'ReplicaFailure';
}

const schema = `
CREATE TABLE IF NOT EXISTS document (
  kind TEXT NOT NULL, id TEXT NOT NULL, revision INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS position (
  only INTEGER PRIMARY KEY CHECK (only = 1), store_id TEXT NOT NULL, revision INTEGER NOT NULL, hash TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS harmed (revision INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS held (revision INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS health (target TEXT PRIMARY KEY, verdict TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;

/**
 * Opens the file, or makes it and its folder. One that cannot be read is set aside, never written over: somebody may
 * still want to look at it, and the link brings everything again.
 */
export function openReplica(path: string, log: Log): Replica {
  makeFolderOf(path);
  try {
    return new Replica(path);
  } catch (error) {
    const aside = `${path}.damaged`;
    log.error(`the last good state is not readable and is set aside as ${aside}: ${(error as Error).message}`);
    // With its write-ahead log, which would otherwise be replayed into the file that takes its place.
    for (const suffix of ['', '-wal', '-shm']) moveFile(`${path}${suffix}`, `${aside}${suffix}`);
    return new Replica(path);
  }
}

/** What a follower holds and where it is. */
export interface LastGood {
  readonly position: Position;
  readonly entries: readonly Entry[];
}

/**
 * What the file holds at one moment, read without changing it, also while its follower runs. Refuses, in one line,
 * what is not a follower's file or is damaged.
 */
export function readReplica(path: string): Result<LastGood, string> {
  try {
    const url = pathToFileURL(path);
    // Without a write-ahead log nobody has it open, and read like this it gets none: one that another user made would
    // keep the follower from its own file.
    if (!existsSync(`${path}-wal`)) url.searchParams.set('immutable', '1');
    const database = new DatabaseSync(url, { readOnly: true, timeout: 2_000 });
    try {
      database.exec('BEGIN');
      return accept({ position: readPosition(database), entries: [...readEntries(database)] });
    } finally {
      database.close();
    }
  } catch (error) {
    return refuse(`${path} cannot be read: ${(error as Error).message}`);
  }
}

export class Replica {
  readonly #database: DatabaseSync;
  readonly #tables = new Tables();
  readonly #statements;
  readonly #health = new Map<string, HealthVerdict>();
  readonly #held = new Map<number, HeldTransaction>();
  #position: Position = { storeId: '', revision: 0, hash: genesisHash };

  /** Throws when the file is not readable. */
  constructor(path: string) {
    this.#database = new DatabaseSync(path, { timeout: 2_000 });
    try {
      // NORMAL: a power cut may cost the last news, which the link then brings again; it never tears the file.
      this.#database.exec(`PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; ${schema}`);
      this.#statements = {
        put: this.#database.prepare('INSERT OR REPLACE INTO document VALUES (?, ?, ?, ?)'),
        remove: this.#database.prepare('DELETE FROM document WHERE kind = ? AND id = ?'),
        position: this.#database.prepare('INSERT OR REPLACE INTO position VALUES (1, ?, ?, ?)'),
        keepHarm: this.#database.prepare('INSERT OR REPLACE INTO harmed VALUES (?, ?, ?)'),
        forgetHarm: this.#database.prepare('DELETE FROM harmed WHERE time_ms < ?'),
        hold: this.#database.prepare('INSERT OR REPLACE INTO held VALUES (?, ?)'),
        letGo: this.#database.prepare('DELETE FROM held WHERE revision = ?'),
        putHealth: this.#database.prepare('INSERT OR REPLACE INTO health VALUES (?, ?)'),
        removeHealth: this.#database.prepare('DELETE FROM health WHERE target = ?'),
      };
      this.#load();
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  get view(): View {
    return this.#tables;
  }

  get position(): Position {
    return this.#position;
  }

  /** The last verdicts that were kept, so that a restart does not begin by knowing nothing. */
  get health(): ReadonlyMap<string, HealthVerdict> {
    return this.#health;
  }

  /** Harm that the brake has let through lately, the oldest first: its limit goes on counting after a restart. */
  get harmed(): readonly HarmLetThrough[] {
    const rows = this.#database.prepare('SELECT body FROM harmed ORDER BY revision').all();
    return rows.map(({ body }) => JSON.parse(String(body)) as HarmLetThrough);
  }

  keepHarm(harm: HarmLetThrough): void {
    this.#tryWriting(() => {
      this.#statements.forgetHarm.run(harm.timeMs - harmKeptMs);
      this.#statements.keepHarm.run(harm.revision, harm.timeMs, JSON.stringify(harm));
    });
  }

  /** What is held back, the oldest first. */
  get held(): readonly HeldTransaction[] {
    return [...this.#held.values()];
  }

  /** Remembers that a transaction is held back. On a disk that cannot be written, until the end of the process. */
  hold(held: HeldTransaction): void {
    this.#held.set(held.revision, held);
    this.#tryWriting(() => this.#statements.hold.run(held.revision, JSON.stringify(held)));
  }

  letGo(revision: number): void {
    this.#held.delete(revision);
    this.#tryWriting(() => this.#statements.letGo.run(revision));
  }

  /** Puts documents, makes changes, moves to the position: all of it or nothing. Gives back what became different. */
  apply(news: {
    readonly entries: readonly Entry[];
    readonly changes: readonly RevisedChange[];
    readonly position: Position;
  }): Applied[] {
    const applied: Applied[] = [];
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      for (const entry of news.entries) this.#put(entry, applied);
      for (const { revision, change } of news.changes) {
        if (change.after === null) this.#remove(change.kind, change.id, revision, applied);
        else this.#put({ kind: change.kind, id: change.id, revision, document: change.after } as Entry, applied);
      }
      const { storeId, revision, hash } = news.position;
      this.#statements.position.run(storeId, revision, hash);
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      for (const { kind, id, before } of applied.toReversed()) {
        if (before === undefined) this.#tables.unload(kind, id);
        else this.#tables.load(before);
      }
      throw asFailure(error);
    }
    this.#position = news.position;
    this.#tables.revision = Math.max(this.#tables.revision, news.position.revision);
    return applied;
  }

  /**
   * Forgets documents that nothing refers to any more. Only the holder may ask for it, from what it knows itself. On a
   * disk that cannot be written they stay: they are in nobody's way.
   */
  forget(keys: readonly { readonly kind: Kind; readonly id: string }[]): void {
    if (keys.length === 0) return;
    const written = this.#tryWriting(() => {
      this.#database.exec('BEGIN IMMEDIATE');
      for (const { kind, id } of keys) this.#statements.remove.run(kind, id);
      this.#database.exec('COMMIT');
    });
    if (written) for (const { kind, id } of keys) this.#tables.unload(kind, id);
  }

  /** Keeps a verdict for the next start. One that cannot be written is found out anew then. */
  keepHealth(targetKey: string, verdict: HealthVerdict | undefined): void {
    this.#tryWriting(() => this.#writeHealth(targetKey, verdict));
  }

  #writeHealth(targetKey: string, verdict: HealthVerdict | undefined): void {
    if (verdict === undefined) {
      this.#health.delete(targetKey);
      this.#statements.removeHealth.run(targetKey);
    } else {
      this.#health.set(targetKey, verdict);
      this.#statements.putHealth.run(targetKey, JSON.stringify(verdict));
    }
  }

  close(): void {
    this.#database.close();
  }

  #tryWriting(write: () => void): boolean {
    try {
      write();
      return true;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      if (asFailure(error) instanceof ReplicaFailure) return false;
      throw error;
    }
  }

  #put(entry: Entry, applied: Applied[]): void {
    const before = this.#tables.entry(entry.kind, entry.id);
    if (before !== undefined && before.revision >= entry.revision) return;
    this.#statements.put.run(entry.kind, entry.id, entry.revision, JSON.stringify(entry.document));
    this.#tables.load(entry);
    applied.push({ kind: entry.kind, id: entry.id, before, after: entry });
  }

  #remove(kind: Kind, id: string, revision: number, applied: Applied[]): void {
    const before = this.#tables.entry(kind, id);
    if (before === undefined || before.revision >= revision) return;
    this.#statements.remove.run(kind, id);
    this.#tables.unload(kind, id);
    applied.push({ kind, id, before, after: undefined });
  }

  #load(): void {
    for (const entry of readEntries(this.#database)) this.#tables.load(entry);
    for (const row of this.#database.prepare('SELECT * FROM held ORDER BY revision').iterate()) {
      this.#held.set(Number(row.revision), JSON.parse(String(row.body)) as HeldTransaction);
    }
    for (const row of this.#database.prepare('SELECT * FROM health').iterate()) {
      this.#health.set(String(row.target), JSON.parse(String(row.verdict)) as HealthVerdict);
    }
    this.#position = readPosition(this.#database);
    this.#tables.revision = this.#position.revision;
  }
}

/** Throws on what no follower has written. */
function* readEntries(database: DatabaseSync): Iterable<Entry> {
  for (const row of database.prepare('SELECT * FROM document').iterate()) {
    const kind = String(row.kind);
    if (!isKind(kind)) throw new Error(`unknown kind of document '${kind}'`);
    yield {
      kind,
      id: String(row.id),
      revision: Number(row.revision),
      document: documentOf(String(row.body)),
    } as Entry;
  }
}

function readPosition(database: DatabaseSync): Position {
  const row = database.prepare('SELECT * FROM position').get();
  if (row === undefined) return { storeId: '', revision: 0, hash: genesisHash };
  return { storeId: String(row.store_id), revision: Number(row.revision), hash: String(row.hash) };
}

/** An error that SQLite did not raise is a bug of ours, and stays one. */
function asFailure(error: unknown): unknown {
  const { errcode, message } = error as { errcode?: number; message: string };
  return errcode === undefined ? error : new ReplicaFailure(message);
}
