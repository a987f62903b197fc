/**
 * A connection to a target, and the answers that come over it. The connection has a read buffer of its own: an answer's
 * head is edited in it and the body forwarded from it, and while the client has not taken what was written nothing more
 * is read. So back pressure is buffer ownership, and no byte is copied.
 *
 *     connecting ─▶ answering ─▶ idle ─▶ answering ─▶ … ─▶ closed
 *                       └──▶ tunnel ──────────────────────▶ closed
 */
import { soon } from '#io/timers.ts';
import { mediumBufferBytes } from '#proxy/socket/buffer-pool.ts';
import type { Channel, ConnectingOwner } from '#proxy/socket/channel.ts';
import { Deadline } from '#proxy/socket/deadlines.ts';
import type { Target } from '#proxy/upstream/target.ts';
import type { WorkerContext } from '#proxy/worker-context.ts';
import { MessageBody, malformedBody } from './message-body.ts';
import { ResponseHead } from './response-head.ts';
import type { ConnectionLine } from './response-rewrite.ts';
import { addedBytesMax, headroomBytes, rewriteResponseHead } from './response-rewrite.ts';

export type HttpTarget = Target<TargetConnection>;

/** Why an answer will not come, or not come whole. */
export type TargetFailure = 'connect-failed' | 'connect-timeout' | 'lost' | 'malformed';

/** What a target's connection tells the client's connection that it works for. */
export interface AnswerReceiver {
  readonly isHeadRequest: boolean;
  /** 0: chunks and interim answers are not for this client. */
  readonly minorVersion: number;
  readonly isUpgrade: boolean;
  /** Field lines that the answer gets besides; known once `onAnswer` was called. */
  readonly addedLines: Buffer | undefined;
  /** The connection is there, and everything given to `send` and `sendBody` is with the kernel. */
  onTargetFlushed(): void;
  /** Bytes came or went. */
  onActivity(): void;
  /** The answer's head, which lies at `base`, is complete; says what the client is told about its connection. */
  onAnswer(head: ResponseHead, bytes: Buffer, base: number): ConnectionLine;
  /** Takes bytes of the answer; false when they must stay as they are until `resume`. */
  deliver(bytes: Buffer): boolean;
  onAnswerEnd(): void;
  onTunnel(): void;
  /** The target sends no more through the tunnel. */
  onTunnelEnd(): void;
  /** The tunnel's target side is gone; `isClean`: after both sides were done. */
  onTunnelClosed(isClean: boolean): void;
  onTargetFailure(failure: TargetFailure, connection: TargetConnection): void;
}

const readBytes = 64 * 1024;
const requestBytes = 8 * 1024;
const interimAnswersMax = 16;

/** The connection that was kept last for the target, or a new one, works for `receiver` from now on. */
export function connectionTo(target: HttpTarget, context: WorkerContext, receiver: AnswerReceiver): TargetConnection {
  const idle = target.take();
  idle?.assign(receiver);
  return idle ?? new TargetConnection(context, target, receiver);
}

type Phase = 'connecting' | 'idle' | 'answering' | 'body' | 'answered' | 'tunnel' | 'closed';

export class TargetConnection extends Deadline implements ConnectingOwner {
  readonly target: HttpTarget;
  /** Whether it has answered a request before the present one. */
  isReused = false;
  /** Of the present request. */
  headLength = 0;
  readonly #context: WorkerContext;
  readonly #channel: Channel;
  readonly #buffer: Buffer;
  readonly #readBuffer: Buffer;
  readonly #head = new ResponseHead();
  readonly #body = new MessageBody();
  /** While much arrives at a time. */
  #largeBuffer: Buffer | undefined;
  #phase: Phase = 'connecting';
  #receiver: AnswerReceiver | undefined;
  readonly #usualRequest: Buffer = Buffer.allocUnsafeSlow(requestBytes);
  #request = this.#usualRequest;
  /** While a request is longer than usual. */
  #mediumBuffer: Buffer | undefined;
  #requestLength = 0;
  /** Where the head that is being read begins, and where the next read goes. */
  #headStart = headroomBytes;
  #readEnd = headroomBytes;
  #interimAnswers = 0;
  #mayBeReused = false;
  #isPaused = false;

