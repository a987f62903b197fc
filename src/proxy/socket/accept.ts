/**
 * Listens, and turns accepted connections into channels. There are two ways to accept: `public` uses what Node
 * documents; `fast` takes the connection's handle from the server and gives the socket its read buffer when it is made,
 * which saves an allocation and a stream event for every read. Where Node has changed what that needs, `fast` is
 * `public`.
 */
import net from 'node:net';
import type { ChannelOwner, ReadPort } from './channel.ts';
import { Channel } from './channel.ts';

export type AcceptPath = 'fast' | 'public';

export interface AcceptSettings {
  readonly address: string;
  readonly port: number;
  readonly path: AcceptPath;
  /** What clients' bytes are read into: shared by all of them, so it is the owner's only during `onBytes`. */
  readonly readBuffer: Buffer;
  /**
   * Makes the owner of a new connection: it passes itself to `open`. Undefined: the connection is refused. Who connects
   * is only asked of the kernel where it matters.
   */
  readonly accept: (open: (owner: ChannelOwner) => Channel, peer: () => string) => ChannelOwner | undefined;
  readonly onError: (reason: string) => void;
}

export interface Door {
  readonly port: number;
  /** Accepts no more; what was accepted goes on. */
  close(): void;
}

/** Connections that may wait to be accepted; the kernel caps it (net.core.somaxconn). */
const backlog = 4096;

/** Listens with SO_REUSEPORT, so that several workers share the port. The text says why it could not. */
export function listen(settings: AcceptSettings): Promise<Door | string> {
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const open = (owner: ChannelOwner) => new Channel(owner, settings.readBuffer, (port) => relay(socket, port));
    const accepted = settings.accept(open, () => socket.remoteAddress ?? '');
    if (accepted === undefined) socket.destroy();
  });
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host: settings.address, port: settings.port, reusePort: true, exclusive: true, backlog }, () => {
      server.removeAllListeners('error');
      server.on('error', (error) => settings.onError(error.message));
      if (settings.path === 'fast') acceptHandles(server, settings);
      const { port } = server.address() as net.AddressInfo;
      resolve({ port, close: () => void server.close() });
    });
  });
}

/** The public path: a 'data' event is a read into a buffer of its own. */
function relay(socket: net.Socket, port: ReadPort): net.Socket {
  socket.on('data', (bytes: Buffer) => {
    if (!port.callback(bytes.length, bytes)) socket.pause();
  });
  return socket;
}

interface ConnectionHandle {
  useUserBuffer(buffer: Uint8Array): void;
  close(): void;
  getpeername(into: { address?: string }): number;
}

interface ServerHandle {
  setNoDelay(enabled: boolean): number;
  onconnection: (status: number, handle: ConnectionHandle | undefined) => void;
}

function acceptHandles(server: net.Server, settings: AcceptSettings): void {
  const serverHandle = (server as unknown as { _handle?: ServerHandle })._handle;
  const standard = serverHandle?.onconnection;
  if (serverHandle === undefined || typeof standard !== 'function') return;
  // On Linux, what is accepted inherits it: one system call less for each connection.
  serverHandle.setNoDelay(true);
  serverHandle.onconnection = function onConnection(status, handle) {
    if (status !== 0 || !isUsable(handle)) {
      standard.call(this, status, handle);
      return;
    }
    const open = (owner: ChannelOwner) => new Channel(owner, settings.readBuffer, (port) => adopt(handle, port));
    if (settings.accept(open, () => peerOf(handle)) === undefined) handle.close();
  };
}

function isUsable(handle: ConnectionHandle | undefined): handle is ConnectionHandle {
  return typeof handle?.useUserBuffer === 'function' && typeof handle.getpeername === 'function';
}

function peerOf(handle: ConnectionHandle): string {
  const name: { address?: string } = {};
  handle.getpeername(name);
  return name.address ?? '';
}

function adopt(handle: ConnectionHandle, onread: ReadPort): net.Socket {
  // `handle` with a plain handle is an option that Node does not document.
  const options: object = { handle, onread, allowHalfOpen: true };
  return new net.Socket(options);
}
