import assert from 'node:assert/strict';
import test from 'node:test';
import type { RoutingAction } from '#routing/table.ts';
import {
  exchange,
  RawClient,
  redirectToHttps,
  request,
  socketPaths,
  startProxy,
  startRawTarget,
  startRecordingTarget,
  startTarget,
  until,
} from './test-proxy.ts';

const hidden = 'GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n';
const post = 'POST / HTTP/1.1\r\nHost: a\r\n';

/** Each is one request to an honest reader, and hides a second one for a reader that takes it in another way. */
const smuggled: readonly string[] = [
  `${post}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
  `${post}Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n${hidden}`,
  `${post}Transfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${hidden}`,
  `${post}Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n${hidden}`,
  `${post}Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n${hidden}`,
  `${post}X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
  `${post}X: y\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
  `${post}Content-Length: 0\r\nContent-Length: 44\r\n\r\n${hidden}`,
  `${post}Content-Length: 0, 44\r\n\r\n${hidden}`,
  `GET / HTTP/1.1\nHost: a\n\n${hidden}`,
  `GET / HTTP/1.1\r\nHost: a\r\nX: y\r${hidden}`,
  `${post}Connection: Content-Length\r\nContent-Length: 34\r\n\r\n${hidden}`,
  `${post}Transfer-Encoding: chunked\r\n\r\n1;\nx\r\n0\r\n\r\n${hidden}`,
  `${post}Transfer-Encoding: chunked\r\n\r\n2\r\nxx1\r\ny\r\n0\r\n\r\n${hidden}`,
  `${post}Transfer-Encoding: chunked\r\n\r\n0\nx: y\r\n\r\n${hidden}`,
  `GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n${hidden}`,
];

/** Read in one way only, these carry what looks like a request as data. */
const innocent: readonly string[] = [
  `${post}Content-Length: 33\r\n\r\n${hidden}`,
  `${post}Transfer-Encoding: chunked\r\n\r\n21\r\n${hidden}\r\n0\r\n\r\n`,
];

for (const socketPath of socketPaths) {
  const settings = { socketPath };

  test(`proxy (${socketPath}): no target ever sees a request that hides in another`, async (t) => {
    const target = await startRecordingTarget(t);
    const { port } = await startProxy(t, { targets: [target.port] }, settings);
    for (const message of smuggled) {
      const answer = await exchange(t, port, message);
      assert.match(answer, /^HTTP\/1\.1 (400|501) /, message);
      assert.match(answer, /\r\nConnection: close\r\n/);
      assert.equal(answer.match(/HTTP\/1\.1 /g)?.length, 1, 'nothing behind it is answered');
    }
    assert.doesNotMatch(target.received(), /hidden/);
  });

  test(`proxy (${socketPath}): what looks like a request inside of a body is data to a target`, async (t) => {
    const urls: string[] = [];
    const target = await startTarget(t, (incoming, outgoing) => {
      urls.push(incoming.url!);
      incoming.resume().on('end', () => outgoing.end('ok'));
    });
    const { port } = await startProxy(t, { targets: [target] }, settings);
    for (const message of innocent) {
      const client = new RawClient(t, port);
      client.send(message);
      await client.toHave('\r\n\r\nok');
    }
    assert.deepEqual(urls, ['/', '/']);
  });

  test(`proxy (${socketPath}): refusals say why, count, and close the connection`, async (t) => {
    const { port, balancer } = await startProxy(t, { targets: [1] }, settings);
    const cases: readonly (readonly [string, string])[] = [
      ['GET / HTTP/1.1\r\n\r\n', '400 Bad Request'],
      ['TRACE / HTTP/1.1\r\nHost: a\r\n\r\n', '405 Method Not Allowed'],
      [`GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, '414 URI Too Long'],
      [`GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`, '431 Request Header Fields Too Large'],
      ['POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n', '501 Not Implemented'],
      ['GET / HTTP/3.0\r\nHost: a\r\n\r\n', '505 HTTP Version Not Supported'],
      [`GET / HTTP/1.1\r\nHost: a\r\n${`X: ${'a'.repeat(10_000)}\r\n`.repeat(30)}\r\n`, '431 Request Header'],
    ];
    for (const [message, line] of cases) {
      const answer = await exchange(t, port, message);
      assert(answer.startsWith(`HTTP/1.1 ${line}`), `${JSON.stringify(answer.slice(0, 60))} for ${line}`);
      assert.match(answer, /\r\nServer: ballast\r\nDate: [^\r]+ GMT\r\nContent-Type: text\/html\r\n/);
    }
    assert.deepEqual(balancer().elbResponses, { 400: 1, 405: 1, 414: 1, 431: 2, 501: 1, 505: 1 });
    assert.equal(balancer().requests, 0);
  });

  test(`proxy (${socketPath}): a body that turns out malformed ends the request at the target too`, async (t) => {
    let isCut = false;
    let hasBegun = false;
    const target = await startTarget(t, (incoming) => {
      incoming.on('error', () => {
        isCut = true;
      });
      incoming.on('data', () => {
        hasBegun = true;
      });
    });
    const { port } = await startProxy(t, { targets: [target] }, settings);
    const client = new RawClient(t, port);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n');
    await until(() => hasBegun, 'the body begins');
    client.send('5\r\nhello');
    client.send('oops');
    assert.match(await client.toEnd(), /^HTTP\/1\.1 400 /);
    await until(() => isCut, 'the target sees the request cut off');
  });

  test(`proxy (${socketPath}): a client that sends on after a refusal still reads it`, async (t) => {
    const { port } = await startProxy(t, { targets: [1] }, settings);
    const client = new RawClient(t, port);
    client.send(`BAD REQUEST\r\n${'x'.repeat(500_000)}`);
    assert.match(await client.toEnd(), /^HTTP\/1\.1 400 [\s\S]*<\/html>\n$/);
    assert.equal(client.isEnded, true, 'a regular end, no reset');
  });

  test(`proxy (${socketPath}): a head too slow is answered with 408, a silent client closed`, async (t) => {
    const { port, balancer } = await startProxy(t, { targets: [1], loadBalancer: { idleTimeoutMs: 300 } }, settings);
    const silent = new RawClient(t, port);
    const slow = new RawClient(t, port);
    const bytes = 'GET / HTTP/1.1\r\nHost: a\r\nX: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy';
    for (let at = 0; !slow.isEnded && at < bytes.length; at += 1) {
      slow.send(bytes[at]!);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.match(await slow.toEnd(), /^HTTP\/1\.1 408 Request Timeout\r\n/);
    assert.equal(await silent.toEnd(), '');
    assert.deepEqual(balancer().elbResponses, { 408: 1 });
  });

  test(`proxy (${socketPath}): a body that does not come is answered with 408`, async (t) => {
    const target = await startTarget(t, (incoming) => incoming.on('error', () => {}).resume());
    const { port } = await startProxy(t, { targets: [target], loadBalancer: { idleTimeoutMs: 300 } }, settings);
    const answer = await exchange(t, port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello');
    assert.match(answer, /^HTTP\/1\.1 408 /);
  });

  test(`proxy (${socketPath}): a redirect is put together from the request's own parts`, async (t) => {
    const { port, swap, balancer } = await startProxy(t, { action: redirectToHttps }, settings);
    const location = async (path: string) => {
      const answer = await request(port, { path, headers: { Host: 'example.com:8080' } });
      assert.match(answer.body.toString(), /301 Moved Permanently/);
      return `${answer.status} ${answer.headers.location}`;
    };
    assert.equal(await location('/a/b?c=d'), '301 https://example.com:443/a/b?c=d');
    assert.equal(await location('/'), '301 https://example.com:443/');
    await swap({
      action: {
        ...redirectToHttps,
        protocol: '#{protocol}',
        host: 'new.#{host}',
        path: '/x/#{path}',
        query: 'from=#{port}',
        statusCode: 302,
      },
    });
    assert.equal((await request(port, { path: '/y' })).headers.location, 'http://new.127.0.0.1:443/x/y?from=0');
    assert.deepEqual(balancer().elbResponses, { 301: 2, 302: 1 });
  });

  test(`proxy (${socketPath}): a fixed response keeps the connection, and HEAD gets its fields alone`, async (t) => {
    const action: RoutingAction = {
      kind: 'fixed-response',
      statusCode: 503,
      contentType: 'text/plain',
      body: 'später',
    };
    const { port, balancer } = await startProxy(t, { action }, settings);
    const client = new RawClient(t, port);
    // The first head comes in two pieces, so that all that follows is read from what was carried.
    const requests = 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(50);
    client.send(requests.slice(0, 10));
    await until(() => balancer().bytesIn === 10, 'the first piece is read');
    client.send(requests.slice(10));
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n');
    const answers = (await client.toEnd()).split('HTTP/1.1 ').slice(1);
    assert.equal(answers.length, 101);
    assert.match(answers[0]!, /^503 Service Unavailable\r\n[\s\S]*Content-Length: 7\r\n\r\n$/);
    assert.match(answers[1]!, /Content-Type: text\/plain\r\nContent-Length: 7\r\n\r\nsp\xc3\xa4ter$/);
    assert.doesNotMatch(answers[99]!, /Connection: close/);
    // The body is not read, so nobody knows where the next request begins.
    assert.match(answers[100]!, /Connection: close/);
  });

  test(`proxy (${socketPath}): more connections than allowed are closed at once and counted`, async (t) => {
    const target = await startTarget(t, (_, outgoing) => outgoing.end('ok'));
    const { port, balancer } = await startProxy(t, { targets: [target] }, { ...settings, clientConnectionsMax: 2 });
    const kept = [new RawClient(t, port), new RawClient(t, port)];
    for (const client of kept) {
      client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await client.toHave('ok');
    }
    const surplus = new RawClient(t, port);
    await until(() => surplus.isEnded || surplus.isClosed, 'the third connection is closed');
    assert.equal(balancer().rejectedConnections, 1);
    kept[0]!.socket.destroy();
    await until(() => balancer().activeConnections === 1, 'a place is free');
    const next = new RawClient(t, port);
    next.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await next.toHave('ok');
  });

  test(`proxy (${socketPath}): who is not let in is closed at once and counted; who is connected stays`, async (t) => {
    const target = await startTarget(t, (_, outgoing) => outgoing.end('ok'));
    const parts = { targets: [target], sources: ['10.0.0.0/8', '127.0.0.0/24'] };
    const { port, swap, balancer } = await startProxy(t, parts, settings);
    const inside = new RawClient(t, port);
    const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
    inside.send(request);
    await inside.toHave('ok');
    for (const sources of [[], ['127.0.0.2/32'], ['::/0']]) {
      await swap({ ...parts, sources });
      const outside = new RawClient(t, port);
      await until(() => outside.isEnded || outside.isClosed, 'it is closed');
      assert.equal(outside.received, '');
    }
    assert.deepEqual([balancer().blockedConnections, balancer().newConnections], [3, 1]);
    inside.send(request);
    await until(
      () => inside.received.endsWith('ok') && inside.received.split('HTTP/1.1 200').length === 3,
      'it goes on',
    );
    await swap({ targets: [target] });
    const everybody = new RawClient(t, port);
    everybody.send(request);
    await everybody.toHave('ok');
  });
}

test('proxy: malformed answers of targets become 502, or cut the connection when they had begun', async (t) => {
  let answer = '';
  const target = await startRawTarget(t, (socket) => socket.on('data', () => socket.write(answer, 'latin1')));
  const { port, balancer } = await startProxy(t, { targets: [target] });
  const malformed = [
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc',
    'HTTP/1.1 200 OK\nContent-Length: 2\n\nab',
    'HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
    'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(17),
    `HTTP/1.1 200 OK\r\n${`X: ${'a'.repeat(16_000)}\r\n`.repeat(5)}\r\n`,
    'nonsense\r\n\r\n',
  ];
  for (answer of malformed) {
    const client = new RawClient(t, port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.match(await client.toHave('</html>'), /HTTP\/1\.1 502 Bad Gateway\r\n/, answer);
    assert.equal(client.isEnded, false, 'the client may go on');
  }
  assert.deepEqual(balancer().elbResponses, { 502: malformed.length });
});

test('proxy: an answer that breaks off cuts the client off, so that it cannot seem complete', async (t) => {
  const beginnings = [
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n', 'zzz\r\n'],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n', undefined],
    ['HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello', undefined],
    ['HTTP/1.1 200 OK\r\n\r\nhello', 'reset'],
  ] as const;
  for (const [beginning, rest] of beginnings) {
    let goOn = () => {};
    const target = await startRawTarget(t, (socket) => {
      socket.on('data', () => socket.write(beginning));
      goOn = () => {
        if (rest === 'reset') socket.resetAndDestroy();
        else if (rest === undefined) socket.end();
        else socket.write(rest);
      };
    });
    const { port } = await startProxy(t, { targets: [target] });
    const client = new RawClient(t, port);
    let failure = '';
    client.socket.on('error', (error: NodeJS.ErrnoException) => {
      failure = error.code!;
    });
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.toHave('hello');
    goOn();
    await until(() => client.isClosed, 'the connection is cut');
    assert.equal(failure, 'ECONNRESET', beginning);
  }
});
