/**
 * How a process that lost its parent learns that another has taken its place: the successor writes its name into a file
 * once it can take over, and the orphan leaves when it reads a name that is not its own parent's. Nobody is killed by
 * a process id that may long belong to somebody else.
 */
import { readFileIfThere, writeFileWhole } from './files.ts';
import { every, type Timer } from './timers.ts';

const watchPeriodMs = 200;

/** Says that `instance` has taken over. */
export function announceSuccessor(path: string, instance: string): void {
  writeFileWhole(path, instance, 0o600);
}

/** Calls `leave` once, when the file names an instance other than `parentInstance`. */
export function watchForSuccessor(path: string, parentInstance: string, leave: () => void): Timer {
  const timer = every(watchPeriodMs, () => {
    const named = readFileIfThere(path);
    if (named === undefined || named === parentInstance) return;
    timer.stop();
    leave();
  });
  return timer;
}
