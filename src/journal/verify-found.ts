/** What documents were ever found by, in the log and in the index: the same, both ways. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Documents, Kind } from '#model/documents.ts';
import { type IndexName, indexes, keysOf } from '#model/view.ts';

const rowsPerStep = 100;

interface Found {
  readonly name: string;
  readonly value: string;
  readonly kind: string;
  readonly id: string;
}

export interface WrongFound {
  readonly what: string;
  readonly kind: string;
  readonly id: string;
}

export class FoundCheck {
  readonly #notes: DatabaseSync;
  readonly #put: StatementSync;

  /** `notes` is a file for what must be remembered. */
  constructor(notes: DatabaseSync) {
    this.#notes = notes;
    notes.exec(
      'CREATE TABLE found (name TEXT, value TEXT, kind TEXT, id TEXT, PRIMARY KEY (name, value, kind, id)) WITHOUT ROWID',
    );
    this.#put = notes.prepare('INSERT OR IGNORE INTO found VALUES (?, ?, ?, ?)');
  }

  take(kind: Kind, id: string, document: Documents[Kind]): void {
    for (const [name, index] of Object.entries(indexes)) {
      if (index.kind !== kind || index.past !== 'table') continue;
      for (const value of keysOf(name as IndexName, document)) this.#put.run(name, value, kind, id);
    }
  }

  /**
   * Looks for what was taken in the index and, when all of the log was, the other way round. A key that has been
   * written behind `through` may be found under more.
   */
  *check(index: DatabaseSync, through: number, isWhole: boolean): Generator<number, WrongFound | undefined, void> {
    const inIndex = index.prepare(`SELECT 1 FROM ever_found JOIN key ON number = key
      WHERE index_name = ? AND index_key = ? AND kind = ? AND id = ?`);
    let work = 0;
    for (const row of this.#notes.prepare('SELECT * FROM found').iterate() as Iterable<unknown>) {
      const { name, value, kind, id } = row as Found;
      if (inIndex.get(name, value, kind, id) === undefined) {
        return { what: `the index does not find ${kind} ${id} by ${name}`, kind, id };
      }
      work += 1;
      if (work % rowsPerStep === 0) yield rowsPerStep;
    }
    return isWhole ? yield* this.#checkBack(index, through) : undefined;
  }

  *#checkBack(index: DatabaseSync, through: number): Generator<number, WrongFound | undefined, void> {
    const wanted = this.#notes.prepare('SELECT 1 FROM found WHERE name = ? AND value = ? AND kind = ? AND id = ?');
    const page = index.prepare(`SELECT index_name AS name, index_key AS value, key AS number, kind, id,
        (SELECT max(revision) FROM version WHERE version.key = ever_found.key) AS newest
      FROM ever_found LEFT JOIN key ON number = key WHERE (index_name, index_key, key) > (?, ?, ?)
      ORDER BY index_name, index_key, key LIMIT ${rowsPerStep}`);
    let from: [string, string, number] = ['', '', -1];
    while (true) {
      const rows = page.all(...from) as unknown as (Found & { number: number; newest: number | null })[];
      for (const { name, value, kind, id, newest } of rows) {
        if ((newest ?? 0) > through) continue;
        if (kind === null || wanted.get(name, value, kind, id) === undefined) {
          return { what: `the index finds ${kind} ${id} by ${name}, and never did`, kind, id };
        }
      }
      yield rows.length;
      if (rows.length < rowsPerStep) return undefined;
      const { name, value, number } = rows.at(-1)!;
      from = [name, value, number];
    }
  }
}
