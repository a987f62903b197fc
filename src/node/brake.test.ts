import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { testPlace } from '#guard/test-gate.ts';
import { approvalDocument, TestOperator } from '#guard/test-operators.ts';
import { silentLog } from '#io/log.ts';
import { openReplica, type Replica } from '#journal/replica.ts';
import type { News } from '#link/client.ts';
import type { LinkTransaction } from '#link/frames.ts';
import type { Certificate } from '#model/approval.ts';
import type { Change, Channel } from '#model/change.ts';
import type { Documents, Entry } from '#model/documents.ts';
import { heldReports, ReplicaBrake } from './brake.ts';

const at = (revision: number) => ({ storeId: testPlace.storeId, revision, hash: `${revision}` });
const placement = { loadBalancerId: 'lb', nodeId: 'node-1', zone: 'a', address: '127.80.0.1' } as const;
const serving: readonly Entry[] = [
  { kind: 'load-balancer', id: 'lb', revision: 1, document: { name: 'web', account: '0' } as never },
  {
    kind: 'placement',
    id: 'lb/node-1',
    revision: 1,
    document: { ...placement, state: { kind: 'serving', sinceMs: 0 } },
  },
  {
    kind: 'listener',
    id: 'l',
    revision: 1,
    document: { loadBalancerId: 'lb', protocol: 'HTTP', port: 80, createdAtMs: 0, tags: [] },
  },
];

/** A node's replica that serves one load balancer. */
function replica(context: TestContext): Replica {
  const folder = mkdtempSync(join(tmpdir(), 'ballast-brake-'));
  const opened = openReplica(join(folder, 'last-good.db'), silentLog);
  context.after(() => {
    opened.close();
    rmSync(folder, { recursive: true, force: true });
  });
  opened.apply({ entries: serving, changes: [], position: at(1) });
  files.set(opened, join(folder, 'last-good.db'));
  return opened;
}

const files = new WeakMap<Replica, string>();

/** Takes news at some time, by its own clock. */
class Follower {
  readonly replica: Replica;
  readonly brake: ReplicaBrake;
  nowMs = 0;

  constructor(replica: Replica) {
    this.replica = replica;
    const clock = { wallMs: () => this.nowMs, monotonicMs: () => this.nowMs };
    this.brake = new ReplicaBrake({ ...testPlace, replica, clock, isOff: false });
  }
}

function applyNews(held: Replica, arrived: News) {
  return new Follower(held).brake.take(arrived);
}

const deletion = (channel: Channel, revision: number) => ({
  revision,
  timeMs: 0,
  cause: { principal: 'someone', channel, action: 'Clean', requestId: '' },
  digest: 'd'.repeat(64),
  changes: [{ kind: 'load-balancer', id: 'lb', before: 1, after: null }] as const,
});

test('brake: what the owner deleted goes', (context) => {
  const held = replica(context);
  const result = applyNews(held, { entries: [], transactions: [deletion('api', 2)], position: at(2) });
  assert.deepEqual(result.held, []);
  assert.equal(held.view.get('load-balancer', 'lb'), undefined);
  assert.deepEqual(held.position, at(2));
});

test('brake: a workflow takes away an address only when the owner had it leave', (context) => {
  const held = replica(context);
  const id = 'lb/node-1';
  const news = (channel: Channel, revision: number, change: object) => ({
    entries: [],
    transactions: [{ ...deletion(channel, revision), changes: [{ kind: 'placement', id, ...change } as Change] }],
    position: at(revision),
  });
  const leaving = { ...placement, state: { kind: 'leaving', sinceMs: 1 } };
  assert.equal(applyNews(held, news('workflow', 2, { before: 1, after: null })).held.length, 1);
  assert.equal(applyNews(held, news('workflow', 3, { before: 1, after: leaving })).held.length, 1);
  assert.deepEqual(applyNews(held, news('api', 4, { before: 1, after: leaving })).held, []);
  assert.deepEqual(applyNews(held, news('workflow', 5, { before: 4, after: null })).held, []);
  assert.equal(held.view.get('placement', id), undefined);
});

