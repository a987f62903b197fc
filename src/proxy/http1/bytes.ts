/**
 * Character classes of RFC 9110 and 9112 as tables of 256 flags, and the few byte operations that the hot path needs.
 * Everything works on bytes: a head becomes text only where a person or a redirect wants it.
 */

export const tab = 9;
export const lf = 10;
export const cr = 13;
export const space = 32;
export const colon = 58;

/** tchar, RFC 9110 section 5.6.2: what methods and field names are made of. */
export const tokenTable = table("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

/** The same characters for the names of fields: 1 is one of those that all usual names are made of. */
export const unusual = 2;
export const nameTable = tokenTable.map((flag, byte) =>
  flag === 1 && !/[-A-Za-z0-9]/.test(String.fromCharCode(byte)) ? unusual : flag,
);

/** Field values, RFC 9110 section 5.5: visible characters, space, tab and obs-text; never another control character. */
export const valueTable = range(0x20, 0xff);
valueTable[tab] = 1;
valueTable[0x7f] = 0;

/**
 * Request targets: visible ASCII without `#`. A fragment never travels in a target (RFC 9112 section 3.2), and servers
 * differ in what they make of one.
 */
export const targetTable = range(0x21, 0x7e);
targetTable['#'.charCodeAt(0)] = 0;

/** What the name or address of a host may consist of, RFC 3986 section 3.2.2: without port, brackets and user. */
export const hostTable = table("-._~!$&'()*+;=%0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

/** Quoted text in chunk extensions, as strictly as the common ones need: visible ASCII, space and tab. */
export const extensionTable = range(0x20, 0x7e);
extensionTable[tab] = 1;

/** The value of a hexadecimal digit, or 255. */
export const hexTable = new Uint8Array(256).fill(255);
for (let digit = 0; digit < 16; digit += 1) {
  const text = digit.toString(16);
  hexTable[text.charCodeAt(0)] = digit;
  hexTable[text.toUpperCase().charCodeAt(0)] = digit;
}

/** Writes a few ASCII characters, for which a native call would cost more, at `at`; returns the offset behind them. */
export function writeAscii(target: Buffer, at: number, text: string): number {
  for (let index = 0; index < text.length; index += 1) target[at + index] = text.charCodeAt(index);
  return at + text.length;
}

/** Writes `bytes` at `at`, where they have room, and returns the offset behind them. `Buffer.copy` costs twice that. */
export function writeBytes(target: Buffer, at: number, bytes: Buffer): number {
  target.set(bytes, at);
  return at + bytes.length;
}

/** Whether the bytes [start, end) are `lowerCase`, in whatever case. */
export function equalsIgnoringCase(bytes: Buffer, start: number, end: number, lowerCase: string): boolean {
  if (end - start !== lowerCase.length) return false;
  for (let index = 0; index < lowerCase.length; index += 1) {
    const byte = bytes[start + index]!;
    const lower = byte >= 65 && byte <= 90 ? byte | 32 : byte;
    if (lower !== lowerCase.charCodeAt(index)) return false;
  }
  return true;
}

function table(characters: string): Uint8Array {
  const flags = new Uint8Array(256);
  for (const character of characters) flags[character.charCodeAt(0)] = 1;
  return flags;
}

function range(first: number, last: number): Uint8Array {
  return new Uint8Array(256).fill(1, first, last + 1);
}
