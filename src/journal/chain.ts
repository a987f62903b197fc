/**
 * The text of a transaction, and the hash chain over it. What is hashed is exactly what is kept, byte for byte, so
 * whoever checks a store or a copy of it needs to know nothing of documents.
 *
 *   line   = kind TAB id TAB before TAB after LF        (after is JSON; empty for a tombstone)
 *   digest = SHA-256( line … )
 *   hash   = SHA-256( previous hash LF revision LF time LF cause LF harmed LF number of lines LF digest LF )
 *
 * JSON escapes control characters, so neither separator occurs inside. The digest stands between the lines and the
 * hash, so the chain still verifies where lines of the past were folded away.
 */
import { createHash } from 'node:crypto';
import { type Cause, type Change, lineOf, type Transaction, type TransactionHeader } from '#model/change.ts';
import { isKind, type Kind } from '#model/documents.ts';

export const genesisHash = '0'.repeat(64);

/** Where the history of a new store begins. */
export const beginning = { revision: 0, hash: genesisHash } as const;

/** Lines are kept in parts of so many: one is read whole to find one change in it. */
export const linesPerPartMax = 100;

/** A transaction with the texts that were hashed, so that a store writes exactly those. */
export interface SealedTransaction {
  readonly transaction: Transaction;
  readonly causeText: string;
  /** The lines of its changes in order, joined in parts of at most `linesPerPartMax`. */
  readonly parts: readonly string[];
}

/** A transaction as the texts that were hashed, for whoever copies or checks it. */
export interface TransactionText {
  readonly header: TransactionHeader;
  readonly causeText: string;
  /** Read as they are asked for. */
  readonly parts: Iterable<string>;
}

/** What is decided; the rest of a transaction follows from it. */
export type Unsealed = Pick<Transaction, 'revision' | 'timeMs' | 'cause' | 'harmed' | 'changes' | 'previousHash'>;

export function sealTransaction(unsealed: Unsealed): SealedTransaction {
  const { changes } = unsealed;
  const causeText = JSON.stringify(unsealed.cause);
  const digest = createHash('sha256');
  const parts: string[] = [];
  for (let start = 0; start < changes.length; start += linesPerPartMax) {
    let part = '';
    for (const change of changes.slice(start, start + linesPerPartMax)) part += lineOf(change);
    digest.update(part);
    parts.push(part);
  }
  const content = { ...unsealed, changesCount: changes.length, digest: digest.digest('hex') };
  return { transaction: { ...content, hash: chainHash(content, causeText) }, causeText, parts };
}

/** The hash that a transaction with this header must have. */
export function chainHash(header: Omit<TransactionHeader, 'cause' | 'hash'>, causeText: string): string {
  const { previousHash, revision, timeMs, harmed, changesCount, digest } = header;
  return createHash('sha256')
    .update(`${previousHash}\n${revision}\n${timeMs}\n${causeText}\n${harmed}\n${changesCount}\n${digest}\n`)
    .digest('hex');
}

/** The digest that these parts must have. */
export function digestOf(parts: Iterable<string>): string {
  const digest = createHash('sha256');
  for (const part of parts) digest.update(part);
  return digest.digest('hex');
}

/** One line, split but not read: `afterText` is JSON, or empty for a tombstone. */
export interface Line {
  readonly kind: Kind;
  readonly id: string;
  readonly before: number;
  readonly afterText: string;
}

export interface PlacedLine extends Line {
  /** From 0, among the lines of its part. */
  readonly position: number;
}

/**
 * Splits a part into its lines; an empty one stands for a line that was folded away, and is passed over. Throws
 * `UnreadableLine` on what was not written by `sealTransaction`.
 */
export function* linesOf(part: string): Iterable<PlacedLine> {
  let start = 0;
  for (let position = 0; start < part.length; position += 1) {
    const end = part.indexOf('\n', start);
    if (end === start) {
      start += 1;
      continue;
    }
    const kindEnd = part.indexOf('\t', start);
    const idEnd = part.indexOf('\t', kindEnd + 1);
    const beforeEnd = part.indexOf('\t', idEnd + 1);
    const kind = part.slice(start, kindEnd);
    const before = Number(part.slice(idEnd + 1, beforeEnd));
    const isWhole = kindEnd !== -1 && idEnd !== -1 && beforeEnd !== -1 && beforeEnd < end;
    if (!isWhole || !isKind(kind) || !Number.isSafeInteger(before) || before < 0) {
      throw new UnreadableLine(`no change can be read at character ${start} of a part`);
    }
    yield { kind, id: part.slice(kindEnd + 1, idEnd), before, afterText: part.slice(beforeEnd + 1, end), position };
    start = end + 1;
  }
}

/** The change that a line stands for. Throws `UnreadableLine` when its document is not JSON. */
export function changeOf({ kind, id, before, afterText }: Line): Change {
  return { kind, id, before, after: afterText === '' ? null : documentOf(afterText) } as Change;
}

/** Whether lines of the part were folded away. */
export function hasFoldedLines(part: string): boolean {
  return part.startsWith('\n') || part.includes('\n\n');
}

export class UnreadableLine extends Error {
  override readonly name = 'UnreadableLine';
}

/** Throws `UnreadableLine` when the text is no JSON object. */
export function documentOf(afterText: string): object {
  try {
    const document: unknown = JSON.parse(afterText);
    if (typeof document === 'object' && document !== null) return document;
  } catch {
    // Said below, without the text: it can be long.
  }
  throw new UnreadableLine('a document is not a JSON object');
}

export function causeOf(causeText: string): Cause {
  return documentOf(causeText) as Cause;
}
