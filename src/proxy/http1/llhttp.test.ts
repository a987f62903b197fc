/**
 * This engine's readers beside llhttp. Where both accept, they read the same; what llhttp refuses, this engine refuses.
 *
 * llhttp in its strict mode is itself laxer than RFC 9112 in these places: it takes empty lines and bare line feeds
 * before a message (section 2.2 asks servers for that, of one CRLF), any number of spaces before a target (section 3
 * has one), requests without version (HTTP/0.9), chunked messages of HTTP/1.0 (section 6.1: faulty framing), control
 * characters in a reason (section 4), chunk extensions without a name (section 7.1.1), two Host fields or none (section
 * 3.2). It is stricter in these: methods are a closed list, and spaces in chunk extensions are refused, as they are
 * here.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { EngineReading } from './test-engine-reading.ts';
import { readRequests, readResponse } from './test-engine-reading.ts';
import type { MessageReading } from './test-llhttp.ts';
import { RequestOracle, ResponseOracle } from './test-llhttp.ts';
import { requestMessages, responseMessages } from './test-messages.ts';
import { Luck, mutated, randomCuts } from './test-mutations.ts';
import { answerDifference, difference, isStricter } from './test-reading-differences.ts';

const next = 'GET /next HTTP/1.1\r\nHost: n\r\n\r\n';
const bytesOf = (text: string) => Buffer.from(text, 'latin1');
const post = 'POST / HTTP/1.1\r\nHost: a\r\n';
const chunked = `${post}Transfer-Encoding: chunked\r\n\r\n`;
const answer = 'HTTP/1.1 200 OK\r\n';

/**
 * Where this engine refuses what llhttp accepts, and why. A line whose place has gone fails its test: take it out then.
 */
