/** What is wrong with a store, and how that is told to people. */
import { isoTime } from './history.ts';

export const touchedMax = 20;

/** What a break touches; name and owner as far as they are known. */
export interface Touched {
  readonly kind: string;
  readonly id: string;
  readonly name?: string;
  readonly account?: string;
}

export interface Break {
  /** In the log it is worse: the index is made anew from the log once its file is deleted. */
  readonly where: 'log' | 'index' | 'memory';
  /** One sentence without its full stop. */
  readonly what: string;
  readonly revision: number;
  readonly timeMs: number | undefined;
  /** At most `touchedMax`. */
  readonly touched: readonly Touched[];
}

/** Where it went wrong, on the way out of the pass. */
export class Broken extends Error {
  readonly found: Break;
  constructor(found: Break) {
    super(found.what);
    this.found = found;
  }
}

/** The members of a document as far as its text is one. */
export function membersOf(text: string): Record<string, unknown> {
  try {
    return (JSON.parse(text) ?? {}) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** A break in lines for people: what, when, what it touches, and how bad it is. */
export function sayBreak({ where, what, revision, timeMs, touched }: Break): string[] {
  const when = timeMs === undefined ? '' : `, written ${isoTime(timeMs)}`;
  const names = touched.map(({ kind, id, name, account }) => {
    const known = [name, account === undefined ? undefined : `account ${account}`].filter((part) => part !== undefined);
    return known.length === 0 ? `${kind} ${id}` : `${kind} ${id} (${known.join(', ')})`;
  });
  const more = touched.length === touchedMax ? ' and perhaps more' : '';
  return [
    `the journal is damaged: ${what}`,
    `first at revision ${revision}${when}`,
    ...(names.length === 0 ? [] : [`it touches ${names.join(', ')}${more}`]),
    severities[where],
  ];
}

const severities = {
  log: 'the log itself is damaged: put back a backup',
  index: 'only the index is damaged: stop the control plane and delete journal-index.db, which is made anew',
  memory: 'only the memory of the control plane is wrong: start it again',
} as const satisfies Record<Break['where'], string>;
