import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ChunkScanner } from './chunk-scanner.ts';

interface Outcome {
  readonly state: 'done' | 'malformed' | 'open';
  readonly forwarded: string;
  readonly extracted: string;
}

/** Feeds the body in pieces, once to be forwarded and once to be extracted. */
function scan(text: string, cuts: readonly number[] = []): Outcome {
  const bytes = Buffer.from(text, 'latin1');
  const scanner = new ChunkScanner();
  const extractor = new ChunkScanner();
  scanner.begin();
  extractor.begin();
  let forwarded = '';
  let extracted = '';
  let start = 0;
  for (const cut of [...cuts, bytes.length]) {
    const good = scanner.scan(bytes, start, cut);
    forwarded += bytes.toString('latin1', start, good);
    const copy = Buffer.from(bytes.subarray(start, cut));
    assert.equal(extractor.extract(copy, 0, copy.length), good - start);
    extracted += copy.toString('latin1', 0, extractor.extractedBytes);
    if (scanner.isDone || scanner.isMalformed) break;
    start = cut;
  }
  assert.equal(extractor.isDone, scanner.isDone);
  return { state: scanner.isDone ? 'done' : scanner.isMalformed ? 'malformed' : 'open', forwarded, extracted };
}

const good: readonly (readonly [string, string])[] = [
  ['5\r\nhello\r\n0\r\n\r\n', 'hello'],
  ['5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n', 'hello world'],
  ['A;name=value;other="quo \\" ted";last\r\n0123456789\r\n0;x\r\n\r\n', '0123456789'],
  ['0000000a\r\n0123456789\r\n000\r\n\r\n', '0123456789'],
  ['1\r\n\n\r\n0\r\nX-Checksum: 1\r\nX-Empty:\r\n\r\n', '\n'],
  ['0\r\n\r\n', ''],
];

const bad: readonly string[] = [
  '\r\n',
  '-1\r\n',
  '0x5\r\nhello\r\n0\r\n\r\n',
  '5\nhello\r\n0\r\n\r\n',
  '5 \r\nhello\r\n0\r\n\r\n',
  '5\r\nhello\n0\r\n\r\n',
  '5\r\nhello\rx0\r\n\r\n',
  '5\rxhello\r\n0\r\n\r\n',
  '5\r\nhello!\r\n0\r\n\r\n',
  '5\r\nhell\r\n0\r\n\r\n',
  '100000000\r\n',
  '000000005\r\nhello\r\n',
  '5;a=\x01\r\nhello\r\n0\r\n\r\n',
  '5;a=b\nhello\r\n0\r\n\r\n',
  '5; a=b\r\nhello\r\n0\r\n\r\n',
  '5;a =b\r\nhello\r\n0\r\n\r\n',
  '5;a= b\r\nhello\r\n0\r\n\r\n',
  '5;a=b \r\nhello\r\n0\r\n\r\n',
  '5;\r\nhello\r\n0\r\n\r\n',
  '5;;a\r\nhello\r\n0\r\n\r\n',
  '5;=b\r\nhello\r\n0\r\n\r\n',
  '5;a=\r\nhello\r\n0\r\n\r\n',
  '5;a="b\r\nhello\r\n0\r\n\r\n',
  '5;a="b"c\r\nhello\r\n0\r\n\r\n',
  '5;a="b\\\r\nhello\r\n0\r\n\r\n',
  `5;${'a'.repeat(300)}\r\nhello\r\n0\r\n\r\n`,
  '0\r\n\n',
  '0\r\nX : a\r\n\r\n',
  '0\r\n: a\r\n\r\n',
  '0\r\n X: a\r\n\r\n',
  '0\r\nX: a\n\r\n',
  '0\r\nX: a\0\r\n\r\n',
  '0\r\nContent-Length: 5\r\n\r\n',
  '0\r\nHost: b\r\n\r\n',
  '0\r\nTransfer-Encoding: chunked\r\n\r\n',
  `0\r\n${'a'.repeat(100)}: b\r\n\r\n`,
  `0\r\n${`X: ${'a'.repeat(1000)}\r\n`.repeat(17)}\r\n`,
];

test('chunk scanner: good bodies pass as they came, or without their framing', () => {
  for (const [text, data] of good) assert.deepEqual(scan(text), { state: 'done', forwarded: text, extracted: data });
});

test('chunk scanner: everything that two readers might read in two ways is malformed', () => {
  for (const text of bad) assert.equal(scan(text).state, 'malformed', JSON.stringify(text.slice(0, 60)));
});

test('chunk scanner: what follows the body is not part of it', () => {
  const next = 'GET / HTTP/1.1\r\n';
  for (const [text, data] of good) {
    assert.deepEqual(scan(text + next), { state: 'done', forwarded: text, extracted: data });
  }
});

test('chunk scanner: every split reads alike', () => {
  for (const text of [...good.map(([body]) => body), ...bad]) {
    const whole = scan(text);
    const bytewise = scan(
      text,
      Array.from(text, (_, index) => index),
    );
    assert.deepEqual({ ...bytewise }, { ...whole }, JSON.stringify(text.slice(0, 60)));
    if (text.length > 1000) continue;
    for (let cut = 0; cut < text.length; cut += 1) assert.deepEqual(scan(text, [cut]), whole, `${text} cut at ${cut}`);
  }
});

test('chunk scanner: random chunkings give back their data at random splits', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ minLength: 1, maxLength: 40, size: 'max' }), { maxLength: 8 }),
      fc.array(fc.nat(), { maxLength: 6 }),
      (chunks, cuts) => {
        const data = chunks.map((chunk) => Buffer.from(chunk).toString('latin1'));
        const text = `${data.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')}0\r\n\r\n`;
        const sorted = cuts.map((cut) => cut % text.length).sort((a, b) => a - b);
        assert.deepEqual(scan(text, sorted), { state: 'done', forwarded: text, extracted: data.join('') });
      },
    ),
  );
});
