/** Files: replaced whole or not at all, and secrets readable by their owner only. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

/**
 * Replaces the file as a whole, so that no reader ever sees half of it; makes the folder when it is missing. What was
 * written is there after a power cut too.
 */
export function writeFileWhole(path: string, text: string, mode = 0o644): void {
  makeFolderOf(path);
  const temporary = `${path}.${process.pid}.new`;
  const file = openSync(temporary, 'w', mode);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  syncFolder(dirname(path));
}

/** The file's text; undefined when it is not there. */
export function readFileIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Reads a secret, trimmed. Where there is none, writes what `make` gives, mode 0600. */
export function readOrMakeSecretFile(path: string, make: () => string): string {
  const found = readFileIfThere(path);
  if (found !== undefined) return found.trim();
  const made = make();
  writeFileWhole(path, `${made}\n`, 0o600);
  return made;
}

/** Renames the file, within one folder; nothing happens when it is not there. */
export function moveFile(from: string, to: string): void {
  if (!existsSync(from)) return;
  renameSync(from, to);
  syncFolder(dirname(to));
}

export function removeFile(path: string): void {
  rmSync(path, { force: true });
}

/** A name that was given or changed is on the disk only once its folder is. */
function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Makes the folder that the file is to lie in, for its owner only. */
export function makeFolderOf(path: string): void {
  makeFolder(dirname(path));
}

/** Makes the folder and those above it, for their owner only. */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  // Node's own recursive way never returns where folders cannot be made at all, as in /proc.
  if (dirname(path) !== path) makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process was faster.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Changes whenever the file is written or replaced; empty when it is not there. */
export function fileStamp(path: string): string {
  const status = statSync(path, { throwIfNoEntry: false });
  return status === undefined ? '' : `${status.ino} ${status.size} ${status.mtimeMs}`;
}

export function isFileThere(path: string): boolean {
  return existsSync(path);
}

/** 0 when it is not there. */
export function fileSizeBytes(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
