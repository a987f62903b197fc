import assert from 'node:assert/strict';
import test from 'node:test';
import { ResponseHead } from './response-head.ts';

function read(message: string, cuts: readonly number[] = [], isHeadRequest = false): string {
  const bytes = Buffer.from(message, 'latin1');
  const head = new ResponseHead();
  head.begin();
  for (const cut of [...cuts, bytes.length]) {
    const progress = head.read(bytes, 0, cut, isHeadRequest);
    if (progress === 1) return `${head.status} ${head.bodyKind} ${head.contentLength} ${head.keepsAlive}`;
    if (progress === -1) return 'malformed';
  }
  return 'incomplete';
}

/** A head of exactly so many bytes, with a line longer than a request may have. */
function ofLength(length: number): string {
  const rest = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: \r\nY: 1\r\n\r\n';
  return rest.replace('X: ', `X: ${'a'.repeat(length - rest.length)}`);
}

const cases: readonly (readonly [string, string])[] = [
  ['HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n', '200 length 3 true'],
  ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', '200 none 0 true'],
  ['HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n', '200 chunked 0 true'],
  ['HTTP/1.1 404 Not F\xf6und\r\nConnection: close\r\nContent-Length: 1\r\n\r\n', '404 length 1 false'],
  ['HTTP/1.1 200 OK\r\n\r\n', '200 until-close 0 false'],
  ['HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n', '200 length 1 false'],
  ['HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n', '200 length 1 true'],
  ['HTTP/1.1 204 No Content\r\n\r\n', '204 none 0 true'],
  ['HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n', '304 none 9 true'],
  ['HTTP/1.1 100 Continue\r\n\r\n', '100 none 0 true'],
  ['HTTP/1.1 103 Early Hints\r\nConnection: keep-alive\r\n\r\n', '103 none 0 true'],
  ['HTTP/1.1 100 Continue\r\nConnection: close\r\n\r\n', 'malformed'],
  ['HTTP/1.0 100 Continue\r\n\r\n', 'malformed'],
  ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked  \r\n\r\n', '200 chunked 0 true'],
  ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\t\r\n\r\n', 'malformed'],
  ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked \t \r\n\r\n', 'malformed'],
  ['HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n', 'malformed'],
  ['HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n', 'malformed'],
  ['HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\n', 'malformed'],
  ['HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n', 'malformed'],
  ['HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', 'malformed'],
  ['HTTP/1.1 200 OK\nContent-Length: 3\r\n\r\n', 'malformed'],
  ['HTTP/1.1 200 OK\r\nX : a\r\n\r\n', 'malformed'],
  ['HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n', 'malformed'],
  ['HTTP/1.1 200 OK\r\nX: a\0\r\n\r\n', 'malformed'],
  ['HTTP/1.1 200 O\0K\r\n\r\n', 'malformed'],
  ['HTTP/1.1 2000 OK\r\n\r\n', 'malformed'],
  ['HTTP/1.1 099 OK\r\n\r\n', 'malformed'],
  ['HTTP/1.1 600 OK\r\n\r\n', 'malformed'],
  ['HTTP/1.1  200 OK\r\n\r\n', 'malformed'],
  ['HTTP/2.0 200 OK\r\n\r\n', 'malformed'],
  ['HTTP/1.1 200OK\r\n\r\n', 'malformed'],
  ['SSH-2.0-OpenSSH_9.2p1\r\n', 'malformed'],
  [`HTTP/1.1 200 ${'a'.repeat(20_000)}\r\nContent-Length: 3\r\n\r\n`, '200 length 3 true'],
  [ofLength(32 * 1024), '200 none 0 true'],
  [ofLength(32 * 1024 + 1), 'malformed'],
  [`HTTP/1.1 200 ${'a'.repeat(32 * 1024 - 16)}\r\n\r\n`, 'malformed'],
  ['HTTP/1.1 200 OK\r\nConnection: content-length\r\nContent-Length: 3\r\n\r\n', 'malformed'],
];

for (const [message, expected] of cases) {
  test(`response head: ${JSON.stringify(message.slice(0, 80))} is ${expected}`, () => {
    assert.equal(read(message), expected);
  });
}

test('response head: every split reads alike', () => {
  for (const [message, expected] of cases) {
    assert.equal(
      read(
        message,
        Array.from(message, (_, index) => index),
      ),
      expected,
      message.slice(0, 80),
    );
    if (message.length > 1000) continue;
    for (let cut = 0; cut < message.length; cut += 1)
      assert.equal(read(message, [cut]), expected, `${message} at ${cut}`);
  }
});

test('response head: the answer to HEAD has no body, whatever its fields say', () => {
  assert.equal(read('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n', [], true), '200 none 3 true');
  assert.equal(read('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', [], true), '200 none 0 true');
  assert.equal(read('HTTP/1.1 200 OK\r\n\r\n', [], true), '200 none 0 true');
});
