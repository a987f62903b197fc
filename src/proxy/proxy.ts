/**
 * The data plane of one worker process: takes routing tables, serves the traffic they describe, and counts. Nothing
 * stops serving because a table has not come: a listener goes only when it is removed.
 */
import type { Clock } from '#io/clock.ts';
import type { Log } from '#io/log.ts';
import type { Random } from '#io/random.ts';
import type { Timer } from '#io/timers.ts';
import { after, every } from '#io/timers.ts';
import type { RoutingTable } from '#routing/table.ts';
import type { ApplyOutcome } from './listener.ts';
import { Listener } from './listener.ts';
import { Registry } from './registry.ts';
import { tickMs } from './socket/deadlines.ts';
import type { ProxyStats, TargetOutcomes, TargetsWanted } from './stats.ts';
import type { ProxyOptions } from './worker-context.ts';
import { defaultOptions, WorkerContext } from './worker-context.ts';

export type { ApplyOutcome } from './listener.ts';
export type { ProxyStats } from './stats.ts';
export type { ProxyOptions } from './worker-context.ts';

export interface ProxyWorker {
  /**
   * Serves by this table from now on: the first one of a listener opens it, later ones replace the one before without
   * touching a connection. A table with another address or port opens a new door before the old one is closed, and when
   * that fails the old one goes on.
   */
  apply(table: RoutingTable): Promise<ApplyOutcome>;
  /** Closes a listener: it accepts no more, finishes what is in flight, and closes connections between requests. */
  remove(listenerId: string): void;
  /** Plain data that can be sent to another process; with the targets of these groups, without a word those of all. */
  stats(targets?: TargetsWanted): ProxyStats;
  /** What became of requests at each target since it was last asked. */
  takeOutcomes(): readonly TargetOutcomes[];
  /**
   * Closes all listeners and waits for their connections, at most so long; then cuts off what is left, and stops.
   * Connections between requests are closed after `patienceMs`: until then, each may have one more answer, which tells
   * its client to come again on another. With patience, nobody is told so before other workers that leave at the same
   * time have closed their doors too: there the client would be reset.
   */
  drain(timeoutMs: number, patienceMs?: number): Promise<void>;
}

/** Within this time, workers that leave together have all closed their doors. */
const doorsCloseMs = 1_000;

export interface ProxySettings extends Partial<ProxyOptions> {
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
  /** 64 hexadecimal digits, the same for all workers that a client can come in by. */
  readonly cookieKey?: string;
}

/** A data plane that serves nothing yet. Its clock ticks until it is drained. */
export function createProxy({ clock, log, random, cookieKey, ...options }: ProxySettings): ProxyWorker {
  return new Worker(new WorkerContext({ ...defaultOptions, ...options }, clock, random, cookieKey), log);
}

class Worker implements ProxyWorker {
  readonly #context: WorkerContext;
  readonly #log: Log;
  readonly #registry: Registry;
  readonly #listeners = new Map<string, Listener>();
  /** Closed listeners that still have connections. */
  readonly #closing = new Set<Listener>();
  readonly #ticking: Timer;
  #onQuiet: (() => void) | undefined;

  constructor(context: WorkerContext, log: Log) {
    this.#context = context;
    this.#log = log;
    this.#registry = new Registry(context);
    this.#ticking = every(tickMs, () => context.onTick());
  }

  async apply(table: RoutingTable): Promise<ApplyOutcome> {
    const present = this.#listeners.get(table.listenerId);
    if (present?.isAt(table)) {
      present.swap(table);
      return present.opened;
    }
    const listener = new Listener(this.#context, this.#registry, this.#log, table, (gone) => this.#forget(gone));
    this.#listeners.set(table.listenerId, listener);
    const outcome = await listener.opened;
    if (outcome.kind === 'listening') {
      if (present !== undefined) this.#close(present);
      return outcome;
    }
    this.#close(listener);
    if (this.#listeners.get(table.listenerId) === listener) {
      if (present === undefined) this.#listeners.delete(table.listenerId);
      else this.#listeners.set(table.listenerId, present);
    }
    return outcome;
  }

  remove(listenerId: string): void {
    const listener = this.#listeners.get(listenerId);
    if (listener === undefined) return;
    this.#listeners.delete(listenerId);
    this.#close(listener);
  }

  stats(targets: TargetsWanted = 'all'): ProxyStats {
    return {
      activeConnections: this.#context.activeConnectionsCount,
      idleTargetConnections: this.#context.idleBudget.count,
      droppedLogLines: this.#context.options.logSink?.droppedLines ?? 0,
      loadBalancers: this.#registry.loadBalancerStats(),
      ...this.#registry.targetStats(targets),
    };
  }

  takeOutcomes(): readonly TargetOutcomes[] {
    return this.#registry.takeOutcomes();
  }

  async drain(timeoutMs: number, patienceMs = 0): Promise<void> {
    for (const listener of this.#listeners.values()) {
      this.#closing.add(listener);
      if (patienceMs > 0) listener.shut();
      else listener.close();
    }
    this.#listeners.clear();
    if (this.#closing.size > 0) {
      await new Promise<void>((resolve) => {
        const doors = after(Math.min(patienceMs, doorsCloseMs), () => {
          for (const listener of this.#closing) listener.handOver();
        });
        const patience = after(patienceMs, () => {
          for (const listener of this.#closing) listener.close();
        });
        const limit = after(timeoutMs, () => {
          for (const listener of this.#closing) listener.cut();
        });
        this.#onQuiet = () => {
          for (const timer of [doors, patience, limit]) timer.stop();
          resolve();
        };
      });
    }
    this.#ticking.stop();
  }

  #close(listener: Listener): void {
    this.#closing.add(listener);
    listener.close();
  }

  #forget(listener: Listener): void {
    this.#closing.delete(listener);
    if (this.#closing.size === 0) this.#onQuiet?.();
  }
}
