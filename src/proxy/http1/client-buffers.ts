/**
 * Which buffer a client's bytes are read into: the worker's shared one; for long bodies and tunnels one of the
 * connection's own, whose bytes need not be copied to be kept; and while much arrives at a time, a large one.
 */
import type { BufferPool } from '#proxy/socket/buffer-pool.ts';
import type { Channel } from '#proxy/socket/channel.ts';
import type { MessageBody } from './message-body.ts';

/** A longer body gets a buffer of the connection's own. */
const sharedBodyBytesMax = 16 * 1024;

/** What all connections of a worker have in common. */
export interface SharedBuffers {
  readonly readBuffer: Buffer;
  readonly mediumBuffers: BufferPool;
  readonly largeBuffers: BufferPool;
}

export class ClientBuffers {
  readonly #shared: SharedBuffers;
  /** Undefined: it reads into the shared one. */
  #own: Buffer | undefined;
  /** Where its own is from. */
  #pool: BufferPool | undefined;

  constructor(shared: SharedBuffers) {
    this.#shared = shared;
  }

  /**
   * By what is still to come of a body, of which `bytes` up to `end` were the last to come. `isTaken`: they, and all
   * before, are not needed any more.
   */
  chooseFor(channel: Channel, body: MessageBody, bytes: Buffer, end: number, isTaken: boolean): void {
    const { mediumBuffers, largeBuffers } = this.#shared;
    if (!body.hasMoreThan(sharedBodyBytesMax)) this.#use(undefined, channel, bytes, isTaken);
    else if (this.#own === undefined) this.#use(mediumBuffers, channel, bytes, isTaken);
    else if (bytes === this.#own && end === bytes.length && body.hasMoreThan(end)) {
      this.#use(largeBuffers, channel, bytes, isTaken);
    }
  }

  /** What comes through a tunnel has no end that is known. */
  chooseForTunnel(channel: Channel): void {
    if (this.#own === undefined) this.#take(this.#shared.mediumBuffers, channel);
  }

  /** The connection has gone: what it read may still be on its way to a target. */
  drop(): void {
    this.#pool?.drop();
    this.#pool = undefined;
    this.#own = undefined;
  }

  /** Bytes that came, in a form that stays untouched until they are sent; `carried` is reused, too. */
  keep(bytes: Buffer, start: number, end: number, carried: Buffer | undefined): Buffer {
    const view = bytes.subarray(start, end);
    return bytes === this.#shared.readBuffer || bytes === carried ? Buffer.from(view) : view;
  }

  /** Reads go into a buffer of the pool from now on, where it has one left; undefined: into the shared one. */
  #use(pool: BufferPool | undefined, channel: Channel, bytes: Buffer, isTaken: boolean): void {
    const [before, poolBefore] = [this.#own, this.#pool];
    if (pool === poolBefore) return;
    if (pool === undefined) {
      this.#own = undefined;
      this.#pool = undefined;
      channel.readInto(this.#shared.readBuffer);
    } else if (!this.#take(pool, channel)) return;
    // What is chosen takes effect when the present read ends: only within a read of its own is a buffer free then.
    if (isTaken && bytes === before) poolBefore?.give(before);
    else poolBefore?.drop();
  }

  #take(pool: BufferPool, channel: Channel): boolean {
    const buffer = pool.take();
    if (buffer === undefined) return false;
    this.#own = buffer;
    this.#pool = pool;
    channel.readInto(buffer);
    return true;
  }
}
