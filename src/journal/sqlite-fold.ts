/**
 * What the embedded store knows of folds: a table of every part of a transaction from which lines are being or were
 * folded away, with the digests of its text before and since. It is the only way in which a text of the log may ever
 * become another, and only from one of these two to the other.
 *
 *   list    all parts of a transaction are listed before the first of them changes
 *   write   a listed part gets its other text
 *   unlist  parts that have their first text again are listed no more
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { FoldDocument } from '#model/documents.ts';
import { hasFoldedLines, type PlacedLine } from './chain.ts';
import { type FoldableLog, FoldDigest, type FoldRange, partDigest } from './fold.ts';

/** One step of a fold, or of taking it back. */
export type Rewrite =
  | { readonly kind: 'list'; readonly part: number; readonly whole: string; readonly folded: string }
  | {
      readonly kind: 'write';
      readonly part: number;
      readonly revision: number;
      readonly lines: string;
      /** The lines that this takes out of the log. */
      readonly gone: readonly PlacedLine[];
      /** Those that it brings back, and others that are there anyway. */
      readonly back: readonly PlacedLine[];
    }
  | { readonly kind: 'unlist'; readonly part: number };

/** The digests of a listed part. Of one that came folded out of a vault, what it was before is not known. */
export interface ListedPart {
  readonly whole: string | null;
  readonly folded: string;
}

/** How a store is folded. */
export interface StoreFolding extends FoldableLog {
  listed(part: number): ListedPart | undefined;
  /** Whether all that the document says is done. */
  isDone(fold: FoldDocument): boolean;
  /**
   * Makes the steps durable, in their order. Throws `StoreFailure` when the disk does not let it. Doing steps again is
   * harmless.
   */
  rewrite(batch: readonly Rewrite[]): void;
}

/**
 * SQLite cannot digest, so the triggers ask this program to. Another program does not know the function, and cannot
 * change a part at all.
 */
export function defineDigest(database: DatabaseSync): void {
  database.function('digest_by_the_append_only_journal', { deterministic: true }, (text) => partDigest(String(text)));
}

// INSERT OR REPLACE deletes without firing DELETE triggers, so what is listed cannot be listed again.
export const foldSchema = `
CREATE TABLE fold (part INTEGER PRIMARY KEY, whole TEXT, folded TEXT NOT NULL) STRICT;
CREATE TRIGGER fold_refuses_update BEFORE UPDATE ON fold
BEGIN SELECT RAISE(ABORT, 'the journal is append-only: UPDATE on fold is refused'); END;
CREATE TRIGGER fold_refuses_delete BEFORE DELETE ON fold
WHEN NOT EXISTS (SELECT 1 FROM part WHERE number = OLD.part AND digest_by_the_append_only_journal(lines) IS OLD.whole)
BEGIN SELECT RAISE(ABORT, 'the journal is append-only: a folded part stays listed'); END;
CREATE TRIGGER fold_refuses_insert BEFORE INSERT ON fold
WHEN EXISTS (SELECT 1 FROM fold WHERE part = NEW.part) OR NOT EXISTS
  (SELECT 1 FROM part WHERE number = NEW.part AND digest_by_the_append_only_journal(lines) IS ifnull(NEW.whole, NEW.folded))
BEGIN SELECT RAISE(ABORT, 'the journal is append-only: a part is listed once, as it is'); END;
CREATE TRIGGER part_refuses_update BEFORE UPDATE ON part
WHEN NEW.number IS NOT OLD.number OR NEW.revision IS NOT OLD.revision OR NOT EXISTS
  (SELECT 1 FROM fold WHERE part = OLD.number AND digest_by_the_append_only_journal(NEW.lines) IN (whole, folded))
BEGIN SELECT RAISE(ABORT, 'the journal is append-only: UPDATE on part is refused'); END;
`;

