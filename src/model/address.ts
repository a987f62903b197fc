/** IPv4 addresses and prefixes. Addresses are handled as unsigned 32-bit numbers between parse and format. */

const [digit0, digit9, dot] = [0x30, 0x39, 0x2e];

/** Strict dotted decimal: four numbers without leading zeros, which some programs would read as octal. */
export function parseAddress(text: string): number | undefined {
  let [address, byte, digitsCount, dotsCount] = [0, 0, 0, 0];
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === dot && digitsCount > 0) {
      address = address * 256 + byte;
      [byte, digitsCount] = [0, 0];
      dotsCount += 1;
      continue;
    }
    const isZeroLed = digitsCount > 0 && byte === 0;
    if (code < digit0 || code > digit9 || isZeroLed) return undefined;
    byte = byte * 10 + code - digit0;
    digitsCount += 1;
    if (byte > 255) return undefined;
  }
  return dotsCount === 3 && digitsCount > 0 ? address * 256 + byte : undefined;
}

export function formatAddress(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

export interface Prefix {
  readonly first: number;
  /** How many addresses it holds: a power of two. */
  readonly size: number;
  readonly bits: number;
}

/** Reads `127.80.0.0/12`; refuses (undefined) set bits behind the prefix length. */
export function parsePrefix(text: string): Prefix | undefined {
  const match = /^([0-9.]{7,15})\/(\d|[12]\d|3[0-2])$/.exec(text);
  const first = match === null ? undefined : parseAddress(match[1]!);
  if (match === null || first === undefined) return undefined;
  const bits = Number(match[2]);
  const size = 2 ** (32 - bits);
  return first % size === 0 ? { first, size, bits } : undefined;
}

export function formatPrefix(prefix: Prefix): string {
  return `${formatAddress(prefix.first)}/${prefix.bits}`;
}

/** Cuts a prefix into at least `count` equal slices and returns the first `count`; undefined when it is too small. */
export function slicePrefix(prefix: Prefix, count: number): Prefix[] | undefined {
  const bits = prefix.bits + Math.ceil(Math.log2(count));
  // A slice keeps at least its claim address and one more.
  if (bits > 31) return undefined;
  const size = 2 ** (32 - bits);
  return Array.from({ length: count }, (_, index) => ({ first: prefix.first + index * size, size, bits }));
}
