/**
 * Targets of a soak: they answer each request with its own path and the length of its body, and are as unreliable on
 * the way as the path tells them to be.
 */
import { once } from 'node:events';
import net from 'node:net';
import { PlausibleServer, plausibleServers, type SeenRequest } from '#proxy/test-plausible-servers.ts';

export const largeAnswerBytes = 300_000;
const large = 'x'.repeat(largeAnswerBytes);
/** More than the kernel holds between two programs, so that whoever does not read holds it up. */
export const hugeAnswerBytes = 12 * 1024 * 1024;
const huge = Buffer.alloc(hugeAnswerBytes, 'x');

export interface SoakTargets {
  readonly ports: readonly number[];
  close(): void;
}

export async function startTargets(count: number): Promise<SoakTargets> {
  const sockets = new Set<net.Socket>();
  const servers = Array.from({ length: count }, () =>
    net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      serve(socket);
    }),
  );
  const ports: number[] = [];
  for (const server of servers) {
    server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 });
    await once(server, 'listening');
    ports.push((server.address() as net.AddressInfo).port);
  }
  return {
    ports,
    close: () => {
      for (const server of servers) server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function serve(socket: net.Socket): void {
  const reader = new PlausibleServer(plausibleServers.strict);
  let isTunnel = false;
  socket.setEncoding('latin1');
  socket.on('error', () => {});
  socket.on('end', () => socket.end());
  socket.on('data', (text: string) => {
    if (isTunnel) {
      socket.write(text, 'latin1');
      return;
    }
    reader.push(text);
    for (const request of reader.seen.splice(0)) {
      if (answer(socket, request)) isTunnel = true;
    }
    // A request that this cannot read was not one of the clients': they would see the answer that is missing.
    if (reader.complaint !== undefined) socket.destroy();
  });
}

/** Answers, and says whether the connection is a tunnel now. */
function answer(socket: net.Socket, request: SeenRequest): boolean {
  const body = `${request.target} ${request.body.length}`;
  const head = (length: number, more = '') => `HTTP/1.1 200 OK\r\n${more}Content-Length: ${length}\r\n\r\n`;
  switch (request.target.split('/')[1]) {
    case 'chunks':
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      socket.write(`${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`, 'latin1');
      break;
    case 'last':
      socket.end(head(body.length, 'Connection: close\r\n') + body);
      break;
    case 'until-end':
      socket.end(`HTTP/1.1 200 OK\r\n\r\n${body}`);
      break;
    case 'leaves':
      // It does not say that it goes: the next request may meet a connection that is gone.
      socket.end(head(body.length) + body);
      break;
    case 'cut':
      socket.write(head(body.length + 100) + body, () => socket.resetAndDestroy());
      break;
    case 'reset':
      socket.resetAndDestroy();
      break;
    case 'large':
      socket.write(head(large.length) + large);
      break;
    case 'huge':
      socket.write(head(huge.length));
      socket.write(huge);
      break;
    case 'tunnel':
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
      return true;
    default:
      socket.write(head(body.length) + body);
  }
  return false;
}