test('brake: a workflow or a maintenance process that would harm is held back, and the node goes on from there', (context) => {
  const held = replica(context);
  for (const [index, channel] of (['workflow', 'maintenance'] as const).entries()) {
    const revision = 2 + index;
    const result = applyNews(held, {
      entries: [],
      transactions: [deletion(channel, revision)],
      position: at(revision),
    });
    assert.equal(result.held.length, 1);
    assert.match(result.held[0]!.reason, /would stop serving: 0\/web \(deleted\)/);
    assert.deepEqual(result.applied, []);
    assert.notEqual(held.view.get('load-balancer', 'lb'), undefined);
    assert.deepEqual(held.position, at(revision));
  }
});

test('brake: whole documents may bring what is new, and may not put out of service what serves', (context) => {
  const held = replica(context);
  const failed: Entry = {
    kind: 'placement',
    id: 'lb/node-1',
    revision: 9,
    document: { ...placement, state: { kind: 'failed', reason: 'said so' } },
  };
  const fresh: Entry = { kind: 'node', id: 'node-1', revision: 9, document: { zone: 'a', prefix: 'p' } };
  const result = applyNews(held, { entries: [failed, fresh], transactions: [], position: at(9) });
  assert.equal(result.held.length, 1);
  assert.equal(held.view.get('placement', 'lb/node-1')?.state.kind, 'serving');
  assert.deepEqual(held.view.get('node', 'node-1'), { zone: 'a', prefix: 'p' });
});

const count = 30;

/** A follower that serves thirty load balancers. */
function wide(context: TestContext): Follower {
  const follower = new Follower(replica(context));
  const entries = Array.from({ length: count }, (_, index): Entry[] => {
    const id = `b${index}`;
    return [
      { kind: 'load-balancer', id, revision: 1, document: { name: id, account: '0' } as never },
      {
        kind: 'placement',
        id: `${id}/node-1`,
        revision: 1,
        document: { ...placement, loadBalancerId: id, state: { kind: 'serving', sinceMs: 0 } },
      },
      {
        kind: 'listener',
        id: `l${index}`,
        revision: 1,
        document: { loadBalancerId: id, protocol: 'HTTP', port: 80, createdAtMs: 0, tags: [] },
      },
    ];
  }).flat();
  follower.replica.apply({ entries, changes: [], position: at(1) });
  return follower;
}

const goes = (
  numbers: readonly number[],
  revision: number,
  certificates?: readonly Certificate[],
): LinkTransaction => ({
  ...deletion('api', revision),
  cause: { ...deletion('api', revision).cause, ...(certificates && { certificates }) },
  changes: numbers.map((number) => ({ kind: 'load-balancer', id: `b${number}`, before: 1, after: null })),
});
const news = (...transactions: LinkTransaction[]): News => ({
  entries: [],
  transactions,
  position: at(transactions.at(-1)!.revision),
});
const word = (kind: 'operator' | 'approval', id: string, document: Documents[typeof kind], revision: number) =>
  ({ kind, id, revision, document }) as Entry;
const served = ({ replica: { view } }: Follower) => view.count('load-balancer') - 1;

test('brake: more than a tenth of what it serves within ten minutes is held, and kept over a restart of the node', (context) => {
  const follower = wide(context);
  // Three of thirty-one are not more than a tenth; the fourth is.
  for (let number = 0; number < 6; number += 1) follower.brake.take(news(goes([number], 2 + number)));
  assert.equal(served(follower), count - 3);
  assert.deepEqual(
    heldReports(follower.replica).map(({ revision, harmed, principal }) => [revision, harmed, principal]),
    [
      [5, ['b3'], 'someone'],
      [6, ['b4'], 'someone'],
      [7, ['b5'], 'someone'],
    ],
  );
  assert.match(heldReports(follower.replica)[0]!.reason, /the limit 'node' is more than 10 %/);
  assert.deepEqual(follower.replica.position, at(7));
  const again = openReplica(files.get(follower.replica)!, silentLog);
  context.after(() => again.close());
  assert.deepEqual(heldReports(again), heldReports(follower.replica));
  // What it has let through counts on.
  const restarted = new Follower(again);
  restarted.brake.take(news(goes([9], 8)));
  assert.equal(served(restarted), count - 3);
});

