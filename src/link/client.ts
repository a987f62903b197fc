/**
 * A follower's end of the link. It keeps trying for ever, says where it is, and hands over news only when it is whole:
 * documents wait for the `advance` that they belong to. Losing the link changes nothing that serves.
 */
import { WebSocket } from 'ws';
import type { Log } from '#io/log.ts';
import { after, every, type Timer } from '#io/timers.ts';
import type { Change } from '#model/change.ts';
import type { Entry } from '#model/documents.ts';
import {
  type DownFrame,
  type FollowerRole,
  frameBytesMax,
  type LinkPosition,
  type LinkTransaction,
  linkProtocol,
  parseDownFrame,
  type StatsTargets,
  type UpFrame,
} from './frames.ts';

const reconnectMinMs = 100;
const reconnectMaxMs = 2_000;
/** The control plane pings every five seconds; silence for longer than this means that the connection is dead. */
const silenceMaxMs = 15_000;

/** News that is whole: apply all of it, then be at `position`. */
export interface News {
  readonly entries: readonly Entry[];
  readonly transactions: readonly LinkTransaction[];
  readonly position: LinkPosition;
}

export interface LinkClientOptions {
  /** `ws://HOST:PORT/link` */
  readonly url: string;
  readonly token: string;
  readonly role: FollowerRole;
  readonly log: Log;
  /** Where the follower is, and what it holds: asked each time the link comes up, and at no other time. */
  readonly state: () => {
    readonly position: LinkPosition;
    readonly holds: { readonly loadBalancers: readonly string[]; readonly targetGroups: readonly string[] };
  };
  readonly onNews: (news: News) => void;
  /** In step with a control plane that knows this follower: observations are to be told anew. */
  readonly onConnected: () => void;
  readonly onDiverged: (reason: string) => void;
  /** What was asked for again, whole. */
  readonly onAgain?: (transaction: LinkTransaction) => void;
  /** The control plane wants to know what the follower holds. */
  readonly onInventory?: () => void;
  readonly onNodes?: (alive: readonly string[]) => void;
  readonly stats?: (targets: StatsTargets) => Promise<unknown>;
}

export class LinkClient {
  readonly #options: LinkClientOptions;
  #webSocket: WebSocket | undefined;
  #reconnectMs = reconnectMinMs;
  #retry: Timer | undefined;
  #watch: Timer;
  #silentMs = 0;
  #stopped = false;
  #staged: Entry[] = [];
  /** The first changes of large transactions, by revision. */
  readonly #stagedChanges = new Map<number, Change[]>();
  /** The revision that the follower was told of last on this connection. */
  #revision = 0;
  /** Since this connection came up. */
  #isInStep = false;
  #lastComplaint = '';

  constructor(options: LinkClientOptions) {
    this.#options = options;
    const periodMs = 1_000;
    this.#watch = every(periodMs, () => {
      this.#silentMs += periodMs;
      if (this.#silentMs > silenceMaxMs) this.#webSocket?.terminate();
    });
    this.#connect();
  }

  /** Sends an observation; false while the link is down. */
  send(frame: UpFrame): boolean {
    if (this.#webSocket?.readyState !== WebSocket.OPEN) return false;
    this.#webSocket.send(JSON.stringify(frame));
    return true;
  }

  /** Drops the connection and asks again from where the follower is. */
  resume(): void {
    this.#webSocket?.terminate();
  }

  stop(): void {
    this.#stopped = true;
    this.#retry?.stop();
    this.#watch.stop();
    this.#webSocket?.terminate();
  }

  #connect(): void {
    const { url, token, role, log } = this.#options;
    const webSocket = new WebSocket(url, {
      headers: { authorization: `Bearer ${token}` },
      maxPayload: frameBytesMax,
      perMessageDeflate: false,
      handshakeTimeout: 5_000,
    });
    this.#webSocket = webSocket;
    this.#silentMs = 0;
    this.#staged = [];
    this.#stagedChanges.clear();
    this.#isInStep = false;
    webSocket.on('open', () => {
      this.#lastComplaint = '';
      const state = this.#options.state();
      this.#revision = state.position.revision;
      this.send({ type: 'hello', protocol: linkProtocol, role, ...state });
    });
    webSocket.on('ping', () => {
      this.#silentMs = 0;
    });
    webSocket.on('message', (data) => {
      this.#silentMs = 0;
      const frame = parseDownFrame(String(data));
      if (frame === undefined) return webSocket.terminate();
      this.#reconnectMs = reconnectMinMs;
      return this.#receive(frame);
    });
    webSocket.on('error', (error) =>
      this.#complain(`the control plane is not reached, serving goes on: ${error.message}`, log),
    );
    webSocket.on('close', (_code, reason) => {
      if (reason.length > 0) this.#complain(`the control plane ended the link: ${reason}`, log);
      if (this.#stopped) return;
      this.#retry = after(this.#reconnectMs, () => this.#connect());
      this.#reconnectMs = Math.min(this.#reconnectMs * 2, reconnectMaxMs);
    });
  }

  #receive(frame: DownFrame): void {
    const { onNews, onDiverged, onNodes, stats } = this.#options;
    switch (frame.type) {
      case 'documents':
        for (const entry of frame.entries) this.#staged.push(entry);
        return;
      case 'changes':
        this.#stage(frame.revision, frame.changes);
        return;
      case 'advance': {
        const entries = this.#staged;
        this.#staged = [];
        // Not the continuation of where we are: ask again rather than guess.
        if (frame.from !== this.#revision) return this.#webSocket?.terminate();
        this.#revision = frame.position.revision;
        onNews({
          entries,
          transactions: frame.transactions.map((each) => this.#whole(each)),
          position: frame.position,
        });
        if (!this.#isInStep) this.#options.onConnected();
        this.#isInStep = true;
        return;
      }
      case 'diverged':
        onDiverged(frame.reason);
        return;
      case 'inventory':
        this.#options.onInventory?.();
        return;
      case 'again':
        this.#options.onAgain?.(this.#whole(frame.transaction));
        return;
      case 'nodes':
        onNodes?.(frame.alive);
        return;
      case 'stats':
        void stats?.(frame.targets ?? []).then((answer) => this.send({ type: 'stats', id: frame.id, stats: answer }));
        return;
    }
  }

  #stage(revision: number, changes: readonly Change[]): void {
    const staged = this.#stagedChanges.get(revision) ?? [];
    for (const change of changes) staged.push(change);
    this.#stagedChanges.set(revision, staged);
  }

  /** The transaction with what was staged of it. */
  #whole(transaction: LinkTransaction): LinkTransaction {
    const { revision } = transaction;
    const staged = this.#stagedChanges.get(revision);
    if (staged === undefined) return transaction;
    this.#stagedChanges.delete(revision);
    return { ...transaction, changes: staged.concat(transaction.changes) };
  }

  /** The same complaint once, not at every try. */
  #complain(complaint: string, log: Log): void {
    if (complaint !== this.#lastComplaint) log.warn(complaint);
    this.#lastComplaint = complaint;
  }
}
