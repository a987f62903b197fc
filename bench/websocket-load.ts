/**
 * Sends WebSocket messages, each when the one before has come back, and compares what comes back.
 *
 *     node bench/websocket-load.ts PORT CONNECTIONS MESSAGE_BYTES SECONDS
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { printLoad } from './load.ts';

const [port, connections, messageBytes, seconds] = process.argv.slice(2).map(Number) as [
  number,
  number,
  number,
  number,
];
const message = Buffer.alloc(messageBytes, 'ballast!');
const frame = maskedFrame();
const answer = Buffer.concat([Buffer.from([0x82, messageBytes]), message]);
const timesMs: number[] = [];
let failures = 0;

const sockets = await Promise.all(Array.from({ length: connections }, open));
const beganMs = performance.now();
const endMs = beganMs + seconds * 1000;
await Promise.all(sockets.map(echo));
printLoad(timesMs, (performance.now() - beganMs) / 1000, failures);

async function open(): Promise<net.Socket> {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  const key = randomBytes(16).toString('base64');
  socket.write(
    `GET /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
  );
  let head = '';
  while (!head.includes('\r\n\r\n')) {
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    head += bytes.toString('latin1');
  }
  if (!head.startsWith('HTTP/1.1 101 ')) throw new Error(`no WebSocket: ${head.split('\r\n')[0]}`);
  return socket;
}

function echo(socket: net.Socket): Promise<void> {
  return new Promise((resolve) => {
    let sentMs = performance.now();
    let received = 0;
    const fail = () => {
      failures += 1;
      socket.destroy();
      resolve();
    };
    socket.on('error', fail);
    socket.on('end', fail);
    socket.on('data', (bytes: Buffer) => {
      if (!answer.subarray(received, received + bytes.length).equals(bytes)) return fail();
      received += bytes.length;
      if (received < answer.length) return;
      received = 0;
      const nowMs = performance.now();
      timesMs.push(nowMs - sentMs);
      sentMs = nowMs;
      if (nowMs < endMs) socket.write(frame);
      else {
        socket.off('end', fail);
        socket.destroy();
        resolve();
      }
    });
    socket.write(frame);
  });
}

/** A whole binary message from a client (RFC 6455 section 5.2). */
function maskedFrame(): Buffer {
  const mask = randomBytes(4);
  const payload = message.map((byte, index) => byte ^ mask[index & 3]!);
  return Buffer.concat([Buffer.from([0x82, 0x80 | messageBytes]), mask, payload]);
}
