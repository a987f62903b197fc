/**
 * The control plane's end of the link: one WebSocket for each follower, which tells where it is and is brought from
 * there to the head, then kept there. Nothing is ever sent as "this is all there is": a follower that misses something
 * is behind, not wrong.
 */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Clock } from '#io/clock.ts';
import type { Log } from '#io/log.ts';
import { after, every, sleep } from '#io/timers.ts';
import type { AnomalyVerdict } from '#model/anomaly.ts';
import type { Transaction } from '#model/change.ts';
import type { Entry, Kind } from '#model/documents.ts';
import type { HealthVerdict } from '#model/health.ts';
import { digestOfHeld, type Held } from '#model/state-digest.ts';
import type { View } from '#model/view.ts';
import { compareHeld, workedWith } from './compare.ts';
import { changesFrame, piecesOf, transactionText } from './frame-text.ts';
import {
  type DownFrame,
  type FollowerRole,
  frameBytesMax,
  frameCharactersMax,
  type HeldReport,
  type LinkPosition,
  linkProtocol,
  parseUpFrame,
  type ServingReport,
  type StatsTargets,
  type UpFrame,
} from './frames.ts';
import { Subset } from './subset.ts';

/** While so much of what was sent has not been read, a follower is told nothing more. */
const unsentBytesMax = 16 * 1024 * 1024;
const roomPollMs = 5;
const helloTimeoutMs = 10_000;
const pingPeriodMs = 5_000;
const followersMax = 1_000;

/** What the link reads of the journal. */
export interface LinkSource {
  readonly view: View;
  readonly storeId: string;
  readonly head: { readonly revision: number; readonly hash: string };
  /** The revision before the first that the journal holds. */
  readonly origin: number;
  hashAt(revision: number): string | undefined;
  /** Whether the journal holds the place of the revision and not what it changed. */
  isLost(revision: number): boolean;
  transactionsFrom(revision: number): Iterable<Transaction>;
  /** The revision that removed the document last; undefined when none did. */
  removalOf(kind: Kind, id: string): Promise<number | undefined>;
  follow(follower: (transactions: readonly Transaction[]) => void): () => void;
}

/** What followers tell. A follower's id is a node's id, or `dns`. */
export interface LinkEvents {
  /** Resolves once the node is admitted; a rejected node is cut off with the reason. */
  admit(role: FollowerRole): Promise<{ readonly refused?: string }>;
  serving(nodeId: string, reports: readonly ServingReport[]): void;
  health(nodeId: string, verdicts: readonly (readonly [string, HealthVerdict | null])[]): void;
  /** Targets whose answers are not what they were beside those of their peers. */
  anomalies(nodeId: string, verdicts: readonly (readonly [string, AnomalyVerdict])[]): void;
  /** All that a follower holds back. */
  held(id: string, held: readonly HeldReport[]): void;
  /** A follower had not got these, or had them in an earlier revision, and was told them again. */
  healed(id: string, documentsCount: number): void;
  /** A follower works with documents that the state does not know and never removed. */
  knowsMore(id: string, held: readonly Held[]): void;
  /** The follower's history is not that of the journal. */
  diverged(id: string, reason: string): void;
  /** A node is gone: what it observed is not known any more. */
  gone(nodeId: string): void;
}

export interface FollowerStatus {
  readonly role: FollowerRole;
  readonly connected: boolean;
  /** The last revision that it said it has in service. */
  readonly revision: number;
  readonly diverged: boolean;
  /** Transactions that its guard holds back, newest last. */
  readonly held: readonly HeldReport[];
}

export interface LinkServerOptions {
  readonly source: LinkSource;
  readonly token: string;
  readonly events: LinkEvents;
  readonly clock: Clock;
  readonly log: Log;
}