const stricterOnRequests: readonly (readonly [string, string])[] = [
  ['two empty lines before a request: one is what old clients send', `\r\n\r\n${next}`],
  ['a bare line feed before a request', `\n${next}`],
  ['HTTP/0.9: its answers have no head, so nothing tells where they end', 'GET /\r\n\r\n'],
  ['a fragment in the target', 'GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['two spaces before the target', 'GET  / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['no Host', 'GET / HTTP/1.1\r\n\r\n'],
  ['two Hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n'],
  ['a Host with a path', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n'],
  ['a Host with a user', 'GET / HTTP/1.1\r\nHost: u@b\r\n\r\n'],
  ['a list of Hosts', 'GET / HTTP/1.1\r\nHost: a, b\r\n\r\n'],
  ['a coding before chunked: nobody here could undo it', `${post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
  ['an empty coding before chunked', `${post}Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n`],
  ['codings in two fields', `${post}Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['chunks in HTTP/1.0', 'POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['a Connection that names the length', `${post}Connection: content-length\r\nContent-Length: 1\r\n\r\nx`],
  ['a Connection that is no list', 'GET / HTTP/1.1\r\nHost: a\r\nConnection: a b\r\n\r\n'],
  ['a Connection with parameters', 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close;x\r\n\r\n'],
  ['a Connection with 17 options', `GET / HTTP/1.1\r\nHost: a\r\nConnection: ${'a,'.repeat(17)}\r\n\r\n`],
  ['HTTP/2.0 in a line of HTTP/1', 'GET / HTTP/2.0\r\nHost: a\r\n\r\n'],
  ['HTTP/0.9 by name', 'GET / HTTP/0.9\r\nHost: a\r\n\r\n'],
  ['RTSP', 'GET / RTSP/1.0\r\nHost: a\r\n\r\n'],
  ['ICE', 'SOURCE / ICE/1.0\r\nHost: a\r\n\r\n'],
  ['CONNECT', 'CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['TRACE', 'TRACE / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['GET of an asterisk', 'GET * HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['another scheme', 'GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a target with a user', 'GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a target without a host', 'GET http:///a HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a length of 16 digits', `${post}Content-Length: 0000000000000005\r\n\r\nhello`],
  ['a chunk size of nine digits', `${chunked}000000005\r\nhello\r\n0\r\n\r\n`],
  ['a chunk extension without a name', `${chunked}5;=x\r\nhello\r\n0\r\n\r\n`],
  ['a chunk extension whose value is missing', `${chunked}5;a=\r\nhello\r\n0\r\n\r\n`],
  ['an empty chunk extension', `${chunked}5;;a\r\nhello\r\n0\r\n\r\n`],
  ['a byte above ASCII in a chunk extension', `${chunked}5;a="\xe9"\r\nhello\r\n0\r\n\r\n`],
  ['a long chunk extension', `${chunked}5;${'a'.repeat(257)}\r\nhello\r\n0\r\n\r\n`],
  ['a trailer that says where the message goes', `${chunked}0\r\nHost: b\r\n\r\n`],
  ['a trailer about the connection', `${chunked}0\r\nConnection: close\r\n\r\n`],
  ['a trailer with a long name', `${chunked}0\r\n${'a'.repeat(65)}: b\r\n\r\n`],
  ['long trailers', `${chunked}0\r\nA: ${'a'.repeat(17_000)}\r\n\r\n`],
  ['a long line', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(17_000)}\r\n\r\n`],
  ['a long target', `GET /${'a'.repeat(17_000)} HTTP/1.1\r\nHost: a\r\n\r\n`],
  ['too many fields', `GET / HTTP/1.1\r\nHost: a\r\n${'X: a\r\n'.repeat(128)}\r\n`],
];

const stricterOnAnswers: readonly (readonly [string, string])[] = [
  ['an empty line before an answer', `\r\n${answer}Content-Length: 0\r\n\r\n`],
  ['a bare line feed before an answer', `\n${answer}Content-Length: 0\r\n\r\n`],
  ['a control character in the reason', 'HTTP/1.1 200 O\x01K\r\nContent-Length: 0\r\n\r\n'],
  ['a status above 599', 'HTTP/1.1 600 OK\r\nContent-Length: 0\r\n\r\n'],
  ['a status below 100', 'HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n'],
  ['HTTP/2.0 in a line of HTTP/1', 'HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ['HTTP/0.9 by name', 'HTTP/0.9 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ['a coding that is not chunked', `${answer}Transfer-Encoding: gzip\r\n\r\n`],
  ['a coding before chunked', `${answer}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
  ['a coding behind chunked', `${answer}Transfer-Encoding: chunked, gzip\r\n\r\n`],
  ['chunked twice', `${answer}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['a Connection that names the length', `${answer}Connection: content-length\r\nContent-Length: 3\r\n\r\nabc`],
  ['a Connection that is no list', 'HTTP/1.1 204 No Content\r\nConnection: a b\r\n\r\n'],
];

test('llhttp: every request reads as llhttp reads it, at every split, also with another behind it', async () => {
  const oracle = new RequestOracle();
  for (const text of [...requestMessages, ...stricterOnRequests.map(([, message]) => message)]) {
    for (const bytes of [bytesOf(text), bytesOf(text + next)]) {
      const whole = readRequests(bytes);
      assert.equal(difference(whole, await oracle.read(bytes)), undefined, JSON.stringify(text.slice(0, 200)));
      for (const cuts of splitsOf(bytes)) assert.deepEqual(readRequests(bytes, cuts), whole, `${text} at ${cuts}`);
    }
  }
});

test('llhttp: every answer reads as llhttp reads it, at every split, and ends at the same byte', async () => {
  const oracle = new ResponseOracle();
  for (const text of [...responseMessages, ...stricterOnAnswers.map(([, message]) => message)]) {
    for (const method of ['GET', 'HEAD']) {
      const bytes = bytesOf(text);
      assert.equal(await answerDifference(oracle, bytes, method), undefined, `${method} ${JSON.stringify(text)}`);
      const whole = readResponse(bytes, { method });
      for (const cuts of splitsOf(bytes)) assert.deepEqual(readResponse(bytes, { method, cuts }), whole, text);
    }
  }
});

test('llhttp: damaged requests are refused, or read as llhttp reads them, at every split', async () => {
  const oracle = new RequestOracle();
  const luck = new Luck(20_261_123);
  let accepted = 0;
  for (let round = 0; round < 6_000; round += 1) {
    const bytes = bytesOf(mutated(luck, requestMessages) + (luck.once(2) ? next : ''));
    const whole = readRequests(bytes);
    accepted += whole.messages.length > 0 && whole.refusal === undefined ? 1 : 0;
    assert.equal(difference(whole, await oracle.read(bytes)), undefined, JSON.stringify(bytes.toString('latin1')));
    assert.deepEqual(readRequests(bytes, randomCuts(luck, bytes.length)), whole);
  }
  assert(accepted > 600, `of the damaged requests ${accepted} were accepted: too few to say anything`);
});

test('llhttp: damaged answers are refused, or read as llhttp reads them, at every split', async () => {
  const oracle = new ResponseOracle();
  const luck = new Luck(20_261_124);
  let accepted = 0;
  for (let round = 0; round < 4_000; round += 1) {
    const bytes = bytesOf(mutated(luck, responseMessages));
    const method = luck.once(5) ? 'HEAD' : 'GET';
    const whole = readResponse(bytes, { method });
    accepted += whole.isOver && whole.refusal === undefined ? 1 : 0;
    assert.equal(await answerDifference(oracle, bytes, method), undefined, JSON.stringify(bytes.toString('latin1')));
    assert.deepEqual(readResponse(bytes, { method, cuts: randomCuts(luck, bytes.length) }), whole);
  }
  assert(accepted > 400, `of the damaged answers ${accepted} were accepted: too few to say anything`);
});

for (const [what, text] of stricterOnRequests) {
  test(`llhttp: stricter than it about ${what}`, async () => {
    assert(isStricter(readRequests(bytesOf(text)), await new RequestOracle().read(bytesOf(text))));
  });
}

for (const [what, text] of stricterOnAnswers) {
  test(`llhttp: stricter than it about answers with ${what}`, async () => {
    assert(isStricter(readResponse(bytesOf(text)), await new ResponseOracle().read(bytesOf(text))));
  });
}

test('llhttp: a reader that read something else would be noticed', async () => {
  const oracle = new RequestOracle();
  const bytes = bytesOf(requestMessages[3]! + next);
  const right = readRequests(bytes);
  const [first, second] = right.messages as [MessageReading, MessageReading];
  const faults: readonly Partial<EngineReading>[] = [
    { messages: [first] },
    { messages: [first, second, second] },
    { messages: [{ ...first, body: `${first.body}x` }, second] },
    { messages: [{ ...first, trailers: [] }, second] },
    { messages: [{ ...first, isComplete: false }] },
    { messages: [{ ...first, fields: first.fields.slice(2) }, second] },
    { messages: [{ ...first, line: second.line }, second] },
  ];
  for (const fault of faults) {
    assert.notEqual(difference({ ...right, ...fault }, await oracle.read(bytes)), undefined, JSON.stringify(fault));
  }
  const closing = bytesOf('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  const kept = readRequests(bytesOf('GET / HTTP/1.1\r\nHost: a\r\nConnection: close \r\n\r\n'));
  const keeping = { ...kept, messages: kept.messages.map((message) => ({ ...message, keepsAlive: true })) };
  assert.notEqual(difference(keeping, await oracle.read(closing)), undefined, 'a connection kept against its will');
  const refused = await oracle.read(bytesOf('GET / HTTP/1.1\nHost: a\r\n\r\n'));
  assert.notEqual(difference(readRequests(bytesOf(next)), refused), undefined, 'something accepted that is refused');
});

/** Once cut in every place, and once byte by byte; of what is long, the latter alone. */
function splitsOf(bytes: Buffer): number[][] {
  const bytewise = Array.from(bytes.keys());
  return bytes.length > 1_000 ? [bytewise] : [...bytewise.map((cut) => [cut]), bytewise];
}
