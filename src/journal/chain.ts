/**
 * The hash chain: every transaction carries the SHA-256 of the one before, so no row of the past can be changed, taken
 * out or put in without breaking every hash after it.
 *
 *   hash = SHA-256( previous hash ⏎ revision ⏎ time ⏎ cause ⏎ { kind ␀ id ␀ before ␀ after ⏎ } )
 *
 * Cause and documents enter as the JSON text that the store keeps: JSON escapes control characters, so the separators
 * cannot occur inside.
 */
import { createHash } from 'node:crypto';
import type { Cause, Change, Transaction } from '#model/change.ts';

export const genesisHash = '0'.repeat(64);

/** A transaction with the texts that were hashed, so that a store writes exactly those. */
export interface SealedTransaction {
  readonly transaction: Transaction;
  readonly causeText: string;
  /** One for each change; null for a tombstone. */
  readonly afterTexts: readonly (string | null)[];
}

export interface Unsealed {
  readonly revision: number;
  readonly timeMs: number;
  readonly cause: Cause;
  readonly changes: readonly Change[];
  readonly previousHash: string;
}

export function sealTransaction(unsealed: Unsealed): SealedTransaction {
  const causeText = JSON.stringify(unsealed.cause);
  const afterTexts = unsealed.changes.map((change) => (change.after === null ? null : JSON.stringify(change.after)));
  const hash = chainHash(unsealed, causeText, afterTexts);
  return { transaction: { ...unsealed, hash }, causeText, afterTexts };
}

/** The hash that a transaction with these texts must have. */
export function chainHash(
  unsealed: Omit<Unsealed, 'cause' | 'changes'> & {
    readonly changes: readonly Pick<Change, 'kind' | 'id' | 'before'>[];
  },
  causeText: string,
  afterTexts: readonly (string | null)[],
): string {
  const hash = createHash('sha256');
  hash.update(`${unsealed.previousHash}\n${unsealed.revision}\n${unsealed.timeMs}\n${causeText}\n`);
  let lines = '';
  for (const [position, change] of unsealed.changes.entries()) {
    lines += `${change.kind}\0${change.id}\0${change.before}\0${afterTexts[position] ?? ''}\n`;
  }
  return hash.update(lines).digest('hex');
}
