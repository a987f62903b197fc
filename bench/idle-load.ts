/**
 * Opens connections, has one request answered over each, and keeps them. Says a number when that many are open, at the
 * counts that it is given, and goes on when it is sent a line.
 *
 *     node bench/idle-load.ts PORT PATH COUNT [COUNT …]
 */
import { once } from 'node:events';
import net from 'node:net';
import { createInterface } from 'node:readline';

const [portText, path, ...counts] = process.argv.slice(2);
const atOnce = 64;
const sockets: net.Socket[] = [];
const lines = createInterface(process.stdin);

for (const count of counts.map(Number)) {
  while (sockets.length < count) {
    const more = Math.min(atOnce, count - sockets.length);
    sockets.push(...(await Promise.all(Array.from({ length: more }, open))));
  }
  console.log(count);
  await once(lines, 'line');
}
process.exit();

async function open(): Promise<net.Socket> {
  const socket = net.connect({ port: Number(portText), host: '127.0.0.1' });
  socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  if (!bytes.toString('latin1').startsWith('HTTP/1.1 200 ')) throw new Error('not answered');
  socket.once('close', () => {
    console.error('a connection was closed');
    process.exit(1);
  });
  return socket;
}
