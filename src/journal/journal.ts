/**
 * The journal remembers: every change passes through here, is decided against the latest view, judged by the guard,
 * made durable, and only then answered. Decisions that arrive together are made and written together (group commit);
 * nothing is awaited between a decision and its place in the batch, so no decision can rest on a stale view.
 */
import { assert } from '#base/assert.ts';
import { Histogram } from '#base/histogram.ts';
import { accept, type Result, refuse } from '#base/result.ts';
import type { Clock } from '#io/clock.ts';
import type { Log } from '#io/log.ts';
import { soon } from '#io/timers.ts';
import type { Cause, Change, Transaction, TransactionHeader } from '#model/change.ts';
import type { Entry, Kind } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import type { Verdict, VerdictMoment } from '#model/verdict.ts';
import type { Former, View } from '#model/view.ts';
import { type SealedTransaction, sealTransaction, type TransactionText } from './chain.ts';
import { History, type Replacement } from './history.ts';
import type { StoreFolding } from './sqlite-fold.ts';
import { type Head, type Store, StoreDamaged, StoreFailure, type StoreIdentity, type StoreSight } from './store.ts';
import { type FormerPlacements, Tables } from './tables.ts';

/** A batch holds the event loop while it is decided and written; this bounds for how long. */
const batchTransactionsMax = 1_000;

/** Callers waiting for their turn; more are refused, so that a slow disk cannot fill the memory. */
const queueMax = 20_000;

/** So much text of what was written last is kept at hand: more than the vault can be behind while it is well. */
const latestCharactersMax = 8 * 1024 * 1024;
/** What a transaction takes beside the text of its changes. */
const latestOverhead = 500;

/** Large transactions are kept at hand for so long, with what they replaced, so that a mistake is undone quickly. */
const recent = { ageMs: 3_600_000, changesMin: 1_000, changesMax: 2_000_000 };

/** Judges the changes of one transaction before they are written. */
export type Guard = (view: View, changes: readonly Change[], cause: Cause, moment: VerdictMoment) => Verdict;

export type Decide<Output> = (
  view: View,
) => Result<{ readonly changes: readonly Change[]; readonly output: Output }, Fault>;

export interface Committed<Output> {
  readonly output: Output;
  /** Undefined when the decision changed nothing. */
  readonly transaction: Transaction | undefined;
}

export interface JournalStats {
  readonly transactions: number;
  readonly batches: number;
  readonly failures: number;
  /** From the start of a batch's decisions until it was durable. */
  readonly commit: Histogram;
}

export interface JournalOptions {
  readonly store: Store;
  readonly guard: Guard;
  readonly clock: Clock;
  readonly log: Log;
}

export function openJournal(options: JournalOptions): Journal {
  return new Journal(options);
}

interface Waiting {
  readonly cause: Cause;
  readonly decide: Decide<unknown>;
  readonly resolve: (result: Result<Committed<unknown>, Fault>) => void;
  readonly reject: (bug: unknown) => void;
}

interface Decided {
  readonly waiting: Waiting;
  /** What is answered once the transaction is durable. */
  readonly answer: Result<unknown, Fault>;
  readonly transaction: Transaction | undefined;
  readonly undo?: (() => void) | undefined;
}

/** What is to be written of a decision, and what is answered then. */
interface Judged {
  readonly answer: Result<unknown, Fault>;
  readonly cause: Cause;
  readonly changes: readonly Change[];
  readonly harmed: number;
  readonly undo?: (() => void) | undefined;
}

/** What one transaction replaced in the tables. */
interface Applied {
  readonly transaction: Transaction;
  readonly revisionBefore: number;
  /** For each of its changes. */
  readonly replaced: readonly (Entry | undefined)[];
}

