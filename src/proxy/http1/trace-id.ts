/**
 * The X-Amzn-Trace-Id that requests carry to their targets ("Request tracing for your Application Load Balancer"). A
 * new root is made when the request has none; a request that has one gets a `Self` field in front of it.
 *
 *     Root=1-TTTTTTTT-RRRRRRRRRRRRRRRRRRRRRRRR      seconds since 1970, 96 random bits, both hexadecimal
 */
import { equalsIgnoringCase, space, tab, writeAscii, writeBytes } from './bytes.ts';

const digits = Buffer.from('0123456789abcdef');
const idBytes = '1-00000000-'.length + 24;
const semicolon = 59;
const equalsSign = 61;

/**
 * Makes ids. The random part names a request, it guards nothing: a fast generator (xoshiro128**, Blackman and Vigna)
 * seeded from a good one is enough.
 */
export class TraceIds {
  readonly #state: Uint32Array;
  readonly #template = Buffer.from('1-00000000-');

  /** `seed`: 32 hexadecimal digits. */
  constructor(seed: string) {
    this.#state = Uint32Array.from({ length: 4 }, (_, index) =>
      Number.parseInt(seed.slice(index * 8, index * 8 + 8), 16),
    );
    // All zeros is the one state that such a generator never leaves.
    this.#state[0]! |= 1;
  }

  /** Sets the time that new ids carry; called when the second changes. */
  setTime(wallMs: number): void {
    writeAscii(this.#template, 2, (Math.floor(wallMs / 1000) >>> 0).toString(16).padStart(8, '0'));
  }

  /** A fair 32-bit number. */
  next(): number {
    const state = this.#state;
    const second = state[1]!;
    const product = Math.imul(second, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    state[2]! ^= state[0]!;
    state[3]! ^= second;
    state[1]! ^= state[2]!;
    state[0]! ^= state[3]!;
    state[2]! ^= second << 9;
    const fourth = state[3]!;
    state[3] = (fourth << 11) | (fourth >>> 21);
    return result;
  }

  /** 64 random bits as 16 hexadecimal digits. */
  word(): string {
    return [this.next(), this.next()].map((bits) => bits.toString(16).padStart(8, '0')).join('');
  }

  /** A new id as text. */
  text(): string {
    const bytes = Buffer.allocUnsafe(idBytes);
    return bytes.toString('latin1', 0, this.write(bytes, 0));
  }

  /** Writes a new id at `at` and returns the offset behind it. */
  write(target: Buffer, at: number): number {
    let position = writeBytes(target, at, this.#template);
    for (let word = 0; word < 3; word += 1) {
      let bits = this.next();
      for (let digit = 0; digit < 8; digit += 1) {
        target[position] = digits[bits & 15]!;
        position += 1;
        bits >>>= 4;
      }
    }
    return position;
  }
}

/** The most bytes by which `writeTraceValue` makes a value longer. */
export const traceGrowthBytesMax = 'Root='.length + idBytes + 1;

/**
 * Writes the value for a request that came with the value in [start, end): its fields in their order, with `Self` set
 * anew, or a new `Root` in front when it had none. Returns the offset behind it.
 */
export function writeTraceValue(
  ids: TraceIds,
  bytes: Buffer,
  value: { readonly start: number; readonly end: number },
  target: Buffer,
  at: number,
): number {
  const hasRoot = findPart(bytes, value.start, value.end, 'root') !== -1;
  let position = ids.write(target, writeAscii(target, at, hasRoot ? 'Self=' : 'Root='));
  for (let start = value.start; start < value.end; ) {
    const end = partEnd(bytes, start, value.end);
    const isOldSelf = findPart(bytes, start, end, 'self') !== -1;
    if (end > start && !(isOldSelf && hasRoot)) {
      target[position] = semicolon;
      position += 1 + bytes.copy(target, position + 1, start, end);
    }
    start = end + 1;
  }
  return position;
}

function partEnd(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== semicolon) at += 1;
  return at;
}

/** Where the part `name=…` begins, or -1. `name` is in lower case. */
function findPart(bytes: Buffer, start: number, end: number, name: string): number {
  for (let at = start; at < end; at = partEnd(bytes, at, end) + 1) {
    let nameStart = at;
    while (nameStart < end && (bytes[nameStart] === space || bytes[nameStart] === tab)) nameStart += 1;
    const nameEnd = nameStart + name.length;
    if (nameEnd < end && bytes[nameEnd] === equalsSign && equalsIgnoringCase(bytes, nameStart, nameEnd, name))
      return at;
  }
  return -1;
}
