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
import { after, every } from '#io/timers.ts';
import type { Transaction } from '#model/change.ts';
import type { Entry } from '#model/documents.ts';
import type { HealthVerdict } from '#model/health.ts';
import type { View } from '#model/view.ts';
import {
  type DownFrame,
  entriesPerFrameMax,
  type FollowerRole,
  frameBytesMax,
  type LinkPosition,
  type LinkTransaction,
  linkProtocol,
  parseUpFrame,
  type ServingReport,
  type UpFrame,
} from './frames.ts';
import { Subset } from './subset.ts';

/** News that a follower has not read yet; one that is slower is cut off and resumes from where it is. */
const unsentBytesMax = 256 * 1024 * 1024;
const transactionsPerFrameMax = 500;
const helloTimeoutMs = 10_000;
const pingPeriodMs = 5_000;
const followersMax = 1_000;

/** What the link reads of the journal. */
export interface LinkSource {
  readonly view: View;
  readonly storeId: string;
  readonly head: { readonly revision: number; readonly hash: string };
  hashAt(revision: number): string | undefined;
  transactionsFrom(revision: number): Iterable<Transaction>;
  follow(follower: (transactions: readonly Transaction[]) => void): () => void;
}

/** What followers tell. A follower's id is a node's id, or `dns`. */
export interface LinkEvents {
  /** Resolves once the node is admitted; a rejected node is cut off with the reason. */
  admit(role: FollowerRole): Promise<{ readonly refused?: string }>;
  serving(nodeId: string, reports: readonly ServingReport[]): void;
  health(nodeId: string, verdicts: readonly (readonly [string, HealthVerdict | null])[]): void;
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
  readonly held: readonly { readonly revision: number; readonly reason: string }[];
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

  /** Asks every connected node for its counters; those that do not answer in time are left out. */
  async stats(timeoutMs: number): Promise<ReadonlyMap<string, unknown>> {
    const answers = await Promise.all(
      [...this.#sessions]
        .filter(([, session]) => session.role.kind === 'node')
        .map(async ([id, session]) => [id, await session.stats(timeoutMs)] as const),
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
    const session = new Session({ webSocket, hello, source, log, report: (frame) => this.#report(id, frame) });
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
      session.catchUp();
    } else {
      log.error(`${id} holds another history than this store, and is left as it is: ${divergence}`);
      session.send({ type: 'diverged', reason: divergence });
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
        return events.health(id, frame.verdicts);
      case 'held':
        return this.#update(id, { held: [...(this.#statuses.get(id)?.held ?? []), frame].slice(-100) });
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

/** Why the follower's position is no point of this journal's past; undefined when it is one, or the follower is new. */
function divergenceOf(source: LinkSource, position: LinkPosition): string | undefined {
  if (position.revision === 0) return undefined;
  if (position.storeId !== source.storeId)
    return `it follows store ${position.storeId}, this is store ${source.storeId}`;
  if (position.revision > source.head.revision) {
    return `it is at revision ${position.revision}, this store ends at ${source.head.revision}`;
  }
  return source.hashAt(position.revision) === position.hash
    ? undefined
    : `revision ${position.revision} has another hash here`;
}

interface SessionOptions {
  readonly webSocket: WebSocket;
  readonly hello: Extract<UpFrame, { type: 'hello' }>;
  readonly source: LinkSource;
  readonly log: Log;
  readonly report: (frame: UpFrame) => void;
}

/** One connected follower. `#sent` is the revision up to which it has been told everything. */
class Session {
  readonly role: FollowerRole;
  readonly #options: SessionOptions;
  readonly #subset: Subset;
  #sent: number;
  #inStep = false;
  #answered = true;
  #statsAsked = 0;
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
      options.report(frame);
      return undefined;
    });
  }

  /**
   * Brings the follower to the head: first whole documents that it lacks, then what happened since its position. One
   * that begins has no past to replay: the documents alone bring it to the head.
   */
  catchUp(): void {
    const { source } = this.#options;
    this.#sendDocuments(this.#subset.missing(source.view));
    if (this.#sent > 0) {
      let page: Transaction[] = [];
      for (const transaction of source.transactionsFrom(this.#sent + 1)) {
        page.push(transaction);
        if (page.length < transactionsPerFrameMax) continue;
        this.#advanceBy(page);
        page = [];
      }
      if (page.length > 0) this.#advanceBy(page);
    }
    // Sent also when there is no news: it tells the follower that it is in step.
    this.#sendAdvance([], source.head);
    this.#inStep = true;
  }

  advance(transactions: readonly Transaction[]): void {
    if (this.#inStep) this.#advanceBy(transactions);
  }

  send(frame: DownFrame): void {
    const { webSocket, log } = this.#options;
    if (webSocket.bufferedAmount > unsentBytesMax) {
      log.warn(`${this.role.id} reads too slowly and is cut off; it will resume`);
      webSocket.terminate();
      return;
    }
    webSocket.send(JSON.stringify(frame));
  }

  ping(): void {
    if (!this.#answered) return this.#options.webSocket.terminate();
    this.#answered = false;
    return this.#options.webSocket.ping();
  }

  stats(timeoutMs: number): Promise<unknown> {
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
      this.send({ type: 'stats', id });
    });
  }

  end(): void {
    this.#options.webSocket.terminate();
  }

  #advanceBy(transactions: readonly Transaction[]): void {
    const { view } = this.#options.source;
    const selected: LinkTransaction[] = [];
    const joined: Entry[] = [];
    for (const { revision, timeMs, cause, changes } of transactions) {
      const chosen = this.#subset.select(view, changes);
      joined.push(...chosen.joined);
      if (chosen.changes.length > 0) selected.push({ revision, timeMs, cause, changes: chosen.changes });
    }
    this.#sendDocuments(joined);
    this.#sendAdvance(selected, transactions.at(-1)!);
  }

  #sendDocuments(entries: readonly Entry[]): void {
    for (let start = 0; start < entries.length; start += entriesPerFrameMax) {
      this.send({ type: 'documents', entries: entries.slice(start, start + entriesPerFrameMax) });
    }
  }

  #sendAdvance(
    transactions: readonly LinkTransaction[],
    to: { readonly revision: number; readonly hash: string },
  ): void {
    const position = { storeId: this.#options.source.storeId, revision: to.revision, hash: to.hash };
    this.send({ type: 'advance', from: this.#sent, transactions, position });
    this.#sent = to.revision;
  }
}
