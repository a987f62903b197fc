/** A channel over a socket of Node's, with what Node documents and nothing else. */
import type { Socket } from 'node:net';
import net from 'node:net';
import type { Channel, ChannelOwner, ConnectingOwner, Place } from './channel.ts';

const nothing = Buffer.alloc(0);

/** What a socket's listeners find their channel by: functions that sockets share cost an idle one nothing. */
const channelOf = Symbol('channel');

type ChannelSocket = Socket & { [channelOf]?: SocketChannel };

/** A socket that was accepted: each read is a buffer of its own. */
export function acceptSocket(owner: ChannelOwner, socket: Socket): Channel {
  return new SocketChannel(owner, socket);
}

/** Opens a connection; `onConnected` or `onClosed` follows. */
export function connectSocket(owner: ConnectingOwner, readBuffer: Buffer, { address, port }: Place): Channel {
  let nextBuffer: Buffer | undefined = readBuffer;
  const onread = {
    buffer: () => {
      const buffer = nextBuffer;
      nextBuffer = undefined;
      // Node's rule: a result that is no buffer keeps the one in use.
      return buffer as Uint8Array;
    },
    callback: (length: number, bytes: Uint8Array) => owner.onBytes(bytes as Buffer, length),
  };
  const socket = net.connect({ host: address, port, noDelay: true, allowHalfOpen: true, onread });
  socket.on('connect', () => owner.onConnected());
  return new SocketChannel(owner, socket, (buffer) => {
    nextBuffer = buffer;
  });
}

class SocketChannel implements Channel {
  readonly #owner: ChannelOwner;
  readonly #socket: ChannelSocket;
  readonly #readInto: ((buffer: Buffer) => void) | undefined;
  #isWaiting = false;
  #clientAddress: string | undefined;

  /** `readInto`: says what is read into; without it each read is a 'data' event with a buffer of its own. */
  constructor(owner: ChannelOwner, socket: Socket, readInto?: (buffer: Buffer) => void) {
    this.#owner = owner;
    this.#socket = socket;
    this.#readInto = readInto;
    this.#socket[channelOf] = this;
    if (readInto === undefined) this.#socket.on('data', onData);
    this.#socket.on('end', onEnd);
    this.#socket.on('error', ignoreError);
    this.#socket.on('close', onClose);
  }

  get owner(): ChannelOwner {
    return this.#owner;
  }

  get clientAddress(): string {
    this.#clientAddress ??= this.#socket.remoteAddress;
    return this.#clientAddress ?? '';
  }

  get clientPort(): number {
    return this.#socket.remotePort ?? 0;
  }

  get isFlushed(): boolean {
    return this.#socket.writableLength === 0;
  }

  readInto(buffer: Buffer): void {
    this.#readInto?.(buffer);
  }

  write(bytes: Buffer): boolean {
    this.#socket.write(bytes);
    return this.isFlushed || this.#wait();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  destroySoon(): void {
    // With the kernel, it is sent whatever becomes of the socket.
    if (this.isFlushed) this.#socket.destroy();
    else this.#socket.destroySoon();
  }

  reset(): void {
    // libuv resets no socket that it is shutting down, and Node then forgets to close it.
    if (this.#socket.writableEnded) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  /** 'drain' comes only after a full buffer: an empty write behind what is pending tells of any. */
  #wait(): boolean {
    if (!this.#isWaiting) {
      this.#isWaiting = true;
      this.#socket.write(nothing, (error) => this.#afterWrite(error));
    }
    return false;
  }

  #afterWrite(error: Error | null | undefined): void {
    this.#isWaiting = false;
    if (error) return;
    if (this.isFlushed) this.#owner.onFlushed();
    else this.#wait();
  }
}

function onData(this: ChannelSocket, bytes: Buffer): void {
  if (!this[channelOf]!.owner.onBytes(bytes, bytes.length)) this.pause();
}

function onEnd(this: ChannelSocket): void {
  this[channelOf]!.owner.onEnd();
}

function onClose(this: ChannelSocket, hadError: boolean): void {
  this[channelOf]!.owner.onClosed(!hadError);
}

/** 'close' follows every error and says all that matters. */
function ignoreError(): void {}
