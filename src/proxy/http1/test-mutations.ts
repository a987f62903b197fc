/**
 * Seeded luck, and what it does to messages: small damage of the kinds over which readers of HTTP have disagreed. The
 * same seed always gives the same bytes, so whatever is found can be found again.
 */
import { rolls } from '#base/rolls.ts';

/** Choices that depend on the seed alone. */
export class Luck {
  readonly #roll: () => number;

  constructor(seed: number) {
    this.#roll = rolls(seed);
  }

  /** A whole number from 0 up to `bound`, which is not among them. */
  below(bound: number): number {
    return Math.floor(this.#roll() * bound);
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!;
  }
}

/** Bytes that end, begin or hide something. */
const telling = [...'\0\x01\b\t\n\x0b\f\r !"#%&,-./0159:;<=>?@AZ[\\]^_`az{|}~\x7f\x80\x85\xa0\xff'];

/** Pieces that change how a message is framed or where it goes, well formed and not. */
const pieces = [
  '\r\n',
  '\r\n\r\n',
  '\n\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding:\tchunked\r\n',
  'transfer-encoding: CHUNKED\r\n',
  'Transfer-Encoding: gzip, chunked\r\n',
  'Transfer-Encoding: chunked, identity\r\n',
  'Transfer-Encoding: chunked;q=1\r\n',
  'Transfer_Encoding: chunked\r\n',
  'Content-Length: 0\r\n',
  'Content-Length: 5\r\n',
  'Content-Length: 005\r\n',
  'Content-Length: +5\r\n',
  'Content-Length: 5, 5\r\n',
  'Content-Length: 4294967301\r\n',
  'Content-Length: 18446744073709551621\r\n',
  'Content_Length: 7\r\n',
  'Connection: close\r\n',
  'Connection: keep-alive\r\n',
  'Connection: close, keep-alive\r\n',
  'Connection: content-length\r\n',
  'Connection: Transfer-Encoding, upgrade\r\n',
  'Proxy-Connection: close\r\n',
  'Keep-Alive: timeout=1\r\n',
  'Upgrade: websocket\r\n',
  'Upgrade: h2c\r\n',
  'Connection: upgrade\r\n',
  'Expect: 100-continue\r\n',
  'Trailer: X-Sum\r\n',
  'TE: trailers, chunked\r\n',
  'Host: b\r\n',
  'Host:\r\n',
  'X: y\r\n z\r\n',
  ': nameless\r\n',
  'X : y\r\n',
  '0\r\n\r\n',
  '0;x="y"\r\n\r\n',
  '5;x=y\r\nhello\r\n',
  '5 \r\nhello\r\n',
  '00000005\r\nhello\r\n',
  '100000005\r\nhello\r\n',
  '0x5\r\nhello\r\n',
  'fffffffffffffffb\r\n',
  'GET /hidden HTTP/1.1\r\nHost: h\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.0',
  'HTTP/1.1',
  'HTTP/2.0',
  'http://other:80',
  '100',
  '101',
  '204',
  '304',
];

type Damage = (luck: Luck, text: string, others: readonly string[]) => string;

const damages: readonly Damage[] = [
  (luck, text) => spliced(text, luck.below(text.length + 1), 1, luck.pick(telling)),
  (luck, text) => spliced(text, luck.below(text.length + 1), 0, luck.pick(telling)),
  (luck, text) => spliced(text, luck.below(text.length + 1), 1 + luck.below(3), ''),
  (luck, text) => spliced(text, luck.below(text.length + 1), 0, luck.pick(pieces)),
  // A whole line more, where a line begins.
  (luck, text) => spliced(text, lineStart(luck, text), 0, luck.pick(pieces)),
  (luck, text) => {
    const start = lineStart(luck, text);
    return spliced(text, lineStart(luck, text), 0, text.slice(start, lineEnd(text, start)));
  },
  (luck, text) => {
    const start = lineStart(luck, text);
    return spliced(text, start, lineEnd(text, start) - start, '');
  },
  (luck, text) => {
    const at = luck.below(text.length + 1);
    const letter = text.charAt(at);
    // Of other letters the counterpart may lie outside latin1.
    if (!/[a-z]/i.test(letter)) return text;
    return spliced(text, at, 1, letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase());
  },
  (luck, text) => text.slice(0, luck.below(text.length + 1)),
  (luck, text, others) => {
    const other = luck.pick(others);
    return text.slice(0, luck.below(text.length + 1)) + other.slice(luck.below(other.length + 1));
  },
  (luck, text) => spliced(text, luck.below(text.length + 1), 0, luck.pick(telling).repeat(1 + luck.below(20))),
];

/** One of the texts with one to four damages, as latin1 text. */
export function mutated(luck: Luck, texts: readonly string[]): string {
  let text = luck.pick(texts);
  for (let count = 1 + luck.below(4); count > 0; count -= 1) text = luck.pick(damages)(luck, text, texts);
  return text;
}

/** Up to four places at which something of this length may be cut into pieces, in their order. */
export function randomCuts(luck: Luck, length: number): number[] {
  return Array.from({ length: luck.below(5) }, () => luck.below(length + 1)).sort((a, b) => a - b);
}

function spliced(text: string, at: number, removed: number, added: string): string {
  return text.slice(0, at) + added + text.slice(at + removed);
}

function lineStart(luck: Luck, text: string): number {
  return text.lastIndexOf('\n', luck.below(text.length + 1)) + 1;
}

function lineEnd(text: string, start: number): number {
  const end = text.indexOf('\n', start);
  return end === -1 ? text.length : end + 1;
}
