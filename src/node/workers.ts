/**
 * The node's workers: processes that share the listening ports and carry the traffic. Each is told every table; one
 * that dies is replaced and told them all, while the others go on.
 */
import { type Child, startChild } from '#io/children.ts';
import type { Log } from '#io/log.ts';
import { after, type Timer } from '#io/timers.ts';
import type { ProxyStats, TargetOutcomes, TargetsWanted } from '#proxy/stats.ts';
import type { RoutingTable } from '#routing/table.ts';
import type { FromWorker, LogFiles, ToWorker } from './messages.ts';
import type { WorkerAnswer } from './stats-ledger.ts';
import { workerFlags } from './worker-flags.ts';

const restartMinMs = 100;
const restartMaxMs = 5_000;
/** A worker that lives this long is well: the next restart is quick again. */
const wellAfterMs = 10_000;

export interface WorkersOptions {
  readonly count: number;
  readonly name: string;
  readonly entry: URL;
  readonly successionPath: string;
  readonly instance: string;
  readonly logFiles: LogFiles | undefined;
  /** 64 hexadecimal digits, the same for all nodes. */
  readonly cookieKey: string;
  readonly log: Log;
  readonly onStarted: () => void;
}

/** Why a listener cannot be served, by listener id. */
export type Failures = ReadonlyMap<string, string>;

type Question = { readonly type: 'stats'; readonly targets: TargetsWanted } | { readonly type: 'outcomes' };

interface Worker {
  readonly number: number;
  readonly child: Child;
  readonly waiting: Map<number, (failures: Failures) => void>;
  /** By the number of the question. */
  readonly asked: Map<number, (answer: unknown) => void>;
}

export class Workers {
  readonly #options: WorkersOptions;
  readonly #tables = new Map<string, RoutingTable>();
  readonly #workers = new Map<number, Worker>();
  readonly #restarts = new Set<Timer>();
  #version = 0;
  #asked = 0;
  #started = 0;
  #stopping = false;
  #onEmpty: (() => void) | undefined;

  constructor(options: WorkersOptions) {
    this.#options = options;
  }

