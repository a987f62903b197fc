/**
 * What a command of `ballast` is. A command gets everything that it may know of the machine as an argument, so it can
 * be run anywhere, and returns the exit code of the program.
 */
import type { Result } from '#base/result.ts';
import type { TextOutput } from '#base/text-output.ts';

/** The exit codes that scripts may rely on. */
export const exitCodes = {
  /** Done, or there was nothing to do. */
  ok: 0,
  /** Something that should run does not, or not as it should. */
  notWell: 1,
  /** Not done; one line on standard error says why. */
  failed: 1,
  /** Done but for conflicts that a person must decide; they are listed. */
  undecided: 1,
  /** The journal is not as it was written. */
  damaged: 1,
  /** The command line was not understood; nothing was asked of anyone. */
  usage: 2,
  notRunning: 3,
  /** There is nothing to look at, or it cannot be opened. */
  unreadable: 3,
} as const;

export interface Command {
  readonly name: string;
  /** One line, without a full stop. */
  readonly summary: string;
  /** What stands behind its name without dashes, in order. */
  readonly arguments?: readonly Argument[];
  readonly flags: readonly Flag[];
  /** What its help says besides, a line each. */
  readonly notes?: readonly string[];
  /** Shown by its help, at least one, with what it is good for. */
  readonly examples: readonly { readonly line: string; readonly purpose: string }[];
  /** It says itself, in its first line, to which environment it talks. */
  readonly saysEnvironment?: true;
  readonly run: (context: CommandContext) => Promise<number>;
}

/** Commands that belong together in the overview. */
export interface CommandGroup {
  readonly title: string;
  readonly commands: readonly Command[];
}

export interface Argument {
  /** In capitals, as help shows it: `ARN`. */
  readonly name: string;
  /** Such an argument has only such behind it. */
  readonly isOptional?: true;
  readonly help: string;
}

export interface Flag {
  /** Without the dashes. */
  readonly name: string;
  /** What it takes, for instance `DIR`; a flag without one is a switch. */
  readonly argument?: string;
  /** All its values count; of another flag the last one does. */
  readonly isRepeatable?: true;
  readonly help: string;
}

export interface CommandContext {
  /** What stands behind the command's name. */
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly homeFolder: string;
  readonly workingFolder: string;
  readonly readFile: ReadFile;
  /** Writes a file for its owner's eyes only, with its folder; gives the reason when it cannot. */
  readonly writeSecretFile: (path: string, text: string) => Result<void, string>;
  readonly output: TextOutput;
  readonly errors: TextOutput;
  /** Milliseconds since some start; never steps. */
  readonly monotonicMs: () => number;
  /** Calls `task` again and again until it is stopped. */
  readonly every: (periodMs: number, task: () => void) => { stop(): void };
}

/** The file's text; undefined when it is not there; the reason when it cannot be read. */
export type ReadFile = (path: string) => Result<string | undefined, string>;
