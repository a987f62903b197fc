import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import test from 'node:test';
import { Worker } from 'node:worker_threads';
import {
  closedPort,
  exchange,
  RawClient,
  request,
  socketPaths,
  startProxy,
  startRawTarget,
  startTarget,
  until,
} from './test-proxy.ts';

const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

for (const socketPath of socketPaths) {
  const settings = { socketPath };

  test(`proxy (${socketPath}): without a registered target the answer is 503, and the connection stays`, async (t) => {
    const draining = { port: 1, isDraining: true };
    for (const targets of [[], [draining]]) {
      const { port, balancer } = await startProxy(t, { targets }, settings);
      const client = new RawClient(t, port);
      client.send(get + get);
      await until(() => client.received.match(/<\/html>/g)?.length === 2, 'two answers come');
      assert.match(client.received, /^HTTP\/1\.1 503 Service Unavailable\r\n/);
      assert.deepEqual(balancer().elbResponses, { 503: 2 });
    }
  });

  test(`proxy (${socketPath}): a target that refuses the connection is passed over, its body kept`, async (t) => {
    const target = await startTarget(t, async (incoming, outgoing) => {
      for await (const piece of incoming) outgoing.write(piece);
      outgoing.end();
    });
    for (const size of [0, 40_000, 120_000]) {
      const { port, balancer, group } = await startProxy(t, { targets: [await closedPort(), target] }, settings);
      const body = Buffer.alloc(size, 'x');
      // One of two comes to the one that refuses.
      for (let round = 0; round < 2; round += 1) {
        const answer = await request(port, { method: 'POST', headers: { 'Content-Length': body.length } }, body);
        assert.equal(answer.status, 200);
        assert(answer.body.equals(body));
      }
      assert.deepEqual(balancer().elbResponses, {});
      assert.equal(group().retries, 1);
      assert.equal(group().connectionErrors, 1);
    }
  });

  test(`proxy (${socketPath}): a target that refused is left in peace for a while, and every request is answered`, async (t) => {
    const target = await startTarget(t, (_incoming, outgoing) => outgoing.end('ok'));
    const targets = [await closedPort(), target, await closedPort()];
    const { port, group } = await startProxy(t, { targets }, settings);
    for (let count = 0; count < 60; count += 1) assert.equal((await request(port)).status, 200);
    assert(group().retries <= 10, `${group().retries} retries of 60 requests`);
    assert.equal(group().retriesRefused, 0);
  });

  test(`proxy (${socketPath}): when every target refuses, only a fifth of the requests is tried again`, async (t) => {
    const targets = await Promise.all([closedPort(), closedPort(), closedPort()]);
    const { port, group } = await startProxy(t, { targets }, settings);
    const requests = 200;
    const answers = await Promise.all(Array.from({ length: requests }, () => request(port)));
    for (const { status } of answers) assert.equal(status, 502);
    const { retries, retriesRefused, connectionErrors } = group();
    assert(retries >= 10 && retries <= 10 + requests / 5, `${retries} retries`);
    assert(retriesRefused > 0);
    assert.equal(connectionErrors, requests + retries, 'each attempt was counted');
  });

  test(`proxy (${socketPath}): when every attempt is refused the answer is 502, after at most three`, async (t) => {
    const targets = await Promise.all(Array.from({ length: 5 }, closedPort));
    const { port, proxy, balancer } = await startProxy(t, { targets }, settings);
    assert.equal((await request(port)).status, 502);
    assert.deepEqual(balancer().elbResponses, { 502: 1 });
    const attempts = proxy.stats().targets.map((target) => target.requests);
    assert.equal(
      attempts.reduce((sum, count) => sum + count),
      3,
    );
    assert(attempts.every((count) => count <= 1));
  });

  test(`proxy (${socketPath}): connections that die while they wait cost no client an answer`, async (t) => {
    const target = await startRawTarget(t, (socket) => {
      let answers = 0;
      socket.on('data', () => {
        answers += 1;
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        // Closes without a word, right behind the answer, as servers do whose keep-alive time is over.
        const luck = Math.random();
        if (answers > 3 && luck < 0.3) socket.end();
        else if (answers > 3 && luck < 0.6) socket.resetAndDestroy();
      });
    });
    const { port, balancer } = await startProxy(t, { targets: [target] }, settings);
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
        for (let round = 0; round < 150; round += 1)
          assert.equal((await request(port, { agent })).body.toString(), 'ok');
        agent.destroy();
      }),
    );
    assert.deepEqual(balancer().elbResponses, {});
  });

  test(`proxy (${socketPath}): a dead reused connection is tried anew for GET, never for POST`, async (t) => {
    const received: string[] = [];
    let isOver = false;
    const target = await startRawTarget(t, (socket) => {
      socket.on('data', (data) => {
        received.push(data.toString('latin1').split(' ')[0]!);
        if (isOver) socket.destroy();
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        isOver = false;
      });
    });
    const { port, group } = await startProxy(t, { targets: [target] }, settings);
    const status = async (method: string, body?: Buffer) => (await request(port, { method }, body)).status;
    assert.equal(await status('GET'), 200);
    isOver = true;
    assert.equal(await status('GET'), 200);
    isOver = true;
    assert.equal(await status('POST'), 502);
    assert.equal(await status('GET'), 200);
    isOver = true;
    assert.equal(await status('PUT', Buffer.from('body')), 502);
    assert.deepEqual(received, ['GET', 'GET', 'GET', 'POST', 'GET', 'PUT']);
    assert.equal(group().retries, 1);
  });

  test(`proxy (${socketPath}): a repeatable request may go to one other target`, async (t) => {
    let killed = 0;
    const killers = await Promise.all(
      [1, 2, 3].map(() =>
        startRawTarget(t, (socket) => {
          socket.on('data', () => {
            killed += 1;
            socket.destroy();
          });
        }),
      ),
    );
    const target = await startTarget(t, (_, outgoing) => outgoing.end('ok'));
    const one = await startProxy(t, { targets: [killers[0]!, target] }, settings);
    for (let count = 0; count < 4; count += 1) assert.equal((await request(one.port)).status, 200);
    assert(killed > 0);
    killed = 0;
    const statuses = [await request(one.port, { method: 'POST' }), await request(one.port, { method: 'POST' })];
    assert.deepEqual(statuses.map(({ status }) => status).toSorted(), [200, 502]);
    assert.equal(killed, 1);
    killed = 0;
    const all = await startProxy(t, { targets: killers }, settings);
    assert.equal((await request(all.port)).status, 502);
    assert.equal(killed, 2, 'it does not visit them all');
  });

  test(`proxy (${socketPath}): a fresh connection that dies is not tried anew`, async (t) => {
    let connections = 0;
    const target = await startRawTarget(t, (socket) => {
      connections += 1;
      socket.on('data', () => socket.destroy());
    });
    const { port } = await startProxy(t, { targets: [target] }, settings);
    assert.equal((await request(port)).status, 502);
    assert.equal(connections, 1);
  });

  test(`proxy (${socketPath}): a target that does not answer in time gets its client a 504`, async (t) => {
    const target = await startTarget(t, () => {});
    const { port, balancer } = await startProxy(
      t,
      { targets: [target], loadBalancer: { idleTimeoutMs: 300 } },
      settings,
    );
    const client = new RawClient(t, port);
    client.send(get);
    assert.match(await client.toHave('</html>'), /^HTTP\/1\.1 504 Gateway Timeout\r\n/);
    assert.deepEqual(balancer().elbResponses, { 504: 1 });
    assert.equal(client.isEnded, false);
  });

  test(`proxy (${socketPath}): an answer that stops is cut off in time, a slow one is not`, async (t) => {
    const target = await startRawTarget(t, (socket) => {
      socket.on('data', (data) => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n');
        if (!data.includes('/slow')) return;
        let left = 20;
        const timer = setInterval(() => {
          socket.write('.');
          left -= 1;
          if (left === 0) clearInterval(timer);
        }, 50);
      });
    });
    const { port } = await startProxy(t, { targets: [target], loadBalancer: { idleTimeoutMs: 400 } }, settings);
    assert.equal((await request(port, { path: '/slow' })).body.length, 20);
    const client = new RawClient(t, port);
    client.send(get);
    await until(() => client.isClosed, 'the client is cut off');
    assert.match(client.received, /^HTTP\/1\.1 200 OK\r\n/);
  });

  test(`proxy (${socketPath}): a client that goes away takes its request from the target`, async (t) => {
    let closed = 0;
    const target = await startTarget(t, (_, outgoing) => {
      outgoing.on('close', () => {
        closed += 1;
      });
    });
    const { port, proxy, balancer } = await startProxy(t, { targets: [target] }, settings);
    const client = new RawClient(t, port);
    client.send(get);
    await until(() => proxy.stats().targets[0]?.outstanding === 1, 'the request is with the target');
    client.socket.resetAndDestroy();
    await until(() => closed === 1, 'the target sees its client gone');
    const half = new RawClient(t, port);
    half.socket.end('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello');
    await until(() => half.isClosed, 'half a request is not waited for');
    await until(() => balancer().clientGone === 2, 'both are counted');
    assert.equal(proxy.stats().targets[0]!.outstanding, 0);
  });

  test(`proxy (${socketPath}): idle target connections close in time, or at a stray byte`, async (t) => {
    const sockets: net.Socket[] = [];
    const target = await startRawTarget(t, (socket) => {
      sockets.push(socket);
      socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
    });
    const first = await startProxy(t, { targets: [target] }, settings);
    assert.equal((await request(first.port)).status, 200);
    assert.equal(first.proxy.stats().idleTargetConnections, 1);
    sockets[0]!.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray');
    await until(() => first.proxy.stats().idleTargetConnections === 0, 'the stray bytes close the connection');
    assert.equal((await request(first.port)).body.toString(), 'ok');
    assert.equal(sockets.length, 2);
    const second = await startProxy(t, { targets: [target] }, { ...settings, targetKeepAliveMs: 300 });
    assert.equal((await request(second.port)).status, 200);
    await until(() => second.proxy.stats().idleTargetConnections === 0, 'the idle connection is closed');
  });

  test(`proxy (${socketPath}): a connection with more bytes than its answer is not used again`, async (t) => {
    let connections = 0;
    const target = await startRawTarget(t, (socket) => {
      connections += 1;
      socket.on('data', () =>
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\nother'),
      );
    });
    const { port } = await startProxy(t, { targets: [target] }, settings);
    for (let count = 1; count <= 3; count += 1) {
      assert.equal((await request(port)).body.toString(), 'ok');
      assert.equal(connections, count);
    }
  });
}

