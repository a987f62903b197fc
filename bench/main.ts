/**
 * Benchmarks: Ballast beside the better-known proxies on the same work, in the same run, on this machine.
 *
 *     npm run bench -- http [--quick] [--json] [--case NAME]
 */
import { parseArgs } from 'node:util';
import type { HttpCase, HttpResult } from './http.ts';
import { format, httpCases, measure, startContenders, unitOf } from './http.ts';
import { Bench, missingPackages } from './machine.ts';

const usage = `usage: npm run bench -- http [--quick] [--json] [--case NAME]

  --quick      3 rounds of 1 s instead of 9 rounds of 2 s
  --json       results as JSON on standard output
  --case NAME  one of: ${httpCases.map(({ name }) => name).join(', ')}

example: npm run bench -- http --quick --case keep-alive`;

const programs = { haproxy: 'haproxy', nginx: 'nginx', wrk: 'wrk', taskset: 'util-linux' };

interface Request {
  readonly cases: readonly HttpCase[];
  readonly isQuick: boolean;
  readonly isJson: boolean;
}

async function main(): Promise<number> {
  const request = readArguments();
  if (request === 'help') {
    console.log(usage);
    return 0;
  }
  if (typeof request === 'string') {
    console.error(`bench: ${request}\n\n${usage}`);
    return 2;
  }
  const missing = missingPackages(programs);
  if (missing.length > 0) {
    console.error(`This needs programs that are not installed:\n\n    sudo apt-get install -y ${missing.join(' ')}`);
    return 1;
  }
  const bench = new Bench();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => void bench.close().finally(() => process.exit(130)));
  }
  try {
    const say = (line: string) => console.error(line);
    const contenders = await startContenders(bench, say);
    const extent = request.isQuick ? { rounds: 3, seconds: 1 } : { rounds: 9, seconds: 2 };
    const results: HttpResult[] = [];
    for (const each of request.cases) {
      const result = await measure(bench, contenders, each, extent, say);
      results.push(result);
      if (!request.isJson) console.log(table(each, result));
    }
    if (request.isJson) console.log(JSON.stringify(results, null, 2));
    return 0;
  } finally {
    await bench.close();
  }
}

/** What to measure, or what is wrong with the arguments. */
function readArguments(): Request | 'help' | string {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        help: { type: 'boolean' },
        quick: { type: 'boolean' },
        json: { type: 'boolean' },
        case: { type: 'string' },
      },
    });
    if (values.help) return 'help';
    if (positionals.length !== 1 || positionals[0] !== 'http')
      return `found '${positionals.join(' ')}'; there is 'http'`;
    const cases = httpCases.filter(({ name }) => values.case === undefined || name === values.case);
    if (cases.length === 0) return `there is no case '${values.case}'`;
    return { cases, isQuick: values.quick === true, isJson: values.json === true };
  } catch (error) {
    return (error as Error).message;
  }
}

function table(httpCase: HttpCase, result: HttpResult): string {
  const lines = [
    ['', unitOf(httpCase.unit), 'over HAProxy', 'requests/s', 'p99 ms'],
    ...result.contenders.map(({ name, cost, ratio, perSecond, p99Ms }) => [
      name,
      format(cost),
      ratio.toFixed(2),
      perSecond.toFixed(0),
      p99Ms.toFixed(2),
    ]),
  ];
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  const text = lines.map((line) =>
    line.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]! + 3))).join(''),
  );
  const title = `${httpCase.name}: ${httpCase.what}; medians of ${result.rounds} rounds`;
  return ['', emphasized(title), '', ...text].join('\n');
}

function emphasized(text: string): string {
  const isPlain = !process.stdout.isTTY || (process.env.NO_COLOR ?? '') !== '';
  return isPlain ? text : `\x1b[1m${text}\x1b[22m`;
}

process.exitCode = await main();
