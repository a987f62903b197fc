/**
 * The soak, as a command: a million short connections of every kind through one worker, and whether it is as small
 * afterwards as before.
 *
 *     npm run soak -- [--connections N] [--concurrency N] [--samples N] [--seed N] [--json]
 */
import { parseArgs } from 'node:util';
import { startProgress } from '#cli/progress.ts';
import { systemClock } from '#io/clock.ts';
import { standardError } from '#io/process.ts';
import { every } from '#io/timers.ts';
import { type SoakResult, soak } from './soak.ts';
import { faultsOf, growthOf, megabytes, type Sample, samplesMin } from './verdict.ts';

const usage = `usage: npm run soak -- [--connections N] [--concurrency N] [--samples N] [--seed N] [--json]

  Clients of every kind make short connections through one worker to real targets: they ask once or
  often, pipeline, send bodies, tunnel, are slow, reset, leave in the middle, and talk nonsense.

  --connections N   how many in all; 1000000 unless said
  --concurrency N   how many at one time; 128 unless said
  --samples N       how often the worker is looked at, at least 8; 40 unless said
  --seed N          the same clients in the same order; a fresh one unless said
  --json            the result as JSON on standard output

  Ctrl-C ends it when those who are connected have left; a second one at once.

  Exit code: 0 when memory is flat, nothing is left open and every client got its answers; 1 when
  not; 2 when it was called wrongly; 130 when it was interrupted before that could be said.

example: npm run soak -- --connections 100000`;

interface Wishes {
  readonly connections: number;
  readonly concurrency: number;
  readonly samples: number;
  readonly seed: number;
  readonly isJson: boolean;
}

async function main(): Promise<number> {
  const wishes = readArguments();
  if (wishes === 'help') {
    console.log(usage);
    return 0;
  }
  if (typeof wishes === 'string') {
    console.error(`soak: ${wishes}\n\n${usage}`);
    return 2;
  }
  let isStopped = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // Whoever asks twice does not want to wait for those who are connected.
      if (isStopped) process.exit(130);
      isStopped = true;
    });
  }
  const { connections, concurrency, samples: samplesCount, seed, isJson } = wishes;
  console.error(`soak: ${connections} connections, ${concurrency} at a time, seed ${seed}`);
  if (!isJson) console.log(cells(columns));
  const place = { errors: standardError, every, monotonicMs: () => systemClock.monotonicMs() };
  const progress = startProgress(place, 'starting a worker');
  const result = await soak(wishes, {
    onConnection: (done) => progress.update({ done, total: connections, unit: 'connections' }),
    onSample: (sample, requests, seconds) => {
      progress.hide();
      if (!isJson) console.log(row(sample, requests, seconds));
    },
    isStopped: () => isStopped,
  });
  progress.end();
  const isCut = result.samples.length < samplesCount;
  const faults = [
    ...(isCut ? [] : faultsOf(result.before, result.samples)),
    ...(result.problemsCount > 0 ? [`${result.problemsCount} clients did not get what they should`] : []),
  ];
  if (isJson) console.log(JSON.stringify({ ...result, seed, isCut, faults }, undefined, 2));
  else console.log(conclusion(result, faults, isCut));
  return faults.length > 0 ? 1 : isCut ? 130 : 0;
}

const columns = [
  'connections',
  'requests',
  'a second',
  'heap MB',
  'buffers MB',
  'RSS MB',
  'descriptors',
  'handles',
  'open',
];

function row(sample: Sample, requests: number, seconds: number): string {
  const { connections, heapBytes, externalBytes, rssBytes, descriptors, handles } = sample;
  return cells([
    `${connections}`,
    `${requests}`,
    `${Math.round(connections / seconds)}`,
    megabytes(heapBytes),
    megabytes(externalBytes),
    megabytes(rssBytes),
    `${descriptors}`,
    `${handles}`,
    `${sample.activeConnections + sample.outstanding + sample.idleTargetConnections}`,
  ]);
}

function cells(texts: readonly string[]): string {
  return texts.map((text, index) => text.padStart(columns[index]!.length + 2)).join('');
}

function conclusion(result: SoakResult, faults: readonly string[], isCut: boolean): string {
  const { samples, problems, seconds, behaviours, droppedLogLines } = result;
  const kinds = Object.entries(behaviours).toSorted(([, a], [, b]) => b - a);
  const lines = ['', `${seconds.toFixed(0)} s, ${droppedLogLines} log entries dropped; a client …`];
  for (const [name, count] of kinds) lines.push(`${String(count).padStart(10)}  ${name}`);
  if (samples.length >= samplesMin) {
    const { heapBytes, externalBytes, rssBytes } = growthOf(samples);
    const grown = `heap ${signed(heapBytes)} MB, buffers ${signed(externalBytes)} MB, RSS ${signed(rssBytes)} MB`;
    lines.push('', `from the second quarter of the samples to the last: ${grown}`);
  }
  for (const problem of problems) lines.push(`problem: ${problem}`);
  for (const fault of faults) lines.push(`FAULT: ${fault}`);
  if (faults.length > 0) lines.push('', 'verdict: NOT flat, see above');
  else lines.push('', isCut ? 'verdict: none, it was interrupted' : 'verdict: flat, and nothing is left open');
  return lines.join('\n');
}

function signed(bytes: number): string {
  return `${bytes < 0 ? '' : '+'}${megabytes(bytes)}`;
}

function readArguments(): Wishes | 'help' | string {
  try {
    const number = { type: 'string' } as const;
    const { values } = parseArgs({
      options: {
        connections: number,
        concurrency: number,
        samples: number,
        seed: number,
        json: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    });
    if (values.help) return 'help';
    const wishes = {
      connections: Number(values.connections ?? 1_000_000),
      concurrency: Number(values.concurrency ?? 128),
      samples: Number(values.samples ?? 40),
      seed: Number(values.seed ?? Math.floor(Math.random() * 2 ** 31)),
    };
    for (const [name, value] of Object.entries(wishes)) {
      if (!Number.isSafeInteger(value) || value < 0) return `--${name} is a whole number`;
    }
    if (wishes.samples < samplesMin) return `--samples is at least ${samplesMin}`;
    if (wishes.concurrency < 1) return '--concurrency is at least 1';
    if (wishes.connections < wishes.samples) return '--connections are at least as many as --samples';
    return { ...wishes, isJson: values.json === true };
  } catch (error) {
    return (error as Error).message;
  }
}

process.exitCode = await main();