test('proxy: a target that does not accept in time gets its client a 504', async (t) => {
  // A thread that listens and then stands still: when its queue is full, the kernel answers no one any more.
  const listener = new Worker(
    `const { parentPort } = require('node:worker_threads');
    const server = require('node:net').createServer();
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      parentPort.postMessage(server.address().port);
      setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
    });`,
    { eval: true },
  );
  t.after(() => listener.terminate());
  const [target] = (await once(listener, 'message')) as [number];
  const waiting = Array.from({ length: 8 }, () => net.connect({ port: target, host: '127.0.0.1' }));
  for (const socket of waiting) {
    socket.on('error', () => {});
    t.after(() => socket.destroy());
  }
  await until(() => waiting.some((socket) => !socket.connecting), 'the queue fills');
  const { port, balancer, group } = await startProxy(t, { targets: [target] }, { connectTimeoutMs: 300 });
  assert.equal((await request(port)).status, 504);
  assert.deepEqual(balancer().elbResponses, { 504: 1 });
  assert.equal(group().connectionErrors, 1);
});

test('proxy: answers with no declared length end with the connection', async (t) => {
  const target = await startRawTarget(t, (socket) => {
    socket.on('data', () => socket.end('HTTP/1.0 200 OK\r\n\r\nto the end'));
  });
  const { port, balancer } = await startProxy(t, { targets: [target] });
  assert.equal(await exchange(t, port, get), 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end');
  assert.deepEqual(balancer().elbResponses, {});
});
