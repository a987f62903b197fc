import assert from 'node:assert/strict';
import type net from 'node:net';
import test, { type TestContext } from 'node:test';
import {
  exchange,
  RawClient,
  socketPaths,
  startProxy,
  startRawTarget,
  until,
  usualRequestFields,
} from './test-proxy.ts';

const host = 'Host: a\r\n';
const close = 'Connection: close\r\n';

/** A target that is led by hand: what it got, and what it says on its last connection. */
async function startLedTarget(t: TestContext) {
  let received = '';
  let last: net.Socket | undefined;
  const port = await startRawTarget(t, (socket) => {
    last = socket;
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text;
    });
  });
  return {
    port,
    toHave: async (text: string) => {
      await until(() => received.includes(text), `the target gets ${JSON.stringify(text)}`);
      return received;
    },
    say: (text: string) => {
      received = '';
      last!.write(text, 'latin1');
    },
    end: () => last!.end(),
  };
}

/** Answers each head with the same bytes, and gives back all heads that came. */
async function startAnswering(t: TestContext, answer: string) {
  const heads: string[] = [];
  const port = await startRawTarget(t, (socket) => {
    let text = '';
    socket.setEncoding('latin1').on('data', (piece: string) => {
      text += piece;
      for (let end = text.indexOf('\r\n\r\n'); end !== -1; end = text.indexOf('\r\n\r\n')) {
        heads.push(text.slice(0, end));
        text = text.slice(end + 4);
        socket.write(answer, 'latin1');
      }
    });
  });
  return { port, heads };
}

const empty = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';

