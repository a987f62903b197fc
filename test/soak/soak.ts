/**
 * Drives many short connections through one worker and samples it in between, each time after everybody has left and
 * its pools are emptied: what is there then is what it keeps.
 */
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Luck } from '#proxy/http1/test-mutations.ts';
import { type Place, visit } from './clients.ts';
import { startTargets } from './targets.ts';
import type { Sample } from './verdict.ts';
import type { SoakListening, SoakOrder, SoakSize } from './worker.ts';

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
}

/**
 * Many addresses: a connection that its client closes keeps its four numbers for a minute, and one address and port
 * have only 28,000 of them to give.
 */
const addresses = Array.from({ length: 24 }, (_, index) => `127.83.${1 + (process.pid % 250)}.${1 + index}`);
const targetsCount = 4;
const problemsMax = 20;

/** Runs it whole; `onSample` hears of each sample, `isStopped` ends it at the next one. */
export async function soak(
  { connections, concurrency, samples: samplesCount, seed }: SoakExtent,
  onSample: (sample: Sample, requests: number, seconds: number) => void = () => {},
  isStopped: () => boolean = () => false,
): Promise<SoakResult> {
  const targets = await startTargets(targetsCount);
  const worker = fork(join(import.meta.dirname, 'worker.ts'), {
    execArgv: ['--expose-gc'],
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  try {
    const { places } = await ask<SoakListening>(worker, { kind: 'serve', addresses, targets: targets.ports });
    const before = await sampled(worker, 0);
    const samples: Sample[] = [];
    const behaviours: Record<string, number> = {};
    const problems: string[] = [];
    let problemsCount = 0;
    let requests = 0;
    let next = 0;
    const luck = new Luck(seed);
    const begunMs = performance.now();
    const seconds = () => (performance.now() - begunMs) / 1000;
    const runClient = async (end: number): Promise<void> => {
      while (next < end) {
        const number = next;
        next += 1;
        const outcome = await visit({ place: luck.pick<Place>(places), number, roll: luck.below(100) });
        behaviours[outcome.behaviour] = (behaviours[outcome.behaviour] ?? 0) + 1;
        requests += outcome.requests;
        if (outcome.problem === undefined) continue;
        problemsCount += 1;
        if (problems.length < problemsMax) problems.push(`connection ${number}, ${outcome.problem}`);
      }
    };
    for (let index = 1; index <= samplesCount && !isStopped(); index += 1) {
      const end = Math.round((connections * index) / samplesCount);
      await Promise.all(Array.from({ length: concurrency }, () => runClient(end)));
      samples.push(await sampledEmpty(worker, end, targets.ports));
      onSample(samples.at(-1)!, requests, seconds());
    }
    return { before, samples, requests, seconds: seconds(), behaviours, problems, problemsCount };
  } finally {
    targets.close();
    const ended = once(worker, 'exit');
    if (worker.connected) worker.disconnect();
    const isOver = worker.exitCode !== null || worker.signalCode !== null;
    if (!isOver) await ended;
  }
}

/** Waits until the worker has heard that everybody left; then samples it without what it keeps for the next request. */
async function sampledEmpty(worker: ChildProcess, connections: number, targets: readonly number[]): Promise<Sample> {
  let quiet = await sampled(worker, connections);
  for (let attempts = 0; attempts < 400 && quiet.activeConnections + quiet.outstanding > 0; attempts += 1) {
    await new Promise((resolve) => setTimeout(resolve, 25));
    quiet = await sampled(worker, connections);
  }
  await ask(worker, { kind: 'serve', addresses, targets: [] });
  let sample = await sampled(worker, connections);
  // Node closes a destroyed socket's descriptor a turn later.
  for (let attempts = 0; attempts < 8; attempts += 1) sample = await sampled(worker, connections);
  await ask(worker, { kind: 'serve', addresses, targets });
  return { ...sample, outstanding: quiet.outstanding };
}

async function sampled(worker: ChildProcess, connections: number): Promise<Sample> {
  const { memory, stats } = await ask<SoakSize>(worker, { kind: 'measure' });
  return {
    connections,
    rssBytes: memory.rss,
    heldBytes: memory.heapUsed + memory.external,
    descriptors: readdirSync(`/proc/${worker.pid}/fd`).length,
    activeConnections: stats.activeConnections,
    idleTargetConnections: stats.idleTargetConnections,
    outstanding: stats.targets.reduce((total, { outstanding }) => total + outstanding, 0),
  };
}

/** One question at a time; a worker that ends instead of answering is a failure of the soak. */
async function ask<Answer>(worker: ChildProcess, order: SoakOrder): Promise<Answer> {
  worker.send(order);
  const gone = new AbortController();
  try {
    const [answer] = await Promise.race([
      once(worker, 'message', { signal: gone.signal }),
      once(worker, 'exit', { signal: gone.signal }).then(([code, signal]) => {
        throw new Error(`the worker ended with ${code ?? signal}`);
      }),
    ]);
    return answer as Answer;
  } finally {
    gone.abort();
  }
}
