/**
 * Compares the log on the disk with another copy of it, and names every transaction that the log has lost or holds
 * differently. It only reads, so it may run beside whoever uses the store.
 */
import { DatabaseSync } from 'node:sqlite';
import { hasFoldedLines } from './chain.ts';
import { asStoreError, type LogRow } from './sqlite-schema.ts';
import type { VaultTransaction } from './vault-text.ts';

export interface LostTransaction {
  readonly revision: number;
  readonly how: 'gone' | 'changed' | 'added';
  /** As the other copy has it; what was added to the log is in none. */
  readonly text?: VaultTransaction;
}

/**
 * Takes transactions as the other copy has them, gives those that the file has not, or not so. Throws `StoreDamaged`
 * when the file is none that can be read, `StoreFailure` when it cannot be opened.
 */
export async function* findLost(
  path: string,
  copy: AsyncIterable<VaultTransaction> | Iterable<VaultTransaction>,
  /** The last revision that the journal itself has written by then. */
  writtenThrough: () => number,
): AsyncGenerator<LostTransaction> {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true, timeout: 2_000 });
    const row = database.prepare('SELECT * FROM transaction_log WHERE revision = ?');
    const part = database.prepare(
      "SELECT revision, ifnull(CAST(lines AS TEXT), '') AS lines FROM part WHERE number = ?",
    );
    const last = Number(database.prepare('SELECT max(revision) AS last FROM transaction_log').get()!.last ?? 0);
    if (last > writtenThrough()) yield { revision: last, how: 'added' };
    for await (const text of copy) {
      const { revision, hash } = text.header;
      const found = row.get(revision) as unknown as LogRow | undefined;
      if (found === undefined) {
        yield { revision, how: 'gone', text };
        continue;
      }
      const isSame = (lines: string, index: number) => {
        const there = part.get(found.first_part + index) as { revision: number; lines: string } | undefined;
        // What was folded away is missing on purpose; whether it may be is for others to check.
        const isFolded = there !== undefined && hasFoldedLines(there.lines);
        return there?.revision === revision && (there.lines === lines || isFolded);
      };
      const isHeaderSame = found.hash === hash && found.cause === text.causeText && found.parts === text.parts.length;
      if (!isHeaderSame || !text.parts.every(isSame)) yield { revision, how: 'changed', text };
    }
  } catch (error) {
    throw asStoreError(error, path);
  } finally {
    database?.close();
  }
}