for (const socketPath of socketPaths) {
  const settings = { socketPath };

  test(`proxy (${socketPath}): trailers pass in both directions, announced or not, and not to HTTP/1.0`, async (t) => {
    const target = await startLedTarget(t);
    const { port } = await startProxy(t, { targets: [target.port] }, settings);
    const client = new RawClient(t, port);
    for (const announced of ['Trailer: X-Sum\r\n', '']) {
      client.received = '';
      const body = '3\r\nabc\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n';
      client.send(`POST / HTTP/1.1\r\n${host}TE: trailers\r\nConnection: TE\r\n${announced}`);
      client.send(`Transfer-Encoding: chunked\r\n\r\n${body}`);
      const request = await target.toHave('X-More: 2\r\n\r\n');
      assert(request.endsWith(body));
      assert.equal(request.includes('Trailer: X-Sum\r\n'), announced !== '');
      assert.match(request, /\r\nTE: trailers\r\nConnection: TE\r\n/);
      target.say(`HTTP/1.1 200 OK\r\n${announced}Transfer-Encoding: chunked\r\n\r\n${body}`);
      const answer = await client.toHave('X-More: 2\r\n\r\n');
      assert.equal(answer, `HTTP/1.1 200 OK\r\n${announced}Transfer-Encoding: chunked\r\n\r\n${body}`);
    }
    const older = new RawClient(t, port);
    older.send(`GET /older HTTP/1.0\r\n${host}\r\n`);
    await target.toHave('/older');
    target.say('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n');
    assert.equal(await older.toEnd(), 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc');
  });

  test(`proxy (${socketPath}): trailers that would frame or route a message make it malformed`, async (t) => {
    const target = await startLedTarget(t);
    const { port } = await startProxy(t, { targets: [target.port] }, settings);
    for (const trailer of [
      'Content-Length: 5',
      'Transfer-Encoding: chunked',
      'host: b',
      'Connection: close',
      'A : b',
    ]) {
      const sent = `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n0\r\n${trailer}\r\n\r\n`;
      assert.match(await exchange(t, port, sent), /^HTTP\/1\.1 400 /, trailer);
    }
  });

  test(`proxy (${socketPath}): who waits for 100 Continue gets what the target says to it`, async (t) => {
    const target = await startLedTarget(t);
    const { port } = await startProxy(t, { targets: [target.port] }, settings);
    const expecting = `POST / HTTP/1.1\r\n${host}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n`;
    // The final answer at once, whatever it is: the body is not sent, and the connection ends.
    for (const line of ['417 Expectation Failed', '413 Content Too Large', '200 OK']) {
      const refused = new RawClient(t, port);
      refused.send(expecting);
      assert.match(await target.toHave('\r\n\r\n'), /\r\nExpect: 100-continue\r\n/);
      target.say(`HTTP/1.1 ${line}\r\nContent-Length: 2\r\n\r\nno`);
      assert.equal(await refused.toEnd(), `HTTP/1.1 ${line}\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno`);
    }
    // Who does not wait for it, and a target that says nothing before the body.
    const eager = new RawClient(t, port);
    eager.send(`${expecting}hello`);
    assert((await target.toHave('hello')).endsWith('\r\n\r\nhello'));
    target.say('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n');
    assert.equal(await eager.toHave('204'), 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n');
    // HTTP/1.0 knows no interim answers, so nobody may be asked for one.
    const older = new RawClient(t, port);
    older.send(`POST / HTTP/1.0\r\n${host}Expect: 100-continue\r\nContent-Length: 5\r\n\r\nolder`);
    assert.doesNotMatch(await target.toHave('older'), /expect/i);
    target.say(empty);
    await older.toEnd();
    // Nobody to ask: the answer comes without the body.
    const { port: lonely } = await startProxy(t, {}, settings);
    assert.match(await exchange(t, lonely, expecting), /^HTTP\/1\.1 503 [\s\S]*Connection: close\r\n/);
  });

  test(`proxy (${socketPath}): limits of lines and heads are exact`, async (t) => {
    const target = await startAnswering(t, empty);
    const { port } = await startProxy(t, { targets: [target.port] }, settings);
    const status = async (head: string) => (await exchange(t, port, head)).slice(9, 12);
    const filled = (head: string, length: number) => head.replace('*', 'a'.repeat(length + 1 - head.length));
    const line = (length: number) => `GET / HTTP/1.1\r\n${host}${close}${filled('X: *\r\n', length)}\r\n`;
    assert.equal(await status(line(16_384)), '200');
    assert.equal(await status(line(16_385)), '431');
    const requestLine = (length: number) => `${filled('GET /* HTTP/1.1\r\n', length)}${host}${close}\r\n`;
    assert.equal(await status(requestLine(16_384)), '200');
    assert.equal(await status(requestLine(16_385)), '414');
    const long = `Y: ${'y'.repeat(15_000)}\r\n`.repeat(4);
    const head = (length: number) => filled(`GET / HTTP/1.1\r\n${host}${close}${long}X: *\r\n\r\n`, length);
    assert.equal(await status(head(65_536)), '200');
    assert.equal(await status(head(65_537)), '431');
    const lines = (count: number) => `GET / HTTP/1.1\r\n${host}${close}${'Z: \r\n'.repeat(count - 2)}\r\n`;
    assert.equal(await status(lines(128)), '200');
    assert.equal(await status(lines(129)), '431');
  });

  test(`proxy (${socketPath}): an answer without a body has no framing that its client does not know`, async (t) => {
    const chunked = await startAnswering(t, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n');
    const { port } = await startProxy(t, { targets: [chunked.port] }, settings);
    const newer = await exchange(t, port, `HEAD / HTTP/1.1\r\n${host}${close}\r\n`);
    assert.equal(newer, 'HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n');
    const older = await exchange(t, port, `HEAD / HTTP/1.0\r\n${host}\r\n`);
    assert.equal(older, 'HTTP/1.1 200 OK\r\nConnection: close\r\nA: b\r\n\r\n');
  });

  test(`proxy (${socketPath}): a target may end its half behind a whole answer, and CONNECT never reaches one`, async (t) => {
    const target = await startLedTarget(t);
    const { port, proxy } = await startProxy(t, { targets: [target.port] }, settings);
    const client = new RawClient(t, port);
    for (const path of ['/1', '/2']) {
      client.received = '';
      client.send(`GET ${path} HTTP/1.1\r\n${host}\r\n`);
      await target.toHave(path);
      target.say('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      target.end();
      await client.toHave('\r\n\r\nok');
      await until(() => proxy.stats().idleTargetConnections === 0, 'its connection is not used again');
    }
    assert.match(await exchange(t, port, `CONNECT b:443 HTTP/1.1\r\n${host}\r\n`), /^HTTP\/1\.1 400 /);
    assert.equal(proxy.stats().targets[0]!.requests, 2);
  });

  test(`proxy (${socketPath}): targets get what the modes say of the client, and traces as they came`, async (t) => {
    const target = await startAnswering(t, empty);
    const { port, swap } = await startProxy(t, { targets: [target.port] }, settings);
    const traces = 'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\ntracestate: a=1,b=2\r\n';
    const sent = `GET / HTTP/1.1\r\n${host}${close}X-Forwarded-For: 10.0.0.1\r\nX_Odd: 1\r\n${traces}X-Forwarded-Proto: https\r\n\r\n`;
    const valuesOf = (name: string) =>
      target.heads
        .at(-1)!
        .split('\r\n')
        .filter((line) => line.startsWith(`${name}: `))
        .map((line) => line.slice(name.length + 2));
    const ask = async (fields: Partial<typeof usualRequestFields>) => {
      await swap({ targets: [target.port], loadBalancer: { requestFields: { ...usualRequestFields, ...fields } } });
      await exchange(t, port, sent);
      assert(target.heads.at(-1)!.includes(traces), 'the trace is as it came');
      assert.deepEqual(valuesOf('X-Forwarded-Proto'), ['http']);
      return valuesOf('X-Forwarded-For');
    };
    assert.deepEqual(await ask({}), ['10.0.0.1, 127.0.0.1']);
    assert.deepEqual(valuesOf('X_Odd'), ['1']);
    assert.match((await ask({ hasClientPort: true }))[0]!, /^10\.0\.0\.1, 127\.0\.0\.1:\d+$/);
    assert.deepEqual(await ask({ forwardedFor: 'preserve' }), ['10.0.0.1']);
    assert.deepEqual(await ask({ forwardedFor: 'remove' }), []);
    assert.deepEqual(await ask({ dropsInvalid: true }), ['10.0.0.1, 127.0.0.1']);
    assert.deepEqual(valuesOf('X_Odd'), []);
  });
}
