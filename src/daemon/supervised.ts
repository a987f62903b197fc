/**
 * One process under the supervisor's care: started, watched, started again when it ends, stopped when all stop.
 */
import { type Child, startChild } from '#io/children.ts';
import type { Clock } from '#io/clock.ts';
import type { Log } from '#io/log.ts';
import { after, type Timer } from '#io/timers.ts';
import type { FromProcess, Info, ProcessNews, RoleSettings, ToProcess } from './messages.ts';

const restartMinMs = 100;
const restartMaxMs = 5_000;
/** A process that lives this long is well: its next restart is quick again. */
const wellAfterMs = 10_000;
const stopMaxMs = 15_000;
const killMaxMs = 2_000;

/** How the first start went. */
export type FirstStart =
  | { readonly kind: 'ready'; readonly info: Info }
  | { readonly kind: 'refused'; readonly reason: string; readonly storeDamaged: boolean };

export interface SupervisedOptions {
  readonly name: string;
  readonly supervisor: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Asked at every start: ports that were picked the first time are kept. */
  readonly settings: () => RoleSettings;
  /** Its state, process id or info changed. */
  readonly onChange: () => void;
}

export class Supervised {
  readonly name: string;
  readonly #options: SupervisedOptions;
  readonly #first = Promise.withResolvers<FirstStart>();
  #child: Child | undefined;
  #info: Info = {};
  #state: 'starting' | 'running' | 'restarting' = 'starting';
  #restarts = 0;
  #restartMs = restartMinMs;
  #startedAtMs = 0;
  #timers = new Set<Timer>();
  #stopping = false;
  /** What cannot start the first time is for a person to see to; what ran once is started again. */
  #mayRestart = false;
  #onEnded: (() => void) | undefined;

  constructor(options: SupervisedOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** Starts the process; resolves when it is ready for the first time or says that it cannot be. */
  start(): Promise<FirstStart> {
    this.#spawn();
    return this.#first.promise;
  }

  get info(): Info {
    return this.#info;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get status(): ProcessNews {
    return {
      name: this.name,
      pid: this.pid,
      state: this.#state === 'running' ? 'running' : 'restarting',
      restarts: this.#restarts,
      startedAtMs: this.#startedAtMs,
    };
  }

  tell(message: ToProcess): void {
    this.#child?.send(message);
  }

  /** Resolves when the process has ended; it is killed when it takes too long. */
  stop(): Promise<void> {
    this.#stopping = true;
    for (const timer of this.#timers) timer.stop();
    const child = this.#child;
    if (child === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = after(stopMaxMs, () => this.kill());
      this.#onEnded = () => {
        timer.stop();
        resolve();
      };
      if (!child.send({ type: 'stop' })) child.signal('SIGKILL');
    });
  }

  /** Ends the process at once, and what it has started with it. */
  kill(): void {
    this.#stopping = true;
    const child = this.#child;
    if (child === undefined) return;
    if (!child.send({ type: 'kill' } satisfies ToProcess)) child.signal('SIGKILL');
    // One that does not even listen any more.
    after(killMaxMs, () => child.signal('SIGKILL'));
  }

  #spawn(): void {
    const { name, supervisor, clock } = this.#options;
    this.#startedAtMs = clock.wallMs();
    const child = startChild({
      entry: new URL('./process.ts', import.meta.url),
      onMessage: (message) => this.#receive(message as FromProcess),
      onExit: (how) => this.#ended(how),
    });
    this.#child = child;
    child.send({ type: 'start', name, supervisor, settings: this.#options.settings() } satisfies ToProcess);
    this.#later(wellAfterMs, () => {
      if (this.#child === child) this.#restartMs = restartMinMs;
    });
  }

  #receive(message: FromProcess): void {
    switch (message.type) {
      case 'ready':
        this.#state = 'running';
        this.#mayRestart = true;
        this.#info = { ...this.#info, ...message.info };
        this.#first.resolve({ kind: 'ready', info: message.info });
        return this.#options.onChange();
      case 'info':
        this.#info = { ...this.#info, ...message.info };
        return this.#options.onChange();
      case 'refused':
        // A store may be mended while the others serve.
        this.#mayRestart ||= message.storeDamaged;
        if (this.#mayRestart) this.#options.log.error(message.reason);
        return this.#first.resolve({ kind: 'refused', reason: message.reason, storeDamaged: message.storeDamaged });
    }
  }

  #ended(how: string): void {
    this.#child = undefined;
    if (this.#stopping) return this.#onEnded?.();
    this.#first.resolve({
      kind: 'refused',
      reason: `${this.name} ended with ${how} before it was ready`,
      storeDamaged: false,
    });
    this.#state = 'restarting';
    if (!this.#mayRestart) return this.#options.onChange();
    this.#restarts += 1;
    this.#options.log.warn(`${this.name} ended with ${how}; it is started again in ${this.#restartMs} ms`);
    this.#options.onChange();
    this.#later(this.#restartMs, () => this.#spawn());
    this.#restartMs = Math.min(this.#restartMs * 2, restartMaxMs);
  }

  #later(delayMs: number, task: () => void): void {
    const timer = after(delayMs, () => {
      this.#timers.delete(timer);
      task();
    });
    this.#timers.add(timer);
  }
}
