/** Listens, and turns accepted connections into channels. */
import net from 'node:net';
import { type StreamHandle, type StreamHandles, streamHandles } from '#io/stream-handles.ts';
import type { Channel, ChannelOwner, SocketPath } from './channel.ts';
import { HandleChannel } from './handle-channel.ts';
import { acceptSocket } from './socket-channel.ts';

export interface AcceptSettings {
  readonly address: string;
  readonly port: number;
  readonly path: SocketPath;
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
    const accepted = settings.accept(
      (owner) => acceptSocket(owner, socket),
      () => socket.remoteAddress ?? '',
    );
    if (accepted === undefined) socket.destroy();
  });
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host: settings.address, port: settings.port, reusePort: true, exclusive: true, backlog }, () => {
      server.removeAllListeners('error');
      server.on('error', (error) => settings.onError(error.message));
      const handles = settings.path === 'fast' ? streamHandles() : undefined;
      if (handles !== undefined) acceptHandles(server, settings, handles);
      const { port } = server.address() as net.AddressInfo;
      resolve({ port, close: () => void server.close() });
    });
  });
}

interface ServerHandle {
  setNoDelay(enabled: boolean): number;
  onconnection: (status: number, handle: StreamHandle | undefined) => void;
}

function acceptHandles(server: net.Server, settings: AcceptSettings, handles: StreamHandles): void {
  const serverHandle = (server as unknown as { _handle?: ServerHandle })._handle;
  const standard = serverHandle?.onconnection;
  if (serverHandle === undefined || typeof standard !== 'function') return;
  // On Linux, what is accepted inherits it: one system call less for each connection.
  serverHandle.setNoDelay(true);
  serverHandle.onconnection = function onConnection(status, handle) {
    if (status !== 0 || handle === undefined) {
      standard.call(this, status, handle);
      return;
    }
    const open = (owner: ChannelOwner) => HandleChannel.accept(owner, settings.readBuffer, handle, handles);
    if (settings.accept(open, () => peerOf(handle)) === undefined) handle.close(forget);
  };
}

function peerOf(handle: StreamHandle): string {
  const name: { address?: string } = {};
  handle.getpeername(name);
  return name.address ?? '';
}

function forget(): void {}
