/**
 * Goes round every load balancer of a region with `GET /health`, at a steady rate, and knows for each what came of it.
 * Each probe has a connection of its own, as a viewer who just arrived; the answer to the probe that began last is what
 * counts, in whatever order answers come.
 */
import { assert } from '#base/assert.ts';
import { type Clock, systemClock } from '#io/clock.ts';
import { every, type Timer } from '#io/timers.ts';
import { get } from './get.ts';

export interface Endpoint {
  /** Unlike every other. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

export interface ProberOptions {
  readonly endpoints: readonly Endpoint[];
  /** All endpoints together; fewer when so many do not answer that every connection is waiting. */
  readonly requestsPerSecond: number;
  readonly timeoutMs: number;
  readonly clock?: Clock;
}

export interface EndpointFigures {
  readonly name: string;
  readonly requests: number;
  readonly failures: number;
  /** What came of the latest probe: `failure` says why, as `status 503` or `ECONNREFUSED`. */
  readonly last: { readonly kind: 'none' | 'success' } | { readonly kind: 'failure'; readonly reason: string };
}

export interface ProberSnapshot {
  /** Probes that have an outcome, sweeps included. */
  readonly requests: number;
  readonly failures: number;
  /** Endpoints whose latest outcome is a failure. */
  readonly impaired: number;
  /** Endpoints that failed at least once since `mark`, or since the beginning. */
  readonly everImpaired: number;
  /** The names of the impaired. */
  readonly failing: readonly string[];
}

export interface Sweep {
  /** Endpoints that were asked: all of them, unless the prober was stopped meanwhile. */
  readonly asked: number;
  readonly failed: readonly { readonly name: string; readonly reason: string }[];
}

/** Probes of the round that are under way at once. */
const roundConnectionsMax = 256;
const sweepConnectionsMax = 64;
/** Nobody's health page is longer. */
const bodyBytesMax = 64 * 1024;
const tickMs = 10;

interface Watched extends Endpoint {
  requests: number;
  failures: number;
  /** The probe that `last` is from: probes are numbered in the order in which they begin. */
  lastProbe: number;
  last: EndpointFigures['last'];
  hasFailed: boolean;
}

export class Prober {
  readonly #watched: readonly Watched[];
  readonly #options: ProberOptions;
  readonly #clock: Clock;
  readonly #abort = new AbortController();
  readonly #timer: Timer;
  readonly #underWay = new Set<Promise<unknown>>();
  #roundUnderWay = 0;
  #next = 0;
  #probes = 0;
  /** Probes that the rate allows by now; what is not used is soon lost, so that a pause is not made up for. */
  #allowance = 0;
  #tickedMs: number;

  /** Begins its round at once. */
  constructor(options: ProberOptions) {
    const { endpoints, requestsPerSecond, timeoutMs, clock = systemClock } = options;
    assert(requestsPerSecond > 0, 'a round goes forward');
    assert(timeoutMs > 0, 'an answer has time to come');
    this.#options = options;
    this.#clock = clock;
    this.#watched = endpoints.map((endpoint) => ({
      ...endpoint,
      requests: 0,
      failures: 0,
      lastProbe: 0,
      last: { kind: 'none' },
      hasFailed: false,
    }));
    this.#tickedMs = clock.monotonicMs();
    this.#timer = every(tickMs, () => this.#tick());
  }

  snapshot(): ProberSnapshot {
    const failing = this.#watched.filter(({ last }) => last.kind === 'failure').map(({ name }) => name);
    return {
      requests: sum(this.#watched, ({ requests }) => requests),
      failures: sum(this.#watched, ({ failures }) => failures),
      impaired: failing.length,
      everImpaired: this.#watched.filter(({ hasFailed }) => hasFailed).length,
      failing,
    };
  }

  /** Each endpoint's own figures, in the order in which they were given. */
  endpoints(): readonly EndpointFigures[] {
    return this.#watched.map(({ name, requests, failures, last }) => ({ name, requests, failures, last }));
  }

  /** From here on `everImpaired` counts anew. An endpoint that is failing counts again when it fails again. */
  mark(): void {
    for (const watched of this.#watched) watched.hasFailed = false;
  }

  /** Asks every endpoint once, now, beside the round, and says who failed. */
  async sweep(): Promise<Sweep> {
    const failed: { name: string; reason: string }[] = [];
    const waiting = this.#watched.values();
    let asked = 0;
    const ask = async () => {
      // All share one iterator: each takes the next that nobody has taken.
      for (const watched of waiting) {
        const outcome = await this.#probe(watched);
        if (outcome === undefined) return;
        asked += 1;
        if (outcome.kind === 'failure') failed.push({ name: watched.name, reason: outcome.reason });
      }
    };
    await Promise.all(Array.from({ length: sweepConnectionsMax }, ask));
    return { asked, failed };
  }

  /** Ends at once; probes under way count for nothing. */
  async stop(): Promise<void> {
    this.#timer.stop();
    this.#abort.abort();
    await Promise.all(this.#underWay);
  }

  #tick(): void {
    const nowMs = this.#clock.monotonicMs();
    const { requestsPerSecond } = this.#options;
    // At most what a few late ticks would have sent: a burst would measure this process and not the service.
    const allowanceMax = Math.max(1, (requestsPerSecond * tickMs * 5) / 1000);
    const earned = (requestsPerSecond * (nowMs - this.#tickedMs)) / 1000;
    this.#allowance = Math.min(this.#allowance + earned, allowanceMax);
    this.#tickedMs = nowMs;
    while (this.#allowance >= 1 && this.#roundUnderWay < roundConnectionsMax && this.#watched.length > 0) {
      this.#allowance -= 1;
      this.#roundUnderWay += 1;
      void this.#probe(this.#watched[this.#next]!).then(() => {
        this.#roundUnderWay -= 1;
      });
      this.#next = (this.#next + 1) % this.#watched.length;
    }
  }

  /** Asks once and keeps what came of it; undefined when the prober was stopped first. */
  async #probe(watched: Watched): Promise<Outcome | undefined> {
    if (this.#abort.signal.aborted) return undefined;
    this.#probes += 1;
    const probe = this.#probes;
    const asking = ask(watched, this.#options.timeoutMs, this.#abort.signal);
    this.#underWay.add(asking);
    const outcome = await asking;
    this.#underWay.delete(asking);
    if (this.#abort.signal.aborted) return undefined;
    watched.requests += 1;
    if (outcome.kind === 'failure') {
      watched.failures += 1;
      watched.hasFailed = true;
    }
    if (probe > watched.lastProbe) {
      watched.lastProbe = probe;
      watched.last = outcome;
    }
    return outcome;
  }
}

type Outcome = { readonly kind: 'success' } | { readonly kind: 'failure'; readonly reason: string };

async function ask({ host, port }: Endpoint, timeoutMs: number, signal: AbortSignal): Promise<Outcome> {
  const got = await get({ host, port, path: '/health', timeoutMs, bodyBytesMax, signal });
  if (got.kind === 'failure') return got;
  return got.status === 200 ? { kind: 'success' } : { kind: 'failure', reason: `status ${got.status}` };
}

function sum<Item>(items: readonly Item[], count: (item: Item) => number): number {
  return items.reduce((total, item) => total + count(item), 0);
}
