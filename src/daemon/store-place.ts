/** Whether a state store may be written where one is wanted. Nothing is ever written over one that holds something. */
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { accept, type Result, refuse } from '#base/result.ts';
import { shellWords } from '#cli/shell-words.ts';
import { fileSizeBytes, makeFolderOf, moveFile, readFileIfThere, removeFile } from '#io/files.ts';
import { type Lock, takeLock } from '#io/lock.ts';
import { indexPathOf } from '#journal/sqlite-schema.ts';
import { StoreFailure } from '#journal/store.ts';
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
  const aside = join(dirname(path), 'aside');
  // With what SQLite keeps beside it: the last changes may be there alone.
  const moveAway = `move it aside first: mkdir ${shellWords([aside])} && mv ${shellWords([path])}* ${shellWords([aside])}`;
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

/**
 * Gives the store that was made under another name the one by which it is opened. Throws `StoreFailure`, and has put
 * nothing in place then, when it is not whole in its one file.
 */
export function putInPlace(data: string): void {
  const [from, to] = [paths.recovering(data), paths.journal(data)];
  if (hasLog(from)) throw new StoreFailure(`${from} could not take in its write-ahead log`);
  removeStore(to);
  // The index first: without it a store is only slower at its next start.
  if (!hasLog(indexPathOf(from))) moveFile(indexPathOf(from), indexPathOf(to));
  moveFile(from, to);
  removeStore(from);
}

/** Removes the file and those that SQLite and the store keep beside it. */
export function removeStore(path: string): void {
  for (const file of [path, indexPathOf(path)]) {
    for (const suffix of ['', '-wal', '-shm']) removeFile(`${file}${suffix}`);
  }
}

/** SQLite keeps what it could not take into the file in a second one. */
function hasLog(path: string): boolean {
  return fileSizeBytes(`${path}-wal`) > 0;
}
