import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';
import test from 'node:test';
import { sleep } from '#io/timers.ts';
import {
  exchange,
  RawClient,
  request,
  socketPaths,
  startProxy,
  startRawTarget,
  startTarget,
  until,
} from './test-proxy.ts';

const md5 = (bytes: Buffer) => createHash('md5').update(bytes).digest('hex');

/** Answers with the request's body, framed as the path says. */
const echo: http.RequestListener = (incoming, outgoing) => {
  const pieces: Buffer[] = [];
  incoming.on('data', (piece: Buffer) => pieces.push(piece));
  incoming.on('end', () => {
    const body = Buffer.concat(pieces);
    if (incoming.url === '/length') outgoing.setHeader('Content-Length', body.length);
    if (incoming.url === '/close') {
      outgoing.useChunkedEncodingByDefault = false;
      outgoing.shouldKeepAlive = false;
      outgoing.removeHeader('Transfer-Encoding');
    }
    for (let at = 0; at < body.length; at += 10_000) outgoing.write(body.subarray(at, at + 10_000));
    outgoing.end();
  });
};

for (const socketPath of socketPaths) {
  const settings = { socketPath };

  test(`proxy (${socketPath}): a target gets the request with what it must know about the client`, async (t) => {
    const target = await startTarget(t, (incoming, outgoing) => {
      outgoing.setHeader('X-Seen', JSON.stringify(incoming.headers));
      outgoing.end(`${incoming.method} ${incoming.url}`);
    });
    const { port } = await startProxy(t, { targets: [target] }, settings);
    const answer = await request(port, { path: '/a?b=c', headers: { Host: 'example.com', Connection: 'close' } });
    assert.equal(answer.status, 200);
    assert.equal(answer.body.toString(), 'GET /a?b=c');
    assert.equal(answer.headers.connection, 'close');
    const seen = JSON.parse(answer.headers['x-seen'] as string);
    assert.match(seen['x-amzn-trace-id'], /^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$/);
    delete seen['x-amzn-trace-id'];
    assert.deepEqual(seen, {
      host: 'example.com:0',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-port': '0',
      'x-forwarded-proto': 'http',
    });
  });

  test(`proxy (${socketPath}): bodies arrive whole in both directions, however they are framed`, async (t) => {
    const target = await startTarget(t, echo);
    const { port } = await startProxy(t, { targets: [target] }, settings);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    t.after(() => agent.destroy());
    for (const size of [0, 1, 100, 16_384, 16_385, 65_536, 300_000, 3_000_000]) {
      const body = randomBytes(size);
      for (const path of ['/chunked', '/length', '/close']) {
        const byLength = await request(
          port,
          { agent, method: 'POST', path, headers: { 'Content-Length': size } },
          body,
        );
        assert.equal(md5(byLength.body), md5(body), `${size} bytes by length, ${path}`);
        const chunked = await request(port, { agent, method: 'POST', path }, (outgoing) => {
          for (let at = 0; at < size; at += 7_777) outgoing.write(body.subarray(at, at + 7_777));
          outgoing.end();
        });
        assert.equal(md5(chunked.body), md5(body), `${size} bytes in chunks, ${path}`);
      }
    }
  });

  test(`proxy (${socketPath}): many clients at once get their own answers`, async (t) => {
    const target = await startTarget(t, echo);
    const { port } = await startProxy(t, { targets: [target] }, settings);
    await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
        for (let round = 0; round < 10; round += 1) {
          const body = randomBytes(1 + ((index * 7919 + round * 104_729) % 90_000));
          const path = round % 2 === 0 ? '/length' : '/chunked';
          const answer = await request(port, { agent, method: 'POST', path }, body);
          assert.equal(md5(answer.body), md5(body));
        }
        agent.destroy();
      }),
    );
  });

  test(`proxy (${socketPath}): a slow reader of 20 MiB gets them whole, and they are not kept in memory`, async (t) => {
    const size = 20 * 1024 * 1024;
    const piece = randomBytes(64 * 1024);
    let sent = 0;
    const target = await startRawTarget(t, (socket) => {
      socket.on('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
        const more = () => {
          while (sent < size) {
            sent += piece.length;
            if (!socket.write(piece)) return socket.once('drain', more);
          }
          return undefined;
        };
        more();
      });
    });
    const { port, balancer } = await startProxy(t, { targets: [target] }, settings);
    const client = new RawClient(t, port);
    client.socket.setEncoding('binary');
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => client.received.length > 0, 'the answer begins');
    client.socket.pause();
    // All buffers on the way fill up, and then everything stands still.
    for (let before = -1; before !== sent; await sleep(100)) before = sent;
    assert(sent < size, 'the target is held back');
    const held = balancer().bytesOut - client.received.length;
    assert(held < 12 * 1024 * 1024, `${held} bytes are under way`);
    client.socket.resume();
    await until(() => client.received.length >= size, 'everything has come');
    const bodyStart = client.received.indexOf('\r\n\r\n') + 4;
    const expected = createHash('md5');
    for (let at = 0; at < size; at += piece.length) expected.update(piece);
    await until(() => client.received.length === bodyStart + size, 'the last byte has come');
    assert.equal(md5(Buffer.from(client.received.slice(bodyStart), 'latin1')), expected.digest('hex'));
  });

  test(`proxy (${socketPath}): a slow target holds an upload back, and gets it whole`, async (t) => {
    const size = 20 * 1024 * 1024;
    const body = randomBytes(size);
    let isReading = false;
    let received = 0;
    const hash = createHash('md5');
    const target = await startTarget(t, (incoming, outgoing) => {
      incoming.on('data', (piece: Buffer) => {
        received += piece.length;
        hash.update(piece);
        if (!isReading) incoming.pause();
      });
      void until(() => isReading, 'the target reads').then(() => incoming.resume());
      incoming.on('end', () => outgoing.end(hash.digest('hex')));
    });
    const { port, balancer } = await startProxy(t, { targets: [target] }, settings);
    const answer = request(port, { method: 'POST', headers: { 'Content-Length': size } }, body);
    await until(() => received > 0, 'the upload begins');
    for (let before = -1; before !== balancer().bytesIn; await sleep(100)) before = balancer().bytesIn;
    assert(balancer().bytesIn < size, 'the client is held back');
    isReading = true;
    assert.equal((await answer).body.toString(), md5(body));
  });

  test(`proxy (${socketPath}): answers without a body end with their head`, async (t) => {
    const target = await startTarget(t, (incoming, outgoing) => {
      outgoing.writeHead(Number(incoming.url!.slice(1)), { 'Content-Length': 5, 'X-A': 'b' });
      outgoing.end(incoming.url === '/200' ? 'hello' : undefined);
    });
    const { port } = await startProxy(t, { targets: [target] }, settings);
    const client = new RawClient(t, port);
    client.send('HEAD /200 HTTP/1.1\r\nHost: a\r\n\r\nGET /304 HTTP/1.1\r\nHost: a\r\n\r\n');
    client.send('GET /204 HTTP/1.1\r\nHost: a\r\n\r\nGET /200 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const heads = (await client.toEnd()).split('\r\n\r\n');
    assert.equal(heads.length, 5);
    assert.match(heads[0]!, /^HTTP\/1\.1 200 OK\r\nContent-Length: 5\r\n/);
    assert.match(heads[1]!, /^HTTP\/1\.1 304 Not Modified\r\nContent-Length: 5\r\n/);
    assert.match(heads[2]!, /^HTTP\/1\.1 204 No Content\r\nX-A: b\r\n/);
    assert.match(heads[3]!, /^HTTP\/1\.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n/);
    assert.equal(heads[4], 'hello');
  });

  test(`proxy (${socketPath}): pipelined requests are answered in their order, at every split`, async (t) => {
    const target = await startTarget(t, echo);
    const { port } = await startProxy(t, { targets: [target] }, settings);
    const requests =
      'POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nfirst' +
      'POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nsecond\r\n0\r\n\r\n' +
      'POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\n\r\nthird';
    const bodies = (answer: string) => [...answer.matchAll(/\r\n\r\n(first|second|third)/g)].map((match) => match[1]);
    assert.deepEqual(bodies(await exchange(t, port, requests)), ['first', 'second', 'third']);
    const bytewise = new RawClient(t, port);
    for (const byte of requests) {
      bytewise.send(byte);
      await new Promise((resolve) => bytewise.socket.write('', resolve));
    }
    assert.deepEqual(bodies(await bytewise.toEnd()), ['first', 'second', 'third']);
    for (let cut = 1; cut < requests.length; cut += 3) {
      const client = new RawClient(t, port);
      client.send(requests.slice(0, cut));
      await sleep(1);
      client.send(requests.slice(cut));
      assert.deepEqual(bodies(await client.toEnd()), ['first', 'second', 'third'], `cut at ${cut}`);
      client.socket.destroy();
    }
  });

  test(`proxy (${socketPath}): a thousand pipelined requests are all answered`, async (t) => {
    const target = await startTarget(t, (incoming, outgoing) => outgoing.end(`<${incoming.url}>`));
    const { port } = await startProxy(t, { targets: [target] }, settings);
    const paths = Array.from({ length: 1000 }, (_, index) => `/${index}`);
    const client = new RawClient(t, port);
    client.send(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
    const answer = await client.toHave('</999>');
    assert.deepEqual(
      [...answer.matchAll(/<(\/\d+)>/g)].map((match) => match[1]),
      paths,
    );
  });

  test(`proxy (${socketPath}): an HTTP/1.0 client gets no chunks and a close, or keeps alive by length`, async (t) => {
    const target = await startTarget(t, echo);
    const { port } = await startProxy(t, { targets: [target] }, settings);
    const body = 'x'.repeat(200_000);
    const post = (path: string, fields: string) =>
      `POST ${path} HTTP/1.0\r\nHost: a\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`;
    const chunkless = await exchange(t, port, post('/chunked', 'Connection: keep-alive\r\n'));
    assert.match(chunkless, /^HTTP\/1\.1 200 OK\r\nConnection: close\r\n/);
    assert.doesNotMatch(chunkless, /transfer-encoding/i);
    assert.equal(chunkless.slice(chunkless.indexOf('\r\n\r\n') + 4), body);
    const kept = new RawClient(t, port);
    kept.send(post('/length', 'Connection: keep-alive\r\n') + post('/length', ''));
    const answers = (await kept.toEnd()).split('HTTP/1.1 ').slice(1);
    assert.equal(answers.length, 2);
    assert.match(answers[0]!, /^200 OK\r\nConnection: keep-alive\r\n/);
    assert.match(answers[1]!, /^200 OK\r\nConnection: close\r\n/);
  });

  test(`proxy (${socketPath}): 100 Continue goes from the target to the client, and the body follows`, async (t) => {
    const target = await startTarget(t, echo);
    const { port } = await startProxy(t, { targets: [target] }, settings);
    const client = new RawClient(t, port);
    client.send('POST /length HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n');
    assert.equal(await client.toHave('\r\n\r\n'), 'HTTP/1.1 100 Continue\r\n\r\n');
    client.send('hello');
    assert.match(await client.toHave('hello'), /Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  });

  test(`proxy (${socketPath}): interim answers reach HTTP/1.1 clients only, wherever they are cut`, async (t) => {
    const answer =
      'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x\r\nX: y\r\n\r\n' +
      'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok';
    let cut = 0;
    const target = await startRawTarget(t, (socket) => {
      socket.on('data', async () => {
        socket.write(answer.slice(0, cut));
        await sleep(1);
        socket.write(answer.slice(cut));
      });
    });
    const { port } = await startProxy(t, { targets: [target] }, settings);
    const expected =
      'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n';
    const client = new RawClient(t, port);
    for (cut = 0; cut <= answer.length; cut += 5) {
      client.received = '';
      client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      assert.equal(await client.toHave('ok'), `${expected}Content-Length: 2\r\n\r\nok`, `cut at ${cut}`);
    }
    const older = await exchange(t, port, 'GET / HTTP/1.0\r\n\r\n');
    assert.equal(older, 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok');
  });

  test(`proxy (${socketPath}): an answer is the same however the target's segments are cut`, async (t) => {
    const answer =
      'HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n' +
      '5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n';
    const expected =
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n';
    let size = 1;
    const target = await startRawTarget(t, (socket) => {
      socket.setNoDelay(true);
      socket.on('data', async () => {
        for (let at = 0; at < answer.length; at += size) {
          socket.write(answer.slice(at, at + size));
          await new Promise((resolve) => setImmediate(resolve));
        }
      });
    });
    const { port } = await startProxy(t, { targets: [target] }, settings);
    const client = new RawClient(t, port);
    for (size = 1; size < 60; size = size * 2 + 1) {
      client.received = '';
      client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      assert.equal(await client.toHave('X-Sum: 1\r\n\r\n'), expected, `segments of ${size}`);
    }
    assert.equal(client.isEnded, false);
  });

  test(`proxy (${socketPath}): a client that has closed its half still gets its answer`, async (t) => {
    const target = await startTarget(t, async (_, outgoing) => {
      await sleep(50);
      outgoing.end('late');
    });
    const { port } = await startProxy(t, { targets: [target] }, settings);
    const client = new RawClient(t, port);
    client.socket.end('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.match(await client.toEnd(), /^HTTP\/1\.1 200 OK\r\nConnection: close\r\n[\s\S]*late/);
  });

  test(`proxy (${socketPath}): an answer before the end of the request is delivered, then both close`, async (t) => {
    let targetClosed = false;
    const target = await startRawTarget(t, (socket) => {
      socket.once('data', () => socket.write('HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\n\r\nless'));
      socket.on('end', () => {
        targetClosed = true;
      });
    });
    const { port } = await startProxy(t, { targets: [target] }, settings);
    const client = new RawClient(t, port);
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(1000)}`);
    assert.match(await client.toEnd(), /^HTTP\/1\.1 413 [\s\S]*Connection: close\r\n[\s\S]*less$/);
    client.socket.destroy();
    await until(() => targetClosed, 'the connection to the target is closed');
  });

  test(`proxy (${socketPath}): the connection stays open for the next request, up to its time`, async (t) => {
    const target = await startTarget(t, (_, outgoing) => outgoing.end('ok'));
    const { port, balancer } = await startProxy(
      t,
      { targets: [target], loadBalancer: { clientKeepAliveMs: 400 } },
      settings,
    );
    const client = new RawClient(t, port);
    while (!client.isEnded) {
      client.received = '';
      client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await until(() => client.received.endsWith('ok') || client.isEnded, 'an answer comes');
      await sleep(10);
    }
    assert.match(client.received, /^HTTP\/1\.1 200 OK\r\nConnection: close\r\n/);
    assert.equal(balancer().newConnections, 1);
  });
}
