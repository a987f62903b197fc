import assert from 'node:assert/strict';
import test from 'node:test';
import { refusalReason } from './refusal-reason.ts';

const cases: readonly (readonly [fields: string, expected: string | undefined])[] = [
  ['Content-Length: x', 'Severe BadContentLength'],
  ['Content-Length: +5', 'Severe BadContentLength'],
  ['Content-Length: 5\r\nContent-Length: 5', 'Ambiguous DuplicateContentLength'],
  ['Content-Length: 5\r\nContent-Length: 6', 'Severe MultipleContentLength'],
  ['Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', 'Severe MultipleTransferEncodingChunked'],
  ['Transfer-Encoding: xchunked', 'Severe BadTransferEncoding'],
  ['Content-Length: 5\r\nTransfer-Encoding: chunked', 'Ambiguous BothTeClPresent'],
  ['Name : value', 'Severe BadHeader'],
  ['Name: a\0b', 'Severe BadHeader'],
  ['Name: a\rb', 'Severe BadHeader'],
  [' folded', 'Severe BadHeader'],
  ['Name: value', undefined],
];

test('refusal reason: what is wrong with lengths, codings and fields has its own name', () => {
  for (const [fields, expected] of cases) {
    const found = refusalReason(`POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\n\r\nbody : that is no field`);
    assert.equal(found && `${found.classification} ${found.reason}`, expected, fields);
  }
});

test('refusal reason: so has what is wrong with the first line, however much of it has come', () => {
  const reasonOf = (text: string) => refusalReason(text)?.reason;
  for (const text of ['G(T', '\x16\x03\x01\x02', '\r\n\r\n', '']) assert.equal(reasonOf(text), 'BadMethod', text);
  for (const text of ['GET /\t', 'GET /\xff HTTP/1.1\r\n', 'GET  / HTTP/1.1'])
    assert.equal(reasonOf(text), 'BadUri', text);
  for (const text of ['GET / HTTP/2.0', 'GET / b HTTP/1.1\r\n']) assert.equal(reasonOf(text), 'BadVersion', text);
});
