/**
 * Processes that we start, and the two ends of the channel to them. A child gets its settings by message, never on its
 * command line, where every user of the machine could read a secret. Losing the parent is not a reason to stop.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';

export interface Child {
  readonly pid: number;
  /** False when the child is gone. */
  send(message: unknown): boolean;
  signal(signal: 'SIGTERM' | 'SIGKILL'): void;
}

export interface ChildOptions {
  /** The module that the child runs. */
  readonly entry: URL;
  /** Besides those of this process. */
  readonly nodeFlags?: readonly string[];
  readonly onMessage: (message: unknown) => void;
  /** Called once, when the process has ended and everything that it sent was handed over. */
  readonly onExit: (how: string) => void;
}

/** Where there is one processor, threads that help the garbage collector only get in the way of the work. */
const machineFlags = availableParallelism() === 1 ? ['--single-threaded-gc'] : [];

/** Starts a child on this same Node. It shares standard output and error with us. */
export function startChild(options: ChildOptions): Child {
  const child: ChildProcess = fork(options.entry, [], {
    serialization: 'advanced',
    execArgv: [...process.execArgv, ...machineFlags, ...(options.nodeFlags ?? [])],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  child.on('message', options.onMessage);
  // A child that could not be started, or a message to one that has just died: `close` tells the rest.
  child.on('error', () => {});
  child.once('close', (code, signal) => options.onExit(signal === null ? `exit code ${code}` : `signal ${signal}`));
  return {
    pid: child.pid ?? 0,
    send: (message) => {
      // What `send` returns says only whether the pipe is filling up: the message is on its way all the same.
      if (child.connected) child.send(message as object);
      return child.connected;
    },
    signal: (signal) => {
      child.kill(signal);
    },
  };
}

export interface Parent {
  /** False when the parent is gone. */
  send(message: unknown): boolean;
}

export interface ParentEvents {
  readonly onMessage: (message: unknown) => void;
  /** The parent has ended; we go on. */
  readonly onGone: () => void;
}

/** The child's end. Interrupts from the terminal reach the whole group of processes: only the parent acts on them. */
export function connectParent(events: ParentEvents): Parent {
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
  process.on('message', events.onMessage);
  process.once('disconnect', events.onGone);
  return {
    send: (message) => {
      if (process.connected) process.send?.(message);
      return process.connected;
    },
  };
}