export class LinkServer {
  readonly #options: LinkServerOptions;
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: frameBytesMax, perMessageDeflate: false });
  readonly #sessions = new Map<string, Session>();
  readonly #statuses = new Map<string, FollowerStatus>();
  readonly #unfollow: () => void;
  readonly #pings;

  constructor(options: LinkServerOptions) {
    this.#options = options;
    this.#unfollow = options.source.follow((transactions) => {
      for (const session of this.#sessions.values()) session.advance(transactions);
    });
    this.#pings = every(pingPeriodMs, () => {
      for (const session of this.#sessions.values()) session.ping();
    });
  }

  /** Takes over an HTTP upgrade for the link's path; answers 401 to one without the token. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const given = Buffer.from(request.headers.authorization ?? '');
    const wanted = Buffer.from(`Bearer ${this.#options.token}`);
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
      socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    if (this.#server.clients.size >= followersMax) {
      socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (webSocket) => this.#greet(webSocket));
  }

  /** Every follower that was ever seen by this process, by id. */
  get followers(): ReadonlyMap<string, FollowerStatus> {
    return this.#statuses;
  }

  /**
   * Asks every connected node for its counters, and for those of the targets of some groups; nodes that do not answer
   * in time are left out.
   */
  async stats(timeoutMs: number, targets?: StatsTargets): Promise<ReadonlyMap<string, unknown>> {
    const answers = await Promise.all(
      [...this.#sessions]
        .filter(([, session]) => session.role.kind === 'node')
        .map(async ([id, session]) => [id, await session.stats(timeoutMs, targets)] as const),
    );
    return new Map(answers.filter(([, stats]) => stats !== undefined));
  }

  close(): void {
    this.#unfollow();
    this.#pings.stop();
    for (const client of this.#server.clients) client.terminate();
    this.#server.close();
  }

  #greet(webSocket: WebSocket): void {
    const { log } = this.#options;
    const deadline = after(helloTimeoutMs, () => webSocket.terminate());
    webSocket.on('error', (error) => log.warn(`link: ${error.message}`));
    webSocket.once('close', () => deadline.stop());
    webSocket.once('message', (data) => {
      deadline.stop();
      const hello = parseUpFrame(String(data));
      if (hello?.type !== 'hello') return webSocket.close(1008, 'the first frame is hello');
      if (hello.protocol !== linkProtocol)
        return webSocket.close(1008, `this control plane speaks link protocol ${linkProtocol}`);
      void this.#admit(webSocket, hello);
      return undefined;
    });
  }

  async #admit(webSocket: WebSocket, hello: Extract<UpFrame, { type: 'hello' }>): Promise<void> {
    const { events, source, log } = this.#options;
    const { id } = hello.role;
    const divergence = divergenceOf(source, hello.position);
    // A node whose past is not ours is not made part of our state either.
    const { refused } = divergence === undefined ? await events.admit(hello.role) : {};
    if (webSocket.readyState !== webSocket.OPEN) return;
    if (refused !== undefined) {
      log.warn(`${id} is refused: ${refused}`);
      webSocket.close(1008, refused.slice(0, 120));
      return;
    }
    this.#sessions.get(id)?.end();
    const status = {
      role: hello.role,
      connected: true,
      revision: hello.position.revision,
      diverged: divergence !== undefined,
      held: [],
    };
    this.#statuses.set(id, status);
    const session = new Session({ webSocket, hello, source, log, events, report: (frame) => this.#report(id, frame) });
    this.#sessions.set(id, session);
    webSocket.once('close', () => {
      if (this.#sessions.get(id) !== session) return;
      this.#sessions.delete(id);
      this.#update(id, { connected: false });
      if (hello.role.kind === 'node') events.gone(id);
      this.#announceNodes();
      log.info(`${id} is disconnected`);
    });
    if (divergence === undefined) {
      log.info(`${id} is connected at revision ${hello.position.revision}`);
      void session.catchUp();
    } else {
      log.error(`${id} holds another history than this store, and is left as it is: ${divergence}`);
      session.send({ type: 'diverged', reason: divergence });
      events.diverged(id, divergence);
    }
    this.#announceNodes();
  }

  #report(id: string, frame: UpFrame): void {
    const { events } = this.#options;
    switch (frame.type) {
      case 'applied':
        return this.#update(id, { revision: frame.revision });
      case 'serving':
        return events.serving(id, frame.reports);
      case 'health':
        if (frame.anomalies !== undefined) events.anomalies(id, frame.anomalies);
        return events.health(id, frame.verdicts);
      case 'held':
        events.held(id, frame.held);
        return this.#update(id, { held: frame.held });
      case 'digest':
      case 'inventory':
      case 'again':
      case 'hello':
      case 'stats':
        return undefined;
    }
  }

  #update(id: string, news: Partial<FollowerStatus>): void {
    const status = this.#statuses.get(id);
    if (status !== undefined) this.#statuses.set(id, { ...status, ...news });
  }

  #announceNodes(): void {
    const alive = [...this.#sessions].filter(([, { role }]) => role.kind === 'node').map(([id]) => id);
    for (const session of this.#sessions.values()) {
      if (session.role.kind === 'dns') session.send({ type: 'nodes', alive });
    }
  }
}

/**
 * Why the follower's position is no point of this journal's past; undefined when it is one, or the follower is new. Of
 * a revision before the journal's origin, or of one that was lost, no hash is known. Whoever is there is told all that
 * came after, which begins with every document that is known of.
 */
