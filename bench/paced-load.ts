/**
 * Sends requests at set times, whether or not those before were answered, and times each from when it was due: what
 * waits behind a slow one counts as slow, as it would to a user.
 *
 *     node bench/paced-load.ts PORT PATH CONNECTIONS PER_SECOND SECONDS
 */
import { once } from 'node:events';
import net from 'node:net';
import { browserHeaders } from './http-cases.ts';
import { printLoad } from './load.ts';

const [portText, path, ...numbers] = process.argv.slice(2);
const [connections, perSecond, seconds] = numbers.map(Number) as [number, number, number];
const request = Buffer.from(
  `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${browserHeaders.map((line) => `${line}\r\n`).join('')}\r\n`,
);
const timesMs: number[] = [];
let failures = 0;
let open = 0;

/** When requests were due that no connection was free for; the oldest first. */
const waiting: number[] = [];
const free: Connection[] = [];

class Connection {
  readonly #socket: net.Socket;
  #dueMs = 0;

  constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('close', () => {
      open -= 1;
    });
    // An answer is small enough to come in one piece, and ends with its body's last digit.
    socket.on('data', (bytes: Buffer) => this.#answered(bytes));
  }

  send(dueMs: number): void {
    this.#dueMs = dueMs;
    this.#socket.write(request);
  }

  close(): void {
    this.#socket.destroy();
  }

  #answered(bytes: Buffer): void {
    if (bytes.toString('latin1', 9, 12) === '200' && bytes.at(-1) === 57) timesMs.push(performance.now() - this.#dueMs);
    else failures += 1;
    const dueMs = waiting.shift();
    if (dueMs === undefined) free.push(this);
    else this.send(dueMs);
  }
}

for (let count = 0; count < connections; count += 1) {
  const socket = net.connect({ port: Number(portText), host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  open += 1;
  free.push(new Connection(socket));
}
const beganMs = performance.now();
let sent = 0;
const all = perSecond * seconds;
while (sent < all) {
  const dueCount = Math.min(all, Math.floor(((performance.now() - beganMs) * perSecond) / 1000));
  for (; sent < dueCount; sent += 1) {
    const dueMs = beganMs + (sent * 1000) / perSecond;
    const connection = free.pop();
    if (connection === undefined) waiting.push(dueMs);
    else connection.send(dueMs);
  }
  await new Promise((resolve) => setTimeout(resolve, 1));
}
const patienceMs = performance.now() + 5_000;
while (timesMs.length + failures < all && open > 0 && performance.now() < patienceMs) {
  await new Promise((resolve) => setTimeout(resolve, 1));
}
printLoad(timesMs, (performance.now() - beganMs) / 1000, all - timesMs.length);
for (const connection of free) connection.close();
process.exit();
