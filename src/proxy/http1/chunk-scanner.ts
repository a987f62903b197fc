/**
 * Checks a chunked body, RFC 9112 section 7.1, byte by byte as it passes. Bytes that were found good are forwarded as
 * they came; a scanner can stop anywhere and go on later. For clients that know no chunks it takes the framing out, in
 * place.
 *
 *     size [extension …] CRLF data CRLF … 0 [extension …] CRLF [trailer CRLF …] CRLF      extension: ;name[=value]
 *
 * Extensions are read although nobody uses them, and without the spaces that RFC 9112 section 7.1.1 calls bad: a reader
 * that skips to the end of the line and one that does not can be made to disagree about where it ends.
 */
import { colon, cr, extensionTable, hexTable, lf, tokenTable, valueTable } from './bytes.ts';
import { field, identifyField } from './field-names.ts';

/** Eight hexadecimal digits, 4 GiB a chunk: more is refused before a size could stop being exact. */
const sizeDigitsMax = 8;
const extensionBytesMax = 256;
const trailerBytesMax = 16 * 1024;
const trailerNameBytesMax = 64;
const semicolon = 59;
const equalsSign = 61;
const quote = 34;
const backslash = 92;

type State = 'size' | ExtensionState | 'size-ends' | 'data' | 'data-cr' | 'data-lf' | TrailerState;
type ExtensionState =
  | 'extension'
  | 'extension-name'
  | 'extension-value-begins'
  | 'extension-value'
  | 'extension-quoted'
  | 'extension-escaped'
  | 'extension-ends';
type TrailerState = 'trailer' | 'trailer-name' | 'trailer-value' | 'trailer-ends' | 'last-lf' | 'done' | 'malformed';

export class ChunkScanner {
  /** Bytes of data left in place by the last `extract`. */
  extractedBytes = 0;
  #state: State = 'size';
  #size = 0;
  #digits = 0;
  #extensionBytes = 0;
  #trailerBytes = 0;
  #nameBytes = 0;
  readonly #name = Buffer.alloc(trailerNameBytesMax);

  begin(): void {
    this.#state = 'size';
    this.#size = 0;
    this.#digits = 0;
    this.#extensionBytes = 0;
    this.#trailerBytes = 0;
  }

  get isDone(): boolean {
    return this.#state === 'done';
  }

  get isMalformed(): boolean {
    return this.#state === 'malformed';
  }

  /** Reads on in [start, end) and returns the offset behind the last byte that belongs to the body and is good. */
  scan(bytes: Buffer, start: number, end: number): number {
    return this.#run(bytes, start, end, false);
  }

  /** The same, and moves the data to `start`; `extractedBytes` says how much there is. */
  extract(bytes: Buffer, start: number, end: number): number {
    return this.#run(bytes, start, end, true);
  }

  #run(bytes: Buffer, start: number, end: number, extracts: boolean): number {
    let at = start;
    let kept = start;
    while (at < end && this.#state !== 'done') {
      if (this.#state === 'data') {
        const length = Math.min(this.#size, end - at);
        if (extracts) bytes.copyWithin(kept, at, at + length);
        kept += length;
        at += length;
        this.#size -= length;
        if (this.#size === 0) this.#state = 'data-cr';
        continue;
      }
      const next = this.#step(this.#state, bytes[at]!);
      this.#state = next;
      if (next === 'malformed') break;
      at += 1;
    }
    this.extractedBytes = kept - start;
    return at;
  }

  #step(state: State, byte: number): State {
    switch (state) {
      case 'size': {
        const digit = hexTable[byte]!;
        if (digit !== 255) {
          this.#digits += 1;
          this.#size = this.#size * 16 + digit;
          return this.#digits <= sizeDigitsMax ? 'size' : 'malformed';
        }
        if (this.#digits === 0) return 'malformed';
        if (byte === cr) return 'size-ends';
        return byte === semicolon ? 'extension' : 'malformed';
      }
      case 'extension':
      case 'extension-name':
      case 'extension-value-begins':
      case 'extension-value':
      case 'extension-quoted':
      case 'extension-escaped':
      case 'extension-ends':
        this.#extensionBytes += 1;
        return this.#extensionBytes <= extensionBytesMax ? stepExtension(state, byte) : 'malformed';
      case 'size-ends':
        if (byte !== lf) return 'malformed';
        this.#digits = 0;
        this.#extensionBytes = 0;
        return this.#size === 0 ? 'trailer' : 'data';
      case 'data-cr':
        return byte === cr ? 'data-lf' : 'malformed';
      case 'data-lf':
        return byte === lf ? 'size' : 'malformed';
      case 'last-lf':
        return byte === lf ? 'done' : 'malformed';
      default:
        this.#trailerBytes += 1;
        return this.#trailerBytes <= trailerBytesMax ? this.#stepTrailer(state, byte) : 'malformed';
    }
  }

  #stepTrailer(state: State, byte: number): State {
    if (state === 'trailer') {
      if (byte === cr) return 'last-lf';
      this.#nameBytes = 0;
    }
    switch (state) {
      case 'trailer':
      case 'trailer-name':
        if (byte === colon) return this.#isTrailerName() ? 'trailer-value' : 'malformed';
        if (tokenTable[byte] !== 1 || this.#nameBytes === trailerNameBytesMax) return 'malformed';
        this.#name[this.#nameBytes] = byte;
        this.#nameBytes += 1;
        return 'trailer-name';
      case 'trailer-value':
        if (byte === cr) return 'trailer-ends';
        return valueTable[byte] === 1 ? 'trailer-value' : 'malformed';
      default:
        return byte === lf ? 'trailer' : 'malformed';
    }
  }

  /** A trailer may not say again how the message is framed or routed (RFC 9110 section 6.5.1). */
  #isTrailerName(): boolean {
    return this.#nameBytes > 0 && identifyField(this.#name, 0, this.#nameBytes) === field.other;
  }
}

function stepExtension(state: ExtensionState, byte: number): State {
  switch (state) {
    case 'extension':
      return tokenTable[byte] === 1 ? 'extension-name' : 'malformed';
    case 'extension-name':
      if (byte === equalsSign) return 'extension-value-begins';
      return tokenTable[byte] === 1 ? 'extension-name' : behindExtension(byte);
    case 'extension-value-begins':
      if (byte === quote) return 'extension-quoted';
      return tokenTable[byte] === 1 ? 'extension-value' : 'malformed';
    case 'extension-value':
      return tokenTable[byte] === 1 ? 'extension-value' : behindExtension(byte);
    case 'extension-quoted':
      if (byte === quote) return 'extension-ends';
      if (byte === backslash) return 'extension-escaped';
      return extensionTable[byte] === 1 ? 'extension-quoted' : 'malformed';
    case 'extension-escaped':
      return extensionTable[byte] === 1 ? 'extension-quoted' : 'malformed';
    case 'extension-ends':
      return behindExtension(byte);
  }
}

function behindExtension(byte: number): State {
  if (byte === cr) return 'size-ends';
  return byte === semicolon ? 'extension' : 'malformed';
}
