/**
 * A viewer's player: it fetches the segments of a channel in order over a kept connection, as fast as its buffer has
 * room, and plays them in real time. What it blames on the service is the service's: a pause of this process itself
 * holds the picture (`heldMs`) and is never a stall.
 */
import { Agent } from 'node:http';
import { isIP, type LookupFunction } from 'node:net';
import { assert } from '#base/assert.ts';
import { type Clock, systemClock } from '#io/clock.ts';
import { after, every, type Timer } from '#io/timers.ts';
import { get } from './get.ts';
import { Playhead, type PlayheadFigures } from './playhead.ts';
import { countWrongBytes, segmentBytesMax, segmentContent, segmentPath } from './segment.ts';

export interface PlayerOptions {
  /** An address, or with `resolve` a name. */
  readonly host: string;
  readonly port: number;
  readonly channel: string;
  readonly segmentBytes: number;
  /** How long one segment plays. */
  readonly segmentMs: number;
  readonly bufferSegments: number;
  /**
   * Asked for the address at each new connection, when `host` is a name. When it fails, has no address or takes too
   * long, the last good answer stands, as resolvers do it (RFC 8767).
   */
  readonly resolve?: () => Promise<string>;
  /** For one segment, from the request to its last byte. */
  readonly requestTimeoutMs?: number;
  readonly clock?: Clock;
}

export interface PlayerFigures extends PlayheadFigures {
  /** Segments asked for, each attempt counted. */
  readonly requests: number;
  /** Of these, those without the right answer: no connection, none in time, a status other than 200, wrong bytes. */
  readonly failures: number;
  /** Bytes in answers of status 200 that were not the segment's, missing ones included. */
  readonly wrongBytes: number;
  /** How long the picture waited because this process had no time for it. */
  readonly heldMs: number;
  /** Why the latest failure was one, as `status 503`. */
  readonly lastFailure?: string;
}

/** So soon a failed segment is asked for again: a player that waits is a player that stalls. */
const retryMs = 100;

export class Player {
  readonly #options: PlayerOptions;
  readonly #clock: Clock;
  readonly #playhead: Playhead;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #abort = new AbortController();
  readonly #beatMs: number;
  readonly #beat: Timer;
  readonly #finished: Promise<void>;
  #turnedMs: number;
  #stoppedMs: number | undefined;
  #wake: () => void = () => {};
  #goodAddress: string | undefined;
  #requests = 0;
  #failures = 0;
  #wrongBytes = 0;
  #heldMs = 0;
  #lastFailure: string | undefined;

  /** Begins to fill its buffer at once. */
  constructor(options: PlayerOptions) {
    const { segmentBytes, segmentMs, bufferSegments, clock = systemClock } = options;
    assert(segmentBytes > 0 && segmentBytes <= segmentBytesMax, 'a segment has from 1 byte to 16 MiB');
    assert(segmentMs > 0, 'a segment takes time to play');
    assert(bufferSegments > 0, 'a buffer holds at least one segment');
    this.#options = options;
    this.#clock = clock;
    this.#playhead = new Playhead({ segmentMs, bufferSegments });
    this.#turnedMs = clock.monotonicMs();
    this.#beatMs = segmentMs / 4;
    this.#beat = every(this.#beatMs, () => {
      this.#turn();
    });
    this.#finished = this.#play();
  }

  /** As of now, or of when it was stopped. */
  figures(): PlayerFigures {
    return {
      ...this.#playhead.figures(this.#stoppedMs ?? this.#turn()),
      requests: this.#requests,
      failures: this.#failures,
      wrongBytes: this.#wrongBytes,
      heldMs: this.#heldMs,
      ...(this.#lastFailure === undefined ? {} : { lastFailure: this.#lastFailure }),
    };
  }

  /** Ends at once; a request under way is not counted as a failure. */
  async stop(): Promise<void> {
    this.#stoppedMs ??= this.#turn();
    this.#beat.stop();
    this.#abort.abort();
    this.#wake();
    await this.#finished;
    this.#agent.destroy();
  }

  async #play(): Promise<void> {
    for (let number = 0; this.#stoppedMs === undefined; ) {
      const nowMs = this.#turn();
      const roomAtMs = this.#playhead.roomAtMs(nowMs);
      if (roomAtMs !== undefined) {
        await this.#pause(roomAtMs - nowMs);
        continue;
      }
      const failure = await this.#fetch(number);
      if (this.#stoppedMs !== undefined) return;
      if (failure === undefined) {
        this.#playhead.arrive(this.#turn());
        number += 1;
      } else {
        this.#failures += 1;
        this.#lastFailure = failure;
        await this.#pause(retryMs);
      }
    }
  }

  /** Undefined when the segment is there, every byte of it; otherwise why it is not. */
  async #fetch(number: number): Promise<string | undefined> {
    const { host, port, channel, segmentBytes, resolve, requestTimeoutMs = 5000 } = this.#options;
    const segment = { channel, number };
    this.#requests += 1;
    const got = await get({
      host,
      port,
      path: segmentPath(segment),
      timeoutMs: requestTimeoutMs,
      bodyBytesMax: segmentBytesMax,
      agent: this.#agent,
      signal: this.#abort.signal,
      ...(resolve === undefined ? {} : { lookup: this.#lookup }),
    });
    if (got.kind === 'failure') return got.reason;
    if (got.status !== 200) return `status ${got.status}`;
    const wrongBytes = countWrongBytes(got.body, segmentContent(segment, segmentBytes));
    this.#wrongBytes += wrongBytes;
    return wrongBytes === 0 ? undefined : `wrong bytes: ${wrongBytes}`;
  }

  /**
   * The time. It comes here at least once a beat, so when the last time was much longer ago, this process stood still
   * and could neither ask for segments nor take those that had arrived.
   */
  #turn(): number {
    const nowMs = this.#clock.monotonicMs();
    const lateMs = nowMs - this.#turnedMs - this.#beatMs;
    this.#turnedMs = nowMs;
    if (lateMs > this.#beatMs) {
      this.#heldMs += lateMs;
      this.#playhead.hold(lateMs);
    }
    this.#playhead.advance(nowMs);
    return nowMs;
  }

  #pause(durationMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = after(durationMs, resolve);
      this.#wake = () => {
        timer.stop();
        resolve();
      };
    });
  }

  readonly #lookup: LookupFunction = (_name, { all }, callback) => {
    void this.#address().then((address) => {
      if (address === undefined) return callback(new Error('the name has no address'), '');
      const family = isIP(address);
      return all ? callback(null, [{ address, family }]) : callback(null, address, family);
    });
  };

  async #address(): Promise<string | undefined> {
    const { resolve, requestTimeoutMs = 5000 } = this.#options;
    const address = await within(requestTimeoutMs / 4, async () => resolve!());
    if (address !== undefined && isIP(address) !== 0) this.#goodAddress = address;
    return this.#goodAddress;
  }
}

/** What the question is answered with, or undefined when it fails or takes longer. */
function within<Answer>(limitMs: number, ask: () => Promise<Answer>): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const timer = after(limitMs, () => resolve(undefined));
    ask()
      .catch(() => undefined)
      .then((answer) => {
        timer.stop();
        resolve(answer);
      });
  });
}
