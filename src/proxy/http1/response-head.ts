/**
 * Reads one response head from a target, RFC 9112 sections 4 to 6, as strictly as requests are read: a target that can
 * be understood in two ways would let one client's answer reach another (response splitting).
 */
import { cr, lf, space, valueTable } from './bytes.ts';
import { malformedConnection, readConnection, wantsClose, wantsKeepAlive } from './connection-field.ts';
import { field } from './field-names.ts';
import { complete, FieldSection, incomplete } from './field-section.ts';
import type { BodyKind } from './message-body.ts';
import { isChunkedCoding, readLength } from './request-head.ts';

/** 0: more bytes are needed. 1: complete. -1: malformed, whatever the reason: the client gets 502. */
export type ResponseProgress = 0 | 1 | -1;
export const malformed = -1;

/** Of an answer it is the head alone that is measured ("HTTP 502": 32 K for the entire response header). */
const headBytesMax = 32 * 1024;

const statusLinePrefix = Buffer.from('HTTP/1.x ddd');

type State = 0 | 1 | 2 | 3;
const inStatus = 0;
const inReason = 1;
const lineEnds = 2;
const inFields = 3;

export class ResponseHead {
  readonly fields = new FieldSection(headBytesMax);
  minorVersion = 1;
  status = 0;
  bodyKind: BodyKind = 'none';
  contentLength = 0;
  /** Whether it has a Transfer-Encoding, although there may be no body. */
  isCoded = false;
  /** Whether the target keeps the connection for further requests. */
  keepsAlive = true;

  #state: State = inStatus;
  #at = 0;

  begin(): void {
    this.#state = inStatus;
    this.#at = 0;
  }

  /** Reads on up to `end`. `isHeadRequest`: the answer to HEAD has no body, whatever its fields say. */
  read(bytes: Buffer, base: number, end: number, isHeadRequest: boolean): ResponseProgress {
    if (this.#state !== inFields) {
      const progress = this.#readLine(bytes, base, end);
      if (progress !== complete) return progress;
    }
    const progress = this.fields.read(bytes, base, end);
    if (progress === complete) return this.#understand(bytes, base, isHeadRequest);
    return progress === incomplete ? incomplete : malformed;
  }

  #readLine(bytes: Buffer, base: number, end: number): ResponseProgress {
    const stop = Math.min(end, base + headBytesMax);
    const statusEnd = base + statusLinePrefix.length;
    let at = base + this.#at;
    let state = this.#state;
    if (state === inStatus) {
      for (; at < stop && at < statusEnd; at += 1) {
        if (!belongsToStatus(bytes[at]!, at - base)) return malformed;
      }
      if (at === statusEnd) {
        this.minorVersion = bytes[base + 7]! - 48;
        this.status = (bytes[base + 9]! - 48) * 100 + (bytes[base + 10]! - 48) * 10 + bytes[base + 11]! - 48;
        if (this.status < 100 || this.status > 599) return malformed;
        state = inReason;
      }
    }
    if (state === inReason && at < stop) {
      // The space may be missing when no reason follows it.
      if (at === statusEnd && bytes[at] !== space && bytes[at] !== cr) return malformed;
      while (at < stop && valueTable[bytes[at]!] === 1) at += 1;
      if (at < stop) {
        if (bytes[at] !== cr) return malformed;
        at += 1;
        state = lineEnds;
      }
    }
    if (state === lineEnds && at < stop) {
      if (bytes[at] !== lf) return malformed;
      this.#state = inFields;
      this.fields.begin(at + 1 - base);
      return complete;
    }
    this.#at = at - base;
    this.#state = state;
    return this.#at >= headBytesMax ? malformed : incomplete;
  }

  #understand(bytes: Buffer, base: number, isHeadRequest: boolean): ResponseProgress {
    const fields = this.fields;
    if (fields.end > headBytesMax) return malformed;
    let lengths = 0;
    let codings = 0;
    this.contentLength = 0;
    for (let known = 0; known < fields.knownCount; known += 1) {
      const index = fields.known[known]!;
      const id = fields.id(index);
      if (id === field.contentLength) {
        lengths += 1;
        this.contentLength = readLength(bytes, base + fields.valueStart(index), base + fields.valueEnd(index));
        if (this.contentLength < 0) return malformed;
      } else if (id === field.transferEncoding) {
        codings += 1;
        if (!isChunkedCoding(bytes, base + fields.valueStart(index), base + fields.valueEnd(index))) return malformed;
      }
    }
    if (lengths + codings > 1 || (codings > 0 && this.minorVersion === 0)) return malformed;
    this.isCoded = codings > 0;
    const wants = readConnection(fields, bytes, base);
    if (wants === malformedConnection) return malformed;
    this.keepsAlive = (wants & wantsClose) === 0 && (this.minorVersion === 1 || (wants & wantsKeepAlive) !== 0);
    // Behind an interim answer comes the final one (RFC 9110 section 15.2), and who ends the connection sends none.
    if (this.status < 200 && this.status !== 101 && !this.keepsAlive) return malformed;
    // RFC 9112 section 6.3, in its order.
    if (isHeadRequest || this.status < 200 || this.status === 204 || this.status === 304) this.bodyKind = 'none';
    else if (codings > 0) this.bodyKind = 'chunked';
    else if (lengths > 0) this.bodyKind = this.contentLength === 0 ? 'none' : 'length';
    else this.bodyKind = 'until-close';
    if (this.bodyKind === 'until-close') this.keepsAlive = false;
    return complete;
  }
}

function belongsToStatus(byte: number, index: number): boolean {
  if (index === 7) return byte === 48 || byte === 49;
  if (index >= 9) return byte >= 48 && byte <= 57;
  return byte === statusLinePrefix[index];
}
