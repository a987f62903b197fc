import assert from 'node:assert/strict';
import type net from 'node:net';
import test, { type TestContext } from 'node:test';
import { type LogEntry, logging } from './test-logs.ts';
import { RawClient, socketPaths, startProxy, startRawTarget, startTarget, until } from './test-proxy.ts';

const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const halfPost = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello';

/** A target that says what it is told to say to each request, and keeps its connections. */
async function startScripted(t: TestContext, answer: string) {
  const sockets: net.Socket[] = [];
  let asked = 0;
  const port = await startRawTarget(t, (socket) => {
    sockets.push(socket);
    socket.on('data', () => {
      asked += 1;
      socket.write(answer);
    });
  });
  return { port, sockets, asked: () => asked };
}

const outcome = ({ status, targetStatus, request }: LogEntry) => `${status} ${targetStatus} ${request.split(' ')[0]}`;

for (const socketPath of socketPaths) {
  const settings = { socketPath };

  test(`proxy (${socketPath}): a client that ends before its request does gets 400, however far it came`, async (t) => {
    const target = await startScripted(t, '');
    const { port, entries, balancer } = await logging(t, { targets: [target.port] }, settings);
    for (const part of ['GET / HTTP/1.1\r\nHo', halfPost]) {
      const client = new RawClient(t, port);
      client.socket.end(part);
      assert.match(await client.toEnd(), /^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*Connection: close\r\n/);
    }
    const silent = new RawClient(t, port);
    silent.socket.end();
    assert.equal(await silent.toEnd(), '');
    const reset = new RawClient(t, port);
    const before = target.asked();
    reset.send(halfPost);
    await until(() => target.asked() > before, 'the target has the beginning');
    reset.socket.resetAndDestroy();
    assert.deepEqual((await entries(3)).map(outcome), ['400 - -', '400 - POST', '400 - POST']);
    assert.deepEqual(balancer().elbResponses, { 400: 3 });
    assert.equal(balancer().clientGone, 2);
  });

  test(`proxy (${socketPath}): pipelined requests are all answered when the client has ended behind them`, async (t) => {
    const target = await startTarget(t, (incoming, outgoing) => outgoing.end(`<${incoming.url}>`));
    const { port } = await startProxy(t, { targets: [target] }, settings);
    const client = new RawClient(t, port);
    const paths = Array.from({ length: 20 }, (_, index) => `/${index}`);
    client.socket.end(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
    const answers = await client.toEnd();
    assert.deepEqual(
      [...answers.matchAll(/<(.*?)>/g)].map((match) => match[1]),
      paths,
    );
  });

  test(`proxy (${socketPath}): who sends on behind the last request gets its answer whole, and a regular end`, async (t) => {
    const waiting: net.Socket[] = [];
    const target = await startRawTarget(t, (socket) => {
      socket.on('data', () => waiting.push(socket));
    });
    const { port, balancer } = await startProxy(t, { targets: [target] }, settings);
    for (const last of [
      'GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      // Ambiguous: the load balancer ends the connection, and the client does not know.
      'GET /last HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx',
    ]) {
      const client = new RawClient(t, port);
      const before = balancer().bytesIn;
      client.send(last);
      await until(() => waiting.length === 1, 'the target has it');
      client.send(get);
      await until(() => balancer().bytesIn === before + last.length + get.length, 'what follows has been read');
      // And what follows that stays in the kernel.
      for (let count = 0; count < 20; count += 1) await new Promise((resolve) => client.socket.write(get, resolve));
      waiting.pop()!.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      await until(() => client.isEnded || client.isClosed, 'the connection ends');
      client.send(get);
      await new Promise((resolve) => setImmediate(resolve));
      client.socket.end();
      await until(() => client.isClosed, 'it is closed');
      assert.match(client.received, /^HTTP\/1\.1 200 OK\r\nConnection: close\r\n[\s\S]*ok$/);
      assert.equal(client.isEnded, true);
      assert.equal(waiting.length, 0, 'nobody else hears of what followed');
      assert.equal(client.socket.errored, null, 'no reset');
    }
  });

  test(`proxy (${socketPath}): an answer that breaks off is cut off, and noted with 502 or 504`, async (t) => {
    const target = await startScripted(t, 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
    const { port, entries, balancer } = await logging(
      t,
      { targets: [target.port], loadBalancer: { idleTimeoutMs: 300 } },
      settings,
    );
    const broken = new RawClient(t, port);
    broken.send(get);
    await broken.toHave('hello');
    target.sockets[0]!.end();
    await until(() => broken.isClosed, 'its connection is cut');
    const waiting = new RawClient(t, port);
    waiting.send(get);
    await until(() => waiting.isClosed, 'its connection is cut');
    assert.match(waiting.received, /^HTTP\/1\.1 200 [\s\S]*hello$/);
    assert.deepEqual((await entries(2)).map(outcome), ['502 200 GET', '504 200 GET']);
    assert.deepEqual(balancer().elbResponses, { 502: 1, 504: 1 });
  });

  test(`proxy (${socketPath}): a client that does not read is cut off, and its target not blamed`, async (t) => {
    const piece = Buffer.alloc(1024 * 1024, 'x');
    const target = await startRawTarget(t, (socket) => {
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${64 * piece.length}\r\n\r\n`);
        for (let count = 0; count < 64; count += 1) socket.write(piece);
      });
    });
    const { port, balancer } = await startProxy(
      t,
      { targets: [target], loadBalancer: { idleTimeoutMs: 400 } },
      settings,
    );
    const client = new RawClient(t, port);
    client.send(get);
    await client.toHave('HTTP/1.1 200');
    client.socket.pause();
    await until(() => balancer().activeConnections === 0, 'it is cut off');
    assert.deepEqual(balancer().elbResponses, {});
  });

  test(`proxy (${socketPath}): what a target has not answered when its draining ends is 502, or cut off`, async (t) => {
    const silent = await startScripted(t, '');
    const { port, swap, entries, balancer } = await logging(t, { targets: [silent.port] }, settings);
    const waiting = new RawClient(t, port);
    waiting.send(get);
    await until(() => silent.asked() === 1, 'the target has the request');
    const logs = { region: 'eu-test-1', access: 'access' };
    await swap({ logs, targets: [{ port: silent.port, isDraining: true }] });
    assert.equal(waiting.received, '', 'it has time to finish');
    await swap({ logs, targets: [] });
    assert.match(await waiting.toHave('</html>'), /^HTTP\/1\.1 502 Bad Gateway\r\n/);
    assert.equal(waiting.isEnded, false);

    const slow = await startScripted(t, 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
    await swap({ logs, targets: [slow.port] });
    const reading = new RawClient(t, port);
    reading.send(get);
    await reading.toHave('hello');
    const tunnelled = await startScripted(t, 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n');
    await swap({ logs, targets: [{ port: slow.port, isDraining: true }, tunnelled.port] });
    const tunnel = new RawClient(t, port);
    tunnel.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
    await tunnel.toHave('101');
    await swap({ logs, targets: [{ port: tunnelled.port, isDraining: true }] });
    await until(() => reading.isClosed, 'the answer is cut off');
    assert.equal(tunnel.isClosed, false);
    await swap({ logs, targets: [] });
    await until(() => tunnel.isClosed, 'the tunnel is cut off');
    assert.deepEqual((await entries(3)).map(outcome), ['502 - GET', '502 200 GET', '101 101 GET']);
    assert.deepEqual(balancer().elbResponses, { 502: 2 });
  });

  test(`proxy (${socketPath}): when its time is over a connection may have one more answer, which says so`, async (t) => {
    const target = await startTarget(t, (_, outgoing) => outgoing.end('ok'));
    const { port } = await startProxy(
      t,
      { targets: [target], loadBalancer: { clientKeepAliveMs: 100, idleTimeoutMs: 60_000 } },
      settings,
    );
    const client = new RawClient(t, port);
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.equal(client.isEnded, false);
    client.send(get);
    assert.match(await client.toEnd(), /^HTTP\/1\.1 200 OK\r\nConnection: close\r\n[\s\S]*ok$/);
  });
}
