/**
 * Fuzzing, as a command: damaged inputs for the readers and the whole proxy, for as long as one likes.
 *
 *     npm run fuzz -- [--target NAME]… [--minutes N | --inputs N] [--seed N] [--out DIR] [--json]
 *     npm run fuzz -- --replay FILE
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startProgress } from '#cli/progress.ts';
import { systemClock } from '#io/clock.ts';
import { standardError } from '#io/process.ts';
import { every } from '#io/timers.ts';
import { type FuzzResult, fuzz, replay } from './fuzz.ts';
import { type Finding, type FuzzTarget, formatFinding, readFinding } from './input.ts';
import { fuzzTargets } from './targets.ts';

const namesWidth = Math.max(...fuzzTargets.map(({ name }) => name.length));
const usage = `usage: npm run fuzz -- [--target NAME]... [--minutes N | --inputs N] [--seed N] [--out DIR] [--json]
       npm run fuzz -- --replay FILE

  Feeds the readers of HTTP/1.1, and the proxy as a whole, with damaged inputs in pieces. What finds a fault is made
  smaller and written to a file.

  --target NAME   only this one; may be given several times:
${fuzzTargets.map(({ name, about }) => `                    ${name.padEnd(namesWidth)}  ${about}`).join('\n')}
  --minutes N     how long, fractions allowed; 1 unless said
  --inputs N      how many inputs in all, instead of a time
  --seed N        the same inputs in the same order; a fresh one unless said
  --out DIR       where findings are written; ${join(tmpdir(), 'ballast-fuzz')} unless said
  --json          the result as JSON on standard output
  --replay FILE   feeds the input of a finding once more, and says what is wrong

  Ctrl-C ends it at the next input; what was found stays.

  Exit code: 0 when nothing was found, 1 when something was, 2 when it was called wrongly.

example: npm run fuzz -- --target connection --minutes 30`;

interface Wishes {
  readonly targets: readonly FuzzTarget[];
  readonly minutes: number;
  readonly inputs: number | undefined;
  readonly seed: number;
  readonly out: string;
  readonly isJson: boolean;
  readonly replay: string | undefined;
}

async function main(): Promise<number> {
  const wishes = readArguments();
  if (wishes === 'help') {
    console.log(usage);
    return 0;
  }
  if (typeof wishes === 'string') {
    console.error(`fuzz: ${wishes}\n\n${usage}`);
    return 2;
  }
  return wishes.replay === undefined ? search(wishes) : replayFile(wishes.replay, wishes.isJson);
}

async function search({ targets, minutes, inputs: inputsMax, seed, out, isJson }: Wishes): Promise<number> {
  let isStopped = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (isStopped) process.exit(130);
      isStopped = true;
    });
  }
  const begunMs = performance.now();
  const seconds = () => (performance.now() - begunMs) / 1000;
  const files: string[] = [];
  console.error(`fuzz: ${targets.map(({ name }) => name).join(', ')}; seed ${seed}`);
  const place = { errors: standardError, every, monotonicMs: () => systemClock.monotonicMs() };
  const progress = startProgress(place, 'starting');
  const result = await fuzz({
    targets,
    seed,
    isOver: (inputs) => {
      const found = files.length === 0 ? '' : `, ${files.length} found`;
      const whole =
        inputsMax === undefined
          ? { done: Math.floor(seconds()), total: Math.ceil(minutes * 60), unit: `s, ${inputs} inputs${found}` }
          : { done: inputs, total: inputsMax, unit: `inputs${found}` };
      progress.update(whole);
      return isStopped || whole.done >= whole.total;
    },
    onFinding: (finding) => {
      progress.hide();
      files.push(write(finding, out));
      console.error(describe(finding, files.at(-1)!));
    },
  });
  progress.end();
  if (isJson) console.log(JSON.stringify({ seed, seconds: seconds(), ...result, files }, undefined, 2));
  else console.log(conclusion(result, seconds()));
  return result.findings.length > 0 ? 1 : 0;
}

async function replayFile(path: string, isJson: boolean): Promise<number> {
  const finding = readFinding(path);
  if (typeof finding === 'string') {
    console.error(`fuzz: ${finding}`);
    return 2;
  }
  const target = fuzzTargets.find(({ name }) => name === finding.target);
  if (target === undefined) {
    console.error(`fuzz: '${finding.target}' in ${path} is no target`);
    return 2;
  }
  const verdict = await replay(target, finding.input);
  if (isJson) console.log(JSON.stringify({ ...verdict, target: target.name, input: finding.input }, undefined, 2));
  else if (verdict.fault === undefined) console.log(`${target.name}: nothing is wrong with it any more`);
  else console.log(`${target.name}: ${verdict.fault}\n\n  ${shown(finding)}`);
  return verdict.fault === undefined ? 0 : 1;
}

function write(finding: Finding, folder: string): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${finding.target}-${finding.seed}-${finding.index}.json`);
  writeFileSync(path, formatFinding(finding));
  return path;
}

function describe(finding: Finding, path: string): string {
  const { target, index, fault } = finding;
  return [
    `FOUND by ${target}, input ${index}: ${fault}`,
    `  ${shown(finding)}`,
    `  in ${path}`,
    `  again: npm run fuzz -- --replay ${path}`,
  ].join('\n');
}

function shown({ input }: Finding): string {
  const text = JSON.stringify(input.text);
  return text.length > 400 ? `${text.slice(0, 400)}…` : text;
}

function conclusion({ tallies, findings }: FuzzResult, seconds: number): string {
  const lines = [`${'target'.padEnd(namesWidth)}      inputs    accepted`];
  for (const [name, { inputs, accepted }] of Object.entries(tallies)) {
    const share = inputs === 0 ? 0 : Math.round((accepted / inputs) * 100);
    lines.push(`${name.padEnd(namesWidth)}  ${String(inputs).padStart(10)}  ${`${share} %`.padStart(10)}`);
  }
  lines.push('', `${seconds.toFixed(0)} s: ${findings.length === 0 ? 'nothing found' : `${findings.length} FOUND`}`);
  return lines.join('\n');
}

function readArguments(): Wishes | 'help' | string {
  try {
    const text = { type: 'string' } as const;
    const flag = { type: 'boolean' } as const;
    const { values } = parseArgs({
      options: {
        target: { type: 'string', multiple: true },
        minutes: text,
        inputs: text,
        seed: text,
        out: text,
        json: flag,
        replay: text,
        help: flag,
      },
    });
    if (values.help) return 'help';
    const unknown = values.target?.find((name) => fuzzTargets.every((target) => target.name !== name));
    if (unknown !== undefined) return `'${unknown}' is no target`;
    const minutes = Number(values.minutes ?? 1);
    if (!(minutes > 0 && minutes < Number.POSITIVE_INFINITY)) return '--minutes is a number above 0';
    const inputs = values.inputs === undefined ? undefined : Number(values.inputs);
    if (inputs !== undefined && !(Number.isSafeInteger(inputs) && inputs > 0))
      return '--inputs is a whole number above 0';
    if (inputs !== undefined && values.minutes !== undefined) return '--minutes or --inputs, not both';
    const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
    if (!Number.isSafeInteger(seed) || seed < 0) return '--seed is a whole number';
    return {
      targets: fuzzTargets.filter(({ name }) => values.target === undefined || values.target.includes(name)),
      minutes,
      inputs,
      seed,
      out: values.out ?? join(tmpdir(), 'ballast-fuzz'),
      isJson: values.json === true,
      replay: values.replay,
    };
  } catch (error) {
    return (error as Error).message;
  }
}

process.exitCode = await main();
