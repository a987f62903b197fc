/**
 * What all connections of one worker share: the settings, the clock's wheel, the buffers that nobody keeps. Connections
 * are handed it and reach nothing else.
 */
import type { Clock } from '#io/clock.ts';
import type { LogSink } from '#io/log-spool.ts';
import type { Random } from '#io/random.ts';
import { HeadFacts } from './http1/request-facts.ts';
import { RequestHead } from './http1/request-head.ts';
import { SessionCookies } from './http1/session-cookies.ts';
import { TraceIds } from './http1/trace-id.ts';
import { BufferPool, largeBufferBytes, mediumBufferBytes } from './socket/buffer-pool.ts';
import type { SocketPath } from './socket/channel.ts';
import { type Connect, connectBy } from './socket/connect.ts';
import { DeadlineWheel } from './socket/deadlines.ts';
import type { IdleBudget } from './upstream/target.ts';

/** Limits and times of one worker, with their defaults in `defaultOptions`. */
export interface ProxyOptions {
  /** How connections are made, of clients and to targets. */
  readonly socketPath: SocketPath;
  /** Client connections at one time; what comes beyond is closed and counted as rejected. */
  readonly clientConnectionsMax: number;
  /** Idle connections to one target, and to all of them; each holds about 75 KB of buffers. */
  readonly idlePerTargetMax: number;
  readonly idleTargetConnectionsMax: number;
  /** Bodies that may use a read buffer of 1 MiB at one time. */
  readonly largeBuffersMax: number;
  readonly connectTimeoutMs: number;
  /** How long an idle connection to a target is kept. */
  readonly targetKeepAliveMs: number;
  /** How long a request's head may take from its first byte, if the idle timeout is not shorter. */
  readonly headTimeoutMs: number;
  /** Where logs go; without it nothing is logged. */
  readonly logSink?: LogSink;
  /** How long a client may still send after it was told that the connection is closed. */
  readonly lingerMs: number;
}

export const defaultOptions: ProxyOptions = {
  socketPath: 'fast',
  clientConnectionsMax: 20_000,
  idlePerTargetMax: 256,
  idleTargetConnectionsMax: 1024,
  largeBuffersMax: 64,
  // "HTTP 504" in the troubleshooting page of Application Load Balancers.
  connectTimeoutMs: 10_000,
  targetKeepAliveMs: 60_000,
  headTimeoutMs: 60_000,
  lingerMs: 2_000,
};

const readBytes = 64 * 1024;
/** Each client connection and each connection to a target has one at most, and there are fewer of these. */
const mediumBuffersMax = 100_000;

export class WorkerContext {
  readonly options: ProxyOptions;
  readonly clock: Clock;
  readonly deadlines: DeadlineWheel;
  readonly traceIds: TraceIds;
  /** What clients' bytes are read into: whoever wants to keep any copies them before it returns. */
  readonly readBuffer = Buffer.allocUnsafeSlow(readBytes);
  readonly mediumBuffers: BufferPool;
  readonly largeBuffers: BufferPool;
  readonly connect: Connect;
  readonly idleBudget: IdleBudget;
  readonly facts = new HeadFacts();
  readonly cookies: SessionCookies;
  /** The time as an IMF-fixdate (RFC 9110 section 5.6.7), right to the second. */
  date = '';
  activeConnectionsCount = 0;
  readonly #heads: RequestHead[] = [];
  #second = 0;

  /** `cookieKey`: 64 hexadecimal digits; without it, sessions are this worker's own. */
  constructor(options: ProxyOptions, clock: Clock, random: Random, cookieKey = random.hex(64)) {
    this.options = options;
    this.clock = clock;
    this.deadlines = new DeadlineWheel(clock);
    this.traceIds = new TraceIds(random.hex(32));
    this.cookies = new SessionCookies(Buffer.from(cookieKey, 'hex'), clock, random);
    this.connect = connectBy(options.socketPath);
    this.mediumBuffers = new BufferPool({ bytes: mediumBufferBytes, countMax: mediumBuffersMax, keptMax: 64 });
    this.largeBuffers = new BufferPool({ bytes: largeBufferBytes, countMax: options.largeBuffersMax, keptMax: 16 });
    this.idleBudget = {
      perTargetMax: options.idlePerTargetMax,
      totalMax: options.idleTargetConnectionsMax,
      count: 0,
    };
    this.#tellTime();
  }

  /** To be called every tick of the deadlines. */
  onTick(): void {
    this.#tellTime();
    this.deadlines.advance();
  }

  /** A reader of request heads, at its beginning. A connection holds one only while a head is incomplete. */
  takeHead(): RequestHead {
    const head = this.#heads.pop() ?? new RequestHead();
    head.begin();
    return head;
  }

  /** Takes a reader back, if there is one; gives what its owner has of it then: nothing. */
  giveHead(head: RequestHead | undefined): undefined {
    if (head !== undefined && this.#heads.length < 64) this.#heads.push(head);
  }

  #tellTime(): void {
    const wallMs = this.clock.wallMs();
    const second = Math.floor(wallMs / 1000);
    if (second === this.#second) return;
    this.#second = second;
    this.date = new Date(wallMs).toUTCString();
    this.traceIds.setTime(wallMs);
  }
}
