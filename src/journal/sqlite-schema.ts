/**
 * What stands in the files of the embedded store beside its index: their schema, who they belong to, and what SQLite's
 * errors mean.
 */
import type { DatabaseSync } from 'node:sqlite';
import { UnreadableLine } from './chain.ts';
import { foldSchema } from './sqlite-fold.ts';
import { StoreConflict, StoreDamaged, StoreFailure, type StoreIdentity } from './store.ts';

/** Raised whenever an older program could not read what this one writes. */
export const formatVersion = 3;

const schema = `
CREATE TABLE identity (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  format INTEGER NOT NULL, store_id TEXT NOT NULL, environment TEXT NOT NULL, region TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL, origin_revision INTEGER NOT NULL, origin_hash TEXT NOT NULL
) STRICT;
CREATE TABLE transaction_log (
  revision INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, cause TEXT NOT NULL, harmed INTEGER NOT NULL,
  changes INTEGER NOT NULL, digest TEXT NOT NULL, previous_hash TEXT NOT NULL, hash TEXT NOT NULL,
  first_part INTEGER NOT NULL, parts INTEGER NOT NULL
) STRICT;
-- lines: one change each, as kind TAB id TAB revision that it replaces TAB document (empty: removed)
CREATE TABLE part (number INTEGER PRIMARY KEY, revision INTEGER NOT NULL, lines TEXT NOT NULL) STRICT;
${['transaction_log', 'part', 'identity']
  .flatMap((table) =>
    // A part can be folded: see below.
    (table === 'part' ? ['DELETE'] : ['UPDATE', 'DELETE']).map(
      (verb) => `CREATE TRIGGER ${table}_refuses_${verb.toLowerCase()} BEFORE ${verb} ON ${table}
BEGIN SELECT RAISE(ABORT, 'the journal is append-only: ${verb} on ${table} is refused'); END;`,
    ),
  )
  .join('\n')}
-- INSERT OR REPLACE deletes without firing DELETE triggers, so only what comes next may be inserted.
CREATE TRIGGER transaction_log_refuses_gap BEFORE INSERT ON transaction_log
WHEN NEW.revision <> (SELECT ifnull(max(revision), (SELECT origin_revision FROM identity)) + 1 FROM transaction_log)
BEGIN SELECT RAISE(ABORT, 'the journal is append-only: revisions continue without gaps'); END;
CREATE TRIGGER part_refuses_gap BEFORE INSERT ON part
WHEN NEW.number <> (SELECT ifnull(max(number), 0) + 1 FROM part)
BEGIN SELECT RAISE(ABORT, 'the journal is append-only: parts continue without gaps'); END;
${foldSchema}`;

/** A row of `transaction_log`. */
export interface LogRow {
  readonly revision: number;
  readonly time_ms: number;
  readonly cause: string;
  readonly harmed: number;
  readonly changes: number;
  readonly digest: string;
  readonly previous_hash: string;
  readonly hash: string;
  readonly first_part: number;
  readonly parts: number;
}

/** Where the index of the store at `path` is. */
export function indexPathOf(path: string): string {
  return `${path.replace(/\.db$/, '')}-index.db`;
}

/** Makes the store with `wanted` when it is not there; throws when it is not one that this program can use. */
export function openIdentity(database: DatabaseSync, wanted: StoreIdentity): StoreIdentity {
  const tables = database.prepare("SELECT count(*) AS count FROM sqlite_schema WHERE type = 'table'").get() as {
    count: number;
  };
  if (tables.count === 0) {
    const { storeId, environment, region, createdAtMs, origin } = wanted;
    database.exec('BEGIN EXCLUSIVE');
    database.exec(schema);
    database
      .prepare('INSERT INTO identity VALUES (1, ?, ?, ?, ?, ?, ?, ?)')
      .run(formatVersion, storeId, environment, region, createdAtMs, origin.revision, origin.hash);
    database.exec('COMMIT');
  }
  const row = database.prepare('SELECT * FROM identity').get();
  if (row === undefined) throw new StoreDamaged('the store has lost its identity');
  if (Number(row.format) !== formatVersion) {
    const advice =
      Number(row.format) > formatVersion ? 'update Ballast' : 'it was made by a version before the first release';
    throw new StoreFailure(`the store has format ${row.format}; this program reads format ${formatVersion}: ${advice}`);
  }
  return {
    storeId: String(row.store_id),
    environment: String(row.environment),
    region: String(row.region),
    createdAtMs: Number(row.created_at_ms),
    origin: { revision: Number(row.origin_revision), hash: String(row.origin_hash) },
  };
}

const triggerNames: readonly string[] = [...schema.matchAll(/CREATE TRIGGER (\w+)/g)].map(([, name]) => name!);

/** What of the protection against other programs is gone from the file, a sentence; undefined when all is there. */
export function missingTrigger(database: DatabaseSync): string | undefined {
  const rows = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").all();
  const present = new Set(rows.map(({ name }) => String(name)));
  const missing = triggerNames.find((name) => !present.has(name));
  return missing && `the trigger ${missing}, which kept other programs from changing the journal, was dropped`;
}

/** SQLite's primary result codes that mean "this file is not what it should be" (https://sqlite.org/rescode.html). */
const damageCodes = new Set([11, 26]);

/** The error as those of a store; one that SQLite did not raise stays what it is. */
export function asStoreError(error: unknown, path: string): Error {
  if (error instanceof StoreConflict || error instanceof StoreDamaged || error instanceof StoreFailure) return error;
  const { errcode, message } = error as { errcode?: number; message: string };
  if (error instanceof UnreadableLine) return new StoreDamaged(`${path}: ${message}`);
  if (errcode === undefined) return error as Error;
  if (damageCodes.has(errcode & 0xff)) return new StoreDamaged(`${path}: ${message}`);
  return new StoreFailure(`${path}: ${message}`);
}