export class Journal {
  readonly #tables: Tables;
  readonly #recent: Applied[] = [];
  readonly #latest: SealedTransaction[] = [];
  #latestCharacters = 0;
  readonly #options: JournalOptions;
  readonly #followers = new Set<(transactions: readonly Transaction[]) => void>();
  #head: Head;
  #waiting: Waiting[] = [];
  #flush: Promise<void> | undefined;
  #closed = false;
  /** While somebody wants to be alone with the store, no batch is begun. */
  #heldBy = 0;
  readonly #stats = { transactions: 0, batches: 0, failures: 0, commit: new Histogram() };

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#tables = new Tables(formerPlacements(options.store));
    for (const entry of options.store.documents()) this.#tables.load(entry);
    this.#head = options.store.head();
    this.#tables.revision = this.#head.revision;
  }

  get identity(): StoreIdentity {
    return this.#options.store.identity;
  }

  get head(): Head {
    return this.#head;
  }

  get stats(): JournalStats {
    return this.#stats;
  }

  /** The latest state. While a batch is on its way to a slow store it may be ahead of what is durable: see `read`. */
  get view(): View {
    return this.#tables;
  }

  /** Runs `query` on a view that holds nothing that could still be lost. */
  async read<Value>(query: (view: View) => Value): Promise<Value> {
    // A batch that waits to be written is not in the view yet; one that is being written is.
    while (this.#flush !== undefined && this.#head.revision !== this.#tables.revision) await this.#flush;
    return query(this.#tables);
  }

  /**
   * Decides on the latest view and makes the changes durable. The answer comes after that and never before. Refuses
   * what the decision or the guard refuses; `ServiceUnavailable` when the store cannot be written. A refusal changes
   * nothing.
   */
  transact<Output>(cause: Cause, decide: Decide<Output>): Promise<Result<Committed<Output>, Fault>> {
    if (this.#closed) return Promise.resolve(refuse(fault('ServiceUnavailable', 'the control plane is stopping')));
    if (this.#waiting.length >= queueMax) {
      return Promise.resolve(refuse(fault('ServiceUnavailable', `${queueMax} changes wait to be written: try again`)));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ cause, decide, resolve: resolve as Waiting['resolve'], reject });
      this.#schedule();
    });
  }

  /** Calls `follower` with each batch once it is durable, in order. Gives back the call that ends it. */
  follow(follower: (transactions: readonly Transaction[]) => void): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  transactionsFrom(revision: number): Iterable<Transaction> {
    return this.#options.store.transactionsFrom(revision);
  }

  /** The same as the texts that were hashed, each read as it is asked for, and not checked. */
  textsFrom(revision: number): Iterable<TransactionText> {
    return this.#options.store.textsFrom(revision);
  }

  hashAt(revision: number): string | undefined {
    return this.#options.store.hashAt(revision);
  }

  header(revision: number): TransactionHeader | undefined {
    return this.#options.store.header(revision);
  }

  /** Headers from the latest back. */
  headersBack(): Iterable<TransactionHeader> {
    return this.#options.store.headersBackFrom(this.#head.revision);
  }

  /** Whether the revision has lost what it changed: no transaction that was decided here is without changes. */
  isLost(revision: number): boolean {
    return this.#options.store.header(revision)?.changesCount === 0;
  }

  /** The past, once all that is durable now can be found in it. Rejects with `StoreFailure` when it cannot be. */
  async history(): Promise<History> {
    const { store } = this.#options;
    return new History(store, await store.past(), (revision) => this.#recentChanges(revision));
  }

  /** What has happened to the files behind the journal's back. */
  sight(): StoreSight {
    return this.#options.store.sight();
  }

  /**
   * The text of what was written last, newest at the end, for as long as it is not known to be anywhere else: from the
   * revision behind `revision` on, or undefined when not all of that is at hand.
   */
  latest(revision: number): readonly SealedTransaction[] | undefined {
    if (revision === this.#head.revision) return [];
    const start = this.#latest.findIndex(({ transaction }) => transaction.revision === revision + 1);
    return start === -1 ? undefined : this.#latest.slice(start);
  }

  /** Runs `task` while nothing is being written; what comes meanwhile waits. */
  async alone<Value>(task: () => Value): Promise<Value> {
    this.#heldBy += 1;
    try {
      while (this.#flush !== undefined) await this.#flush;
      return task();
    } finally {
      this.#heldBy -= 1;
      if (this.#waiting.length > 0) this.#schedule();
    }
  }

  /** The revision that removed a document, when that is the last that is known of it. */
  async removalOf(kind: Kind, id: string): Promise<number | undefined> {
    for (const { revision, document } of (await this.history()).versionsOf(kind, id)) {
      return document === null ? revision : undefined;
    }
    return undefined;
  }

  /** How the far past is folded. It is no change of the state, so it does not pass through here. */
  get folding(): StoreFolding {
    return this.#options.store.folding;
  }

  /** Writes what still waits, refuses what comes later, and lets go of the store. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#flush !== undefined) await this.#flush;
    this.#options.store.close();
  }

  #schedule(): void {
    if (this.#flush !== undefined || this.#heldBy > 0) return;
    this.#flush = new Promise<void>((resolve, reject) => {
      soon(() => {
        this.#writeBatch().then(resolve, reject);
      });
    }).finally(() => {
      this.#flush = undefined;
      if (this.#waiting.length > 0) this.#schedule();
    });
  }

  async #writeBatch(): Promise<void> {
    const { store, clock, log } = this.#options;
    const startMs = clock.monotonicMs();
    const batch = this.#waiting.splice(0, batchTransactionsMax);
    const sealed: SealedTransaction[] = [];
    const applied: Applied[] = [];
    const decided: Decided[] = [];
    let head = this.#head;

    for (const waiting of batch) {
      // A wall clock may be stepped back; the order of times is that of revisions all the same.
      const moment = { revision: head.revision + 1, timeMs: Math.max(clock.wallMs(), head.timeMs) };
      const judged = this.#decide(waiting, moment);
      if (judged === undefined) continue;
      const { cause, changes, harmed, answer, undo } = judged;
      if (changes.length === 0) {
        decided.push({ waiting, answer, transaction: undefined });
        continue;
      }
      const next = sealTransaction({ ...moment, cause, harmed, changes, previousHash: head.hash });
      const { transaction } = next;
      const replaced = this.#tables.apply(transaction.revision, changes, transaction.timeMs);
      applied.push({ transaction, revisionBefore: head.revision, replaced });
      sealed.push(next);
      head = transaction;
      decided.push({ waiting, answer, transaction, undo });
    }

    try {
      if (sealed.length > 0) await store.append(sealed);
    } catch (error) {
      for (const { transaction, revisionBefore, replaced } of applied.reverse()) {
        this.#tables.undo(revisionBefore, transaction.changes, replaced);
      }
      for (const { undo } of decided) undo?.();
      this.#stats.failures += 1;
      if (!(error instanceof StoreFailure || error instanceof StoreDamaged)) throw error;
      // Also a commit that reported a failure may have reached the file: only the file knows.
      assert(store.head().hash === this.#head.hash, 'a batch that failed has left nothing behind');
      log.error(`the journal cannot be written, nothing was changed: ${error.message}`);
      const unavailable = fault(
        'ServiceUnavailable',
        'the state store cannot be written at the moment; nothing was changed',
      );
      for (const { waiting } of decided) waiting.resolve(refuse(unavailable));
      return;
    }

    this.#head = { revision: head.revision, hash: head.hash, timeMs: head.timeMs };
    if (sealed.length > 0) {
      this.#stats.batches += 1;
      this.#stats.transactions += sealed.length;
      this.#stats.commit.recordMs(clock.monotonicMs() - startMs);
      this.#keepRecent(applied);
      this.#keepLatest(sealed);
      const transactions = sealed.map(({ transaction }) => transaction);
      for (const follower of this.#followers) follower(transactions);
    }
    for (const { waiting, answer, transaction } of decided) {
      waiting.resolve(answer.ok ? accept({ output: answer.value, transaction }) : answer);
    }
  }

  /** Answers a refusal at once; gives back what is to be written otherwise. */
  #decide({ cause, decide, resolve, reject }: Waiting, moment: VerdictMoment): Judged | undefined {
    try {
      const decision = decide(this.#tables);
      if (!decision.ok) {
        resolve(decision);
        return undefined;
      }
      const { changes, output } = decision.value;
      const verdict = this.#options.guard(this.#tables, changes, cause, moment);
      switch (verdict.kind) {
        case 'refuse':
          resolve(refuse(verdict.fault));
          return undefined;
        case 'hold':
          return { answer: refuse(verdict.fault), cause: verdict.cause, changes: verdict.changes, harmed: 0 };
        case 'admit':
          return {
            answer: accept(output),
            cause: verdict.cause ?? cause,
            changes: verdict.also === undefined ? changes : [...changes, ...verdict.also],
            harmed: verdict.harmed,
            undo: verdict.undo,
          };
      }
    } catch (bug) {
      // Breaks the rule that nothing catches a bug: a decision is pure and has changed nothing yet, and one caller's
      // poisonous request must not take the control plane away from all others. The caller's side reports it.
      reject(bug);
      return undefined;
    }
  }

  #keepLatest(sealed: readonly SealedTransaction[]): void {
    const sizeOf = ({ parts }: SealedTransaction) => parts.reduce((sum, part) => sum + part.length, latestOverhead);
    for (const each of sealed) {
      this.#latest.push(each);
      this.#latestCharacters += sizeOf(each);
    }
    while (this.#latestCharacters > latestCharactersMax && this.#latest.length > 1) {
      this.#latestCharacters -= sizeOf(this.#latest.shift()!);
    }
  }

  /** Only large ones: a small one is read from the disk in less time than it is worth memory. */
  #keepRecent(applied: readonly Applied[]): void {
    this.#recent.push(...applied.filter(({ transaction }) => transaction.changesCount >= recent.changesMin));
    const oldestMs = this.#head.timeMs - recent.ageMs;
    let changes = 0;
    for (const { transaction } of this.#recent) changes += transaction.changesCount;
    while (this.#recent.length > 0) {
      const { timeMs, changesCount } = this.#recent[0]!.transaction;
      if (timeMs >= oldestMs && changes <= recent.changesMax) return;
      changes -= changesCount;
      this.#recent.shift();
    }
  }

  #recentChanges(revision: number): Iterable<Replacement> | undefined {
    const found = this.#recent.find(({ transaction }) => transaction.revision === revision);
    return found && withBases(found);
  }
}

function* withBases({ transaction, replaced }: Applied): Iterable<Replacement> {
  for (const [position, { kind, id, after }] of transaction.changes.entries()) {
    yield { kind, id, base: replaced[position]?.document ?? null, theirs: after };
  }
}

/** What the store remembers of addresses that were given back. */
function formerPlacements(store: Store): FormerPlacements {
  return {
    get revision() {
      return store.pastSoFar.revision;
    },
    at: (address) => {
      const { pastSoFar } = store;
      let last: Former | undefined;
      for (const id of pastSoFar.everFound('placementByAddress', address)) {
        for (const { revision, document } of pastSoFar.versionsOf('placement', id)) {
          const endedAtMs = document === null ? (store.header(revision)?.timeMs ?? 0) : undefined;
          if (endedAtMs !== undefined && endedAtMs >= (last?.endedAtMs ?? 0)) last = { id, endedAtMs };
          break;
        }
      }
      return last;
    },
  };
}
