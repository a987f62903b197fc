import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import type net from 'node:net';
import test from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { sleep } from '#io/timers.ts';
import { RawClient, socketPaths, startProxy, startRawTarget, until } from './test-proxy.ts';

const upgrade = 'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n';
const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n';

for (const socketPath of socketPaths) {
  const settings = { socketPath };

  test(`proxy (${socketPath}): WebSocket messages of every size pass in both directions`, async (t) => {
    const server = http.createServer();
    const sockets = new WebSocketServer({ server, maxPayload: 8 * 1024 * 1024 });
    sockets.on('connection', (socket) =>
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => {
      for (const socket of sockets.clients) socket.terminate();
      server.close();
    });
    const target = (server.address() as net.AddressInfo).port;
    const { port } = await startProxy(t, { targets: [target] }, settings);
    const client = new WebSocket(`ws://127.0.0.1:${port}/chat`);
    t.after(() => client.terminate());
    await once(client, 'open');
    for (const size of [0, 1, 125, 126, 65_535, 65_536, 5_000_000]) {
      const message = randomBytes(size);
      client.send(message);
      const [echoed] = (await once(client, 'message')) as [Buffer];
      assert(echoed.equals(message), `${size} bytes`);
    }
    client.close(1000, 'done');
    const [code] = await once(client, 'close');
    assert.equal(code, 1000);
  });

  test(`proxy (${socketPath}): a tunnel outlives tables that do not name its target any more`, async (t) => {
    const target = await startRawTarget(t, (socket) => {
      socket.once('data', () => {
        socket.write(switching);
        socket.pipe(socket);
      });
    });
    const { port, swap } = await startProxy(t, { targets: [target] }, settings);
    const client = new RawClient(t, port);
    client.send(upgrade);
    await client.toHave(switching);
    await swap({ targets: [] });
    await swap({
      targets: [],
      action: { kind: 'fixed-response', statusCode: 404, contentType: 'text/plain', body: '' },
    });
    client.send('still here');
    await client.toHave('still here');
  });

  test(`proxy (${socketPath}): a tunnel takes early bytes, closes by halves, waits for a slow reader`, async (t) => {
    const size = 8 * 1024 * 1024;
    const piece = randomBytes(64 * 1024);
    let sent = 0;
    let received = '';
    let peer: net.Socket | undefined;
    const target = await startRawTarget(t, (socket) => {
      socket.once('data', () => {
        socket.write(`${switching}welcome`);
        peer = socket;
        socket.on('data', (data) => {
          received += data.toString('latin1');
        });
        socket.on('end', () => {
          received += '<end>';
        });
      });
    });
    const { port } = await startProxy(t, { targets: [target] }, settings);
    const client = new RawClient(t, port);
    client.send(`${upgrade}ahead,`);
    assert.equal(await client.toHave('welcome'), `${switching}welcome`);
    client.send('behind');
    await until(() => received === 'ahead,behind', 'both have come');
    client.socket.end();
    await until(() => received.endsWith('<end>'), 'the end has come');
    // The other half is still open, and is held back while nobody reads.
    client.socket.pause();
    const more = () => {
      while (sent < size) {
        sent += piece.length;
        if (!peer!.write(piece)) return void peer!.once('drain', more);
      }
      return void peer!.end();
    };
    more();
    for (let before = -1; before !== sent; await sleep(100)) before = sent;
    client.received = '';
    client.socket.resume();
    await until(() => client.isEnded, 'the other half ends');
    const expected = createHash('md5');
    for (let at = 0; at < size; at += piece.length) expected.update(piece);
    const found = createHash('md5').update(client.received.replace(/^.*?welcome/, ''), 'latin1');
    assert.equal(found.digest('hex'), expected.digest('hex'));
  });

  test(`proxy (${socketPath}): a tunnel that one side breaks is broken for the other`, async (t) => {
    let peer: net.Socket | undefined;
    let isPeerClosed = false;
    const target = await startRawTarget(t, (socket) => {
      socket.once('data', () => socket.write(switching));
      peer = socket;
      socket.on('close', () => {
        isPeerClosed = true;
      });
    });
    const { port, proxy } = await startProxy(t, { targets: [target] }, settings);
    const client = new RawClient(t, port);
    client.send(upgrade);
    await client.toHave('101');
    peer!.resetAndDestroy();
    await until(() => client.isClosed, 'the client is closed');
    isPeerClosed = false;
    const other = new RawClient(t, port);
    other.send(upgrade);
    await other.toHave('101');
    other.socket.resetAndDestroy();
    await until(() => isPeerClosed, 'the target is closed');
    await until(() => proxy.stats().activeConnections === 0, 'nothing is left');
    assert.equal(proxy.stats().targets[0]!.outstanding, 0);
  });

  test(`proxy (${socketPath}): a silent tunnel is closed after the idle timeout`, async (t) => {
    const target = await startRawTarget(t, (socket) => socket.once('data', () => socket.write(switching)));
    const { port } = await startProxy(t, { targets: [target], loadBalancer: { idleTimeoutMs: 300 } }, settings);
    const client = new RawClient(t, port);
    client.send(upgrade);
    await client.toHave('101');
    await until(() => client.isClosed, 'the tunnel is closed');
  });
}

test('proxy: a declined upgrade is an ordinary answer, and h2c is never relayed', async (t) => {
  let received = '';
  const target = await startRawTarget(t, (socket) => {
    socket.on('data', (data) => {
      received = data.toString('latin1');
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    });
  });
  const { port } = await startProxy(t, { targets: [target] });
  const client = new RawClient(t, port);
  client.send(upgrade);
  await client.toHave('ok');
  assert.match(received, /\r\nUpgrade: echo\r\n/);
  client.received = '';
  client.send(
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n',
  );
  await client.toHave('ok');
  assert.doesNotMatch(received, /upgrade|http2-settings/i);
});
