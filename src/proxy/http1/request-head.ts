/**
 * Reads one request head, RFC 9112 sections 2 to 6, and says what it means. What could be read in two ways is refused,
 * with the status to refuse it with: the next server might read it in the other way (request smuggling). Like the field
 * section it can stop at any byte, and offsets are relative to `base`.
 */
import { colon, cr, equalsIgnoringCase, hostTable, lf, space, targetTable, tokenTable } from './bytes.ts';
import { malformedConnection, readConnection, wantsClose, wantsKeepAlive, wantsUpgrade } from './connection-field.ts';
import { field } from './field-names.ts';
import type { Progress } from './field-section.ts';
import { complete, FieldSection, incomplete, lineBytesMax } from './field-section.ts';
import type { BodyKind } from './message-body.ts';

const methodBytesMax = 40;
/** Fifteen digits stay exact in a double. */
const lengthDigitsMax = 15;

type State = 0 | 1 | 2 | 3 | 4 | 5 | 6;
const beginning = 0;
const emptyLineEnds = 1;
const inMethod = 2;
const inTarget = 3;
const inVersion = 4;
const lineEnds = 5;
const inFields = 6;

const versionText = Buffer.from('HTTP/1.1');
const slash = 47;
const question = 63;
const asterisk = 42;
const bracketOpens = 91;
const bracketCloses = 93;

export class RequestHead {
  readonly fields = new FieldSection();
  /** Offset of the method: behind the empty line that may precede a request (RFC 9112 section 2.2). */
  start = 0;
  methodEnd = 0;
  targetStart = 0;
  targetEnd = 0;
  /** 0 or 1: HTTP/1.0 or HTTP/1.1. */
  minorVersion = 1;

  isHead = false;
  /** RFC 9110 section 9.2.2: may be sent again when nobody knows whether it arrived. */
  isIdempotent = false;
  /** Where the path with its query begins; equal to `targetEnd` when an absolute-form target has none. */
  pathStart = 0;
  /** The authority: from the target in absolute form, else the Host field's value; empty when there is none. */
  hostStart = 0;
  hostEnd = 0;
  isAbsolute = false;
  /** The index of the Host field, or -1. */
  hostField = -1;
  bodyKind: BodyKind = 'none';
  contentLength = 0;
  keepsAlive = true;
  /** Asks for another protocol that may be relayed. */
  isUpgrade = false;

  #state: State = beginning;
  #at = 0;

  /** Begins a new request. */
  begin(): void {
    this.#state = beginning;
    this.#at = 0;
    this.start = 0;
  }

  /** Whether any byte of the request has been read. */
  get hasBegun(): boolean {
    return this.#at !== 0;
  }

  /** Reads on up to `end`; when it gives `complete`, everything above is set and `fields.end` is the head's length. */
  read(bytes: Buffer, base: number, end: number): Progress {
    if (this.#state !== inFields) {
      const progress = this.#readLine(bytes, base, end);
      if (progress !== complete) return progress;
    }
    const progress = this.fields.read(bytes, base, end);
    return progress === complete ? this.#understand(bytes, base) : progress;
  }

  /** Whether the host, of a head that was read, comes with a port. */
  namesPort(bytes: Buffer, base: number): boolean {
    for (let at = base + this.hostEnd - 1; at >= base + this.hostStart; at -= 1) {
      if (bytes[at] === colon) return true;
      if (bytes[at]! < 48 || bytes[at]! > 57) return false;
    }
    return false;
  }

