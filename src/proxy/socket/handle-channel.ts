/**
 * A channel over the handle below a socket: no stream, no events, no closures, and one object for each connection. What
 * libuv tells comes straight in, what is written goes straight out.
 */
import { assert } from '#base/assert.ts';
import {
  type ConnectRequest,
  endOfStream,
  type ShutdownRequest,
  type StreamHandle,
  type StreamHandles,
  type WriteRequest,
} from '#io/stream-handles.ts';
import type { Channel, ChannelOwner, ConnectingOwner, Place } from './channel.ts';

const channelOf = Symbol('channel');

type ChannelHandle = StreamHandle & { [channelOf]?: HandleChannel };

/** Open, or on its way to be closed: when all is written, or now, and then with an error or without. */
type State = 'open' | 'closes-when-flushed' | 'closed' | 'failed';

export class HandleChannel implements Channel {
  readonly #owner: ChannelOwner;
  readonly #handle: ChannelHandle;
  readonly #handles: StreamHandles;
  /** The kernel's bytes go into it: it must live as long as they may. */
  #buffer: Buffer;
  #nextBuffer: Buffer | undefined;
  #state: State = 'open';
  /** Writes that the kernel has not taken whole. */
  #writesCount = 0;
  #hasEnded = false;
  #end: 'open' | 'ending' | 'ended' = 'open';
  #clientAddress: string | undefined;
  #clientPort = 0;

  private constructor(owner: ChannelOwner, readBuffer: Buffer, handle: StreamHandle, handles: StreamHandles) {
    this.#owner = owner;
    this.#handle = handle;
    this.#handles = handles;
    this.#buffer = readBuffer;
    this.#handle[channelOf] = this;
    this.#handle.onread = HandleChannel.#onRead;
    this.#handle.useUserBuffer(readBuffer);
  }

  /** Takes over a connection that is there. */
  static accept(owner: ChannelOwner, readBuffer: Buffer, handle: StreamHandle, handles: StreamHandles): Channel {
    const channel = new HandleChannel(owner, readBuffer, handle, handles);
    channel.#check(handle.readStart());
    return channel;
  }

