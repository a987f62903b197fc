/**
 * A client's connection: reads one request at a time, gives it to a target or answers it, and goes on with the next
 * when the answer is with the kernel. What follows a request waits, unread or carried; nothing is ever parsed ahead, so
 * nothing can be answered out of order.
 *
 *     idle ─▶ head ─▶ exchange ─▶ idle ─▶ …        lingering: told to go, the rest of its bytes is dropped
 *                        ├──▶ tunnel ─▶ closed
 *                        └──▶ lingering ─▶ closed
 */
import type { Bagged } from '#base/bag.ts';
import type { ConnectionIdentity } from '#proxy/log/access-log.ts';
import type { Routes, Way } from '#proxy/routes.ts';
import { Carry, type Consumer } from '#proxy/socket/carry.ts';
import type { Channel, ChannelOwner } from '#proxy/socket/channel.ts';
import { Deadline } from '#proxy/socket/deadlines.ts';
import type { WorkerContext } from '#proxy/worker-context.ts';
import { Attempts } from './attempts.ts';
import { ClientBuffers } from './client-buffers.ts';
import type { ClientHome } from './client-home.ts';
import { ExchangeTally } from './exchange-tally.ts';
import { complete, incomplete, type Refusal } from './field-section.ts';
import { takeFunctionError } from './function-error.ts';
import { errorPage, formatResponse, type LocalResponse, localResponse } from './local-response.ts';
import { MessageBody, malformedBody } from './message-body.ts';
import { checkRequest } from './request-checks.ts';
import type { RequestHead } from './request-head.ts';
import type { Client } from './request-rewrite.ts';
import type { ResponseHead } from './response-head.ts';
import type { ConnectionLine } from './response-rewrite.ts';
import { repeatRequest, sendRequest } from './send-request.ts';
import type { AnswerReceiver, HttpTarget, TargetFailure } from './target-connection.ts';
import { connectionTo, TargetConnection } from './target-connection.ts';

/** What a client may still send after it was told to go, before it is cut off. */
const lingerBytesMax = 1024 * 1024;

type Phase = 'idle' | 'head' | 'exchange' | 'tunnel' | 'lingering' | 'closed';
/** How far the answer is: all of it was given to the channel when it is `written`. */
type AnswerPhase = 'awaited' | 'begun' | 'written';

export class ClientConnection extends Deadline implements ChannelOwner, AnswerReceiver, Consumer, Bagged {
  isHeadRequest = false;
  minorVersion = 1;
  isUpgrade = false;
  addedLines: Buffer | undefined;
  bagIndex = 0;
  readonly #context: WorkerContext;
  readonly #home: ClientHome;
  readonly #channel: Channel;
  readonly #closesAtMs: number;
  readonly #carry = new Carry();
  readonly #body = new MessageBody();
  readonly #attempts = new Attempts();
  readonly #buffers: ClientBuffers;
  readonly #tally: ExchangeTally;
  #phase: Phase = 'idle';
  #answerPhase: AnswerPhase = 'awaited';
  /** Only while a head is being read. */
  #head: RequestHead | undefined;
  #target: TargetConnection | undefined;
  /** The target has not taken what it was given, or is not connected yet. */
  #isTargetFull = false;
  #isConsuming = false;
  #isPaused = false;
  /** The client sends no more. */
  #hasEnded = false;
  #keepsAlive = true;
  /** Whether the target's connection may have another request. */
  #keepsTarget = true;
  #isIdempotent = false;
  /** The present answer is the connection's last. */
  #isLast = false;
  #lingerBytes = 0;

  constructor(context: WorkerContext, home: ClientHome, open: (owner: ChannelOwner) => Channel) {
    super();
    this.#context = context;
    this.#home = home;
    this.#buffers = new ClientBuffers(context);
    this.#closesAtMs = context.clock.monotonicMs() + home.routes.table.loadBalancer.clientKeepAliveMs;
    this.#channel = open(this);
    this.#tally = new ExchangeTally(home, context, this.#channel);
    this.onActivity();
  }