function divergenceOf(source: LinkSource, position: LinkPosition): string | undefined {
  const { storeId, revision, hash } = position;
  if (revision === 0) return undefined;
  if (storeId !== source.storeId) return `it follows store ${storeId}, this is store ${source.storeId}`;
  if (revision > source.head.revision) {
    return `it is at revision ${revision}, this store ends at ${source.head.revision}`;
  }
  if (revision < source.origin || source.isLost(revision)) return undefined;
  return source.hashAt(revision) === hash ? undefined : `revision ${revision} has another hash here`;
}

interface SessionOptions {
  readonly webSocket: WebSocket;
  readonly hello: Extract<UpFrame, { type: 'hello' }>;
  readonly source: LinkSource;
  readonly log: Log;
  readonly events: LinkEvents;
  readonly report: (frame: UpFrame) => void;
}

/** One connected follower. `#sent` is the revision up to which it has been told everything. */
class Session {
  readonly role: FollowerRole;
  readonly #options: SessionOptions;
  readonly #subset: Subset;
  #sent: number;
  /** One whose history is not ours is told nothing. Whoever tells goes on until the head is told. */
  #state: 'silent' | 'telling' | 'told' = 'silent';
  #answered = true;
  #statsAsked = 0;
  /** As far as it has been told. */
  #inventory: Held[] = [];
  readonly #statsWaiting = new Map<number, (stats: unknown) => void>();

  constructor(options: SessionOptions) {
    this.#options = options;
    this.role = options.hello.role;
    this.#sent = options.hello.position.revision;
    this.#subset = new Subset(options.hello.role, options.hello.holds);
    options.webSocket.on('pong', () => {
      this.#answered = true;
    });
    options.webSocket.on('message', (data) => {
      const frame = parseUpFrame(String(data));
      if (frame === undefined || frame.type === 'hello')
        return options.webSocket.close(1008, 'not a frame of this protocol');
      if (frame.type === 'stats') this.#statsWaiting.get(frame.id)?.(frame.stats);
      if (frame.type === 'again') void this.#sendAgain(frame.revision);
      if (frame.type === 'digest') this.#compareDigest(frame);
      if (frame.type === 'inventory') void this.#compareInventory(frame);
      options.report(frame);
      return undefined;
    });
  }

