/**
 * A lock on a folder that ends with its process, however the process ends. Node offers no file locks of its own, but
 * SQLite takes them, and the kernel gives them back when the holder is gone.
 */
import { DatabaseSync } from 'node:sqlite';

export interface Lock {
  release(): void;
}

/** Takes the lock at `path`; undefined when another process holds it. Throws when the file cannot be written. */
export function takeLock(path: string): Lock | undefined {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('PRAGMA journal_mode=DELETE; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    // SQLITE_BUSY: https://sqlite.org/rescode.html#busy
    if (((error as { errcode?: number }).errcode ?? 0) % 256 === 5) return undefined;
    throw error;
  }
  return { release: () => database.close() };
}
