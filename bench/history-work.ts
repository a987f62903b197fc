/**
 * One benchmark of the journal's memory, as a process of its own so that its time and memory are nobody else's. Prints
 * its figures as one JSON object. Usage: node history-work.ts CASE FOLDER SIZE
 */
import { join } from 'node:path';
import { accept } from '#base/result.ts';
import { revert } from '#control/time-travel/revert.ts';
import { testGuard } from '#guard/test-gate.ts';
import { systemClock } from '#io/clock.ts';
import { silentLog } from '#io/log.ts';
import { beginning } from '#journal/chain.ts';
import { type Journal, openJournal } from '#journal/journal.ts';
import { openSqliteStore } from '#journal/sqlite-store.ts';
import { type Cause, type Change, put, remove } from '#model/change.ts';
import type { Documents } from '#model/documents.ts';
import type { View } from '#model/view.ts';

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

const targetsPerLoadBalancer = 10;
const cause: Cause = { principal: '000000000000/admin', channel: 'api', action: 'Bench', requestId: '' };
const [wanted = '', folder = '', sizeText = ''] = process.argv.slice(2);
const size = Number(sizeText);
const figures: Figure[] = [];

const cases: Readonly<Record<string, () => Promise<void>>> = { revert: revertAll, past };
await cases[wanted]!();
console.log(JSON.stringify(figures));

/** Deletes every load balancer with its targets in one transaction, and takes that back. */
async function revertAll(): Promise<void> {
  let journal = open();
  await change(journal, (view) => [put(view, 'node', 'node-1', { zone: 'a', prefix: '127.80.0.0/12' })]);
  for (let start = 0; start < size; start += 100) {
    await change(journal, (view) => Array.from({ length: 100 }, (_, index) => bundle(view, start + index)).flat());
  }
  await deleteAll(journal);
  await settled(journal);
  await measure('plan and commit, right after the deletion', () => revertLast(journal));
  assertWhole(journal);
  await settled(journal);
  await deleteAll(journal);
  await journal.close();
  journal = await measure('start', async () => open());
  await measure('plan and commit, after a restart', () => revertLast(journal));
  assertWhole(journal);
  await settled(journal);
  await journal.close();
  journal = await measure('start with everything there', async () => open());
  globalThis.gc?.();
  const perDocument = process.memoryUsage().heapUsed / (size * (5 + targetsPerLoadBalancer));
  figures.push({ name: 'heap, of each document', value: perDocument, unit: 'bytes' });
  await journal.close();
}

/** Many changes of registrations among a few load balancers, and looks at random moments of them. */
async function past(): Promise<void> {
  const journal = open();
  const loadBalancers = 1_000;
  const perTransaction = 100;
  await change(journal, (view) => [put(view, 'node', 'node-1', { zone: 'a', prefix: '127.80.0.0/12' })]);
  for (let number = 0; number < loadBalancers; number += 1) await change(journal, (view) => bundle(view, number));
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
    region: 'us-east-1',
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

function open(): Journal {
  const identity = { storeId: 'bench', environment: 'bench', region: 'us-east-1', createdAtMs: 0, origin: beginning };
  const store = openSqliteStore(join(folder, 'journal.db'), identity);
  return openJournal({ store, guard: testGuard({ isOff: true }), clock: systemClock, log: silentLog });
}

async function change(journal: Journal, decide: (view: View) => readonly Change[]): Promise<void> {
  const result = await journal.transact(cause, (view) => accept({ changes: decide(view), output: undefined }));
  if (!result.ok) throw new Error(result.fault.message);
}

async function measure<Value>(name: string, work: () => Promise<Value>): Promise<Value> {
  globalThis.gc?.();
  const startMs = performance.now();
  const value = await work();
  figures.push({ name, value: (performance.now() - startMs) / 1000, unit: 's' });
  return value;
}

function id(letter: string, number: number): string {
  return letter + number.toString(16).padStart(15, '0');
}

/** A load balancer that serves, and everything that belongs to it. */
function bundle(view: View, number: number): Change[] {
  const [loadBalancer, listener, rule, group] = [id('a', number), id('b', number), id('c', number), id('d', number)];
  const address = [10, number >> 16, (number >> 8) & 255, number & 255].join('.');
  const account = '000000000000';
  return [
    put(view, 'load-balancer', loadBalancer, {
      account,
      name: `lb-${number}`,
      type: 'application',
      scheme: 'internet-facing',
      ipAddressType: 'ipv4',
      vpcId: 'vpc-00000001',
      zones: [
        { zone: 'us-east-1a', subnetId: 'subnet-0000000a' },
        { zone: 'us-east-1b', subnetId: 'subnet-0000000b' },
      ],
      securityGroups: [],
      dnsName: `lb-${number}-${loadBalancer}.us-east-1.elb.ballast.internal`,
      createdAtMs: 1,
      attributes: {},
      tags: [{ key: 'team', value: 'video' }],
    }),
    put(view, 'placement', `${loadBalancer}/node-1`, {
      loadBalancerId: loadBalancer,
      nodeId: 'node-1',
      zone: 'a',
      address: address.replace('10.', '127.').replace(/^127\.(\d+)/, (_, second) => `127.${80 + Number(second)}`),
      state: { kind: 'serving', sinceMs: 1 },
    }),
    put(view, 'target-group', group, {
      account,
      name: `tg-${number}`,
      targetType: 'ip',
      protocol: 'HTTP',
      protocolVersion: 'HTTP1',
      ipAddressType: 'ipv4',
      port: 80,
      vpcId: 'vpc-00000001',
      healthCheck: {
        enabled: true,
        protocol: 'HTTP',
        port: 'traffic-port',
        path: '/',
        intervalSeconds: 30,
        timeoutSeconds: 5,
        healthyThresholdCount: 5,
        unhealthyThresholdCount: 2,
        matcher: '200',
      },
      createdAtMs: 1,
      attributes: {},
      tags: [],
    }),
    put(view, 'listener', listener, {
      loadBalancerId: loadBalancer,
      protocol: 'HTTP',
      port: 80,
      createdAtMs: 1,
      tags: [],
    }),
    put(view, 'rule', rule, {
      listenerId: listener,
      priority: 'default',
      conditions: [],
      transforms: [],
      actions: [{ kind: 'forward', groups: [{ targetGroupId: group, weight: 1 }] }],
      tags: [],
    }),
    ...Array.from({ length: targetsPerLoadBalancer }, (_, index) =>
      put(view, 'target', `${group}/${address}:${8_000 + index}`, target(group, address, 8_000 + index, 1)),
    ),
  ];
}

function target(targetGroupId: string, address: string, port: number, sinceMs: number): Documents['target'] {
  return { targetGroupId, address, port, state: { kind: 'registered', sinceMs } };
}
