import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import test, { type TestContext } from 'node:test';
import { RawClient, socketPaths, startProxy, startRawTarget, until } from '#proxy/test-proxy.ts';

const sizeBytes = 512 * 1024 * 1024;
const piece = Buffer.alloc(256 * 1024, 'x');
/** What a connection may hold on its way through: buffers of both sides, and what the collector has not got to. */
const growthBytesMax = 128 * 1024 * 1024;

/** Writes the whole of a body as fast as it is taken. */
async function writeAll(socket: net.Socket): Promise<void> {
  for (let sent = 0; sent < sizeBytes; sent += piece.length) if (!socket.write(piece)) await once(socket, 'drain');
}

/** Reads in bursts with pauses between them, so that whoever sends is always ahead. */
function readSlowly(socket: net.Socket, onBytes: (length: number) => void): void {
  let burst = 0;
  socket.on('data', (bytes: Buffer) => {
    onBytes(bytes.length);
    burst += bytes.length;
    if (burst < 4 * 1024 * 1024) return;
    burst = 0;
    socket.pause();
    setTimeout(() => socket.resume(), 5);
  });
}

/** The most that the process has held beyond what it held at the beginning. */
function watchMemory(t: TestContext): () => number {
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss);
  }, 20);
  t.after(() => clearInterval(timer));
  return () => most - before;
}

for (const socketPath of socketPaths) {
  for (const framing of ['length', 'chunked'] as const) {
    test(`large bodies (${socketPath}, ${framing}): a fast target and a slow client need no more memory than others`, async (t) => {
      const field = framing === 'length' ? `Content-Length: ${sizeBytes}` : 'Transfer-Encoding: chunked';
      const target = await startRawTarget(t, (socket) => {
        socket.once('data', async () => {
          socket.write(`HTTP/1.1 200 OK\r\n${field}\r\n\r\n`);
          if (framing === 'chunked') socket.write(`${sizeBytes.toString(16)}\r\n`);
          await writeAll(socket);
          if (framing === 'chunked') socket.write('\r\n0\r\n\r\n');
        });
      });
      const { port } = await startProxy(t, { targets: [target] }, { socketPath });
      const growth = watchMemory(t);
      const socket = net.connect({ host: '127.0.0.1', port });
      t.after(() => socket.destroy());
      let received = 0;
      readSlowly(socket, (length) => {
        received += length;
      });
      socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await new Promise<void>((resolve) => {
        const timer = setInterval(() => {
          if (received < sizeBytes) return;
          clearInterval(timer);
          resolve();
        }, 20);
      });
      t.diagnostic(`${Math.round(growth() / 1024 / 1024)} MiB more while ${sizeBytes / 1024 / 1024} MiB passed`);
      assert(growth() < growthBytesMax);
    });

    test(`large bodies (${socketPath}, ${framing}): neither do a fast client and a slow target`, async (t) => {
      let received = 0;
      const target = await startRawTarget(t, (socket) => {
        readSlowly(socket, (length) => {
          received += length;
          if (received >= sizeBytes) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        });
      });
      const { port } = await startProxy(t, { targets: [target] }, { socketPath });
      const growth = watchMemory(t);
      const client = new RawClient(t, port);
      const field = framing === 'length' ? `Content-Length: ${sizeBytes}` : 'Transfer-Encoding: chunked';
      client.send(`POST / HTTP/1.1\r\nHost: a\r\n${field}\r\n\r\n`);
      if (framing === 'chunked') client.send(`${sizeBytes.toString(16)}\r\n`);
      await writeAll(client.socket);
      if (framing === 'chunked') client.send('\r\n0\r\n\r\n');
      await until(() => client.received.startsWith('HTTP/1.1 200 '), 'the answer comes');
      t.diagnostic(`${Math.round(growth() / 1024 / 1024)} MiB more while ${sizeBytes / 1024 / 1024} MiB passed`);
      assert(growth() < growthBytesMax);
    });
  }
}
