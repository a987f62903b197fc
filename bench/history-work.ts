/**
 * One benchmark of the journal's memory, as a process of its own so that its time and memory are nobody else's. Prints
 * its figures as one JSON object. Usage: node history-work.ts CASE FOLDER SIZE
 */
import { join } from 'node:path';
import { revert } from '#control/time-travel/revert.ts';
import { systemClock } from '#io/clock.ts';
import type { Journal } from '#journal/journal.ts';
import { put, remove } from '#model/change.ts';
import type { View } from '#model/view.ts';
import { benchRegion, bundle, change, id, node, openBenchJournal, target } from './state.ts';

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

const targetsPerLoadBalancer = 10;
const [wanted = '', folder = '', sizeText = ''] = process.argv.slice(2);
const size = Number(sizeText);
const path = join(folder, 'journal.db');
const figures: Figure[] = [];

const cases: Readonly<Record<string, () => Promise<void>>> = { revert: revertAll, past };
await cases[wanted]!();
console.log(JSON.stringify(figures));

/** Deletes every load balancer with its targets in one transaction, and takes that back. */
async function revertAll(): Promise<void> {
  let journal = openBenchJournal(path);
  await change(journal, (view) => [node(view)]);
  for (let start = 0; start < size; start += 100) {
    await change(journal, (view) =>
      Array.from({ length: 100 }, (_, index) => bundle(view, start + index, targetsPerLoadBalancer)).flat(),
    );
  }
  await deleteAll(journal);
  await settled(journal);
  await measure('plan and commit, right after the deletion', () => revertLast(journal));
  assertWhole(journal);
  await settled(journal);
  await deleteAll(journal);
  await journal.close();
  journal = await measure('start', async () => openBenchJournal(path));
  await measure('plan and commit, after a restart', () => revertLast(journal));
  assertWhole(journal);
  await settled(journal);
  await journal.close();
  journal = await measure('start with everything there', async () => openBenchJournal(path));
  globalThis.gc?.();
  const perDocument = process.memoryUsage().heapUsed / (size * (5 + targetsPerLoadBalancer));
  figures.push({ name: 'heap, of each document', value: perDocument, unit: 'bytes' });
  await journal.close();
}

/** Many changes of registrations among a few load balancers, and looks at random moments of them. */
async function past(): Promise<void> {
  const journal = openBenchJournal(path);
  const loadBalancers = 1_000;
  const perTransaction = 100;
  await change(journal, (view) => [node(view)]);
  for (let number = 0; number < loadBalancers; number += 1)
    await change(journal, (view) => bundle(view, number, targetsPerLoadBalancer));
  let changesCount = loadBalancers * (5 + targetsPerLoadBalancer);
  for (let turn = 0; changesCount < size; turn += 1) {
    const group = id('d', (turn * 7) % loadBalancers);
    const isRegistered = Math.floor(turn / loadBalancers) % 2 === 1;
    await change(journal, (view) =>
      Array.from({ length: perTransaction }, (_, index) => {
        const port = 9_000 + index;
        const key = `${group}/10.0.0.1:${port}`;
        return isRegistered && view.get('target', key)
          ? remove(view, 'target', key)
          : put(view, 'target', key, target(group, '10.0.0.1', port, turn));
      }),
    );
    changesCount += perTransaction;
  }
  const history = await settled(journal);
  figures.push({ name: 'changes', value: changesCount, unit: '' });
  const timesMs: number[] = [];
  let found = 0;
  for (let look = 0; look < 2_000; look += 1) {
    const number = (look * 7_919) % loadBalancers;
    const revision =
      loadBalancers + 1 + Math.floor(((look * 0.618_034) % 1) * (history.head.revision - loadBalancers - 1));
    const startMs = performance.now();
    found += describe(history.viewAt(revision), number);
    timesMs.push(performance.now() - startMs);
  }
  if (found < timesMs.length * 15) throw new Error('a view of the past lacks something');
  timesMs.sort((a, b) => a - b);
  const at = (share: number) => timesMs[Math.min(timesMs.length - 1, Math.floor(timesMs.length * share))]!;
  figures.push({ name: 'a load balancer with all that belongs to it, p50', value: at(0.5), unit: 'ms' });
  figures.push({ name: 'the same, p99', value: at(0.99), unit: 'ms' });
  figures.push({ name: 'the same, slowest', value: at(1), unit: 'ms' });
  const startMs = performance.now();
  let headers = 0;
  for (const _ of history.headersBackFrom(history.head.revision)) headers += 1;
  figures.push({
    name: 'transactions read backwards',
    value: (headers / (performance.now() - startMs)) * 1000,
    unit: '/s',
  });
  await journal.close();
}

function describe(view: View, number: number): number {
  const loadBalancer = id('a', number);
  let count = view.get('load-balancer', loadBalancer) === undefined ? 0 : 1;
  for (const _ of view.find('placementsOfLoadBalancer', loadBalancer)) count += 1;
  for (const listener of view.find('listenersOfLoadBalancer', loadBalancer)) {
    count += 1;
    for (const _ of view.find('rulesOfListener', listener.id)) count += 1;
  }
  const group = id('d', number);
  count += view.get('target-group', group) === undefined ? 0 : 1;
  for (const _ of view.find('targetsOfTargetGroup', group)) count += 1;
  return count;
}

async function revertLast(journal: Journal): Promise<void> {
  const { revision } = journal.head;
  const travel = {
    journal,
    region: benchRegion,
    holdAddressesMs: 0,
    newRequestId: () => '',
    nowMs: () => systemClock.wallMs(),
  };
  const result = await revert(travel, { from: revision, to: revision });
  if (!result.ok) throw new Error(result.fault.error);
  for (const line of result.value) if (line.type === 'conflict') throw new Error(line.explanation);
}

function assertWhole(journal: Journal): void {
  for (const kind of ['load-balancer', 'placement', 'target-group', 'listener', 'rule'] as const) {
    if (journal.view.count(kind) !== size) throw new Error(`${journal.view.count(kind)} of ${size} ${kind}s are back`);
  }
  if (journal.view.count('target') !== size * targetsPerLoadBalancer) throw new Error('not all targets are back');
}

function deleteAll(journal: Journal): Promise<void> {
  const kinds = ['rule', 'listener', 'placement', 'load-balancer', 'target', 'target-group'] as const;
  return change(journal, (view) =>
    kinds.flatMap((kind) => [...view.all(kind)].map((entry) => remove(view, kind, entry.id))),
  );
}

/** The process runs on one processor: what the index still has to do is not part of what is measured next. */
function settled(journal: Journal) {
  return journal.history();
}

async function measure<Value>(name: string, work: () => Promise<Value>): Promise<Value> {
  globalThis.gc?.();
  const startMs = performance.now();
  const value = await work();
  figures.push({ name, value: (performance.now() - startMs) / 1000, unit: 's' });
  return value;
}
