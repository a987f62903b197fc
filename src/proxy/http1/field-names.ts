/**
 * The field names that a proxy has to know. A name is found by one table lookup on its first and last letter, and then
 * compared; every name that is not in the list is `other` and travels untouched.
 */
import { assert } from '#base/assert.ts';
import { equalsIgnoringCase } from './bytes.ts';

/** Fields that the engine reads, replaces or drops. `other`: all the rest; `dropped`: what a message asked to drop. */
export const field = {
  other: 0,
  dropped: 1,
  host: 2,
  contentLength: 3,
  transferEncoding: 4,
  connection: 5,
  keepAlive: 6,
  proxyConnection: 7,
  te: 8,
  upgrade: 9,
  expect: 10,
  http2Settings: 11,
  forwardedFor: 12,
  forwardedProto: 13,
  forwardedPort: 14,
  traceId: 15,
  trailer: 16,
} as const;

export type FieldId = (typeof field)[keyof typeof field];

const names: readonly (readonly [FieldId, string])[] = [
  [field.host, 'host'],
  [field.contentLength, 'content-length'],
  [field.transferEncoding, 'transfer-encoding'],
  [field.connection, 'connection'],
  [field.keepAlive, 'keep-alive'],
  [field.proxyConnection, 'proxy-connection'],
  [field.te, 'te'],
  [field.upgrade, 'upgrade'],
  [field.expect, 'expect'],
  [field.http2Settings, 'http2-settings'],
  [field.forwardedFor, 'x-forwarded-for'],
  [field.forwardedProto, 'x-forwarded-proto'],
  [field.forwardedPort, 'x-forwarded-port'],
  [field.traceId, 'x-amzn-trace-id'],
  [field.trailer, 'trailer'],
];

const nameOfId: readonly string[] = Array.from(
  { length: names.length + 2 },
  (_, id) => names.find(([known]) => known === id)?.[1] ?? '',
);

/** Index: the low five bits of the first and of the last character, which are the same for both cases of a letter. */
const idByEnds = new Uint8Array(1024);
for (const [id, name] of names) {
  const slot = slotOf(name.charCodeAt(0), name.charCodeAt(name.length - 1));
  assert(idByEnds[slot] === field.other, 'no two known field names share their first and last letter');
  idByEnds[slot] = id;
}

/** Which known field the name in [start, end) is; the range is not empty. */
export function identifyField(bytes: Buffer, start: number, end: number): FieldId {
  const id = idByEnds[slotOf(bytes[start]!, bytes[end - 1]!)]!;
  if (id === field.other || !equalsIgnoringCase(bytes, start, end, nameOfId[id]!)) return field.other;
  return id as FieldId;
}

/** Fields that say where a message ends or whom it is for: never to be dropped on a stranger's word. */
export function isFraming(id: FieldId): boolean {
  return id === field.host || id === field.contentLength || id === field.transferEncoding;
}

function slotOf(first: number, last: number): number {
  return ((first & 31) << 5) | (last & 31);
}