  /** Opens a connection for `receiver`. */
  constructor(context: WorkerContext, target: HttpTarget, receiver: AnswerReceiver) {
    super();
    this.#context = context;
    this.target = target;
    this.#buffer = Buffer.allocUnsafeSlow(headroomBytes + readBytes);
    this.#readBuffer = this.#buffer.subarray(headroomBytes);
    this.#receiver = receiver;
    target.outstanding += 1;
    target.owner.counters.activeConnections += 1;
    this.#channel = context.connect(this, this.#readBuffer, target);
    context.deadlines.set(this, context.options.connectTimeoutMs);
  }

  /** Whether any byte of the present answer has come. */
  get hasAnswered(): boolean {
    return this.#phase === 'body' || this.#readEnd > headroomBytes || this.#interimAnswers > 0;
  }

  /** The bytes that `send` sends. */
  get request(): Buffer {
    return this.#request.subarray(0, this.#requestLength);
  }

  /** Where they lie: the first `headLength` are the head. */
  get requestBytes(): Buffer {
    return this.#request;
  }

  /** Takes a connection out of its pool for `receiver`. */
  assign(receiver: AnswerReceiver): void {
    this.#receiver = receiver;
    this.#phase = 'answering';
    this.isReused = true;
    this.target.outstanding += 1;
    this.#context.deadlines.suspend(this);
  }

  /** A buffer for a request of up to `length` bytes; it stays untouched until the answer has come. */
  requestRoom(length: number): Buffer {
    if (this.#request.length >= length) return this.#request;
    this.#mediumBuffer = length <= mediumBufferBytes ? this.#context.mediumBuffers.take() : undefined;
    this.#request = this.#mediumBuffer ?? Buffer.allocUnsafeSlow(length);
    return this.#request;
  }

  /** Sends the first `length` bytes of the request buffer, or notes them for when the connection is there. */
  send(length: number): boolean {
    this.#requestLength = length;
    this.target.countRequest().bytesOut += length;
    this.#beginAnswer();
    return this.#phase !== 'connecting' && this.#channel.write(this.#request.subarray(0, length));
  }

  /** Sends more of the request, or bytes through a tunnel; false when they must stay untouched until flushed. */
  sendBody(bytes: Buffer): boolean {
    this.target.counters!.bytesOut += bytes.length;
    return this.#channel.write(bytes);
  }

  /** Ends the sending half of a tunnel. */
  end(): void {
    this.#channel.end();
  }

  /** Reads on, after `deliver` had given false. */
  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#channel.resume();
  }

