import assert from 'node:assert/strict';
import test from 'node:test';
import { table, usualRequestFields } from '#proxy/test-proxy.ts';
import type { RoutingRequestFields } from '#routing/table.ts';
import { dropInvalidFields } from './request-checks.ts';
import { RequestHead } from './request-head.ts';
import { clientText, headGrowthBytes, rewriteSettings, writeRequestHead } from './request-rewrite.ts';
import { TraceIds } from './trace-id.ts';

const usual = usualRequestFields;

function settingsOf(requestFields: RoutingRequestFields) {
  return rewriteSettings(
    { ...table({ port: 80 }), loadBalancer: { ...table({}).loadBalancer, requestFields } },
    traceIds,
  );
}

const client = { clientAddress: '127.0.0.9', clientPort: 5000 };
const traceIds = new TraceIds('1'.repeat(32));

/** The head that the target gets, with ids and the lines that are always there cut out. */
function rewrite(lines: readonly string[], fields: RoutingRequestFields = usual): string[] {
  const bytes = Buffer.from(`12345${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  const head = new RequestHead();
  head.begin();
  assert.equal(head.read(bytes, 5, bytes.length), 1);
  if (fields.dropsInvalid) dropInvalidFields(head, bytes, 5);
  const target = Buffer.alloc(bytes.length + headGrowthBytes());
  const text = target.toString('latin1', 0, writeRequestHead(head, bytes, 5, settingsOf(fields), client, target));
  assert(text.endsWith('\r\n\r\n'));
  return text
    .slice(0, -4)
    .split('\r\n')
    .map((line) => line.replace(/1-[0-9a-f]{8}-[0-9a-f]{24}/, 'ID'));
}

const added = [
  'X-Forwarded-Proto: http',
  'X-Forwarded-Port: 80',
  'X-Forwarded-For: 127.0.0.9',
  'X-Amzn-Trace-Id: Root=ID',
];

test('request rewrite: an ordinary request keeps its lines and gets what the target must know', () => {
  assert.deepEqual(rewrite(['GET /a?b HTTP/1.1', 'Host: a', 'Cookie: c']), [
    'GET /a?b HTTP/1.1',
    'Host: a',
    'Cookie: c',
    ...added,
  ]);
});

test('request rewrite: fields of one connection are dropped, also those that Connection names', () => {
  const lines = [
    'GET / HTTP/1.1',
    'Connection: close, x-Hop',
    'X-Hop: 1',
    'Host: a',
    'Keep-Alive: timeout=5',
    'Proxy-Connection: keep-alive',
    'TE: gzip',
    'Upgrade: h2c',
    'HTTP2-Settings: AAMAAABkAAQAAP__',
    'X-Hop: 2',
    'Accept: */*',
  ];
  assert.deepEqual(rewrite(lines), ['GET / HTTP/1.1', 'Host: a', 'Accept: */*', ...added]);
});

test('request rewrite: that trailers are welcome is said anew, and nothing else of TE', () => {
  const passed = (version: string, ...lines: string[]) =>
    rewrite([`GET / HTTP/${version}`, 'Host: a', ...lines]).filter((line) => /^(?:TE|Connection):/i.test(line));
  const said = ['TE: trailers', 'Connection: TE'];
  assert.deepEqual(passed('1.1', 'Connection: TE', 'TE: trailers'), said);
  assert.deepEqual(passed('1.1', 'te: gzip;q=0.5, Trailers;q=0.1', 'Connection: close, te'), said);
  assert.deepEqual(passed('1.1', 'TE: gzip', 'TE: x-trailers', 'Connection: TE'), []);
  assert.deepEqual(passed('1.0', 'TE: trailers'), [], 'who knows no chunks takes none');
  const upgrade = passed('1.1', 'TE: trailers', 'Connection: Upgrade, TE', 'Upgrade: x');
  assert.deepEqual(upgrade, ['Connection: Upgrade']);
});

test('request rewrite: addresses are appended to those that came along, in one line', () => {
  const lines = [
    'GET / HTTP/1.1',
    'X-Forwarded-For: 1.1.1.1, 2.2.2.2',
    'Host: a',
    'x-forwarded-for: 3.3.3.3',
    'X-Forwarded-For:',
  ];
  assert.equal(
    rewrite(lines).find((line) => /^x-forwarded-for/i.test(line)),
    'X-Forwarded-For: 1.1.1.1, 2.2.2.2, 3.3.3.3, 127.0.0.9',
  );
  assert.equal(rewrite(lines).filter((line) => /^x-forwarded-for/i.test(line)).length, 1);
});

test('request rewrite: what a client says of protocol and port is replaced', () => {
  const lines = ['GET / HTTP/1.1', 'Host: a', 'X-Forwarded-Proto: https', 'X-Forwarded-Port: 443'];
  assert.deepEqual(rewrite(lines), ['GET / HTTP/1.1', 'Host: a', ...added]);
});

test('request rewrite: a trace goes on', () => {
  const lines = ['GET / HTTP/1.1', 'Host: a', 'X-Amzn-Trace-Id: Root=1-2-3', 'X-Amzn-Trace-Id: Root=9'];
  assert.deepEqual(rewrite(lines), [
    'GET / HTTP/1.1',
    'Host: a',
    ...added.slice(0, 3),
    'X-Amzn-Trace-Id: Self=ID;Root=1-2-3',
  ]);
});

test('request rewrite: an HTTP/1.0 request goes out as HTTP/1.1 with a host and without expectations', () => {
  assert.deepEqual(rewrite(['GET /a HTTP/1.0', 'Expect: 100-continue']), [
    'GET /a HTTP/1.1',
    'Host: 127.0.0.1:80',
    ...added,
  ]);
});

test('request rewrite: an absolute target becomes a path, and its authority the host', () => {
  const target = (line: string) => rewrite([line, 'Host: other', 'X: y']).slice(0, 3);
  assert.deepEqual(target('GET http://a:81/b?c HTTP/1.1'), ['GET /b?c HTTP/1.1', 'X: y', 'Host: a:81']);
  assert.deepEqual(target('GET HTTP://a HTTP/1.1'), ['GET / HTTP/1.1', 'X: y', 'Host: a']);
  assert.deepEqual(target('GET http://a?b HTTP/1.1'), ['GET /?b HTTP/1.1', 'X: y', 'Host: a']);
  assert.deepEqual(target('OPTIONS http://a HTTP/1.1'), ['OPTIONS * HTTP/1.1', 'X: y', 'Host: a']);
});

test('request rewrite: an upgrade is passed on, framing and expectation too', () => {
  const upgrade = rewrite([
    'GET / HTTP/1.1',
    'Host: a',
    'Upgrade: websocket',
    'Connection: keep-alive, Upgrade',
    'X: y',
  ]);
  assert.deepEqual(upgrade.slice(0, 5), [
    'GET / HTTP/1.1',
    'Host: a',
    'Upgrade: websocket',
    'X: y',
    'Connection: Upgrade',
  ]);
  const body = rewrite([
    'POST / HTTP/1.1',
    'Host: a',
    'Transfer-Encoding: chunked',
    'Trailer: x',
    'Expect: 100-continue',
  ]);
  assert.deepEqual(body.slice(2, 5), ['Transfer-Encoding: chunked', 'Trailer: x', 'Expect: 100-continue']);
});

test('request rewrite: an empty line before the request is left out', () => {
  assert.deepEqual(rewrite(['', 'GET / HTTP/1.1', 'Host: a'])[0], 'GET / HTTP/1.1');
});

test('request rewrite: X-Forwarded-For is left as it came, or taken away, where that is wished', () => {
  const lines = ['GET / HTTP/1.1', 'X-Forwarded-For: 1.1.1.1', 'Host: a', 'x-forwarded-for: 2.2.2.2'];
  const others = added.filter((line) => !line.startsWith('X-Forwarded-For'));
  assert.deepEqual(rewrite(lines, { ...usual, forwardedFor: 'preserve' }), [...lines, ...others]);
  assert.deepEqual(rewrite(lines, { ...usual, forwardedFor: 'remove' }), ['GET / HTTP/1.1', 'Host: a', ...others]);
  const without = ['GET / HTTP/1.1', 'Host: a'];
  assert.deepEqual(rewrite(without, { ...usual, forwardedFor: 'preserve' }), [...without, ...others]);
});

test('request rewrite: fields with unusual names are dropped where that is wished, and no others', () => {
  const lines = ['GET / HTTP/1.1', 'Host: a', 'X_Under: 1', 'X-1: 2', 'x.dot: 3', 'Cookie: c', 'a~: 4'];
  assert.deepEqual(rewrite(lines), [...lines, ...added]);
  const left = ['GET / HTTP/1.1', 'Host: a', 'X-1: 2', 'Cookie: c'];
  assert.deepEqual(rewrite(lines, { ...usual, dropsInvalid: true }), [...left, ...added]);
});

test('request rewrite: the client is named with its port where that is wished', () => {
  const client = { clientAddress: '10.0.0.1', clientPort: 4711 };
  assert.equal(clientText(usual, client), '10.0.0.1');
  const withPort = { ...usual, hasClientPort: true };
  assert.equal(clientText(withPort, client), '10.0.0.1:4711');
  assert.equal(clientText(withPort, { ...client, clientAddress: '2001:db8::1' }), '[2001:db8::1]:4711');
});