  #readLine(bytes: Buffer, base: number, end: number): Progress {
    let at = base + this.#at;
    let state = this.#state;
    reading: for (;;) {
      // An incomplete line is measured before a byte behind its limit is looked at, so that every split says the same.
      const stop = Math.min(end, base + this.start + (state === inMethod ? methodBytesMax : lineBytesMax));
      switch (state) {
        case beginning:
          if (at === stop) break reading;
          if (bytes[at] === cr) {
            at += 1;
            state = emptyLineEnds;
            continue;
          }
          state = inMethod;
          continue;
        case emptyLineEnds:
          if (at === stop) break reading;
          if (bytes[at] !== lf) return 400;
          at += 1;
          this.start = 2;
          state = inMethod;
          continue;
        case inMethod:
          while (at < stop && tokenTable[bytes[at]!] === 1) at += 1;
          if (at === stop) break reading;
          this.methodEnd = at - base;
          if (bytes[at] !== space || this.methodEnd === this.start) return 400;
          at += 1;
          this.targetStart = at - base;
          state = inTarget;
          continue;
        case inTarget:
          while (at < stop && targetTable[bytes[at]!] === 1) at += 1;
          if (at === stop) break reading;
          this.targetEnd = at - base;
          if (bytes[at] !== space || this.targetEnd === this.targetStart) return 400;
          at += 1;
          state = inVersion;
          continue;
        case inVersion: {
          const versionStart = base + this.targetEnd + 1;
          for (; at < end && at - versionStart < 8; at += 1) {
            const index = at - versionStart;
            const isDigit = index === 5 || index === 7;
            if (isDigit ? bytes[at]! < 48 || bytes[at]! > 57 : bytes[at] !== versionText[index]) return 400;
          }
          if (at - versionStart < 8) break reading;
          this.minorVersion = bytes[versionStart + 7]! - 48;
          if (bytes[versionStart + 5] !== 49 || this.minorVersion > 1) return 505;
          state = lineEnds;
          continue;
        }
        case lineEnds: {
          const versionEnd = base + this.targetEnd + 9;
          if (at === end) break reading;
          if (at === versionEnd) {
            if (bytes[at] !== cr) return 400;
            at += 1;
            continue;
          }
          if (bytes[at] !== lf) return 400;
          if (at + 1 - base - this.start > lineBytesMax) return 414;
          this.#state = inFields;
          this.fields.begin(at + 1 - base);
          return complete;
        }
        case inFields:
          return complete;
      }
    }
    this.#at = at - base;
    this.#state = state;
    const length = this.#at - this.start;
    if (state === inMethod && length >= methodBytesMax) return 400;
    return state === inTarget && length >= lineBytesMax ? 414 : incomplete;
  }

  #understand(bytes: Buffer, base: number): Progress {
    const fields = this.fields;
    let lengths = 0;
    let isChunked = false;
    let codings = 0;
    let upgrades = 0;
    let hasConnection = false;
    this.hostField = -1;
    this.contentLength = 0;
    for (let known = 0; known < fields.knownCount; known += 1) {
      const index = fields.known[known]!;
      switch (fields.id(index)) {
        case field.host:
          if (this.hostField !== -1) return 400;
          this.hostField = index;
          break;
        case field.contentLength:
          lengths += 1;
          this.contentLength = readLength(bytes, base + fields.valueStart(index), base + fields.valueEnd(index));
          // Several lengths are refused even when they are equal: there is no reason to send two.
          if (this.contentLength < 0 || lengths > 1) return 400;
          break;
        case field.transferEncoding:
          codings += 1;
          isChunked = isChunkedCoding(bytes, base + fields.valueStart(index), base + fields.valueEnd(index));
          break;
        case field.upgrade:
          upgrades += isRelayedProtocol(bytes, base + fields.valueStart(index), base + fields.valueEnd(index)) ? 1 : 2;
          break;
        case field.connection:
          hasConnection = true;
          break;
      }
    }
    if (codings > 0) {
      // RFC 9112 section 6.1: both lengths at once is smuggling until proven otherwise, and HTTP/1.0 knows no chunks.
      if (codings > 1 || lengths > 0 || this.minorVersion === 0) return 400;
      if (!isChunked) return this.#hasIdentityCoding(bytes, base) ? 411 : 501;
    }
    if (isChunked) this.bodyKind = 'chunked';
    else this.bodyKind = this.contentLength > 0 ? 'length' : 'none';
    const wants = hasConnection ? readConnection(fields, bytes, base) : 0;
    if (wants === malformedConnection) return 400;
    this.keepsAlive = (wants & wantsClose) === 0 && (this.minorVersion === 1 || (wants & wantsKeepAlive) !== 0);
    this.isUpgrade =
      upgrades === 1 && (wants & wantsUpgrade) !== 0 && this.minorVersion === 1 && this.bodyKind === 'none';
    return this.#understandTarget(bytes, base, lengths > 0);
  }

  /** `identity` is a coding that ALB knows, too ("HTTP 501"), and one in which nothing says where the body ends. */
  #hasIdentityCoding(bytes: Buffer, base: number): boolean {
    const { fields } = this;
    const index = fields.indexOf(bytes, base, 'transfer-encoding');
    return equalsIgnoringCase(bytes, base + fields.valueStart(index), base + fields.valueEnd(index), 'identity');
  }

  #understandTarget(bytes: Buffer, base: number, hasLength: boolean): Progress {
    const { fields, hostField } = this;
    if (hostField === -1) {
      if (this.minorVersion === 1) return 400;
      this.hostStart = this.hostEnd = 0;
    } else {
      this.hostStart = fields.valueStart(hostField);
      this.hostEnd = fields.valueEnd(hostField);
      if (!isHost(bytes, base + this.hostStart, base + this.hostEnd)) return 400;
    }
    const method = this.start + base;
    const length = this.methodEnd - this.start;
    this.isHead = length === 4 && equals(bytes, method, 'HEAD');
    this.isIdempotent =
      (length === 3 && (equals(bytes, method, 'GET') || equals(bytes, method, 'PUT'))) ||
      this.isHead ||
      (length === 6 && equals(bytes, method, 'DELETE')) ||
      (length === 7 && equals(bytes, method, 'OPTIONS'));
    // TRACE echoes credentials that proxies add (RFC 9110 section 9.3.8); CONNECT is for forward proxies.
    if (length === 5 && equals(bytes, method, 'TRACE')) return 405;
    if (length === 7 && equals(bytes, method, 'CONNECT')) return 400;
    if (this.minorVersion === 0 && !hasLength && isPostOrPut(bytes, method, length)) return 411;
    const first = bytes[base + this.targetStart];
    this.isAbsolute = false;
    this.pathStart = this.targetStart;
    if (first === slash) return complete;
    if (first === asterisk && this.targetEnd === this.targetStart + 1) {
      return length === 7 && equals(bytes, method, 'OPTIONS') ? complete : 400;
    }
    return this.#understandAbsoluteTarget(bytes, base);
  }

  /** RFC 9112 section 3.2.2: the target's authority wins over the Host field, which a proxy then replaces. */
  #understandAbsoluteTarget(bytes: Buffer, base: number): Progress {
    const authorityStart = this.targetStart + 'http://'.length;
    if (authorityStart > this.targetEnd) return 400;
    if (!equalsIgnoringCase(bytes, base + this.targetStart, base + authorityStart, 'http://')) return 400;
    let at = authorityStart;
    while (at < this.targetEnd && bytes[base + at] !== slash && bytes[base + at] !== question) at += 1;
    if (at === authorityStart || !isHost(bytes, base + authorityStart, base + at)) return 400;
    this.isAbsolute = true;
    this.hostStart = authorityStart;
    this.hostEnd = at;
    this.pathStart = at;
    return complete;
  }
}