  /** The client has the whole answer: the connection waits for the next request, if both sides may send one. */
  release(mayBeReused: boolean): void {
    this.#receiver = undefined;
    this.target.outstanding -= 1;
    // Whoever answers early may not have taken the whole request: its bytes are still on their way out of the buffer.
    if (!mayBeReused || !this.#mayBeReused || !this.#channel.isFlushed) {
      this.#close();
      return;
    }
    if (this.#largeBuffer !== undefined) this.#context.largeBuffers.give(this.#largeBuffer);
    this.#largeBuffer = undefined;
    this.#phase = 'idle';
    if (this.#mediumBuffer !== undefined) this.#context.mediumBuffers.give(this.#mediumBuffer);
    this.#mediumBuffer = undefined;
    this.#request = this.#usualRequest;
    this.#context.deadlines.set(this, this.#context.options.targetKeepAliveMs);
    if (this.#isPaused) this.#keepWhenSilent();
    else this.#keep();
  }

  #keep(): void {
    if (!this.target.keep(this)) this.#close();
  }

  /**
   * While the client took its time nothing was read: what the target has sent meanwhile, which nobody asked for, lies
   * in the kernel and would be the answer to the next request. Both kinds of channels begin to read within `resume`,
   * not later, so that the event loop looks there at the latest between the two turns that are waited for.
   */
  #keepWhenSilent(): void {
    this.resume();
    soon(() =>
      soon(() => {
        if (this.#phase === 'idle') this.#keep();
      }),
    );
  }

  /** Gives the request up; the receiver hears nothing more. */
  abandon(): void {
    this.#detach();
    // A tunnel knows no message that would be seen to be cut short: only a reset tells its end from a failure.
    if (this.#phase === 'tunnel') this.#channel.reset();
    this.#close();
  }

  /** Ends a tunnel whose client is done: what was written still goes out. */
  finish(): void {
    this.#detach();
    this.#dropBuffers();
    this.#phase = 'closed';
    this.#channel.destroySoon();
  }

  /** Closes an idle connection, which its pool has already forgotten. */
  destroy(): void {
    this.#close();
  }

  onConnected(): void {
    if (this.#phase !== 'connecting') return;
    this.#phase = 'answering';
    this.target.owner.counters.newConnections += 1;
    this.target.avoidedUntilMs = 0;
    this.#context.deadlines.suspend(this);
    const isFlushed = this.#channel.write(this.request);
    this.#receiver!.onActivity();
    if (isFlushed) this.#receiver!.onTargetFlushed();
  }

  onBytes(bytes: Buffer, length: number): boolean {
    this.target.counters!.bytesIn += length;
    const goesOn = this.#read(bytes, length);
    this.#isPaused = !goesOn;
    return goesOn;
  }

  #read(bytes: Buffer, length: number): boolean {
    switch (this.#phase) {
      case 'answering':
        this.#receiver!.onActivity();
        return this.#readHead(this.#readEnd + length);
      case 'body':
        this.#receiver!.onActivity();
        return this.#readBody(bytes, length);
      case 'tunnel':
        this.#receiver!.onActivity();
        return this.#receiver!.deliver(bytes.subarray(0, length));
      case 'idle':
        // Nobody asked: whatever this is, the next client must not get it as an answer.
        this.target.forget(this);
        this.#close();
        return false;
      case 'answered':
        this.#mayBeReused = false;
        return false;
      default:
        return false;
    }
  }

  onFlushed(): void {
    this.#receiver?.onTargetFlushed();
  }

  onEnd(): void {
    switch (this.#phase) {
      case 'idle':
        this.target.forget(this);
        this.#close();
        break;
      case 'body':
        if (this.#body.kind === 'until-close') this.#endAnswer(false);
        else this.#fail('lost');
        break;
      case 'answering':
        this.#fail('lost');
        break;
      case 'answered':
        this.#mayBeReused = false;
        break;
      case 'tunnel':
        this.#receiver!.onTunnelEnd();
        break;
    }
  }

  onClosed(isClean: boolean): void {
    this.target.owner.counters.activeConnections -= 1;
    this.#context.deadlines.remove(this);
    switch (this.#phase) {
      case 'idle':
        this.target.forget(this);
        this.#phase = 'closed';
        break;
      case 'connecting':
        this.#fail('connect-failed');
        break;
      case 'answering':
      case 'body':
        this.#fail('lost');
        break;
      case 'answered':
        this.#mayBeReused = false;
        break;
      case 'tunnel': {
        const receiver = this.#receiver!;
        this.#detach();
        this.#dropBuffers();
        this.#phase = 'closed';
        receiver.onTunnelClosed(isClean);
        break;
      }
    }
  }

  override onDeadline(): void {
    if (this.#phase === 'connecting') this.#fail('connect-timeout');
    else if (this.#phase === 'idle') {
      this.target.forget(this);
      this.#close();
    }
  }

  #beginAnswer(): void {
    this.#head.begin();
    this.#headStart = headroomBytes;
    this.#readEnd = headroomBytes;
    this.#interimAnswers = 0;
  }

  #readHead(end: number): boolean {
    const receiver = this.#receiver!;
    for (;;) {
      const progress = this.#head.read(this.#buffer, this.#headStart, end, receiver.isHeadRequest);
      if (progress === 0) return this.#readOn(end);
      if (progress < 0) return this.#fail('malformed');
      const headEnd = this.#headStart + this.#head.fields.end;
      if (this.#head.status >= 200) {
        this.#readAnew();
        return this.#beginBody(headEnd, end);
      }
      if (this.#head.status === 101) return this.#beginTunnel(end);
      this.#interimAnswers += 1;
      if (this.#interimAnswers > interimAnswersMax) return this.#fail('malformed');
      this.#relayInterim(headEnd);
      this.#head.begin();
      this.#headStart = headEnd;
      if (headEnd === end) {
        this.#headStart = headroomBytes;
        this.#readAnew();
        return true;
      }
    }
  }

  /** The next read goes behind what is there. */
  #readOn(end: number): boolean {
    if (end === this.#buffer.length) return this.#fail('malformed');
    this.#readEnd = end;
    this.#channel.readInto(this.#buffer.subarray(end));
    return true;
  }

  /** The next read goes to the front of the buffer again. */
  #readAnew(): void {
    if (this.#readEnd === headroomBytes) return;
    this.#readEnd = headroomBytes;
    this.#channel.readInto(this.#readBuffer);
  }

  /** Interim answers are copied: the head behind them is edited over their place. */
  #relayInterim(headEnd: number): void {
    if (this.#receiver!.minorVersion === 0) return;
    const start = rewriteResponseHead(this.#head, this.#buffer, this.#headStart, 'none', true);
    this.#receiver!.deliver(Buffer.from(this.#buffer.subarray(start, headEnd)));
  }

  /** `end`: what has been read. The head is sent with as much of the body as came with it, in one write. */
  #beginBody(headEnd: number, end: number): boolean {
    const head = this.#head;
    const receiver = this.#receiver!;
    const extracts = head.bodyKind === 'chunked' && receiver.minorVersion === 0;
    this.#body.begin(head.bodyKind, head.contentLength, extracts);
    // Seen before anything is sent: a malformed beginning still gets its 502.
    const bodyEnd = this.#body.scan(this.#buffer, headEnd, end);
    if (bodyEnd === malformedBody) return this.#fail('malformed');
    // HTTP/1.0 knows no transfer codings, in an answer without a body neither (RFC 9112 section 6.1).
    const dropsFraming = head.status === 204 || (head.isCoded && receiver.minorVersion === 0);
    const line = receiver.onAnswer(head, this.#buffer, this.#headStart);
    this.#phase = 'body';
    const isFlushed = this.#deliverHead(line, dropsFraming, this.#body.passedEnd);
    if (this.#body.isDone) this.#endAnswer(head.keepsAlive && bodyEnd === end);
    return isFlushed;
  }

  /** Edits the head and sends it, with what follows it up to `end`. */
  #deliverHead(line: ConnectionLine, dropsFraming: boolean, end: number): boolean {
    const receiver = this.#receiver!;
    const { addedLines } = receiver;
    const head = this.#head;
    if (addedLines === undefined || addedLines.length <= addedBytesMax) {
      const start = rewriteResponseHead(head, this.#buffer, this.#headStart, line, dropsFraming, addedLines);
      return receiver.deliver(this.#buffer.subarray(start, end));
    }
    // More than has room before the head: it goes between the status line and the rest.
    const start = rewriteResponseHead(head, this.#buffer, this.#headStart, line, dropsFraming);
    const linesStart = this.#buffer.indexOf('\n', start) + 1;
    receiver.deliver(Buffer.concat([this.#buffer.subarray(start, linesStart), addedLines]));
    return receiver.deliver(this.#buffer.subarray(linesStart, end));
  }

  #readBody(bytes: Buffer, length: number): boolean {
    const bodyEnd = this.#body.scan(bytes, 0, length);
    if (bodyEnd === malformedBody) return this.#fail('malformed');
    const { passedEnd } = this.#body;
    const isFlushed = passedEnd === 0 || this.#receiver!.deliver(bytes.subarray(0, passedEnd));
    if (this.#body.isDone) {
      // The buffer must be out of use before another connection can have it.
      if (this.#largeBuffer !== undefined) this.#channel.readInto(this.#readBuffer);
      this.#endAnswer(this.#head.keepsAlive && bodyEnd === length);
    } else if (length === bytes.length && this.#largeBuffer === undefined) {
      this.#largeBuffer = this.#context.largeBuffers.take();
      if (this.#largeBuffer !== undefined) this.#channel.readInto(this.#largeBuffer);
    }
    return isFlushed;
  }

  #endAnswer(mayBeReused: boolean): void {
    this.#phase = 'answered';
    this.#mayBeReused = mayBeReused;
    this.#receiver!.onAnswerEnd();
  }

  #beginTunnel(end: number): boolean {
    const receiver = this.#receiver!;
    if (!receiver.isUpgrade) return this.#fail('malformed');
    receiver.onAnswer(this.#head, this.#buffer, this.#headStart);
    this.#phase = 'tunnel';
    this.#readAnew();
    receiver.onTunnel();
    return this.#deliverHead('upgrade', true, end);
  }

  #fail(failure: TargetFailure): boolean {
    const receiver = this.#receiver!;
    this.#detach();
    receiver.onTargetFailure(failure, this);
    this.#close();
    return false;
  }

  #detach(): void {
    if (this.#receiver === undefined) return;
    this.#receiver = undefined;
    this.target.outstanding -= 1;
  }

  #close(): void {
    this.#dropBuffers();
    this.#phase = 'closed';
    this.#context.deadlines.remove(this);
    this.#channel.destroy();
  }

  /** Something may still be under way out of them. */
  #dropBuffers(): void {
    if (this.#largeBuffer !== undefined) this.#context.largeBuffers.drop();
    if (this.#mediumBuffer !== undefined) this.#context.mediumBuffers.drop();
    this.#largeBuffer = undefined;
    this.#mediumBuffer = undefined;
  }
}
