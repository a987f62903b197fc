/**
 * One connected socket, as bytes: what was read is handed to the owner, what is written is either with the kernel at
 * once or the owner hears when it is. The rule that keeps it fast and right: bytes given to `write` belong to the
 * channel until it is flushed, and a buffer that is read into again belongs to nobody else meanwhile.
 */
import type { Socket } from 'node:net';
import net from 'node:net';

export interface ChannelOwner {
  /** `bytes` [0, length) arrived; returning false stops reading until `resume`. */
  onBytes(bytes: Buffer, length: number): boolean;
  /** The other side sends no more. */
  onEnd(): void;
  /** Everything written is with the kernel, after `write` had returned false. */
  onFlushed(): void;
  /** The socket is gone; nothing follows. `isClean`: without an error. */
  onClosed(isClean: boolean): void;
}

export interface ConnectingOwner extends ChannelOwner {
  onConnected(): void;
}

/** What `net.Socket` takes as `onread`. */
export interface ReadPort {
  readonly buffer: () => Uint8Array;
  readonly callback: (length: number, bytes: Uint8Array) => boolean;
}

const nothing = Buffer.alloc(0);

/** What a socket's listeners find their channel by: functions that sockets share cost an idle one nothing. */
const channelOf = Symbol('channel');

type ChannelSocket = Socket & { [channelOf]?: Channel };

export class Channel {
  readonly #owner: ChannelOwner;
  readonly #socket: ChannelSocket;
  /** The buffer for the reads after this one; undefined: the same as before. */
  #nextBuffer: Buffer | undefined;
  #isWaiting = false;
  #clientAddress: string | undefined;

  constructor(owner: ChannelOwner, readBuffer: Buffer, open: (port: ReadPort) => Socket) {
    this.#owner = owner;
    this.#nextBuffer = readBuffer;
    this.#socket = open({
      buffer: () => {
        const buffer = this.#nextBuffer;
        this.#nextBuffer = undefined;
        // Node's rule: a result that is no buffer keeps the one in use.
        return buffer as Uint8Array;
      },
      callback: (length, bytes) => owner.onBytes(bytes as Buffer, length),
    });
    this.#socket[channelOf] = this;
    this.#socket.on('end', onEnd);
    this.#socket.on('error', ignoreError);
    this.#socket.on('close', onClose);
  }

  get owner(): ChannelOwner {
    return this.#owner;
  }

  /** Opens a connection to a target; `onConnected` or `onClosed` follows. */
  static connect(
    owner: ConnectingOwner,
    readBuffer: Buffer,
    to: { readonly address: string; readonly port: number },
  ): Channel {
    return new Channel(owner, readBuffer, (onread) => {
      const socket = net.connect({ host: to.address, port: to.port, noDelay: true, allowHalfOpen: true, onread });
      socket.on('connect', () => owner.onConnected());
      return socket;
    });
  }

  /** Asked for with every request, and always the same. */
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

  /** Reads after the present one go into `buffer`. Takes effect when a read ends. */
  readInto(buffer: Buffer): void {
    this.#nextBuffer = buffer;
  }

  /** Whether everything is with the kernel; when not, the bytes must stay as they are, and `onFlushed` follows. */
  write(bytes: Buffer): boolean {
    this.#socket.write(bytes);
    return this.isFlushed || this.#wait();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Says that nothing more is sent, once everything written is. */
  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Destroys after everything written is sent. */
  destroySoon(): void {
    // With the kernel, it is sent whatever becomes of the socket.
    if (this.isFlushed) this.#socket.destroy();
    else this.#socket.destroySoon();
  }

  /** Destroys so that the other side sees a failure, never a regular end. */
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

function onEnd(this: ChannelSocket): void {
  this[channelOf]!.owner.onEnd();
}

function onClose(this: ChannelSocket, hadError: boolean): void {
  this[channelOf]!.owner.onClosed(!hadError);
}

/** 'close' follows every error and says all that matters. */
function ignoreError(): void {}
