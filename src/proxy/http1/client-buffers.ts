/**
 * Which buffer a client's bytes are read into: the worker's shared one, or for long bodies and tunnels one of the
 * connection's own, whose bytes need not be copied to be kept.
 */
import type { Channel } from '#proxy/socket/channel.ts';
import type { MessageBody } from './message-body.ts';

const ownBytes = 64 * 1024;
/** A longer body gets a buffer of the connection's own. */
const sharedBodyBytesMax = 16 * 1024;

export class ClientBuffers {
  readonly #shared: Buffer;
  #own: Buffer | undefined;

  constructor(shared: Buffer) {
    this.#shared = shared;
  }

  /** By what is still to come of a body. */
  chooseFor(channel: Channel, body: MessageBody): void {
    this.choose(channel, body.hasMoreThan(sharedBodyBytesMax));
  }

  /** Reads into a buffer of its own from now on, or into the shared one. */
  choose(channel: Channel, isOwn: boolean): void {
    if (isOwn === (this.#own !== undefined)) return;
    this.#own = isOwn ? Buffer.allocUnsafeSlow(ownBytes) : undefined;
    channel.readInto(this.#own ?? this.#shared);
  }

  /** Bytes that came, in a form that stays untouched until they are sent; `carried` is reused, too. */
  keep(bytes: Buffer, start: number, end: number, carried: Buffer | undefined): Buffer {
    const view = bytes.subarray(start, end);
    return bytes === this.#shared || bytes === carried ? Buffer.from(view) : view;
  }
}
