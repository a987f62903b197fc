/** This process and the machine it runs on: the only place, beside its neighbours in `io`, that touches `process`. */
import { availableParallelism, homedir } from 'node:os';
import { createInterface } from 'node:readline';
import type { TextOutput } from '#base/text-output.ts';

/** What stood behind the program's name on the command line. */
export const commandLine: readonly string[] = process.argv.slice(2);

export const environment: Readonly<Record<string, string | undefined>> = process.env;

export const ownPid = process.pid;

export const standardOutput: TextOutput = textOutput(process.stdout);
export const standardError: TextOutput = textOutput(process.stderr);

/** The code with which the process ends once nothing is left to do: what was written gets out first. */
export function setExitCode(code: number): void {
  process.exitCode = code;
}

/** Ends the process at once. */
export function exitProcess(code: number): never {
  process.exit(code);
}

/** Calls `stop` each time the process is told to end: Ctrl-C, a plain `kill`, or its terminal going away. */
export function onStopSignal(stop: () => void): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
}

/** How many cores this process may use. */
export function coresCount(): number {
  return availableParallelism();
}

export function homeFolder(): string {
  return homedir();
}

export function workingFolder(): string {
  return process.cwd();
}

/** Asks whoever sits at the terminal, and gives back the line; undefined when nobody does. */
export function askAtTerminal(question: string): Promise<string | undefined> {
  if (!process.stdin.isTTY) return Promise.resolve(undefined);
  process.stderr.write(question);
  // Not as a terminal: Ctrl-C must stay a signal, which ends the process.
  const lines = createInterface({ input: process.stdin, terminal: false });
  return new Promise((resolve) => {
    let answer = '';
    lines.once('line', (line) => {
      answer = line;
      lines.close();
    });
    lines.once('close', () => resolve(answer));
  });
}

function textOutput(stream: NodeJS.WriteStream): TextOutput {
  let isGone = false;
  let isWatched = false;
  let waiting: ((isRead: boolean) => void)[] = [];
  const wake = () => {
    for (const resolve of waiting) resolve(!isGone);
    waiting = [];
  };
  return {
    isTerminal: stream.isTTY === true,
    write: (text) => {
      if (isGone) return;
      if (!isWatched) {
        isWatched = true;
        stream.on('drain', wake);
        stream.on('error', (error: NodeJS.ErrnoException) => {
          // Whoever read has had enough, as in `ballast status | head -1`.
          if (error.code !== 'EPIPE') throw error;
          isGone = true;
          wake();
        });
      }
      stream.write(text);
    },
    flushed: () =>
      new Promise((resolve) => {
        if (isGone || !stream.writableNeedDrain) resolve(!isGone);
        else waiting.push(resolve);
      }),
  };
}
