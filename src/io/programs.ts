/** Other programs on this same Node, started by path and told apart from our own processes: what they print is kept. */
import { type ChildProcess, spawn } from 'node:child_process';

export interface Program {
  readonly pid: number;
  /** What it has printed, as far as it is kept. */
  readonly printed: () => string;
  readonly ended: Promise<number | null>;
  signal(signal: 'SIGINT' | 'SIGKILL'): void;
}

const printedCharactersMax = 64 * 1024;

/** Runs a module, or with `script` a text, with these words behind it. */
export function startProgram(
  module: { readonly path: string } | { readonly script: string },
  words: readonly string[],
): Program {
  const what = 'path' in module ? [module.path] : ['-e', module.script];
  const child: ChildProcess = spawn(process.execPath, [...what, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  const keep = (chunk: Buffer) => {
    printed = (printed + String(chunk)).slice(-printedCharactersMax);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  const ended = new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null));
    child.once('close', (code) => resolve(code));
  });
  return {
    pid: child.pid ?? 0,
    printed: () => printed,
    ended,
    signal: (signal) => void child.kill(signal),
  };
}

/** Sends a signal to a process that one of ours has started; nothing happens when it is gone. */
export function signalProcess(pid: number, signal: 'SIGSTOP' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