  /** Opens a connection; `onConnected` or `onClosed` follows. */
  static connect(owner: ConnectingOwner, readBuffer: Buffer, to: Place, handles: StreamHandles): Channel {
    const handle = handles.newHandle();
    const channel = new HandleChannel(owner, readBuffer, handle, handles);
    handle.setNoDelay(true);
    const request = handles.newConnect();
    request.oncomplete = HandleChannel.#onConnected;
    const { address, port } = to;
    channel.#check(
      address.includes(':') ? handle.connect6(request, address, port) : handle.connect(request, address, port),
    );
    return channel;
  }

  get clientAddress(): string {
    if (this.#clientAddress === undefined) this.#findClient();
    return this.#clientAddress ?? '';
  }

  get clientPort(): number {
    if (this.#clientAddress === undefined) this.#findClient();
    return this.#clientPort;
  }

  get isFlushed(): boolean {
    return this.#writesCount === 0 && this.#state !== 'failed';
  }

  readInto(buffer: Buffer): void {
    this.#nextBuffer = buffer;
  }

  write(bytes: Buffer): boolean {
    if (this.#state !== 'open') return false;
    const request = spareWrite ?? this.#handles.newWrite();
    const isRefused = this.#handle.writeBuffer(request, bytes) !== 0;
    if (isRefused || this.#handles.isWritten()) {
      spareWrite = request;
      if (isRefused) this.#fail();
      return !isRefused && this.#writesCount === 0;
    }
    spareWrite = undefined;
    request.buffer = bytes;
    request.oncomplete = HandleChannel.#onWritten;
    this.#writesCount += 1;
    return false;
  }

  resume(): void {
    if (!this.#isClosed && !this.#hasEnded) this.#check(this.#handle.readStart());
  }

  end(): void {
    if (this.#state !== 'open' || this.#end !== 'open') return;
    this.#end = 'ending';
    const request = this.#handles.newShutdown();
    request.oncomplete = HandleChannel.#onShutdown;
    this.#check(this.#handle.shutdown(request));
  }

  destroy(): void {
    this.#close('closed');
  }

  destroySoon(): void {
    // With the kernel, it is sent whatever becomes of the connection.
    if (this.#writesCount === 0) this.#close('closed');
    else if (this.#state === 'open') this.#state = 'closes-when-flushed';
  }

  reset(): void {
    // libuv resets no connection that it is shutting down.
    if (this.#end === 'ending') this.#close('closed');
    else if (!this.#isClosed) {
      this.#state = 'closed';
      const error = this.#handle.reset(HandleChannel.#onClosed);
      assert(error === 0, 'what is open can be reset');
    }
  }

  get #isClosed(): boolean {
    return this.#state === 'closed' || this.#state === 'failed';
  }

  #findClient(): void {
    const name: { address?: string; port?: number } = {};
    if (!this.#isClosed) this.#handle.getpeername(name);
    this.#clientAddress = name.address;
    this.#clientPort = name.port ?? 0;
  }

  #close(state: 'closed' | 'failed'): void {
    if (this.#isClosed) return;
    this.#state = state;
    this.#handle.close(HandleChannel.#onClosed);
  }

  #fail(): void {
    this.#close('failed');
  }

  /** A negative result of libuv's is an error. */
  #check(result: number): void {
    if (result < 0) this.#fail();
  }

  static #onConnected(this: ConnectRequest, status: number, handle: ChannelHandle): void {
    const channel = handle[channelOf]!;
    if (channel.#isClosed) return;
    channel.#check(status < 0 ? status : handle.readStart());
    if (!channel.#isClosed) (channel.#owner as ConnectingOwner).onConnected();
  }

  static #onRead(this: ChannelHandle): Uint8Array | undefined {
    // biome-ignore lint/complexity/noThisInStatic: it is called as a method of the handle.
    const channel = this[channelOf]!;
    const length = channel.#handles.readResult();
    if (length > 0) return channel.#read(length);
    if (length === endOfStream) {
      channel.#hasEnded = true;
      channel.#owner.onEnd();
      channel.#closeIfOver();
    } else channel.#check(length);
    return undefined;
  }

  #read(length: number): Uint8Array | undefined {
    if (this.#isClosed) return undefined;
    const goesOn = this.#owner.onBytes(this.#buffer, length);
    if (this.#isClosed) return undefined;
    if (!goesOn) this.#check(this.#handle.readStop());
    const next = this.#nextBuffer;
    if (next === undefined) return undefined;
    this.#nextBuffer = undefined;
    this.#buffer = next;
    return next;
  }

  static #onWritten(this: WriteRequest, status: number, handle: ChannelHandle): void {
    const channel = handle[channelOf]!;
    channel.#writesCount -= 1;
    if (channel.#isClosed) return;
    if (status < 0) channel.#fail();
    else if (channel.#writesCount > 0) return;
    else if (channel.#state === 'closes-when-flushed') channel.#close('closed');
    else channel.#owner.onFlushed();
  }

  static #onShutdown(this: ShutdownRequest, status: number, handle: ChannelHandle): void {
    const channel = handle[channelOf]!;
    if (channel.#isClosed) return;
    channel.#end = 'ended';
    channel.#check(status);
    channel.#closeIfOver();
  }

  /** Both sides have ended: nothing can come any more. */
  #closeIfOver(): void {
    if (this.#hasEnded && this.#end === 'ended') this.#close('closed');
  }

  static #onClosed(this: ChannelHandle): void {
    // biome-ignore lint/complexity/noThisInStatic: it is called as a method of the handle.
    const channel = this[channelOf]!;
    channel.#owner.onClosed(channel.#state !== 'failed');
  }
}

/** What a write needs that the kernel takes at once, which nearly all do, is used again. */
let spareWrite: WriteRequest | undefined;