  /** Who is at its other end. */
  get client(): Client {
    return this.#channel;
  }

  /** What logs call it. */
  get identity(): ConnectionIdentity {
    return this.#tally.identity;
  }

  /** Closes the connection if it is between requests; else it closes with the present answer. */
  retire(): void {
    if (this.#phase === 'idle') this.#close();
  }

  /** Ends the connection, whatever it is doing, so that the client sees a failure; `status`: its answer broke off. */
  cut(status?: 502 | 504): void {
    if (status !== undefined) this.#tally.brokenOff(status);
    this.#phase = 'closed';
    this.#giveUpTarget();
    this.#channel.reset();
  }

  /** These targets have nothing to answer any more: their deregistration delay is over ("HTTP 502"). */
  onTargetsGone(gone: ReadonlySet<HttpTarget>): void {
    if (this.#target === undefined || !gone.has(this.#target.target)) return;
    if (this.#phase === 'tunnel') this.cut();
    else if (this.#answerPhase === 'awaited') this.#answer(errorPage(502));
    else if (this.#answerPhase === 'begun') this.cut(502);
  }

  onBytes(bytes: Buffer, length: number): boolean {
    this.#tally.arrived(length);
    switch (this.#phase) {
      case 'idle':
      case 'head':
      case 'exchange':
        this.#carry.take(bytes, length, this);
        break;
      case 'tunnel':
        this.onActivity();
        this.#sendOn(bytes, 0, length);
        break;
      case 'lingering':
        this.#lingerBytes += length;
        if (this.#lingerBytes > lingerBytesMax) this.cut();
        break;
      case 'closed':
        return false;
    }
    this.#isPaused = !this.#mayRead();
    return !this.#isPaused;
  }

  onEnd(): void {
    this.#hasEnded = true;
    if (this.#phase === 'tunnel') this.#target!.end();
    else this.#endReading();
  }

  onFlushed(): void {
    if (this.#phase !== 'exchange' && this.#phase !== 'tunnel') return;
    this.onActivity();
    if (this.#phase === 'exchange' && this.#answerPhase === 'written') this.#completeExchange();
    else this.#target?.resume();
  }

  onClosed(isClean: boolean): void {
    if (this.#phase === 'exchange') this.#tally.clientGone(this.#answerPhase === 'awaited', this.#body.isDone);
    this.#tally.end();
    if (this.#phase === 'tunnel' && isClean) this.#target?.finish();
    else this.#giveUpTarget();
    this.#phase = 'closed';
    this.#buffers.drop();
    this.#carry.clear();
    this.#context.deadlines.remove(this);
    this.#head = this.#context.giveHead(this.#head);
    this.#home.onClientGone(this);
  }

  override onDeadline(): void {
    switch (this.#phase) {
      case 'idle':
        this.#close();
        break;
      case 'head':
        this.#refuseUnread(408);
        break;
      case 'exchange':
        // Whom was everybody waiting for?
        if (this.#answerPhase === 'begun' && this.#channel.isFlushed) this.cut(504);
        else if (this.#answerPhase !== 'awaited') this.cut();
        else if (!this.#body.isDone && !this.#isTargetFull) this.#refuse(408);
        else {
          if (this.#target !== undefined) this.#target.target.counters!.unanswered += 1;
          this.#answer(errorPage(504));
        }
        break;
      default:
        this.cut();
    }
  }

  // Reading requests

  consume(bytes: Buffer, start: number, end: number): number {
    this.#isConsuming = true;
    let at = start;
    let before = -1;
    while (at < end && at !== before) {
      before = at;
      switch (this.#phase) {
        case 'idle':
        case 'head':
          at = this.#readHead(bytes, at, end);
          break;
        case 'exchange':
          if (!this.#body.isDone && !this.#isTargetFull) at = this.#sendBody(bytes, at, end);
          break;
        case 'lingering':
        case 'closed':
          at = end;
          break;
      }
    }
    this.#isConsuming = false;
    return at;
  }

  #readHead(bytes: Buffer, start: number, end: number): number {
    this.#head ??= this.#context.takeHead();
    const progress = this.#head.read(bytes, start, end);
    if (progress === complete) return this.#beginExchange(this.#head, bytes, start, end);
    if (progress !== incomplete) {
      this.#tally.unread(bytes, start, end);
      this.#refuse(progress);
      return end;
    }
    if (this.#phase === 'idle') {
      this.#phase = 'head';
      const { idleTimeoutMs } = this.#home.routes.table.loadBalancer;
      this.#context.deadlines.set(this, Math.min(idleTimeoutMs, this.#context.options.headTimeoutMs));
    }
    return start;
  }

  /** A head is complete. Decides, and returns where the bytes begin that are not used yet. */
  #beginExchange(head: RequestHead, bytes: Buffer, base: number, end: number): number {
    this.#phase = 'exchange';
    this.#answerPhase = 'awaited';
    this.isHeadRequest = head.isHead;
    this.minorVersion = head.minorVersion;
    this.isUpgrade = head.isUpgrade;
    this.#keepsAlive = head.keepsAlive;
    this.#keepsTarget = true;
    this.#isIdempotent = head.isIdempotent;
    this.#body.begin(head.bodyKind, head.contentLength, false);
    this.onActivity();
    const { routes } = this.#home;
    const facts = this.#context.facts.of(head, bytes, base, this.#channel);
    const { rule, transform, evaluations } = routes.rules.find(facts);
    this.#tally.begun(head, bytes, base, evaluations);
    const { action } = rule;
    const changed = transform?.(facts);
    let used = base + head.fields.end;
    const checked = checkRequest(head, bytes, base, routes.rewrite.fields, this.#home.counters);
    if (checked === 'ends') this.#keepsTarget = false;
    if (checked !== 400) this.#tally.matched(rule, changed);
    if (checked === 400) this.#refuse(400);
    else if (checked === 463) this.#answer(errorPage(checked));
    else if (changed === 'failed') this.#answer(errorPage(500));
    else if (action.kind === 'forward') used = this.#forward(routes, { action, changed }, head, bytes, base, end);
    else this.#answer(localResponse(action, head, bytes, base, routes.table));
    this.#head = this.#context.giveHead(this.#head);
    return used;
  }

  #forward(routes: Routes, way: Way, head: RequestHead, bytes: Buffer, base: number, end: number): number {
    const { action, changed } = way;
    const bodyStart = base + head.fields.end;
    const bodyEnd = this.#body.scan(bytes, bodyStart, end);
    if (bodyEnd === malformedBody) {
      this.#refuse(400);
      return end;
    }
    const target = this.#attempts.begin(routes, action, this.#context);
    if (target === undefined) {
      this.#answer(errorPage(this.#attempts.refusal));
      return bodyEnd;
    }
    if (head.fields.hasUnusualName) this.#tally.unusualFields(routes.rewrite.fields.dropsInvalid);
    this.#target = connectionTo(target, this.#context, this);
    const what = { head, bytes, base, bodyEnd, changed };
    this.#isTargetFull = !sendRequest(this.#target, what, routes.rewrite, this.#channel);
    this.#tally.passedOn(bodyEnd - bodyStart);
    this.#tally.sent(this.#target, this.#attempts.group, this.#isTargetFull);
    this.#buffers.chooseFor(this.#channel, this.#body, bytes, bodyEnd, !this.#isTargetFull);
    return bodyEnd;
  }

  #sendBody(bytes: Buffer, start: number, end: number): number {
    this.onActivity();
    const bodyEnd = this.#body.scan(bytes, start, end);
    if (bodyEnd === malformedBody) {
      if (this.#answerPhase === 'awaited') this.#refuse(400);
      else this.cut();
      return end;
    }
    // The target may be gone while its last answer is still on its way to the client.
    if (this.#target !== undefined) this.#sendOn(bytes, start, bodyEnd);
    this.#buffers.chooseFor(this.#channel, this.#body, bytes, bodyEnd, !this.#isTargetFull);
    return bodyEnd;
  }

  #sendOn(bytes: Buffer, start: number, end: number): void {
    this.#tally.passedOn(end - start);
    this.#isTargetFull = !this.#target!.sendBody(this.#buffers.keep(bytes, start, end, this.#carry.bytes));
  }

  #mayRead(): boolean {
    switch (this.#phase) {
      case 'exchange':
        // Between requests it reads on all the same, to learn that the client has gone.
        return this.#body.isDone ? this.#carry.isEmpty : !this.#isTargetFull;
      case 'tunnel':
        return !this.#isTargetFull;
      default:
        return true;
    }
  }

  /** Goes on where something had stopped it. */
  #goOn(): void {
    if (this.#isConsuming) return;
    this.#carry.offer(this);
    if (this.#hasEnded && this.#phase !== 'tunnel') this.#endReading();
    if (this.#isPaused && this.#phase !== 'closed' && this.#mayRead()) {
      this.#isPaused = false;
      this.#channel.resume();
    }
  }

  /** The client sends no more: once all that it sent is used, what is not whole never will be. */
  #endReading(): void {
    if (this.#phase === 'head') this.#refuseUnread(400);
    else if (this.#phase !== 'exchange') this.#close();
    else if (!this.#body.isDone && this.#carry.isEmpty && this.#answerPhase !== 'written') {
      this.#tally.clientGone(false, false);
      if (this.#answerPhase === 'awaited') this.#refuse(400, 'cut short');
      else this.cut();
    }
  }

  // The target's side

  onActivity(): void {
    this.#context.deadlines.set(this, this.#home.routes.table.loadBalancer.idleTimeoutMs);
  }

  onTargetFlushed(): void {
    this.#isTargetFull = false;
    this.#tally.taken();
    this.#goOn();
  }

  onAnswer(head: ResponseHead, bytes: Buffer, base: number): ConnectionLine {
    this.#answerPhase = 'begun';
    const session = this.#attempts.sessionLines(this.#target!.target, this.#context, head, bytes, base);
    const { answerFields } = this.#home.routes;
    this.addedLines = answerFields === undefined ? session : answerFields.into(head, bytes, base, session);
    const nowMs = this.#context.clock.monotonicMs();
    const { group } = this.#attempts;
    const error = group.isOfFunctions ? takeFunctionError(head, bytes, base) : undefined;
    if (error === undefined) this.#tally.answered(head.status, group, nowMs);
    else this.#tally.functionFailed(head.status, error);
    const endsWithConnection =
      head.bodyKind === 'until-close' || (head.bodyKind === 'chunked' && this.minorVersion === 0);
    return this.#connectionLine(endsWithConnection, nowMs);
  }

  deliver(bytes: Buffer): boolean {
    this.#tally.delivered(bytes.length);
    return this.#channel.write(bytes);
  }

  onAnswerEnd(): void {
    this.#answerPhase = 'written';
    if (this.#channel.isFlushed) this.#completeExchange();
  }

  onTunnel(): void {
    this.#phase = 'tunnel';
    this.#buffers.chooseForTunnel(this.#channel);
    const { bytes, start, end } = this.#carry;
    if (bytes !== undefined) this.#sendOn(bytes, start, end);
    this.#carry.clear();
    this.#goOn();
    if (this.#hasEnded) this.#target!.end();
  }

  onTunnelEnd(): void {
    this.#channel.end();
  }

  onTunnelClosed(isClean: boolean): void {
    this.#target = undefined;
    if (isClean) this.#channel.destroySoon();
    else this.cut();
  }

  onTargetFailure(failure: TargetFailure, connection: TargetConnection): void {
    this.#target = undefined;
    this.#isTargetFull = false;
    if (this.#answerPhase !== 'awaited') {
      this.cut(502);
      return;
    }
    const isRepeatable = this.#isIdempotent && this.#body.kind === 'none';
    const next = this.#attempts.next(failure, connection, isRepeatable, this.#context.clock.monotonicMs());
    if (typeof next === 'number') this.#answer(errorPage(next));
    else {
      this.#target = new TargetConnection(this.#context, next, this);
      this.#isTargetFull = !repeatRequest(this.#target, connection);
      this.#tally.sentAgain(this.#target, this.#attempts.group, this.#isTargetFull);
    }
  }

  #giveUpTarget(): void {
    this.#target?.abandon();
    this.#target = undefined;
  }

  // Answers of its own, and the end of exchanges

  #answer(response: LocalResponse): void {
    this.#giveUpTarget();
    this.#tally.answeredHere(response);
    this.#answerPhase = 'written';
    const line = this.#connectionLine(false, this.#context.clock.monotonicMs());
    const { answerFields } = this.#home.routes;
    const bytes = formatResponse(response, line, this.#context.date, this.isHeadRequest, answerFields);
    if (this.deliver(bytes)) this.#completeExchange();
  }

  /** Answers what cannot be served and ends the connection: nobody knows where the next request would begin. */
  #refuse(status: Refusal | 408, why?: 'cut short'): void {
    if (status === 400 && why === undefined) this.#home.counters.nonCompliantRequests += 1;
    this.#head = this.#context.giveHead(this.#head);
    // What the request before it was says nothing about one whose head was not read whole.
    if (this.#phase !== 'exchange') this.isHeadRequest = false;
    this.#phase = 'exchange';
    this.#keepsAlive = false;
    this.#body.isDone = false;
    this.#answer(errorPage(status));
  }

  /** The same, of a request of which only the beginning has come. */
  #refuseUnread(status: 400 | 408): void {
    this.#tally.unread(this.#carry.bytes, this.#carry.start, this.#carry.end);
    this.#refuse(status, 'cut short');
  }

  /** Settles whether the connection outlives the present answer, and what the client is told about it. */
  #connectionLine(endsWithConnection: boolean, nowMs: number): ConnectionLine {
    this.#isLast =
      endsWithConnection ||
      !this.#keepsAlive ||
      !this.#keepsTarget ||
      !this.#body.isDone ||
      (this.#hasEnded && this.#carry.isEmpty) ||
      this.#home.isHandingOver ||
      nowMs >= this.#closesAtMs;
    if (this.#isLast) return 'close';
    return this.minorVersion === 0 ? 'keep-alive' : 'none';
  }

  #completeExchange(): void {
    const target = this.#target;
    this.#target = undefined;
    target?.release(this.#body.isDone && this.#keepsTarget);
    this.#tally.end();
    if (this.#isLast) {
      this.#close();
      return;
    }
    this.#phase = 'idle';
    this.onActivity();
    this.#goOn();
    if (this.#phase === 'idle' && this.#home.isClosed) this.#close();
  }

  /**
   * Ends the connection behind what was written. A client that may still be sending, some do behind what they called
   * their last request, is heard out for a while: closing at once would reset it, and that would overtake the answer.
   */
  #close(): void {
    const hasMore = this.#keepsAlive || !this.#body.isDone || !this.#carry.isEmpty;
    this.#carry.clear();
    if (this.#phase === 'exchange' && !this.#hasEnded && hasMore) {
      this.#phase = 'lingering';
      this.#channel.end();
      this.#context.deadlines.set(this, this.#context.options.lingerMs);
      this.#goOn();
    } else {
      this.#phase = 'closed';
      this.#channel.destroySoon();
    }
  }
}
