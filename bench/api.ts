/**
 * The AWS API at the size that it is meant for: 10,000 load balancers and a million targets, asked by clients that sign
 * every request, over connections that stay open. The control plane has the first processor to itself.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { paths } from '#daemon/paths.ts';
import { ControlPlane } from './api-control-plane.ts';
import type { LoadResult, LoadTask } from './api-load.ts';
import type { Figure } from './history-work.ts';
import { type Bench, cpuMicroseconds, median } from './machine.ts';

export interface ApiCase {
  readonly name: string;
  readonly what: string;
  readonly measure: (state: ApiState) => Promise<readonly Figure[]>;
}

export interface ApiResult {
  readonly case: string;
  readonly what: string;
  readonly figures: readonly Figure[];
}

/** The store that is measured, and how much of it. */
export interface ApiState {
  readonly bench: Bench;
  readonly isQuick: boolean;
  readonly data: string;
  readonly loadBalancers: number;
  readonly targets: number;
}

const targetsOfEach = 100;
const connections = 16;
const writesPerSecond = 200;

export const apiCases: readonly ApiCase[] = [
  { name: 'start', what: 'from the start of the process until it answers; medians of 3', measure: start },
  {
    name: 'memory',
    what: 'the heap after a full collection, less that of the same store without targets',
    measure: memory,
  },
  {
    name: 'describe',
    what: 'DescribeTargetHealth of random groups of 100 targets, 100 calls a second; medians of the rounds',
    measure: describe,
  },
  {
    name: 'register',
    what: `RegisterTargets of 100 new targets in random groups over ${connections} connections; medians of the rounds`,
    measure: register,
  },
];

/** Makes the store. It takes a minute. */
export async function makeApiState(bench: Bench, isQuick: boolean): Promise<ApiState> {
  const loadBalancers = isQuick ? 1_000 : 10_000;
  const data = await makeStore(bench, 'api', loadBalancers, targetsOfEach);
  // The first start makes the credentials and the vault.
  const controlPlane = await ControlPlane.start(bench, data);
  await controlPlane.settled();
  await controlPlane.stop();
  return { bench, isQuick, data, loadBalancers, targets: loadBalancers * targetsOfEach };
}

export async function measureApi(state: ApiState, { name, what, measure }: ApiCase): Promise<ApiResult> {
  return { case: name, what, figures: await measure(state) };
}

async function start({ bench, data, targets }: ApiState): Promise<Figure[]> {
  const seconds: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const controlPlane = await ControlPlane.start(bench, data);
    seconds.push(controlPlane.startSeconds);
    await controlPlane.stop();
  }
  return [
    { name: 'targets', value: targets, unit: '' },
    { name: 'start', value: median(seconds), unit: 's' },
  ];
}

async function memory({ bench, data, loadBalancers, targets }: ApiState): Promise<Figure[]> {
  const withoutTargets = await heapOf(bench, await makeStore(bench, 'api-without-targets', loadBalancers, 0));
  const withTargets = await heapOf(bench, data);
  return [
    { name: 'without targets', value: withoutTargets / 1e6, unit: 'MB' },
    { name: 'with them', value: withTargets / 1e6, unit: 'MB' },
    { name: 'heap, of each target', value: (withTargets - withoutTargets) / targets, unit: 'bytes' },
  ];
}

async function describe(state: ApiState): Promise<Figure[]> {
  const { bench, data, isQuick } = state;
  const controlPlane = await ControlPlane.start(bench, data);
  await controlPlane.settled();
  const load = { calls: isQuick ? 300 : 1_000, rounds: isQuick ? 3 : 5 };
  const figures: Figure[] = [];
  for (const writes of [0, writesPerSecond]) {
    const { p50Ms, p99Ms, slowestMs } = await run(state, controlPlane, load.rounds, {
      kind: 'describe',
      calls: load.calls,
      writesPerSecond: writes,
    });
    const when = writes === 0 ? 'while nothing else goes on' : `with ${writes} RegisterTargets of 100 a second beside`;
    figures.push(
      { name: `${when}, p50`, value: p50Ms, unit: 'ms' },
      { name: 'the same, p99', value: p99Ms, unit: 'ms' },
      { name: 'the same, slowest', value: slowestMs, unit: 'ms' },
    );
  }
  await controlPlane.stop();
  return figures;
}

async function register(state: ApiState): Promise<Figure[]> {
  const { bench, data, isQuick } = state;
  const load = { calls: isQuick ? 500 : 2_000, rounds: isQuick ? 3 : 5 };
  const controlPlane = await ControlPlane.start(bench, data);
  await controlPlane.settled();
  const startMicroseconds = cpuMicroseconds(controlPlane.pid);
  const result = await run(state, controlPlane, load.rounds, { kind: 'register', calls: load.calls, connections });
  await controlPlane.settled();
  const allMicroseconds = cpuMicroseconds(controlPlane.pid) - startMicroseconds;
  await controlPlane.stop();
  const perThousand = allMicroseconds / 1e6 / ((load.calls * load.rounds) / 1_000);
  return [
    { name: 'answered', value: result.callsPerSecond, unit: '/s' },
    { name: 'CPU of 1,000 calls, until they were answered', value: result.cpuSecondsPerThousand, unit: 's' },
    { name: 'the same with all that follows (index, vault)', value: perThousand, unit: 's' },
    { name: 'time of an answer, p50', value: result.p50Ms, unit: 'ms' },
    { name: 'the same, p99', value: result.p99Ms, unit: 'ms' },
  ];
}

async function run(
  { bench, loadBalancers }: ApiState,
  { apiPort, pid, credentials }: ControlPlane,
  rounds: number,
  work: LoadTask['work'],
): Promise<LoadResult> {
  const task: LoadTask = { apiPort, pid, credentials, loadBalancers, rounds, work };
  const script = join(import.meta.dirname, 'api-load.ts');
  return JSON.parse(await bench.run(1, [process.execPath, script, JSON.stringify(task)])) as LoadResult;
}

async function heapOf(bench: Bench, data: string): Promise<number> {
  const controlPlane = await ControlPlane.start(bench, data);
  await controlPlane.settled();
  const bytes = await controlPlane.heapBytes();
  await controlPlane.stop();
  return bytes;
}

async function makeStore(bench: Bench, name: string, loadBalancers: number, targets: number): Promise<string> {
  const data = join(bench.folder, name);
  mkdirSync(data);
  const script = join(import.meta.dirname, 'api-store.ts');
  const command = [process.execPath, '--max-old-space-size=8192', script, paths.journal(data)];
  await bench.run(0, [...command, `${loadBalancers}`, `${targets}`]);
  return data;
}
