/**
 * The text of transactions as the vault keeps it: lines that are those of the journal, byte for byte, so that a copy
 * proves itself by the very hashes that the journal made.
 *
 *   transaction = header line LF, then as many lines as it has changes
 *   header line = {"revision":…,"timeMs":…,"harmed":…,"changesCount":…,"digest":…,"previousHash":…,"hash":…,"cause":…}
 *
 * The cause comes last and is the text that was hashed. What stands before it holds only numbers and hexadecimal
 * digits, so where it begins is never in doubt.
 */
import { createHash } from 'node:crypto';
import type { Change, TransactionHeader } from '#model/change.ts';
import {
  causeOf,
  chainHash,
  changeOf,
  hasFoldedLines,
  linesOf,
  linesPerPartMax,
  type SealedTransaction,
} from './chain.ts';

/** A point of the chain. */
export interface ChainPoint {
  readonly revision: number;
  readonly hash: string;
}

/** A whole transaction that came out of a vault, checked. */
export interface VaultTransaction {
  readonly header: TransactionHeader;
  readonly causeText: string;
  /** The lines of its changes, in parts as the journal keeps them. */
  readonly parts: readonly string[];
}

/** The text is not what a journal wrote, or does not continue what was read before. */
export class VaultTextWrong extends Error {
  override readonly name = 'VaultTextWrong';
}

const causeMark = ',"cause":';

export function headerLine({ cause, ...header }: TransactionHeader, causeText: string): string {
  const { revision, timeMs, harmed, changesCount, digest, previousHash, hash } = header;
  const known = JSON.stringify({ revision, timeMs, harmed, changesCount, digest, previousHash, hash });
  return `${known.slice(0, -1)}${causeMark}${causeText}}\n`;
}

/** Checks one transaction while its text goes by: that it continues `previous`, and has the hashes that it says. */
export class TransactionCheck {
  readonly #header: TransactionHeader;
  readonly #causeText: string;
  readonly #digest = createHash('sha256');
  #hasFoldedLines = false;

  /** Throws `VaultTextWrong`, as the other calls do. */
  constructor(header: TransactionHeader, causeText: string, previous: ChainPoint) {
    if (header.revision !== previous.revision + 1) {
      throw new VaultTextWrong(`revision ${header.revision} stands where ${previous.revision + 1} belongs`);
    }
    if (header.previousHash !== previous.hash) {
      throw new VaultTextWrong(`revision ${header.revision} does not continue the one before it`);
    }
    this.#header = header;
    this.#causeText = causeText;
  }

  add(part: string): void {
    this.#digest.update(part);
    this.#hasFoldedLines ||= hasFoldedLines(part);
  }

  finish(): void {
    const { revision, digest, hash } = this.#header;
    // Where lines were folded away, the digest of what they were is all that is left of them.
    const isWhole = this.#digest.digest('hex') === digest || this.#hasFoldedLines;
    if (!isWhole || chainHash(this.#header, this.#causeText) !== hash) {
      throw new VaultTextWrong(`revision ${revision} is not what was written`);
    }
  }
}

interface Unfinished {
  readonly header: TransactionHeader;
  readonly causeText: string;
  readonly check: TransactionCheck;
  readonly parts: string[];
  part: string;
  linesInPart: number;
  linesMissing: number;
}

/** Puts transactions together from text that comes in pieces of whole lines, and checks each. */
export class TransactionAssembler {
  #last: ChainPoint;
  #unfinished: Unfinished | undefined;

  constructor(previous: ChainPoint) {
    this.#last = previous;
  }

  /** The last transaction that came out whole. */
  get last(): ChainPoint {
    return this.#last;
  }

  /** Whether a transaction has begun and not ended. */
  get isInside(): boolean {
    return this.#unfinished !== undefined;
  }

  /** Gives the transactions that `text` completes. Throws `VaultTextWrong`. */
  *feed(text: string): Iterable<VaultTransaction> {
    if (!text.endsWith('\n')) throw new VaultTextWrong('a frame ends within a line');
    let position = 0;
    while (position < text.length) {
      if (this.#unfinished === undefined) {
        const end = text.indexOf('\n', position);
        this.#unfinished = this.#begin(text.slice(position, end));
        position = end + 1;
      } else {
        position = takeLines(this.#unfinished, text, position);
      }
      if (this.#unfinished.linesMissing > 0) continue;
      const { header, causeText, check, parts } = this.#unfinished;
      check.finish();
      this.#unfinished = undefined;
      this.#last = { revision: header.revision, hash: header.hash };
      yield { header, causeText, parts };
    }
  }

  #begin(line: string): Unfinished {
    const { header, causeText } = parseHeaderLine(line);
    const check = new TransactionCheck(header, causeText, this.#last);
    return { header, causeText, check, parts: [], part: '', linesInPart: 0, linesMissing: header.changesCount };
  }
}

/** The same as the journal had it, to be written to a store as it is. */
export function sealedAgain({ header, causeText, parts }: VaultTransaction): SealedTransaction {
  const transaction = {
    ...header,
    // Read only where somebody asks: a store writes the texts.
    get changes(): Change[] {
      return parts.flatMap((part) => Array.from(linesOf(part), changeOf));
    },
  };
  return { transaction, causeText, parts };
}

/** Takes lines up to the end of the part, of the transaction or of the text; gives the position behind them. */
function takeLines(unfinished: Unfinished, text: string, start: number): number {
  let end = start;
  while (unfinished.linesMissing > 0 && unfinished.linesInPart < linesPerPartMax && end < text.length) {
    end = text.indexOf('\n', end) + 1;
    unfinished.linesMissing -= 1;
    unfinished.linesInPart += 1;
  }
  unfinished.part += text.slice(start, end);
  if (unfinished.linesMissing === 0 || unfinished.linesInPart === linesPerPartMax) {
    unfinished.check.add(unfinished.part);
    unfinished.parts.push(unfinished.part);
    unfinished.part = '';
    unfinished.linesInPart = 0;
  }
  return end;
}

function parseHeaderLine(line: string): { readonly header: TransactionHeader; readonly causeText: string } {
  const mark = line.indexOf(causeMark);
  if (mark === -1 || !line.endsWith('}')) throw new VaultTextWrong('no transaction begins where one should');
  const causeText = line.slice(mark + causeMark.length, -1);
  try {
    const known = JSON.parse(`${line.slice(0, mark)}}`) as Record<string, unknown>;
    const { revision, timeMs, harmed, changesCount, digest, previousHash, hash } = known;
    const areNumbers = [revision, timeMs, harmed, changesCount].every(Number.isSafeInteger);
    const areHashes = [digest, previousHash, hash].every((text) => /^[0-9a-f]{64}$/.test(String(text)));
    if (areNumbers && areHashes && (changesCount as number) >= 0) {
      return { header: { ...known, cause: causeOf(causeText) } as unknown as TransactionHeader, causeText };
    }
  } catch {
    // Said below.
  }
  throw new VaultTextWrong('the head of a transaction cannot be read');
}
