/**
 * Benchmarks, each with one command: Ballast beside the better-known proxies on the same work in the same run, and the
 * journal's memory and the API under as much as they are meant to hold.
 *
 *     npm run bench -- http|history|api [--quick] [--json] [--case NAME]
 */
import { parseArgs } from 'node:util';
import { type ApiResult, apiCases, makeApiState, measureApi } from './api.ts';
import { type HistoryResult, historyCases, measureHistory } from './history.ts';
import { format, type HttpResult, HttpSuite } from './http.ts';
import { httpCases } from './http-cases.ts';
import { Bench, missingPackages } from './machine.ts';

const suites = {
  http: { cases: httpCases, programs: { haproxy: 'haproxy', nginx: 'nginx', wrk: 'wrk', taskset: 'util-linux' } },
  history: { cases: historyCases, programs: { taskset: 'util-linux' } },
  api: { cases: apiCases, programs: { taskset: 'util-linux' } },
} as const;
type Suite = keyof typeof suites;

const usage = `usage: npm run bench -- http|history|api [--quick] [--json] [--case NAME]

  http         beside HAProxy and nginx; cases: ${namesOf('http')}
  history      the journal's memory; cases: ${namesOf('history')}
  api          the AWS API on a large state; cases: ${namesOf('api')}

  --quick      shorter rounds, or a tenth of the size
  --json       results as JSON on standard output
  --case NAME  only this one

example: npm run bench -- http --quick --case keep-alive`;

interface Request {
  readonly suite: Suite;
  /** Undefined: all of the suite. */
  readonly caseName: string | undefined;
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
  const missing = missingPackages(suites[request.suite].programs);
  if (missing.length > 0) {
    console.error(`This needs programs that are not installed:\n\n    sudo apt-get install -y ${missing.join(' ')}`);
    return 1;
  }
  const bench = new Bench();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => void bench.close().finally(() => process.exit(130)));
  }
  try {
    const results = await runners[request.suite](bench, request);
    if (request.isJson) console.log(JSON.stringify(results, null, 2));
    return 0;
  } finally {
    await bench.close();
  }
}

async function runHttp(bench: Bench, request: Request): Promise<HttpResult[]> {
  const suite = await HttpSuite.prepare(bench, say);
  const extent = request.isQuick ? { rounds: 3, seconds: 1 } : { rounds: 9, seconds: 2 };
  const results: HttpResult[] = [];
  for (const each of wanted(httpCases, request)) {
    // Memory hardly varies, and takes longer.
    const result = await suite.measure(each, each.work.kind === 'idle' ? { ...extent, rounds: 3 } : extent);
    results.push(result);
    if (!request.isJson) console.log(httpTable(result));
  }
  return results;
}

async function runHistory(bench: Bench, request: Request): Promise<HistoryResult[]> {
  const results: HistoryResult[] = [];
  for (const each of wanted(historyCases, request)) {
    say(`${each.name}: this takes minutes; --quick a tenth of them`);
    const result = await measureHistory(bench, each, request.isQuick);
    results.push(result);
    if (!request.isJson) console.log(figuresTable(result));
  }
  return results;
}

async function runApi(bench: Bench, request: Request): Promise<ApiResult[]> {
  say('the store is made: this takes minutes; --quick a tenth of them');
  const state = await makeApiState(bench, request.isQuick);
  const results: ApiResult[] = [];
  for (const each of wanted(apiCases, request)) {
    const result = await measureApi(state, each);
    results.push(result);
    if (!request.isJson) console.log(figuresTable(result));
  }
  return results;
}

const runners = { http: runHttp, history: runHistory, api: runApi } as const;

function say(line: string): void {
  console.error(line);
}

function wanted<Case extends { readonly name: string }>(cases: readonly Case[], { caseName }: Request): Case[] {
  return cases.filter(({ name }) => caseName === undefined || name === caseName);
}

function namesOf(suite: Suite): string {
  return suites[suite].cases.map(({ name }) => name).join(', ');
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
    const [suite = '', ...rest] = positionals;
    if (!Object.hasOwn(suites, suite) || rest.length > 0) {
      return `found '${positionals.join(' ')}'; there is ${Object.keys(suites).join(', ')}`;
    }
    const known: readonly { readonly name: string }[] = suites[suite as Suite].cases;
    const caseName = values.case;
    if (caseName !== undefined && !known.some(({ name }) => name === caseName)) {
      return `there is no case '${caseName}' in ${suite}; there is ${namesOf(suite as Suite)}`;
    }
    return { suite: suite as Suite, caseName, isQuick: values.quick === true, isJson: values.json === true };
  } catch (error) {
    return (error as Error).message;
  }
}

function httpTable({ name, what, unit, rounds, proxies, aims }: HttpResult): string {
  const isLoad = proxies[0]!.perSecond !== undefined;
  const hasFailures = proxies.some(({ failures = 0 }) => failures > 0);
  const times = (milliseconds: number | undefined) => milliseconds?.toFixed(2) ?? '';
  const lines = [
    ['', unit, 'Ballast over it', ...(isLoad ? ['a second', 'p50 ms', 'p99 ms', 'p99.9 ms'] : [])],
    ...proxies.map((each) => [
      each.name,
      format(each.cost),
      each.ballastOverIt.toFixed(2),
      ...(isLoad ? [each.perSecond!.toFixed(0), times(each.p50Ms), times(each.p99Ms), times(each.p999Ms)] : []),
    ]),
  ];
  const withFailures = lines.map((line, index) => [
    ...line,
    ...(hasFailures ? [index === 0 ? 'failed' : String(proxies[index - 1]!.failures)] : []),
  ]);
  const title = `${name}: ${what}; medians of ${rounds} rounds`;
  const reached = aims.map(({ what: aim, isReached }) => `${aim}${isReached ? '' : ', missed'}`);
  return ['', emphasized(title), '', ...columns(withFailures), '', ...reached].join('\n');
}

function figuresTable(result: HistoryResult | ApiResult): string {
  const lines = result.figures.map(({ name, value, unit }) => [name, `${format(value)} ${unit}`.trim()]);
  return ['', emphasized(`${result.case}: ${result.what}`), '', ...columns(lines)].join('\n');
}

/** The first column to the left, all others to the right. */
function columns(lines: readonly (readonly string[])[]): string[] {
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines.map((line) =>
    line.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]! + 3))).join(''),
  );
}

function emphasized(text: string): string {
  const isPlain = !process.stdout.isTTY || (process.env.NO_COLOR ?? '') !== '';
  return isPlain ? text : `\x1b[1m${text}\x1b[22m`;
}

process.exitCode = await main();
