/**
 * One segment of live video, made up: every byte follows from channel, number and place, so that a player can tell a
 * segment that is damaged, cut, or another's, without ever having asked the origin.
 */
import { hashNumber } from '#base/hash.ts';

export interface SegmentName {
  /** Lower-case letters, digits and hyphens, at most 64. */
  readonly channel: string;
  /** From 0, in the order of playing. */
  readonly number: number;
}

/** More than a segment of real streams has; what is bigger is somebody's mistake. */
export const segmentBytesMax = 16 * 1024 * 1024;

/** `/live/CHANNEL/NUMBER.ts`. */
export function segmentPath({ channel, number }: SegmentName): string {
  return `/live/${channel}/${number}.ts`;
}

/** The segment that a path names; undefined for every other path, also for one with a query. */
export function parseSegmentPath(path: string): SegmentName | undefined {
  const [, channel, number] = /^\/live\/([a-z0-9-]{1,64})\/(0|[1-9]\d{0,14})\.ts$/.exec(path) ?? [];
  return channel === undefined ? undefined : { channel, number: Number(number) };
}

/** What the segment has in it. Deterministic, and no two segments agree in more than chance has it. */
export function segmentContent(name: SegmentName, segmentBytes: number): Buffer {
  const words = new Uint32Array(Math.ceil(segmentBytes / 4));
  const seed = hashNumber(segmentPath(name)) | 0;
  for (let place = 0; place < words.length; place += 1) words[place] = scatter(seed + place);
  return Buffer.from(words.buffer, 0, segmentBytes);
}

/** How many bytes are not the segment's: wrong ones, missing ones and those too many. */
export function countWrongBytes(found: Buffer, expected: Buffer): number {
  if (found.equals(expected)) return 0;
  const common = Math.min(found.length, expected.length);
  let count = Math.max(found.length, expected.length) - common;
  for (let place = 0; place < common; place += 1) if (found[place] !== expected[place]) count += 1;
  return count;
}

/** Spreads a difference in any bit of a 32-bit number over all of them: two rounds of multiply and shift. */
function scatter(number: number): number {
  const once = Math.imul(number ^ (number >>> 16), 0x7feb352d);
  const twice = Math.imul(once ^ (once >>> 15), 0x846ca68b);
  return (twice ^ (twice >>> 16)) >>> 0;
}
