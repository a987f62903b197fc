import assert from 'node:assert/strict';
import test from 'node:test';
import { ResponseHead } from './response-head.ts';
import type { ConnectionLine } from './response-rewrite.ts';
import { headroomBytes, rewriteResponseHead } from './response-rewrite.ts';

function rewrite(lines: readonly string[], connection: ConnectionLine, dropsFraming = false): string[] {
  const message = `${lines.join('\r\n')}\r\n\r\n`;
  const bytes = Buffer.from(`${'.'.repeat(headroomBytes)}${message}body`, 'latin1');
  const head = new ResponseHead();
  head.begin();
  assert.equal(head.read(bytes, headroomBytes, bytes.length, false), 1);
  const start = rewriteResponseHead(head, bytes, headroomBytes, connection, dropsFraming);
  assert(start >= 0);
  const text = bytes.toString('latin1', start);
  assert(text.endsWith('\r\n\r\nbody'), 'the body stays where it is');
  return text.slice(0, -8).split('\r\n');
}

test('response rewrite: a head without anything to change stays as it is', () => {
  const lines = ['HTTP/1.1 200 OK', 'Server: target', 'Content-Length: 4'];
  assert.deepEqual(rewrite(lines, 'none'), lines);
});

test('response rewrite: fields of one connection are dropped wherever they are', () => {
  const lines = [
    'HTTP/1.1 200 OK',
    'Keep-Alive: timeout=5',
    'Date: today',
    'Connection: keep-alive, X-Hop',
    'X-Hop: 1',
    'Content-Length: 4',
    'Upgrade: h2c',
    'Proxy-Connection: x',
  ];
  assert.deepEqual(rewrite(lines, 'none'), ['HTTP/1.1 200 OK', 'Date: today', 'Content-Length: 4']);
});

test('response rewrite: the client is told about its own connection', () => {
  const lines = ['HTTP/1.0 200 OK', 'Date: today', 'Connection: keep-alive', 'Content-Length: 4'];
  assert.deepEqual(rewrite(lines, 'close'), [
    'HTTP/1.1 200 OK',
    'Connection: close',
    'Date: today',
    'Content-Length: 4',
  ]);
  assert.deepEqual(rewrite(lines, 'keep-alive').slice(0, 2), ['HTTP/1.1 200 OK', 'Connection: keep-alive']);
  assert.deepEqual(rewrite(['HTTP/1.1 200 OK'], 'close'), ['HTTP/1.1 200 OK', 'Connection: close']);
});

test('response rewrite: framing goes where there are no chunks for the client, or no body at all', () => {
  assert.deepEqual(rewrite(['HTTP/1.1 200 OK', 'Transfer-Encoding: chunked'], 'close', true), [
    'HTTP/1.1 200 OK',
    'Connection: close',
  ]);
  assert.deepEqual(rewrite(['HTTP/1.1 204 No Content', 'Content-Length: 4', 'A: b'], 'none', true), [
    'HTTP/1.1 204 No Content',
    'A: b',
  ]);
});

test('response rewrite: an upgrade keeps its protocol', () => {
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: upgrade',
    'Sec-WebSocket-Accept: x',
  ];
  assert.deepEqual(rewrite(lines, 'upgrade', true), [
    'HTTP/1.1 101 Switching Protocols',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Accept: x',
  ]);
});
