/**
 * What Node keeps to itself below its sockets: the handle of a connection, and what a write, a shutdown and a connect
 * need. A socket built on them alone does without streams and events, which is a third of what a short connection
 * costs. None of it is documented: whoever asks gets undefined where anything is not as it is known here, and does the
 * same with `node:net`.
 */

/** Of one connection. The numbers that come back are 0, or libuv's negative error codes. */
export interface StreamHandle {
  /** Called after each read, as the handle's; the result, if any, is the buffer for the next one. */
  onread: (this: StreamHandle) => Uint8Array | undefined;
  /** What reads go into. Whoever passes it keeps it alive. */
  useUserBuffer(buffer: Uint8Array): void;
  readStart(): number;
  readStop(): number;
  /** Whether the kernel has taken it all at once, `StreamHandles.isWritten` tells. */
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number;
  shutdown(request: ShutdownRequest): number;
  close(onClosed: (this: StreamHandle) => void): void;
  /** As `close`, but the other side sees a failure. */
  reset(onClosed: (this: StreamHandle) => void): number;
  getpeername(into: { address?: string; port?: number }): number;
  setNoDelay(enabled: boolean): number;
  connect(request: ConnectRequest, address: string, port: number): number;
  connect6(request: ConnectRequest, address: string, port: number): number;
}

/** Can be used again for another write unless the kernel did not take all at once. */
export interface WriteRequest {
  oncomplete: (this: WriteRequest, status: number, handle: StreamHandle) => void;
  /** What is being written must not be collected meanwhile. */
  buffer?: Uint8Array;
}

export interface ShutdownRequest {
  oncomplete: (this: ShutdownRequest, status: number, handle: StreamHandle) => void;
}

export interface ConnectRequest {
  oncomplete: (this: ConnectRequest, status: number, handle: StreamHandle) => void;
}

export interface StreamHandles {
  /** A handle that is not connected. */
  newHandle(): StreamHandle;
  newWrite(): WriteRequest;
  newShutdown(): ShutdownRequest;
  newConnect(): ConnectRequest;
  /** Within `onread`: how many bytes have come, or a negative number when no more will. */
  readResult(): number;
  /** Right after `writeBuffer`: whether all is with the kernel. */
  isWritten(): boolean;
}

/** What `readResult` gives when the other side has ended, and not failed. */
export const endOfStream = -4095;

interface StreamWrap {
  readonly WriteWrap: new () => WriteRequest;
  readonly ShutdownWrap: new () => ShutdownRequest;
  readonly streamBaseState: Int32Array;
  readonly kReadBytesOrError: number;
  readonly kLastWriteWasAsync: number;
}

interface TcpWrap {
  readonly TCP: { new (kind: number): StreamHandle; readonly prototype: StreamHandle };
  readonly TCPConnectWrap: new () => ConnectRequest;
  readonly constants: { readonly SOCKET: number };
}

const methods = [
  'useUserBuffer',
  'readStart',
  'readStop',
  'writeBuffer',
  'shutdown',
  'close',
  'reset',
  'getpeername',
  'setNoDelay',
  'connect',
  'connect6',
] as const satisfies readonly (keyof StreamHandle)[];

/** Gives one of Node's own modules by its name. */
type Binding = (name: string) => unknown;

let found: StreamHandles | false | undefined;

/** Undefined where this Node has something else. */
export function streamHandles(): StreamHandles | undefined {
  found ??= streamHandlesOf((process as unknown as { readonly binding: Binding }).binding) ?? false;
  return found === false ? undefined : found;
}

/** Undefined where anything is missing, or is not what is known of it. */
export function streamHandlesOf(binding: Binding): StreamHandles | undefined {
  try {
    const stream = binding('stream_wrap') as StreamWrap;
    const tcp = binding('tcp_wrap') as TcpWrap;
    const { streamBaseState: state, kReadBytesOrError, kLastWriteWasAsync } = stream;
    const isKnown =
      state instanceof Int32Array &&
      [kReadBytesOrError, kLastWriteWasAsync, tcp.constants.SOCKET].every(Number.isInteger) &&
      [stream.WriteWrap, stream.ShutdownWrap, tcp.TCP, tcp.TCPConnectWrap].every(
        (made) => typeof made === 'function',
      ) &&
      methods.every((name) => typeof tcp.TCP.prototype[name] === 'function');
    return isKnown
      ? {
          newHandle: () => new tcp.TCP(tcp.constants.SOCKET),
          newWrite: () => new stream.WriteWrap(),
          newShutdown: () => new stream.ShutdownWrap(),
          newConnect: () => new tcp.TCPConnectWrap(),
          readResult: () => state[kReadBytesOrError]!,
          isWritten: () => state[kLastWriteWasAsync] === 0,
        }
      : undefined;
  } catch {
    // It is gone, or nobody may use it.
    return undefined;
  }
}
