/**
 * Folding the past of registrations. Of the changes of one registration on one day (UTC) only the last is kept: the
 * day's checkpoint. What goes leaves an empty line, so every other line stays where it is, and the chain stands, since
 * it covers the digest of the lines as they were.
 *
 * What a fold does to a part follows from the log alone, whether or not it was done to some of it already: so a fold
 * that was interrupted is gone on with by doing it again.
 */
import { createHash, type Hash } from 'node:crypto';
import type { TransactionHeader } from '#model/change.ts';
import type { FoldDocument, Kind } from '#model/documents.ts';
import { hasFoldedLines, linesOf, type PlacedLine } from './chain.ts';

/** The only kind whose changes are folded: there are far more of them than of all others. */
export const foldedKind: Kind = 'target';

export const dayMs = 86_400_000;

/** After so many lines whoever walks gets a turn. */
const linesPerTurn = 2_000;

/** A part of the log, numbered over all of it. */
export interface Part {
  readonly number: number;
  readonly lines: string;
}

/** The part of a store's log that folding reads. */
export interface FoldableLog {
  header(revision: number): TransactionHeader | undefined;
  /** The numbers of a transaction's parts: `count` from `first` on. */
  partNumbers(revision: number): { readonly first: number; readonly count: number };
  part(number: number): Part;
}

/** What a fold makes of a part. */
export interface FoldedPart extends Part {
  readonly revision: number;
  /** Its text once it is folded; that of `lines` when nothing goes. */
  readonly folded: string;
  /** The lines that go, and are still there. */
  readonly gone: readonly PlacedLine[];
}

/** Where a walk is. */
export interface FoldStep {
  readonly revision: number;
  /** Of a transaction of which lines go, or have gone: all of its parts, the last first. */
  readonly parts?: Iterable<FoldedPart>;
}

/** The first and the last revision of a fold: those with which a day begins and ends. */
export type FoldRange = Pick<FoldDocument, 'from' | 'through'>;

/** Walks the range from its end to its beginning. Yields often, so that others get a turn. */
export function* stepsOfFold(log: FoldableLog, { from, through }: FoldRange): Generator<FoldStep, void, void> {
  let day: number | undefined;
  /** The registrations that are changed later on the same day. */
  let later = new Set<string>();
  let work = 0;
  for (let revision = through; revision >= from; revision -= 1) {
    const thisDay = dayOf(log.header(revision)!.timeMs);
    if (thisDay !== day) later = new Set();
    day = thisDay;
    const ids: string[] = [];
    let isTouched = false;
    const { first, count } = log.partNumbers(revision);
    for (let number = first; number < first + count; number += 1) {
      const { lines } = log.part(number);
      isTouched ||= hasFoldedLines(lines);
      for (const { kind, id } of linesOf(lines)) {
        work += 1;
        if (kind !== foldedKind) continue;
        isTouched ||= later.has(id);
        ids.push(id);
      }
      if (work < linesPerTurn) continue;
      work = 0;
      yield { revision };
    }
    work += 1;
    if (isTouched) yield { revision, parts: partsToFold(log, revision, later) };
    // Only now: a transaction changes each document once, so none of its lines stands in for another.
    for (const id of ids) later.add(id);
  }
}

function* partsToFold(log: FoldableLog, revision: number, later: ReadonlySet<string>): Iterable<FoldedPart> {
  const { first, count } = log.partNumbers(revision);
  for (let number = first + count - 1; number >= first; number -= 1) {
    const { lines } = log.part(number);
    const gone = [...linesOf(lines)].filter(({ kind, id }) => kind === foldedKind && later.has(id));
    const texts = lines.split('\n');
    for (const { position } of gone) texts[position] = '';
    yield { number, revision, lines, folded: texts.join('\n'), gone };
  }
}

/** The digest of a part's text, by which a fold knows it. */
export function partDigest(lines: string): string {
  return createHash('sha256').update(lines).digest('hex');
}

/** Takes the parts of a fold, the last first, and gives what its document says of them. */
export class FoldDigest {
  readonly #hash: Hash = createHash('sha256');
  parts = 0;

  add(number: number, foldedDigest: string): void {
    this.#hash.update(`${number}\t${foldedDigest}\n`);
    this.parts += 1;
  }

  /** To be called once. */
  finish(): string {
    return this.#hash.digest('hex');
  }
}

/** The beginning of the day (UTC) in which the time is, counted in days. */
export function dayOf(timeMs: number): number {
  return Math.floor(timeMs / dayMs);
}
