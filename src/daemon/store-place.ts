/** Whether a state store may be written where one is wanted. Nothing is ever written over one that holds something. */
import { DatabaseSync } from 'node:sqlite';
import { accept, type Result, refuse } from '#base/result.ts';
import { makeFolderOf, readFileIfThere } from '#io/files.ts';
import { type Lock, takeLock } from '#io/lock.ts';
import { paths } from './paths.ts';

/**
 * Takes the store of the data folder, so that no control plane opens it meanwhile: one that starts waits. Refuses, in
 * one sentence, while one runs or the store holds something.
 */
export function takeEmptyStore(data: string): Result<Lock, string> {
  const path = paths.processLock(data, 'control-plane');
  makeFolderOf(path);
  const lock = takeLock(path);
  if (lock === undefined) return refuse(`a control plane runs on ${data}; stop it first`);
  const occupied = whyOccupied(paths.journal(data));
  if (occupied === undefined) return accept(lock);
  lock.release();
  return refuse(occupied);
}

/** Why the file at `path` is in the way, in one sentence; undefined when there is none or it holds no transaction. */
export function whyOccupied(path: string): string | undefined {
  const moveAway = `move it aside first: mv ${path} ${path}.aside`;
  try {
    if (readFileIfThere(path) === undefined) return undefined;
    const database = new DatabaseSync(path, { readOnly: true, timeout: 2_000 });
    try {
      const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
      if (tables.length === 0) return undefined;
      const { revision } = database.prepare('SELECT max(revision) AS revision FROM transaction_log').get()!;
      return revision === null ? undefined : `${path} holds a state store at revision ${revision}; ${moveAway}`;
    } finally {
      database.close();
    }
  } catch (error) {
    return `${path} cannot be read, and may hold something: ${(error as Error).message}; ${moveAway}`;
  }
}
