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
  ['Name', 'Severe BadHeader'],
  ['Name: a\x01b', 'Acceptable NonCompliantHeader'],
  ['Transfer-Encoding : chunked', 'Ambiguous SuspiciousHeader'],
  ['content length: 5', 'Ambiguous SuspiciousHeader'],
  [': value', 'Ambiguous EmptyHeader'],
  [' \t ', 'Ambiguous EmptyHeader'],
  ['Transfer-Encoding: identity', undefined],
  ['Name: value', undefined],
];

test('refusal reason: what is wrong with lengths, codings and fields has its own name', () => {
  for (const [fields, expected] of cases) {
    const found = refusalReason(`POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\n\r\nbody : that is no field`);
    assert.equal(found && `${found.classification} ${found.reason}`, expected, fields);
  }
});

test('refusal reason: so has what is wrong with the first line, however much of it has come', () => {
  const reasonOf = (text: string) => {
    const found = refusalReason(text);
    return found && `${found.classification} ${found.reason}`;
  };
  const cases: Readonly<Record<string, readonly string[]>> = {
    'Severe BadMethod': ['G(T', '\x16\x03\x01\x02', '\r\n\r\n', ''],
    'Severe BadUri': ['GET /\xff HTTP/1.1\r\n', 'GET /a\0b HTTP/1.1\r\n', 'GET /\r'],
    'Ambiguous AmbiguousUri': ['GET /\t', 'GET /\x7f HTTP/1.1\r\n'],
    'Acceptable SpaceInUri': ['GET / b HTTP/1.1\r\n', 'GET  / HTTP/1.1'],
    'Severe BadVersion': ['GET / HTTP/2.0', 'GET / HTTPS/1.1\r\n'],
    'Acceptable NonCompliantVersion': ['GET / HTTP/1.2'],
  };
  for (const [expected, texts] of Object.entries(cases)) {
    for (const text of texts) assert.equal(reasonOf(text), expected, JSON.stringify(text));
  }
  for (const text of ['GET / HTTP/1.1\r\nHo', 'GET / HTTP/1.1\r\nHost: a\r\nX: y', `GET /${'a'.repeat(20_000)}`]) {
    assert.equal(reasonOf(text), undefined, text.slice(0, 60));
  }
});