/** The table, for whoever only reads it. */
export class FoldList {
  readonly #database: DatabaseSync;
  readonly #listed: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#listed = database.prepare('SELECT whole, folded FROM fold WHERE part = ?');
  }

  /** Grows with everything that is written: who meets another than before has read the log at two moments. */
  get generation(): number {
    return Number(this.#database.prepare('PRAGMA user_version').get()!.user_version);
  }

  listed(part: number): ListedPart | undefined {
    return this.#listed.get(part) as unknown as ListedPart | undefined;
  }

  /** Whether this is what a fold has left of the part, or has not taken away yet. */
  accountsFor(part: number, lines: string): boolean {
    const listed = this.listed(part);
    if (listed === undefined) return false;
    const digest = partDigest(lines);
    return digest === listed.folded || (digest === listed.whole && !hasFoldedLines(lines));
  }

  isDone(fold: FoldDocument): boolean {
    const { first, last } = this.#partsOf(fold);
    const row = this.#database
      .prepare('SELECT count(*) AS count FROM fold WHERE part BETWEEN ? AND ?')
      .get(first, last);
    return row!.count === fold.parts && this.#isLastWritten(first, last);
  }

  /** Whether just those parts are listed of which the document tells. Reads some hundred rows at a time. */
  *isAsTold(fold: FoldDocument): Generator<number, boolean, void> {
    const { first, last } = this.#partsOf(fold);
    const page = this.#database.prepare(
      'SELECT part, folded FROM fold WHERE part >= ? AND part < ? ORDER BY part DESC LIMIT 500',
    );
    const digest = new FoldDigest();
    for (let before = last + 1; ; ) {
      const rows = page.all(first, before) as unknown as { part: number; folded: string }[];
      for (const { part, folded } of rows) digest.add(part, folded);
      if (rows.length === 0) break;
      before = rows.at(-1)!.part;
      yield rows.length;
    }
    return digest.parts === fold.parts && digest.finish() === fold.digest;
  }

  /** Parts are folded from the last to the first, and put back from the first to the last. */
  #isLastWritten(first: number, last: number): boolean {
    const row = this.#database
      .prepare(
        `SELECT lines, folded FROM fold JOIN part ON number = part
         WHERE part = (SELECT min(part) FROM fold WHERE part BETWEEN ? AND ? AND whole IS NOT folded)`,
      )
      .get(first, last);
    return row === undefined || partDigest(String(row.lines)) === row.folded;
  }

  /** The numbers of the parts in the range, both included. */
  #partsOf({ from, through }: FoldRange): { readonly first: number; readonly last: number } {
    const row = this.#database
      .prepare(
        `SELECT (SELECT first_part FROM transaction_log WHERE revision = ?) AS first,
           (SELECT first_part + parts - 1 FROM transaction_log WHERE revision = ?) AS last`,
      )
      .get(from, through);
    return { first: Number(row?.first ?? 0), last: Number(row?.last ?? -1) };
  }
}

/** The table, for the store alone. Every call is within a transaction of SQLite. */
export class FoldTable extends FoldList {
  readonly #database: DatabaseSync;
  readonly #list: StatementSync;
  readonly #write: StatementSync;
  readonly #unlist: StatementSync;

  constructor(database: DatabaseSync) {
    super(database);
    this.#database = database;
    this.#list = database.prepare(
      'INSERT INTO fold SELECT ?1, ?2, ?3 WHERE NOT EXISTS (SELECT 1 FROM fold WHERE part = ?1)',
    );
    this.#write = database.prepare('UPDATE part SET lines = ? WHERE number = ?');
    this.#unlist = database.prepare('DELETE FROM fold WHERE part = ?');
  }

  take(steps: readonly Rewrite[]): void {
    this.#database.exec(`PRAGMA user_version = ${this.generation + 1}`);
    for (const step of steps) {
      if (step.kind === 'list') this.#list.run(step.part, step.whole, step.folded);
      else if (step.kind === 'write') this.#write.run(step.lines, step.part);
      else this.#unlist.run(step.part);
    }
  }

  /** The parts of a transaction that came folded out of a vault, from `first` on. */
  listFolded(first: number, parts: readonly string[]): void {
    parts.forEach((lines, index) => {
      this.#list.run(first + index, null, partDigest(lines));
    });
  }
}
