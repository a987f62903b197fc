/**
 * What a command of `ballast` is. A command gets everything that it may know of the machine as an argument, so it can
 * be run anywhere, and returns the exit code of the program.
 */
import type { Result } from '#base/result.ts';
import type { TextOutput } from '#base/text-output.ts';

/** The exit codes that scripts may rely on. */
export const exitCodes = { ok: 0, notWell: 1, usage: 2, notRunning: 3 } as const;

export interface Command {
  readonly name: string;
  /** One line, without a full stop. */
  readonly summary: string;
  readonly flags: readonly Flag[];
  /** Shown by its help, at least one, with what it is good for. */
  readonly examples: readonly { readonly line: string; readonly purpose: string }[];
  readonly run: (context: CommandContext) => Promise<number>;
}

export interface Flag {
  /** Without the dashes. */
  readonly name: string;
  /** What it takes, for instance `DIR`; a flag without one is a switch. */
  readonly argument?: string;
  readonly help: string;
}

export interface CommandContext {
  /** What stands behind the command's name. */
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly homeFolder: string;
  readonly workingFolder: string;
  readonly readFile: ReadFile;
  readonly output: TextOutput;
  readonly errors: TextOutput;
}

/** The file's text; undefined when it is not there; the reason when it cannot be read. */
export type ReadFile = (path: string) => Result<string | undefined, string>;
