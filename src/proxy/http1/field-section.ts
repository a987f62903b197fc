/**
 * Reads the field lines of a message head or trailer section, RFC 9112 section 5, and remembers where each one lies. It
 * can stop at any byte and go on later, and never looks at a byte twice, so every split of the input is read alike and
 * in linear time. All offsets are relative to the `base` that the caller passes, so the bytes may move between calls.
 *
 *     lineStart      nameEnd   valueStart        valueEnd
 *        |              |       |                   |
 *        Content-Length :  OWS  42        OWS       CR LF
 */
import { colon, cr, equalsIgnoringCase, lf, nameTable, space, tab, unusual, valueTable } from './bytes.ts';
import type { FieldId } from './field-names.ts';
import { field, identifyField } from './field-names.ts';

/** 0: more bytes are needed. 1: the section is complete. Otherwise the status that refuses the message. */
export type Progress = 0 | 1 | Refusal;
export type Refusal = 400 | 405 | 411 | 414 | 431 | 501 | 505;
export const incomplete = 0;
export const complete = 1;

export const fieldsMax = 128;
/** Longest line and head of a request, as on an Application Load Balancer (its quotas, "HTTP headers"). */
export const lineBytesMax = 16 * 1024;
export const headBytesMax = 64 * 1024;

const stride = 4;

type State = 0 | 1 | 2 | 3 | 4 | 5;
const lineBegins = 0;
const inName = 1;
const beforeValue = 2;
const inValue = 3;
const lineEnds = 4;
const sectionEnds = 5;

export class FieldSection {
  count = 0;
  /** Offset of the first field line. */
  start = 0;
  /** Offset behind the section's last byte, once it is complete. */
  end = 0;
  /** Indexes of the fields whose name is a known one: the first `knownCount` entries. */
  readonly known = new Uint8Array(fieldsMax);
  knownCount = 0;
  /** Whether a name holds another character than letters, digits and hyphens. */
  hasUnusualName = false;
  readonly #offsets = new Int32Array(fieldsMax * stride);
  readonly #ids = new Uint8Array(fieldsMax);
  readonly #lineBytesMax: number;
  #viewed: Buffer | undefined;
  #view: DataView = new DataView(new ArrayBuffer(0));
  #state: State = lineBegins;
  #at = 0;
  #lineStart = 0;
  #nameEnd = 0;
  #valueStart = 0;
  #valueEnd = 0;

  constructor(longestLineBytes = lineBytesMax) {
    this.#lineBytesMax = longestLineBytes;
  }

  /** Begins a section whose first line is at offset `start`. */
  begin(start: number): void {
    this.count = 0;
    this.knownCount = 0;
    this.hasUnusualName = false;
    this.start = start;
    this.#at = start;
    this.#state = lineBegins;
  }

  /** The first field with the name, in lower case; -1 when there is none. */
  indexOf(bytes: Buffer, base: number, name: string): number {
    for (let index = 0; index < this.count; index += 1) {
      if (equalsIgnoringCase(bytes, base + this.lineStart(index), base + this.nameEnd(index), name)) return index;
    }
    return -1;
  }

  lineStart(index: number): number {
    return this.#offsets[index * stride]!;
  }

  /** Offset behind the line's CRLF, where the next line begins. */
  lineEnd(index: number): number {
    return index + 1 < this.count ? this.#offsets[(index + 1) * stride]! : this.end - 2;
  }

  nameEnd(index: number): number {
    return this.#offsets[index * stride + 1]!;
  }

  valueStart(index: number): number {
    return this.#offsets[index * stride + 2]!;
  }

  valueEnd(index: number): number {
    return this.#offsets[index * stride + 3]!;
  }

  id(index: number): FieldId {
    return this.#ids[index] as FieldId;
  }

  /** Marks a field as one that must not be passed on. */
  drop(index: number): void {
    if (this.#ids[index] === field.other) {
      this.known[this.knownCount] = index;
      this.knownCount += 1;
    }
    this.#ids[index] = field.dropped;
  }

