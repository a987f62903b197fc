/**
 * Takes WebSocket connections and sends every message back. It knows as much of RFC 6455 as the load needs: messages in
 * one frame of up to 125 bytes, which may come in any pieces.
 *
 *     node bench/echo-backend.ts PORT
 */
import { createHash } from 'node:crypto';
import net from 'node:net';

const magic = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const maskedHeadBytes = 6;

net
  .createServer({ noDelay: true }, (socket) => {
    let isOpen = false;
    let kept: Buffer = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => {
      kept = kept.length === 0 ? bytes : Buffer.concat([kept, bytes]);
      if (!isOpen) {
        const end = kept.indexOf('\r\n\r\n');
        if (end === -1) return;
        socket.write(acceptance(kept.toString('latin1', 0, end)));
        isOpen = true;
        kept = kept.subarray(end + 4);
      }
      while (kept.length >= maskedHeadBytes) {
        const length = kept[1]! & 0x7f;
        if (kept.length < maskedHeadBytes + length) break;
        socket.write(unmasked(kept, length));
        kept = kept.subarray(maskedHeadBytes + length);
      }
    });
  })
  .listen({ host: '127.0.0.1', port: Number(process.argv[2]), backlog: 4096 });

function acceptance(head: string): string {
  const key = /^sec-websocket-key: *(\S+)/im.exec(head)?.[1] ?? '';
  const accept = createHash('sha1')
    .update(key + magic)
    .digest('base64');
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
}

function unmasked(frame: Buffer, length: number): Buffer {
  const answer = Buffer.allocUnsafe(2 + length);
  answer[0] = frame[0]!;
  answer[1] = length;
  for (let index = 0; index < length; index += 1) {
    answer[2 + index] = frame[maskedHeadBytes + index]! ^ frame[2 + (index & 3)]!;
  }
  return answer;
}
