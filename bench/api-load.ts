/**
 * The clients of the benchmark of the API, as a process of its own. Every request was made and signed by the official
 * client before it is needed, so that what is measured is the control plane and not whoever asks it. Reads its task as
 * JSON from its first argument, and prints what it measured as JSON.
 */
import http from 'node:http';
import { setInterval as every } from 'node:timers/promises';
import {
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
  RegisterTargetsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Credentials } from '#control/keys.ts';
import { cpuMicroseconds, median } from './machine.ts';
import { addressOf, benchRegion, targetGroupArn } from './state.ts';

export interface LoadTask {
  readonly apiPort: number;
  /** The control plane's process. */
  readonly pid: number;
  readonly credentials: Credentials;
  readonly loadBalancers: number;
  readonly rounds: number;
  readonly work: /** As fast as they are answered, over so many connections. */
    | { readonly kind: 'register'; readonly calls: number; readonly connections: number }
    /** One after the other, while so many writes a second go on beside them. */
    | { readonly kind: 'describe'; readonly calls: number; readonly writesPerSecond: number };
}

/** Medians of the rounds. */
export interface LoadResult {
  readonly callsPerSecond: number;
  readonly cpuSecondsPerThousand: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** The slowest of all rounds. */
  readonly slowestMs: number;
}

interface Signed {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface Round {
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** In ascending order. */
  readonly timesMs: readonly number[];
}

const targetsPerCall = 100;
const callsPerSecond = 100;
/** One run must not register again what another has registered. */
const port = { register: 8_001, describe: 8_002 } as const;

const task = JSON.parse(process.argv[2]!) as LoadTask;
const endpoint = `http://127.0.0.1:${task.apiPort}`;
const agent = new http.Agent({ keepAlive: true });
let signed: Signed | undefined;
const client = new ElasticLoadBalancingV2Client({
  endpoint,
  region: benchRegion,
  credentials: task.credentials,
  maxAttempts: 1,
  requestHandler: {
    handle: (request: Signed) => {
      signed = request;
      return Promise.reject(new Error('it is sent later'));
    },
  },
});
let groupsCount = 0;
let targetsCount = 0;

const rounds: Round[] = [];
for (let round = 0; round < task.rounds; round += 1) {
  rounds.push(task.work.kind === 'register' ? await register(task.work) : await describe(task.work));
}
agent.destroy();
const at = (share: number) => median(rounds.map(({ timesMs }) => timesMs[Math.floor((timesMs.length - 1) * share)]!));
const result: LoadResult = {
  callsPerSecond: median(rounds.map(({ timesMs, seconds }) => timesMs.length / seconds)),
  cpuSecondsPerThousand: median(rounds.map(({ timesMs, cpuSeconds }) => (cpuSeconds / timesMs.length) * 1_000)),
  p50Ms: at(0.5),
  p99Ms: at(0.99),
  slowestMs: Math.max(...rounds.map(({ timesMs }) => timesMs.at(-1)!)),
};
console.log(JSON.stringify(result));

async function register({ calls, connections }: { readonly calls: number; readonly connections: number }) {
  const requests = await signAll(calls, registration);
  return measured(async (call) => {
    const connection = async () => {
      for (let next = requests.pop(); next !== undefined; next = requests.pop()) await call(next);
    };
    await Promise.all(Array.from({ length: connections }, connection));
  });
}

async function describe({ calls, writesPerSecond }: { readonly calls: number; readonly writesPerSecond: number }) {
  const questions = await signAll(calls, () => new DescribeTargetHealthCommand({ TargetGroupArn: nextGroup() }));
  const seconds = calls / callsPerSecond;
  const writes = await signAll(Math.ceil(writesPerSecond * seconds), registration);
  const stop = new AbortController();
  const writing = keepWriting(writes, writesPerSecond, stop.signal);
  const round = await measured(async (call) => {
    // At a pace of their own: one that waits for the one before would ask less when answers are slow.
    const asked: Promise<void>[] = [];
    for await (const _ of every(1_000 / callsPerSecond)) {
      const next = questions.pop();
      if (next === undefined) break;
      asked.push(call(next));
    }
    await Promise.all(asked);
  });
  stop.abort();
  await writing;
  return round;
}

async function keepWriting(writes: Signed[], perSecond: number, signal: AbortSignal): Promise<void> {
  if (perSecond === 0) return;
  const sent: Promise<void>[] = [];
  try {
    for await (const _ of every(1_000 / perSecond, undefined, { signal })) {
      const next = writes.pop();
      if (next === undefined) break;
      sent.push(send(next));
    }
  } catch (error) {
    if ((error as Error).name !== 'AbortError') throw error;
  }
  await Promise.all(sent);
}

async function measured(work: (call: (request: Signed) => Promise<void>) => Promise<void>): Promise<Round> {
  const timesMs: number[] = [];
  const startMs = performance.now();
  const startMicroseconds = cpuMicroseconds(task.pid);
  await work(async (request) => {
    const sentMs = performance.now();
    await send(request);
    timesMs.push(performance.now() - sentMs);
  });
  return {
    seconds: (performance.now() - startMs) / 1_000,
    cpuSeconds: (cpuMicroseconds(task.pid) - startMicroseconds) / 1e6,
    timesMs: timesMs.sort((a, b) => a - b),
  };
}

/** New targets for one group. */
function registration(): RegisterTargetsCommand {
  const Targets = Array.from({ length: targetsPerCall }, () => {
    targetsCount += 1;
    return { Id: addressOf('172.16.0.0', targetsCount), Port: port[task.work.kind] };
  });
  return new RegisterTargetsCommand({ TargetGroupArn: nextGroup(), Targets });
}

/** One after the other in an order in which no neighbours follow each other. */
function nextGroup(): string {
  groupsCount += 1;
  return targetGroupArn((groupsCount * 7_919) % task.loadBalancers);
}

async function signAll(
  count: number,
  make: () => RegisterTargetsCommand | DescribeTargetHealthCommand,
): Promise<Signed[]> {
  const requests: Signed[] = [];
  while (requests.length < count) {
    await client.send(make() as RegisterTargetsCommand).catch(() => undefined);
    const { headers, body } = signed!;
    requests.push({ headers, body });
  }
  return requests;
}

/** Resolves when it was answered with 200; rejects with what else was answered. */
function send({ headers, body }: Signed): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = http.request(endpoint, { agent, method: 'POST', headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`answered with ${response.statusCode}: ${Buffer.concat(chunks)}`));
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}
