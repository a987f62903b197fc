/**
 * Carries out folds on a store, step by step, and takes them back with the text that a vault has kept. Each step is
 * durable, bounded, and harmless when it is done again; where a fold is interrupted, the same calls go on with it.
 *
 *   list the parts ─▶ (the fold's document is written to the journal) ─▶ fold the parts
 *   put the parts back ─▶ (the document is removed) ─▶ unlist the parts
 */
import type { FoldDocument } from '#model/documents.ts';
import { linesOf } from './chain.ts';
import { FoldDigest, type FoldRange, foldedKind, partDigest, stepsOfFold } from './fold.ts';
import type { Rewrite, StoreFolding } from './sqlite-fold.ts';
import type { VaultTransaction } from './vault-text.ts';

/** What is written at once: some ten milliseconds of work. */
const batchMax = { parts: 200, characters: 2_000_000 };

/**
 * Works out what a fold of the range comes to, and lists its parts when they are to be folded. Yields how many
 * revisions it has passed, as the others do.
 */
export function* planFold(
  folding: StoreFolding,
  range: FoldRange,
  isListing: boolean,
): Generator<number, FoldDocument, void> {
  const batch = new Batch(folding);
  const digest = new FoldDigest();
  let lines = 0;
  for (const { revision, parts = [] } of stepsOfFold(folding, range)) {
    for (const part of parts) {
      const folded = partDigest(part.folded);
      digest.add(part.number, folded);
      lines += part.gone.length;
      if (!isListing || folding.listed(part.number) !== undefined) continue;
      batch.add({ kind: 'list', part: part.number, whole: partDigest(part.lines), folded });
    }
    yield range.through - revision + 1;
  }
  batch.write();
  return { ...range, lines, parts: digest.parts, digest: digest.finish() };
}

/** Folds the parts that are listed. */
export function* carryOutFold(folding: StoreFolding, range: FoldRange): Generator<number, void, void> {
  const batch = new Batch(folding);
  for (const { revision, parts = [] } of stepsOfFold(folding, range)) {
    for (const { number, lines, folded, gone } of parts) {
      if (lines === folded) continue;
      const isWritten = batch.add({ kind: 'write', part: number, revision, lines: folded, gone, back: [] });
      if (isWritten) yield range.through - revision;
    }
    yield range.through - revision + 1;
  }
  batch.write();
}

/** Whether a vault's transaction has the text that the store has, or had before it was folded. */
export function isKeptWhole(folding: StoreFolding, { header, parts }: VaultTransaction): boolean {
  const { first, count } = folding.partNumbers(header.revision);
  const isWhole = (lines: string, index: number) => {
    const listed = folding.listed(first + index);
    return listed === undefined ? lines === folding.part(first + index).lines : partDigest(lines) === listed.whole;
  };
  return parts.length === count && parts.every(isWhole);
}

/** Puts back parts that are listed. Takes transactions of which `isKeptWhole` is true, in their order. */
export class PutBack {
  readonly #folding: StoreFolding;
  readonly #batch: Batch;

  constructor(folding: StoreFolding) {
    this.#folding = folding;
    this.#batch = new Batch(folding);
  }

  take({ header: { revision }, parts }: VaultTransaction): void {
    const { first } = this.#folding.partNumbers(revision);
    for (const [index, lines] of parts.entries()) {
      const part = first + index;
      if (this.#folding.listed(part) === undefined) continue;
      const back = [...linesOf(lines)].filter(({ kind }) => kind === foldedKind);
      this.#batch.add({ kind: 'write', part, revision, lines, gone: [], back });
    }
  }

  finish(): void {
    this.#batch.write();
  }
}

/** Takes the parts of a range off the list, all of them put back. */
export function* unlistFold(folding: StoreFolding, { from, through }: FoldRange): Generator<number, void, void> {
  const batch = new Batch(folding);
  for (let revision = from; revision <= through; revision += 1) {
    const { first, count } = folding.partNumbers(revision);
    for (let part = first; part < first + count; part += 1) {
      if (folding.listed(part) !== undefined) batch.add({ kind: 'unlist', part });
    }
    yield revision - from + 1;
  }
  batch.write();
}

/** Steps that are written together. */
class Batch {
  readonly #folding: StoreFolding;
  #steps: Rewrite[] = [];
  #characters = 0;

  constructor(folding: StoreFolding) {
    this.#folding = folding;
  }

  /** Gives back whether they were written. */
  add(step: Rewrite): boolean {
    this.#steps.push(step);
    if (step.kind === 'write') this.#characters += step.lines.length;
    if (this.#steps.length < batchMax.parts && this.#characters < batchMax.characters) return false;
    this.write();
    return true;
  }

  write(): void {
    if (this.#steps.length > 0) this.#folding.rewrite(this.#steps);
    this.#steps = [];
    this.#characters = 0;
  }
}
