/**
 * Edits a target's response head where it lies: lines that concern only the target's connection go, a Connection line
 * for the client comes in behind the status line. The body behind the head never moves: what is kept of the head moves
 * towards it, and the head's new start is returned.
 *
 *     before   | status | kept | dropped | kept | CRLF | body
 *     after        | status | added | kept | kept | CRLF | body
 */
import { assert } from '#base/assert.ts';
import { field } from './field-names.ts';
import type { ResponseHead } from './response-head.ts';

/** What the client is told about its connection. */
export type ConnectionLine = 'none' | 'close' | 'keep-alive' | 'upgrade';

const lines: Readonly<Record<ConnectionLine, Buffer>> = {
  none: Buffer.alloc(0),
  close: Buffer.from('Connection: close\r\n'),
  'keep-alive': Buffer.from('Connection: keep-alive\r\n'),
  upgrade: Buffer.from('Connection: Upgrade\r\n'),
};

/** What is longer has to be sent by itself. */
export const addedBytesMax = 1024;

/** Room that the caller leaves free before a head. */
export const headroomBytes = 64 + addedBytesMax;

/**
 * Edits the head whose offset 0 lies at `base` in `bytes`; returns where the edited head begins. `added`: whole lines
 * that come in besides.
 */
export function rewriteResponseHead(
  head: ResponseHead,
  bytes: Buffer,
  base: number,
  connection: ConnectionLine,
  dropsFraming: boolean,
  added: Buffer = lines.none,
): number {
  const { fields } = head;
  // The version is that of the server which answers the client (RFC 9110 section 6.2).
  bytes[base + 7] = 49;
  let write = base + fields.end;
  let keptEnd = write;
  if (fields.knownCount > 0) {
    for (let index = fields.count - 1; index >= 0; index -= 1) {
      if (passes(fields.id(index), connection, dropsFraming)) continue;
      const keptStart = base + fields.lineEnd(index);
      write = moveBack(bytes, keptStart, keptEnd, write);
      keptEnd = base + fields.lineStart(index);
    }
  }
  const linesStart = base + fields.start;
  write = moveBack(bytes, linesStart, keptEnd, write);
  assert(added.length <= addedBytesMax, 'what is added has room before the head');
  const line = lines[connection];
  if (line.length + added.length > 0) {
    write -= line.length + added.length;
    // The status line may lie where the new line goes: it moves first.
    const start = moveBack(bytes, base, linesStart, write);
    line.copy(bytes, write);
    added.copy(bytes, write + line.length);
    return start;
  }
  return moveBack(bytes, base, linesStart, write);
}

/** Moves the bytes [start, end) so that they end at `write`; returns where they begin then. */
function moveBack(bytes: Buffer, start: number, end: number, write: number): number {
  if (write !== end && end > start) bytes.copyWithin(write - (end - start), start, end);
  return write - (end - start);
}

function passes(id: number, connection: ConnectionLine, dropsFraming: boolean): boolean {
  switch (id) {
    case field.dropped:
    case field.connection:
    case field.keepAlive:
    case field.proxyConnection:
    case field.te:
      return false;
    case field.upgrade:
      return connection === 'upgrade';
    case field.transferEncoding:
    case field.contentLength:
      return !dropsFraming;
    default:
      return true;
  }
}
