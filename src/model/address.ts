/** IPv4 addresses and prefixes. Addresses are handled as unsigned 32-bit numbers between parse and format. */

/** Strict dotted decimal: four numbers without leading zeros, which some programs would read as octal. */
const addressPattern = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/;

export function parseAddress(text: string): number | undefined {
  const match = addressPattern.exec(text);
  if (match === null) return undefined;
  const bytes = match.slice(1).map(Number);
  if (bytes.some((byte) => byte > 255)) return undefined;
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
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
