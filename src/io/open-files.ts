/** Who else has a file open, as far as the system says: Linux lists it under /proc. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface Opener {
  readonly pid: number;
  /** The program's name, never its arguments: those may hold secrets. */
  readonly program: string;
}

/** Other processes of the same user that have one of the files open; none where that cannot be found out. */
export function whoElseHasOpen(paths: readonly string[]): readonly Opener[] {
  const found: Opener[] = [];
  for (const pid of numbersIn('/proc')) {
    if (pid === process.pid) continue;
    const files = numbersIn(`/proc/${pid}/fd`).map((file) => linkOf(`/proc/${pid}/fd/${file}`));
    if (files.some((file) => paths.includes(file))) found.push({ pid, program: programOf(pid) });
  }
  return found;
}

function numbersIn(folder: string): readonly number[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    // Another user's process, or one that has just ended.
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function programOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return 'a program that has ended since';
  }
}
