import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { STATUS_CODES } from 'node:http';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import type { RoutingAction } from '#routing/table.ts';
import {
  closedPort,
  forwardTo,
  RawClient,
  socketPaths,
  startProxy,
  startRawTarget,
  type TableParts,
  table,
  usualRequestFields,
} from './test-proxy.ts';

const host = 'Host: a\r\n';
const get = `GET / HTTP/1.1\r\n${host}\r\n`;
const post = `POST / HTTP/1.1\r\n${host}`;

type Parts = TableParts | ((t: TestContext) => Promise<TableParts>);

/** A target that meets each request with these bytes, or with the end of its connection. */
const answering = (answer: string | 'closes' | 'resets') => async (t: TestContext) => {
  const port = await startRawTarget(t, (socket) => {
    socket.on('data', () => {
      if (answer === 'closes') socket.end();
      else if (answer === 'resets') socket.resetAndDestroy();
      else socket.write(answer, 'latin1');
    });
  });
  return { targets: [port], loadBalancer: { idleTimeoutMs: 400 } };
};
const silent = answering('');
const ok = answering('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');

const redirect: RoutingAction = {
  kind: 'redirect',
  protocol: 'HTTPS',
  host: '#{host}',
  port: '443',
  path: '/#{path}/#{path}',
  query: '',
  statusCode: 302,
};
const transforming = {
  rules: [
    {
      id: 'transforms',
      conditions: [],
      action: forwardTo(0),
      transforms: [{ kind: 'url-rewrite' as const, regex: '^/', replacement: '' }],
    },
  ],
};
const strictest = { loadBalancer: { requestFields: { ...usualRequestFields, desyncMode: 'strictest' as const } } };

/** What is sent to which table, and whether the connection ends with the answer. */
const causes: readonly (readonly [status: number, what: string, parts: Parts, sent: string, ends?: 'ends'])[] = [
  [400, 'no Host', {}, 'GET / HTTP/1.1\r\n\r\n', 'ends'],
  [400, 'two lengths', ok, `${post}Content-Length: 1\r\nContent-Length: 1\r\n\r\nx`, 'ends'],
  [400, 'a folded line', ok, `${post}A: b\r\n c\r\n\r\n`, 'ends'],
  [400, 'CONNECT', ok, `CONNECT a:443 HTTP/1.1\r\n${host}\r\n`, 'ends'],
  [400, 'chunks that are none', ok, `${post}Transfer-Encoding: chunked\r\n\r\nnone\r\n`, 'ends'],
  [400, 'an oddity in the strictest mode', strictest, `GET / HTTP/1.1\r\n${host}Content-Length: 0\r\n\r\n`, 'ends'],
  [405, 'TRACE', ok, `TRACE / HTTP/1.1\r\n${host}\r\n`, 'ends'],
  [408, 'a head that does not end', silent, 'GET / HTTP/1.1\r\nHo', 'ends'],
  [408, 'a body that does not come', silent, `${post}Content-Length: 5\r\n\r\nab`, 'ends'],
  [411, 'identity without a length', ok, `${post}Transfer-Encoding: identity\r\n\r\n`, 'ends'],
  [411, 'POST in HTTP/1.0 without a length', ok, 'POST / HTTP/1.0\r\n\r\n', 'ends'],
  [414, 'a long request line', ok, `GET /${'a'.repeat(16 * 1024)} HTTP/1.1\r\n${host}\r\n`, 'ends'],
  [431, 'a long header line', ok, `GET / HTTP/1.1\r\n${host}A: ${'a'.repeat(16 * 1024)}\r\n\r\n`, 'ends'],
  [431, 'a large head', ok, `GET / HTTP/1.1\r\n${host}${`A: ${'a'.repeat(16_000)}\r\n`.repeat(5)}\r\n`, 'ends'],
  [463, 'too many addresses', ok, `GET / HTTP/1.1\r\n${host}X-Forwarded-For: ${'1.1.1.1,'.repeat(30)}1.1.1.1\r\n\r\n`],
  [464, 'targets of another version', {}, get],
  [500, 'a transform that makes no URL', transforming, get],
  [501, 'an unknown coding', ok, `${post}Transfer-Encoding: gzip\r\n\r\n`, 'ends'],
  [502, 'a refused connection', async () => ({ targets: [await closedPort()] }), get],
  [502, 'a target that closes', answering('closes'), get],
  [502, 'a target that resets', answering('resets'), get],
  [502, 'a malformed answer', answering('HTTP/1.1 200 OK\r\nA : b\r\n\r\n'), get],
  [502, 'a large head of an answer', answering(`HTTP/1.1 200 OK\r\nA: ${'a'.repeat(32 * 1024)}\r\n\r\n`), get],
  [503, 'no target', {}, get],
  [503, 'targets that are all draining', { targets: [{ port: 1, isDraining: true }] }, get],
  [504, 'a target that does not answer', silent, get],
  [505, 'HTTP/2 without TLS', ok, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'ends'],
  [507, 'a redirect to a long address', { action: redirect }, `GET /${'a'.repeat(5_000)} HTTP/1.1\r\n${host}\r\n`],
];

for (const socketPath of socketPaths) {
  test(`proxy (${socketPath}): each cause is answered with its status, its page and what becomes of the connection`, async (t) => {
    for (const [status, what, parts, sent, ends] of causes) {
      const message = `${status}: ${what}`;
      const given = typeof parts === 'function' ? await parts(t) : parts;
      const { port, proxy, balancer } = await startProxy(t, given, { socketPath });
      if (status === 464) {
        const plain = table(given);
        await proxy.apply({
          ...plain,
          groups: plain.groups.map((group) => ({ ...group, refusesHttp1: true as const })),
        });
      }
      const client = new RawClient(t, port);
      client.send(sent);
      const answer = await client.toHave('</html>\n');
      const title = `${status} ${STATUS_CODES[status] ?? ''}`.trim();
      assert(answer.startsWith(`HTTP/1.1 ${title}`), `${message}: ${answer.slice(0, 40)}`);
      assert.match(
        answer,
        /\r\nServer: ballast\r\nDate: [^\r]+ GMT\r\nContent-Type: text\/html\r\nContent-Length: \d+\r\n/,
      );
      assert(answer.includes(`<h1>${title}</h1>`), message);
      assert.equal(answer.includes('\r\nConnection: close\r\n'), ends === 'ends', message);
      assert.deepEqual(balancer().elbResponses, { [status]: 1 }, message);
      if (ends === 'ends') {
        await client.toEnd();
        assert(client.isEnded, `${message}: a regular end`);
      } else {
        client.received = '';
        client.send(get);
        await client.toHave('\r\n\r\n');
        assert.match(client.received, /^HTTP\/1\.1 /, `${message}: the connection goes on`);
      }
      client.socket.destroy();
    }
  });
}

/** Where these are seen: in the tests of functions, and in those of logs, since nobody gets it as an answer. */
const seenElsewhere: readonly (readonly [status: number, connection: string])[] = [
  [413, 'stays'],
  [460, ''],
];

test('docs/http.md lists the codes of the load balancer itself, and what becomes of the connection', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/http.md'), 'utf8');
  const rows = [...page.matchAll(/^\| (\d{3}) \| .* \| (ends|stays|) ?\|$/gm)];
  const caused = causes.map(([status, , , , ends = 'stays']) => [status, ends] as const);
  const expected = new Map<number, string>([...caused, ...seenElsewhere]);
  assert.deepEqual(
    rows.map(([, code, connection]) => [Number(code), connection]),
    [...expected].sort(([one], [other]) => one - other),
  );
});
