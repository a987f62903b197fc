/** What a fuzz target is fed, and how one that found something is kept in a file. */
import { readFileSync } from 'node:fs';
import type { Luck } from '#proxy/http1/test-mutations.ts';

export interface FuzzInput {
  /** latin1 text, one character for each byte. */
  readonly text: string;
  /** Where it is cut into the pieces in which it arrives. */
  readonly cuts: readonly number[];
  /** What else the target chooses: a method, a mode. */
  readonly circumstances: Readonly<Record<string, string>>;
}

export interface Verdict {
  /** What is wrong; undefined when nothing is. */
  readonly fault: string | undefined;
  /** Whether it was taken for something: of inputs that are all refused nobody learns much. */
  readonly isAccepted: boolean;
}

/** A target that is ready. */
export interface FuzzCheck {
  check(input: FuzzInput): Promise<Verdict>;
  close(): Promise<void>;
}

export interface FuzzTarget {
  readonly name: string;
  /** What is fed with what, and held against what. */
  readonly about: string;
  /** How many inputs it is fed in a turn: the cheaper, the more. */
  readonly turn: number;
  /** The same luck always makes the same input. */
  make(luck: Luck): FuzzInput;
  open(): Promise<FuzzCheck>;
}

/** A file's content; the fault is for who reads it. */
export interface Finding {
  readonly target: string;
  readonly fault: string;
  readonly seed: number;
  readonly index: number;
  readonly input: FuzzInput;
}

export function formatFinding(finding: Finding): string {
  return `${JSON.stringify(finding, undefined, 2)}\n`;
}

/** The finding in a file; the text says what is wrong with it. */
export function readFinding(path: string): Finding | string {
  try {
    const finding = JSON.parse(readFileSync(path, 'utf8')) as Finding;
    const { text, cuts, circumstances } = finding.input;
    const isFinding =
      typeof finding.target === 'string' &&
      typeof text === 'string' &&
      Array.isArray(cuts) &&
      cuts.every(Number.isSafeInteger) &&
      typeof circumstances === 'object' &&
      circumstances !== null;
    return isFinding ? finding : `${path} is no finding`;
  } catch (error) {
    return `${path}: ${(error as Error).message}`;
  }
}
