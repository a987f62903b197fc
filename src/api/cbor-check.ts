/**
 * Whether bytes are CBOR as a call may have it (RFC 8949), before the library reads them: that one takes lengths and
 * the kinds of keys on trust, and makes lists of whatever length they claim to have.
 */

/** What one call may hold: far more than any real one does. */
const partsMax = 65_536;
const depthMax = 16;

const majorOf = { text: 3, list: 4, map: 5, tag: 6, simple: 7 } as const;
const openEnded = 31;
const breakByte = 0xff;
/** The tag of times, seconds since 1970 (RFC 8949 section 3.4.2). */
const timeTag = 1;
/** False, true, null, undefined, and numbers of 16, 32 and 64 bits with a point (RFC 8949 section 3.3). */
const simpleKinds = new Set([20, 21, 22, 23, 25, 26, 27]);

/** Why the library must not read them; undefined when it may. */
export function cborFault(body: Uint8Array): string | undefined {
  const checker = new Checker(body);
  checker.item(0);
  if (checker.fault === undefined && checker.at < body.length) return `something follows it at byte ${checker.at}`;
  return checker.fault;
}

interface Head {
  readonly major: number;
  readonly minor: number;
  /** A number, a length, a count or a tag, by the major type; meaningless where it is open-ended. */
  readonly value: number;
}

class Checker {
  at = 0;
  fault: string | undefined;
  readonly #body: Uint8Array;
  #parts = 0;

  constructor(body: Uint8Array) {
    this.#body = body;
  }

  /** Goes past one item, with all that is in it; stops where there is a fault. */
  item(depth: number): void {
    if (depth > depthMax) return this.#refuse('it is nested too deeply');
    const head = this.#head();
    if (head === undefined) return;
    const { major, minor, value } = head;
    const isOpenEnded = minor === openEnded;
    switch (major) {
      case majorOf.list:
        return this.#items(isOpenEnded ? undefined : value, () => this.item(depth + 1));
      case majorOf.map:
        return this.#items(isOpenEnded ? undefined : value, () => {
          if (this.#body[this.at]! >> 5 !== majorOf.text) return this.#refuse('a key is no text');
          this.item(depth + 1);
          this.item(depth + 1);
        });
      case majorOf.tag:
        if (value !== timeTag) return this.#refuse(`its tag ${value} is not known`);
        return this.item(depth + 1);
      case majorOf.simple:
        return simpleKinds.has(minor) ? undefined : this.#refuse(`its simple value ${minor} is not known`);
      case 0:
      case 1:
        return Number.isSafeInteger(value) ? undefined : this.#refuse('a number is larger than 2^53');
      default:
        if (isOpenEnded) return this.#items(undefined, () => this.#chunk(major));
        return this.#skip(value);
    }
  }

  /** A part of a text, or of bytes. */
  #chunk(major: number): void {
    const head = this.#head();
    if (head === undefined) return;
    if (head.major !== major || head.minor === openEnded) return this.#refuse('a part of a text is none');
    this.#skip(head.value);
  }

  /** So many, or up to a break. */
  #items(count: number | undefined, item: () => void): void {
    for (let index = 0; this.fault === undefined; index += 1) {
      if (count === undefined ? this.#body[this.at] === breakByte : index === count) break;
      item();
    }
    if (count === undefined && this.fault === undefined) this.at += 1;
  }

  #head(): Head | undefined {
    this.#parts += 1;
    if (this.#parts > partsMax) return void this.#refuse(`it has more than ${partsMax} values`);
    const first = this.#body[this.at] ?? 0;
    const [major, minor] = [first >> 5, first & 31];
    const mayBeOpenEnded = major >= 2 && major <= majorOf.map;
    if (minor > 27 && !(minor === openEnded && mayBeOpenEnded)) {
      return void this.#refuse(`byte ${this.at} begins nothing that is known`);
    }
    const lengthBytes = minor < 24 || minor === openEnded ? 0 : 2 ** (minor - 24);
    let value = minor < 24 ? minor : 0;
    for (const byte of this.#body.subarray(this.at + 1, this.at + 1 + lengthBytes)) value = value * 256 + byte;
    this.#skip(1 + lengthBytes);
    return this.fault === undefined ? { major, minor, value } : undefined;
  }

  #skip(length: number): void {
    this.at += length;
    if (this.at > this.#body.length) this.#refuse('it ends too early');
  }

  #refuse(fault: string): void {
    this.fault ??= fault;
  }
}
