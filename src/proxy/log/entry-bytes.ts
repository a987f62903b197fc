/**
 * The text of a log entry as bytes, put together in a buffer that grows and is used again. What clients send becomes
 * safe on its way in: quotes, backslashes and what is not visible ASCII are written as `\xHH`, so that no field and no
 * line ends before its end.
 */

const firstBytes = 1024;
const space = 32;
const quote = 34;
const backslash = 92;
const tilde = 126;
/** Longest form of one byte. */
const escapeLength = 4;
const digits = '0123456789abcdef';
const oneDigit = Array.from({ length: 10 }, (_, digit) => String(digit));
const thousandths = Array.from({ length: 1_000 }, (_, index) => String(index).padStart(3, '0'));

/** The text of the second that entries were made in last: thousands of them share it. */
let knownSecond = -1;
let knownText = '';

export class EntryBytes {
  bytes = Buffer.allocUnsafeSlow(firstBytes);
  length = 0;

  clear(): void {
    this.length = 0;
  }

  /** A text of ours: visible ASCII. */
  text(text: string): this {
    this.#makeRoom(text.length);
    const { bytes, length } = this;
    for (let index = 0; index < text.length; index += 1) bytes[length + index] = text.charCodeAt(index);
    this.length = length + text.length;
    return this;
  }

  /** A whole number, not negative. */
  number(value: number): this {
    return value < 10 ? this.text(oneDigit[value]!) : this.text(String(value));
  }

  /** ISO 8601 with six decimals; `atMs`: milliseconds since 1970-01-01 UTC. */
  moment(atMs: number): this {
    const second = Math.floor(atMs / 1_000);
    if (second !== knownSecond) {
      knownSecond = second;
      knownText = `${new Date(second * 1_000).toISOString().slice(0, 19)}.`;
    }
    return this.text(knownText)
      .text(thousandths[Math.floor(atMs) - second * 1_000]!)
      .text('000Z');
  }

  /** Seconds with three decimals. */
  seconds(durationMs: number): this {
    const rounded = Math.max(0, Math.round(durationMs));
    const seconds = Math.floor(rounded / 1_000);
    return this.number(seconds)
      .text('.')
      .text(thousandths[rounded - seconds * 1_000]!);
  }

  /** Bytes of another entry, which are safe already. */
  copy({ bytes }: EntryBytes, start: number, end: number): this {
    this.#makeRoom(end - start);
    let at = this.length;
    for (let from = start; from < end; from += 1) {
      this.bytes[at] = bytes[from]!;
      at += 1;
    }
    this.length = at;
    return this;
  }

  /** Bytes of a stranger. */
  escaped(source: Buffer, start: number, end: number): this {
    this.#makeRoom((end - start) * escapeLength);
    let at = this.length;
    for (let from = start; from < end; from += 1) at = this.#put(source[from]!, at);
    this.length = at;
    return this;
  }

  /** A text of a stranger, of characters up to U+00FF. */
  escapedText(text: string): this {
    this.#makeRoom(text.length * escapeLength);
    let at = this.length;
    for (let from = 0; from < text.length; from += 1) at = this.#put(text.charCodeAt(from), at);
    this.length = at;
    return this;
  }

  #put(byte: number, at: number): number {
    const { bytes } = this;
    if (byte >= space && byte <= tilde && byte !== quote && byte !== backslash) {
      bytes[at] = byte;
      return at + 1;
    }
    bytes[at] = backslash;
    bytes[at + 1] = 'x'.charCodeAt(0);
    bytes[at + 2] = digits.charCodeAt(byte >> 4);
    bytes[at + 3] = digits.charCodeAt(byte & 15);
    return at + escapeLength;
  }

  #makeRoom(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.length + more));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }
}