/** A Content-Length: digits alone, at most fifteen; -1 otherwise. Also what a response may say. */
export function readLength(bytes: Buffer, start: number, end: number): number {
  if (end === start || end - start > lengthDigitsMax) return -1;
  let length = 0;
  for (let at = start; at < end; at += 1) {
    const digit = bytes[at]! - 48;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length;
}

/**
 * Whether a Transfer-Encoding is exactly `chunked`, the one coding that says where a message ends. Spaces may follow it
 * up to the line's end, but no tab: RFC 9110 section 5.5 drops both, llhttp a space alone, and to a server built on it
 * the message would end elsewhere. The whole line lies in `bytes`.
 */
export function isChunkedCoding(bytes: Buffer, start: number, end: number): boolean {
  if (!equalsIgnoringCase(bytes, start, end, 'chunked')) return false;
  let at = end;
  while (bytes[at] === space) at += 1;
  return bytes[at] === cr;
}

/** One protocol name that is not HTTP: an upgrade to cleartext HTTP/2 would tunnel requests past every rule. */
function isRelayedProtocol(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    if (tokenTable[bytes[at]!] !== 1 && bytes[at] !== slash) return false;
  }
  const name = bytes.toString('latin1', start, end).toLowerCase();
  return name !== '' && !name.startsWith('h2') && !name.startsWith('http') && !name.startsWith('tls');
}

/** `host`, `host:port` or `[address]:port`; an empty value is one too (RFC 9110 section 7.2). */
function isHost(bytes: Buffer, start: number, end: number): boolean {
  let at = start;
  if (at < end && bytes[at] === bracketOpens) {
    for (at += 1; at < end && bytes[at] !== bracketCloses; at += 1) {
      if (hostTable[bytes[at]!] !== 1 && bytes[at] !== colon) return false;
    }
    if (at === end) return false;
    at += 1;
  } else {
    while (at < end && hostTable[bytes[at]!] === 1) at += 1;
  }
  if (at === end) return true;
  if (bytes[at] !== colon || at === start) return false;
  for (at += 1; at < end; at += 1) if (bytes[at]! < 48 || bytes[at]! > 57) return false;
  return true;
}

/**
 * RFC 1945 section 8.3: in HTTP/1.0 these come with a length, always. One without may have a body that ends with the
 * connection, and its target would never see it.
 */
function isPostOrPut(bytes: Buffer, at: number, length: number): boolean {
  return (length === 4 && equals(bytes, at, 'POST')) || (length === 3 && equals(bytes, at, 'PUT'));
}

function equals(bytes: Buffer, at: number, text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    if (bytes[at + index] !== text.charCodeAt(index)) return false;
  }
  return true;
}