  /** Reads on, up to `end`. `base` is where offset 0 lies in `bytes` now. */
  read(bytes: Buffer, base: number, end: number): Progress {
    const lineBytes = this.#lineBytesMax;
    const headStop = Math.min(end, base + headBytesMax);
    let stop = Math.min(headStop, base + this.#lineStart + lineBytes);
    let at = base + this.#at;
    let state = this.#state;
    if (state === lineBegins) stop = headStop;
    for (;;) {
      if (state === lineBegins) {
        if (at === headStop) break;
        this.#lineStart = at - base;
        stop = Math.min(headStop, at + lineBytes);
        state = inName;
        if (bytes[at] === cr) {
          at += 1;
          state = sectionEnds;
        }
      }
      if (state === inName) {
        while (at < stop && nameTable[bytes[at]!] === 1) at += 1;
        if (at === stop) break;
        if (nameTable[bytes[at]!] === unusual) {
          this.hasUnusualName = true;
          at += 1;
          continue;
        }
        // Refuses a space before the colon, a folded line, an empty name, a bare line feed: all are read in two ways.
        if (bytes[at] !== colon || at - base === this.#lineStart) return 400;
        this.#nameEnd = at - base;
        at += 1;
        state = beforeValue;
      }
      if (state === beforeValue) {
        while (at < stop && (bytes[at] === space || bytes[at] === tab)) at += 1;
        if (at === stop) break;
        this.#valueStart = at - base;
        state = inValue;
      }
      if (state === inValue) {
        at = skipOrdinaryWords(this.#viewOf(bytes), at, stop);
        while (at < stop && valueTable[bytes[at]!] === 1) at += 1;
        if (at === stop) break;
        if (bytes[at] !== cr) return 400;
        const valueStart = base + this.#valueStart;
        let valueEnd = at;
        while (valueEnd > valueStart && (bytes[valueEnd - 1] === space || bytes[valueEnd - 1] === tab)) valueEnd -= 1;
        this.#valueEnd = valueEnd - base;
        at += 1;
        state = lineEnds;
      }
      if (at === stop) break;
      if (bytes[at] !== lf) return 400;
      at += 1;
      if (state === sectionEnds) {
        this.end = at - base;
        return complete;
      }
      if (this.count === fieldsMax) return 431;
      this.#record(bytes, base);
      state = lineBegins;
    }
    this.#at = at - base;
    this.#state = state;
    const isTooLong = state !== lineBegins && this.#at - this.#lineStart >= lineBytes;
    return isTooLong || this.#at >= headBytesMax ? 431 : incomplete;
  }

  /** A view of the same bytes; made once for each buffer, because the same few are read into again and again. */
  #viewOf(bytes: Buffer): DataView {
    if (bytes !== this.#viewed) {
      this.#viewed = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    return this.#view;
  }

  #record(bytes: Buffer, base: number): void {
    const index = this.count;
    const offset = index * stride;
    this.#offsets[offset] = this.#lineStart;
    this.#offsets[offset + 1] = this.#nameEnd;
    this.#offsets[offset + 2] = this.#valueStart;
    this.#offsets[offset + 3] = this.#valueEnd;
    const id = identifyField(bytes, base + this.#lineStart, base + this.#nameEnd);
    this.#ids[index] = id;
    if (id !== field.other) {
      this.known[this.knownCount] = index;
      this.knownCount += 1;
    }
    this.count = index + 1;
  }
}

/**
 * Skips whole words of four bytes that are neither control characters nor DEL, up to the first that may hold one: most
 * of a head is values, and this halves the cost of reading them.
 */
function skipOrdinaryWords(view: DataView, start: number, stop: number): number {
  let at = start;
  for (; at < stop - 3; at += 4) {
    const word = view.getInt32(at);
    const withoutDelete = word ^ 0x7f7f7f7f;
    // The high bit of a byte stays set in the first term where the byte was below 32, in the second where it was 127.
    const found = ((word - 0x20202020) & ~word) | ((withoutDelete - 0x01010101) & ~withoutDelete);
    if ((found & 0x80808080) !== 0) break;
  }
  return at;
}