test('brake: what owners deleted goes once it is usual again, some at a time, and nothing else does', (context) => {
  const follower = wide(context);
  const transactions = Array.from({ length: 7 }, (_, number) => goes([number], 2 + number));
  for (const each of transactions) follower.brake.take(news(each));
  follower.brake.take(news({ ...goes([9], 9), cause: deletion('maintenance', 9).cause }));
  follower.nowMs = 599_000;
  assert.deepEqual(follower.brake.releasable(), []);
  follower.nowMs = 601_000;
  assert.deepEqual(follower.brake.releasable(), [5, 6, 7, 8]);
  for (const revision of [5, 6, 7, 8]) follower.brake.takeAgain(transactions[revision - 2]!);
  // Of what it serves by now, three are more than a tenth.
  assert.equal(served(follower), count - 5);
  assert.deepEqual(
    heldReports(follower.replica).map(({ revision }) => revision),
    [7, 8, 9],
  );
});

test('brake: an approval that comes along lets through as many as it says, once its signature is checked', (context) => {
  const follower = wide(context);
  const [eve, mallory] = [new TestOperator('eve'), new TestOperator('mallory')];
  follower.brake.take({ entries: [word('operator', 'eve', eve.document, 2)], transactions: [], position: at(2) });
  const covers = { kind: 'digest', digest: 'e'.repeat(64) } as const;
  const worthless = [
    mallory.approve(covers, { approver: 'eve' }),
    eve.approve(covers, { environment: 'staging' }),
    eve.approve(covers, { storeId: 'another' }),
    eve.approve(covers, { notBeforeMs: 1 }),
    eve.approve({ kind: 'scope', principal: 'somebody-else', channel: 'api' }),
  ];
  const many = Array.from({ length: 20 }, (_, number) => number);
  for (const [index, certificate] of worthless.entries()) {
    follower.brake.take(news(goes(many, 3 + index, [certificate])));
    assert.equal(served(follower), count);
  }
  follower.brake.take(news(goes(many, 20, [eve.approve(covers, { loadBalancersMax: 20 })])));
  assert.equal(served(follower), count - 20);
  // It has been used up.
  const again = [eve.approve(covers, { loadBalancersMax: 20 })];
  follower.brake.take(news(goes([21, 22, 23], 21, again)));
  assert.equal(served(follower), count - 20);
  // A restart does not bring it back.
  new Follower(follower.replica).brake.take(news(goes([21, 22, 23], 22, again)));
  assert.equal(served(follower), count - 20);
});

test('brake: an approval that is given later releases what is held', (context) => {
  const follower = wide(context);
  const eve = new TestOperator('eve');
  const held = { ...goes([1, 2, 3, 4, 5], 3), cause: deletion('maintenance', 3).cause };
  follower.brake.take({
    entries: [word('operator', 'eve', eve.document, 2)],
    transactions: [held],
    position: at(3),
  });
  assert.deepEqual(follower.brake.releasable(), []);
  const certificate = eve.approve({ kind: 'digest', digest: held.digest });
  const approval = word('approval', '00000000000000a1', approvalDocument(certificate), 4);
  follower.brake.take({ entries: [approval], transactions: [], position: at(4) });
  assert.deepEqual(follower.brake.releasable(), [3]);
  follower.brake.takeAgain(held);
  assert.equal(served(follower), count - 5);
  assert.deepEqual(heldReports(follower.replica), []);
});