  /** Starts all workers with these tables; resolves when each has said what it serves. */
  async start(tables: readonly RoutingTable[]): Promise<Failures> {
    for (const table of tables) this.#tables.set(table.listenerId, table);
    const starts: Promise<Failures>[] = [];
    for (let slot = 0; slot < this.#options.count; slot += 1) starts.push(this.#startWorker(slot, restartMinMs));
    return merge(await Promise.all(starts));
  }

  get pids(): number[] {
    return [...this.#workers.values()].map(({ child }) => child.pid);
  }

  /** Resolves when every worker that is alive has put the tables into service. */
  async update(tables: readonly RoutingTable[], removed: readonly string[]): Promise<Failures> {
    for (const table of tables) this.#tables.set(table.listenerId, table);
    for (const id of removed) this.#tables.delete(id);
    return merge(await Promise.all([...this.#workers.values()].map((worker) => this.#tell(worker, tables, removed))));
  }

  /** The counters of every worker, with the targets of these groups. */
  async stats(timeoutMs: number, targets: TargetsWanted): Promise<WorkerAnswer[]> {
    const answers = await this.#ask({ type: 'stats', targets }, timeoutMs);
    return answers.map(({ worker, answer }) => ({ worker, stats: answer as ProxyStats | undefined }));
  }

  /** What became of requests at each worker since it was last asked; one that does not answer in time is left out. */
  async takeOutcomes(timeoutMs: number): Promise<(readonly TargetOutcomes[])[]> {
    const answers = await this.#ask({ type: 'outcomes' }, timeoutMs);
    return answers.flatMap(({ answer }) => (answer === undefined ? [] : [answer as readonly TargetOutcomes[]]));
  }

  /** What each worker answers, by its number; undefined where it does not in time. */
  #ask(question: Question, timeoutMs: number): Promise<{ readonly worker: number; readonly answer: unknown }[]> {
    this.#asked += 1;
    const id = this.#asked;
    return Promise.all(
      [...this.#workers.values()].map(
        (worker) =>
          new Promise<{ readonly worker: number; readonly answer: unknown }>((resolve) => {
            const timer = after(timeoutMs, () => worker.asked.get(id)?.(undefined));
            worker.asked.set(id, (answer) => {
              timer.stop();
              worker.asked.delete(id);
              resolve({ worker: worker.number, answer });
            });
            if (!send(worker, { ...question, id })) worker.asked.get(id)?.(undefined);
          }),
      ),
    );
  }

  /** Ends every worker at once. */
  kill(): void {
    this.#stopping = true;
    for (const { child } of this.#workers.values()) child.signal('SIGKILL');
  }

  /** Lets running requests finish for so long; resolves when every worker has ended. */
  stop(drainMs: number): Promise<void> {
    this.#stopping = true;
    for (const timer of this.#restarts) timer.stop();
    if (this.#workers.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
      for (const worker of this.#workers.values()) {
        if (!send(worker, { type: 'drain', timeoutMs: drainMs })) worker.child.signal('SIGKILL');
      }
      this.#restarts.add(after(drainMs + 1_000, () => this.kill()));
    });
  }

  #startWorker(slot: number, restartMs: number): Promise<Failures> {
    const { entry, name, successionPath, instance, cookieKey, logFiles, log } = this.#options;
    let nextRestartMs = restartMs;
    const well = after(wellAfterMs, () => {
      nextRestartMs = restartMinMs;
    });
    const child = startChild({
      entry,
      nodeFlags: workerFlags,
      onMessage: (message) => receive(worker, message as FromWorker),
      onExit: (how) => {
        well.stop();
        this.#workers.delete(slot);
        for (const resolve of worker.waiting.values()) resolve(new Map());
        for (const resolve of worker.asked.values()) resolve(undefined);
        if (this.#stopping) {
          if (this.#workers.size === 0) {
            for (const timer of this.#restarts) timer.stop();
            this.#onEmpty?.();
          }
          return;
        }
        log.warn(`worker ${slot + 1} (pid ${child.pid}) ended with ${how}; it is replaced`);
        const timer = after(nextRestartMs, () => {
          this.#restarts.delete(timer);
          void this.#startWorker(slot, Math.min(nextRestartMs * 2, restartMaxMs));
        });
        this.#restarts.add(timer);
      },
    });
    this.#started += 1;
    const worker: Worker = { number: this.#started, child, waiting: new Map(), asked: new Map() };
    this.#workers.set(slot, worker);
    this.#options.onStarted();
    const start = { name: `${name}/worker-${slot + 1}`, successionPath, parentInstance: instance };
    send(worker, { type: 'start', ...start, cookieKey, logFiles });
    return this.#tell(worker, [...this.#tables.values()], []);
  }

  #tell(worker: Worker, tables: readonly RoutingTable[], removed: readonly string[]): Promise<Failures> {
    this.#version += 1;
    const version = this.#version;
    return new Promise((resolve) => {
      worker.waiting.set(version, resolve);
      if (!send(worker, { type: 'tables', version, tables, removed })) {
        worker.waiting.delete(version);
        resolve(new Map());
      }
    });
  }
}

function send(worker: Worker, message: ToWorker): boolean {
  return worker.child.send(message);
}

function receive(worker: Worker, message: FromWorker): void {
  switch (message.type) {
    case 'applied':
      worker.waiting.get(message.version)?.(new Map(message.failures));
      worker.waiting.delete(message.version);
      return;
    case 'stats':
      worker.asked.get(message.id)?.(message.stats);
      return;
    case 'outcomes':
      worker.asked.get(message.id)?.(message.outcomes);
      return;
  }
}

function merge(all: readonly Failures[]): Failures {
  return new Map(all.flatMap((failures) => [...failures]));
}