  /**
   * Brings the follower to the head: first whole documents that it lacks, then what happened since its position. One
   * that begins has no past to replay: the documents alone bring it to the head.
   */
  catchUp(): Promise<void> {
    const { source } = this.#options;
    const isNew = this.#sent === 0;
    const { head } = source;
    const missing = this.#subset.missing(source.view);
    return this.#tell(async () => {
      await this.#sendDocuments(missing);
      // Sent also when there is no news: it tells the follower that it is in step.
      if (isNew || this.#sent === head.revision) this.#sendAdvance([], head);
    });
  }

  /** Tells what has just become durable, unless an earlier telling is still on its way there. */
  advance(transactions: readonly Transaction[]): void {
    if (this.#state === 'told') void this.#tell(() => this.#sendTransactions(transactions));
  }

  send(frame: DownFrame): void {
    this.#sendText(JSON.stringify(frame));
  }

  ping(): void {
    if (!this.#answered) return this.#options.webSocket.terminate();
    this.#answered = false;
    return this.#options.webSocket.ping();
  }

  stats(timeoutMs: number, targets: StatsTargets = []): Promise<unknown> {
    this.#statsAsked += 1;
    const id = this.#statsAsked;
    return new Promise((resolve) => {
      const done = (stats: unknown) => {
        timer.stop();
        this.#statsWaiting.delete(id);
        resolve(stats);
      };
      const timer = after(timeoutMs, () => done(undefined));
      this.#statsWaiting.set(id, done);
      this.send({ type: 'stats', id, targets });
    });
  }

  end(): void {
    this.#options.webSocket.terminate();
  }

  /** Begins with `first`, then goes on to the head, which may move meanwhile. */
  async #tell(first: () => Promise<void>): Promise<void> {
    const { source, webSocket, log } = this.#options;
    this.#state = 'telling';
    try {
      await first();
      while (this.#isOpen && this.#sent < source.head.revision) {
        await this.#sendTransactions(source.transactionsFrom(this.#sent + 1));
      }
      this.#state = 'told';
    } catch (error) {
      log.error(`${this.role.id} cannot be told the news, and is asked to come again: ${(error as Error).message}`);
      webSocket.terminate();
    }
  }

  /** Only while both are at the same point is there anything to compare. */
  #isAt(revision: number): boolean {
    return this.#state === 'told' && revision === this.#options.source.head.revision && revision === this.#sent;
  }

  #compareDigest({ revision, digest }: Extract<UpFrame, { type: 'digest' }>): void {
    if (!this.#isAt(revision)) return;
    const expected = digestOfHeld(workedWith(this.#options.source.view, this.role));
    if (expected.digest === digest) return;
    this.#inventory = [];
    this.send({ type: 'inventory' });
  }

  async #compareInventory({ revision, held, rest }: Extract<UpFrame, { type: 'inventory' }>): Promise<void> {
    const { source, events } = this.#options;
    for (const [kind, id, of] of held) this.#inventory.push({ kind, id, revision: of });
    if (rest > 0 || !this.#isAt(revision)) return;
    const { lacks, extra } = compareHeld(workedWith(source.view, this.role), this.#inventory);
    this.#inventory = [];
    const unknown: Held[] = [];
    const removals = new Set<number>();
    for (const each of extra) {
      const removal = await source.removalOf(each.kind, each.id);
      if (removal !== undefined && removal > each.revision) removals.add(removal);
      else if (source.view.revisionOf(each.kind, each.id) < each.revision) unknown.push(each);
    }
    for (const removal of [...removals].sort((one, other) => one - other)) await this.#sendAgain(removal);
    if (lacks.length > 0 && this.#state === 'told') {
      // The follower takes documents with the next advance, which here leads to where it is.
      await this.#sendDocuments(lacks);
      this.#sendAdvance([], { revision: this.#sent, hash: source.hashAt(this.#sent)! });
    }
    if (lacks.length + removals.size > 0) events.healed(this.role.id, lacks.length + removals.size);
    if (unknown.length > 0) events.knowsMore(this.role.id, unknown);
  }

  /** One transaction once more, for a follower that held it back; its tombstones concern everybody. */
  async #sendAgain(revision: number): Promise<void> {
    const { source } = this.#options;
    if (revision > this.#sent) return;
    for (const transaction of source.transactionsFrom(revision)) {
      if (transaction.revision !== revision) return;
      await this.#room();
      const { changes } = this.#subset.select(source.view, transaction.changes);
      const pieces = piecesOf(changes);
      const rest = pieces.pop() ?? '';
      for (const piece of pieces) this.#sendText(changesFrame(revision, piece));
      this.#sendText(`{"type":"again","transaction":${transactionText(transaction, rest)}}`);
      return;
    }
  }

  /** Sends them in frames of bounded size, and waits whenever the follower has not read what was sent. */
  async #sendTransactions(transactions: Iterable<Transaction>): Promise<void> {
    const { view } = this.#options.source;
    let texts: string[] = [];
    let characters = 0;
    let last: Transaction | undefined;
    for (const transaction of transactions) {
      const { joined, changes } = this.#subset.select(view, transaction.changes);
      if (joined.length > 0) await this.#sendDocuments(joined);
      const pieces = piecesOf(changes);
      const rest = pieces.pop() ?? '';
      if (last !== undefined && (pieces.length > 0 || characters > frameCharactersMax / 2)) {
        this.#sendAdvance(texts, last);
        texts = [];
        characters = 0;
      }
      for (const piece of pieces) {
        await this.#room();
        this.#sendText(changesFrame(transaction.revision, piece));
      }
      if (changes.length > 0) {
        texts.push(transactionText(transaction, rest));
        characters += texts.at(-1)!.length;
      }
      last = transaction;
      if (!this.#isOpen) return;
    }
    if (last !== undefined) this.#sendAdvance(texts, last);
    await this.#room();
  }

  async #sendDocuments(entries: readonly Entry[]): Promise<void> {
    for (const piece of piecesOf(entries)) {
      this.#sendText(`{"type":"documents","entries":[${piece}]}`);
      await this.#room();
    }
  }

  #sendAdvance(transactions: readonly string[], to: { readonly revision: number; readonly hash: string }): void {
    const position = { storeId: this.#options.source.storeId, revision: to.revision, hash: to.hash };
    this.#sendText(
      `{"type":"advance","from":${this.#sent},"transactions":[${transactions.join(',')}],"position":${JSON.stringify(position)}}`,
    );
    this.#sent = to.revision;
  }

  #sendText(text: string): void {
    if (this.#isOpen) this.#options.webSocket.send(text);
  }

  async #room(): Promise<void> {
    while (this.#isOpen && this.#options.webSocket.bufferedAmount > unsentBytesMax) await sleep(roomPollMs);
  }

  get #isOpen(): boolean {
    return this.#options.webSocket.readyState === this.#options.webSocket.OPEN;
  }
}
