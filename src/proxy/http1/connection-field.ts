/**
 * The Connection field, RFC 9110 section 7.6.1: what the sender wants of this one connection, and which other fields
 * concern it alone. Fields named there are marked as dropped. Framing fields may not be named: a message that loses its
 * length on the way is two messages to somebody.
 */
import { equalsIgnoringCase, space, tab, tokenTable } from './bytes.ts';
import { field, isFraming } from './field-names.ts';
import type { FieldSection } from './field-section.ts';

export const wantsClose = 1;
export const wantsKeepAlive = 2;
export const wantsUpgrade = 4;
export const malformedConnection = -1;

/** More options than any real sender has; each is compared with every field name. */
const optionsMax = 16;
const comma = 44;

/** Reads all Connection fields of a message. Returns the flags above added up, or `malformedConnection`. */
export function readConnection(fields: FieldSection, bytes: Buffer, base: number): number {
  let wants = 0;
  let options = 0;
  // Dropping appends to `known`, so its length is taken before.
  for (let known = 0, count = fields.knownCount; known < count; known += 1) {
    const index = fields.known[known]!;
    if (fields.id(index) !== field.connection) continue;
    const end = base + fields.valueEnd(index);
    let at = base + fields.valueStart(index);
    while (at < end) {
      const byte = bytes[at]!;
      if (byte === comma || byte === space || byte === tab) {
        at += 1;
        continue;
      }
      const start = at;
      while (at < end && tokenTable[bytes[at]!] === 1) at += 1;
      options += 1;
      if (at === start || options > optionsMax) return malformedConnection;
      if (equalsIgnoringCase(bytes, start, at, 'keep-alive')) wants |= wantsKeepAlive;
      else if (equalsIgnoringCase(bytes, start, at, 'close')) wants |= wantsClose;
      else if (equalsIgnoringCase(bytes, start, at, 'upgrade')) wants |= wantsUpgrade;
      else if (!dropNamed(fields, bytes, base, start, at)) return malformedConnection;
      while (at < end && (bytes[at] === space || bytes[at] === tab)) at += 1;
      if (at < end && bytes[at] !== comma) return malformedConnection;
    }
  }
  return wants;
}

function dropNamed(fields: FieldSection, bytes: Buffer, base: number, start: number, end: number): boolean {
  const name = bytes.toString('latin1', start, end).toLowerCase();
  for (let index = 0; index < fields.count; index += 1) {
    const id = fields.id(index);
    // TE is named whenever it is sent; it does not pass in any case, and may still be asked what it said.
    if (id === field.connection || id === field.te) continue;
    if (!equalsIgnoringCase(bytes, base + fields.lineStart(index), base + fields.nameEnd(index), name)) continue;
    if (isFraming(id)) return false;
    fields.drop(index);
  }
  return true;
}
