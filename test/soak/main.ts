/**
 * The soak, as a command: a million short connections of every kind through one worker, and whether it is as small
 * afterwards as before.
 *
 *     npm run soak -- [--connections N] [--concurrency N] [--samples N] [--seed N] [--json]
 */
import { parseArgs } from 'node:util';
import { type SoakResult, soak } from './soak.ts';
import { faultsOf, growthOf, megabytes, type Sample } from './verdict.ts';

const usage = `usage: npm run soak -- [--connections N] [--concurrency N] [--samples N] [--seed N] [--json]

  Clients of every kind make short connections through one worker to real targets: they ask once or
  often, pipeline, send bodies, tunnel, are slow, reset, leave in the middle, and talk nonsense.

  --connections N   how many in all; 1000000 unless said
  --concurrency N   how many at one time; 128 unless said
  --samples N       how often the worker is looked at, at least 8; 40 unless said
  --seed N          the same clients in the same order; a fresh one unless said
  --json            the result as JSON on standard output

  Exit code: 0 when memory is flat, nothing is left open and every client got its answers; 1 when
  not; 130 when it was interrupted before that could be said.

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
  process.on('SIGINT', () => {
    // Whoever asks twice does not want to wait for the sample.
    if (isStopped) process.exit(130);
    isStopped = true;
    console.error('soak: stops at the next sample; once more: at once');
  });
  const { connections, concurrency, samples, seed, isJson } = wishes;
  console.error(`soak: ${connections} connections, ${concurrency} at a time, seed ${seed}`);
  if (!isJson) console.log(heading());
  const result = await soak(
    wishes,
    (sample, requests, seconds) => {
      if (!isJson) console.log(row(sample, requests, seconds));
    },
    () => isStopped,
  );
  const isCut = result.samples.length < samples;
  const faults = [
    ...(isCut ? [] : faultsOf(result.before, result.samples)),
    ...(result.problemsCount > 0 ? [`${result.problemsCount} clients did not get what they should`] : []),
  ];
  if (isJson) console.log(JSON.stringify({ ...result, seed, faults }, undefined, 2));
  else console.log(conclusion(result, faults));
  return faults.length > 0 ? 1 : isCut ? 130 : 0;
}

const columns = ['connections', 'requests', 'a second', 'RSS MB', 'held MB', 'descriptors', 'open'];

function heading(): string {
  return cells(columns);
}

function row(sample: Sample, requests: number, seconds: number): string {
  const { connections, rssBytes, heldBytes, descriptors, activeConnections, outstanding } = sample;
  const perSecond = Math.round(connections / seconds);
  return cells([
    `${connections}`,
    `${requests}`,
    `${perSecond}`,
    megabytes(rssBytes),
    megabytes(heldBytes),
    `${descriptors}`,
    `${activeConnections + outstanding}`,
  ]);
}

function cells(texts: readonly string[]): string {
  return texts.map((text, index) => text.padStart(columns[index]!.length + 2)).join('');
}

function conclusion({ samples, problems, seconds, behaviours }: SoakResult, faults: readonly string[]): string {
  const kinds = Object.entries(behaviours).toSorted(([, a], [, b]) => b - a);
  const lines = ['', `${seconds.toFixed(0)} s; a client …`];
  for (const [name, count] of kinds) lines.push(`${String(count).padStart(10)}  ${name}`);
  if (samples.length >= 8) {
    const { heldBytes, rssBytes } = growthOf(samples);
    lines.push('', `from the second quarter to the last: held ${signed(heldBytes)} MB, RSS ${signed(rssBytes)} MB`);
  }
  for (const problem of problems) lines.push(`problem: ${problem}`);
  for (const fault of faults) lines.push(`FAULT: ${fault}`);
  lines.push('', faults.length === 0 ? 'verdict: flat, and nothing is left open' : 'verdict: NOT flat, see above');
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
    if (wishes.samples < 8) return '--samples is at least 8';
    if (wishes.concurrency < 1) return '--concurrency is at least 1';
    if (wishes.connections < wishes.samples) return '--connections are at least as many as --samples';
    return { ...wishes, isJson: values.json === true };
  } catch (error) {
    return (error as Error).message;
  }
}

process.exitCode = await main();
