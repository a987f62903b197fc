/**
 * Drives many short connections through one worker and samples it in between, each time after everybody has left and
 * its pools are emptied: what is there then is what it keeps.
 */
import { Luck } from '#proxy/http1/test-mutations.ts';
import { visit } from './clients.ts';
import { startTargets } from './targets.ts';
import type { Sample } from './verdict.ts';
import { freePort, type Place, WorkerProcess } from './worker-process.ts';

export interface SoakExtent {
  readonly connections: number;
  readonly concurrency: number;
  readonly samples: number;
  readonly seed: number;
}

export interface SoakResult {
  readonly before: Sample;
  readonly samples: readonly Sample[];
  readonly requests: number;
  readonly seconds: number;
  /** Connections by what their clients did. */
  readonly behaviours: Readonly<Record<string, number>>;
  /** What went wrong for clients: the first of each kind. */
  readonly problems: readonly string[];
  readonly problemsCount: number;
  /** Entries of logs that the worker gave up. */
  readonly droppedLogLines: number;
}

/** What a soak tells while it goes on. */
export interface SoakEvents {
  readonly onConnection?: (connections: number) => void;
  readonly onSample?: (sample: Sample, requests: number, seconds: number) => void;
  /** When true, it ends as soon as those who are connected have left. */
  readonly isStopped?: () => boolean;
}

/**
 * Many addresses: a connection that its client closes keeps its four numbers for a minute, and one address and port
 * have only 28,000 of them to give.
 */
const addresses = Array.from({ length: 24 }, (_, index) => `127.83.${1 + (process.pid % 250)}.${1 + index}`);
const targetsCount = 4;
const problemsMax = 20;

/** Runs it whole. */
export async function soak(extent: SoakExtent, events: SoakEvents = {}): Promise<SoakResult> {
  const targets = await startTargets(targetsCount);
  const worker = await WorkerProcess.start(addresses);
  try {
    return await new Soak(extent, events, worker, targets.ports, await freePort('127.0.0.1')).run();
  } finally {
    await worker.close();
    targets.close();
  }
}

class Soak {
  readonly #extent: SoakExtent;
  readonly #events: SoakEvents;
  readonly #worker: WorkerProcess;
  readonly #targets: readonly number[];
  readonly #closedPort: number;
  readonly #luck: Luck;
  readonly #behaviours: Record<string, number> = {};
  readonly #problems: string[] = [];
  #problemsCount = 0;
  #requests = 0;
  #begun = 0;
  #ended = 0;
  #droppedLogLines = 0;

  constructor(
    extent: SoakExtent,
    events: SoakEvents,
    worker: WorkerProcess,
    targets: readonly number[],
    closedPort: number,
  ) {
    this.#extent = extent;
    this.#events = events;
    this.#worker = worker;
    this.#targets = targets;
    this.#closedPort = closedPort;
    this.#luck = new Luck(extent.seed);
  }

  async run(): Promise<SoakResult> {
    const { connections, concurrency, samples: samplesCount } = this.#extent;
    await this.#worker.serve([], this.#closedPort);
    const before = await this.#sampled();
    await this.#worker.serve(this.#targets, this.#closedPort);
    const samples: Sample[] = [];
    const begunMs = performance.now();
    const seconds = () => (performance.now() - begunMs) / 1000;
    for (let index = 1; index <= samplesCount && !this.#isStopped(); index += 1) {
      const end = Math.round((connections * index) / samplesCount);
      await Promise.all(Array.from({ length: concurrency }, () => this.#runClients(end)));
      // A sample in the middle of its stretch would count connections that nobody made.
      if (this.#isStopped() && this.#begun < end) break;
      samples.push(await this.#sampledEmpty(before));
      this.#events.onSample?.(samples.at(-1)!, this.#requests, seconds());
    }
    return {
      before,
      samples,
      requests: this.#requests,
      seconds: seconds(),
      behaviours: this.#behaviours,
      problems: this.#problems,
      problemsCount: this.#problemsCount,
      droppedLogLines: this.#droppedLogLines,
    };
  }

  #isStopped(): boolean {
    return this.#events.isStopped?.() === true;
  }

  /** One connection after the other, until so many have been made by everybody. */
  async #runClients(end: number): Promise<void> {
    while (this.#begun < end && !this.#isStopped()) {
      const number = this.#begun;
      this.#begun += 1;
      const place = this.#luck.pick<Place>(this.#worker.places);
      const { behaviour, requests, problem } = await visit({ place, number, roll: this.#luck.below(100) });
      this.#behaviours[behaviour] = (this.#behaviours[behaviour] ?? 0) + 1;
      this.#requests += requests;
      this.#ended += 1;
      this.#events.onConnection?.(this.#ended);
      if (problem === undefined) continue;
      this.#problemsCount += 1;
      if (this.#problems.length < problemsMax) this.#problems.push(`connection ${number}, ${problem}`);
    }
  }

  /** Once the worker has heard that everybody left, samples it without what it keeps for the next request. */
  async #sampledEmpty(before: Sample): Promise<Sample> {
    this.#worker.takeLogs();
    let quiet = await this.#sampled();
    for (let attempts = 0; attempts < 400 && quiet.activeConnections + quiet.outstanding > 0; attempts += 1) {
      await new Promise((resolve) => setTimeout(resolve, 25));
      quiet = await this.#sampled();
    }
    await this.#worker.serve([], this.#closedPort);
    let sample = await this.#sampled();
    // Sockets close a turn after they are told to, and a file of logs may be being written.
    const isAsBefore = () => sample.descriptors === before.descriptors && sample.handles === before.handles;
    for (let attempts = 0; attempts < 100 && !isAsBefore(); attempts += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      sample = await this.#sampled();
    }
    await this.#worker.serve(this.#targets, this.#closedPort);
    return { ...sample, outstanding: quiet.outstanding };
  }

  async #sampled(): Promise<Sample> {
    const { memory, handles, descriptors, stats } = await this.#worker.size();
    this.#droppedLogLines = stats.droppedLogLines;
    return {
      connections: this.#ended,
      rssBytes: memory.rss,
      heapBytes: memory.heapUsed,
      externalBytes: memory.external,
      descriptors,
      handles,
      activeConnections: stats.activeConnections,
      idleTargetConnections: stats.idleTargetConnections,
      outstanding: stats.targets.reduce((total, { outstanding }) => total + outstanding, 0),
    };
  }
}
