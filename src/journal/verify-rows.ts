/** What verifying reads of the log and of the index, as SQLite gives it. */
import type { Kind } from '#model/documents.ts';

/** A part of the log with an empty line: one that was folded, or one that was damaged. */
export interface PartRow {
  readonly number: number;
  readonly revision: number;
  readonly lines: string;
}

export interface KeyRow {
  readonly number: number;
  readonly kind: Kind;
  readonly id: string;
  readonly revision: number | null;
  readonly part: number | null;
  readonly position: number | null;
  readonly versions: number;
  readonly documentRevision: number | null;
  readonly body: string | null;
  readonly progress: number;
}
