import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { accept } from '#base/result.ts';
import { silentLog } from '#io/log.ts';
import { type Change, put, remove } from '#model/change.ts';
import type { PlacementDocument } from '#model/documents.ts';
import type { View } from '#model/view.ts';
import { isoTime } from './history.ts';
import { type Journal, openJournal } from './journal.ts';
import { indexPathOf } from './sqlite-schema.ts';
import { openSqliteStore } from './sqlite-store.ts';
import { admitAll } from './test-guard.ts';
import { testIdentity } from './test-identity.ts';

/** A journal in a folder of its own; its clock shows what the test sets. */
class Region {
  readonly path: string;
  nowMs = 1_000;
  journal: Journal;

  constructor(context: TestContext, origin = testIdentity.origin) {
    const folder = mkdtempSync(join(tmpdir(), 'ballast-history-'));
    this.path = join(folder, 'journal.db');
    this.journal = this.#open(origin);
    context.after(async () => {
      await this.journal.close();
      rmSync(folder, { recursive: true, force: true });
    });
  }

  async reopen(): Promise<void> {
    await this.journal.close();
    this.journal = this.#open(testIdentity.origin);
  }

  async change(decide: (view: View) => readonly Change[]): Promise<void> {
    const cause = { principal: '0/admin', channel: 'api', action: 'Test', requestId: '' } as const;
    const result = await this.journal.transact(cause, (view) => accept({ changes: decide(view), output: 0 }));
    assert(result.ok);
  }

  #open(origin: typeof testIdentity.origin): Journal {
    const store = openSqliteStore(this.path, { ...testIdentity, origin });
    const clock = { wallMs: () => this.nowMs, monotonicMs: () => performance.now() };
    return openJournal({ store, guard: admitAll, clock, log: silentLog });
  }
}

const node = (zone: string) => ({ zone, prefix: '127.80.0.0/16' });

function placement(address: string, loadBalancerId = 'lb'): PlacementDocument {
  return { loadBalancerId, nodeId: 'n', zone: 'a', address, state: { kind: 'pending' } };
}

test('history: a time means the last revision that is not after it', async (context) => {
  const region = new Region(context);
  for (const nowMs of [1_000, 1_000, 2_000, 1_500, 3_000]) {
    region.nowMs = nowMs;
    await region.change((view) => [put(view, 'node', 'a', node(`${nowMs}`))]);
  }
  const history = await region.journal.history();
  const at = (timeMs: number) => history.revisionAt({ kind: 'time', timeMs });
  assert.deepEqual(
    [1_000, 1_999, 2_000, 2_999, 3_000, 9_999].map(
      (timeMs) => at(timeMs).ok && (at(timeMs) as { value: number }).value,
    ),
    [2, 2, 4, 4, 5, 5],
  );
  assert.equal(history.header(4)!.timeMs, 2_000, 'a clock that was stepped back takes no time back');
});

test('history: an unknown revision, and a time before the first, are refused with what is known', async (context) => {
  const region = new Region(context);
  const empty = (await region.journal.history()).revisionAt({ kind: 'time', timeMs: 5 });
  assert.match(empty.ok ? '' : empty.fault, /before the first revision: nothing has happened yet/);
  await region.change((view) => [put(view, 'node', 'a', node('a'))]);
  const history = await region.journal.history();
  assert.deepEqual(history.revisionAt({ kind: 'revision', revision: 2 }), {
    ok: false,
    fault: 'there is no revision 2: the last is 1',
  });
  const before = history.revisionAt({ kind: 'time', timeMs: 999 });
  assert.equal(
    before.ok ? '' : before.fault,
    `${isoTime(999)} is before the first revision: it begins at ${isoTime(1_000)}`,
  );
  assert.deepEqual(history.revisionAt({ kind: 'revision', revision: 0 }), { ok: true, value: 0 });
});

test('history: a store with an origin begins there, and says that it knows nothing before', async (context) => {
  const region = new Region(context, { revision: 41, hash: 'a'.repeat(64) });
  assert.equal(region.journal.head.revision, 41);
  await region.change((view) => [put(view, 'node', 'a', node('a'))]);
  const history = await region.journal.history();
  assert.deepEqual([history.origin, history.head.revision], [41, 42]);
  assert.equal(history.header(42)!.previousHash, 'a'.repeat(64));
  const unknown = history.revisionAt({ kind: 'revision', revision: 40 });
  assert.match(unknown.ok ? '' : unknown.fault, /no revision 40.*before revision 41 is not known/);
  assert.equal(history.viewAt(41).count('node'), 0);
  await region.reopen();
  assert.deepEqual(
    [...region.journal.transactionsFrom(1)].map(({ revision }) => revision),
    [42],
  );
});

test('history: every version of a document is there, deleted and made again, with what it replaced', async (context) => {
  const region = new Region(context);
  await region.change((view) => [put(view, 'node', 'a', node('1')), put(view, 'node', 'b', node('b'))]);
  await region.change((view) => [put(view, 'node', 'a', node('2'))]);
  await region.change((view) => [remove(view, 'node', 'a')]);
  await region.change((view) => [put(view, 'node', 'a', node('4'))]);
  for (const opened of ['as it was written', 'from the disk']) {
    const history = await region.journal.history();
    assert.deepEqual(
      [...history.versionsOf('node', 'a')].map(({ revision, before, document }) => [revision, before, document?.zone]),
      [
        [4, 0, '4'],
        [3, 2, undefined],
        [2, 1, '2'],
        [1, 0, '1'],
      ],
      opened,
    );
    const zoneAt = (revision: number) => history.documentAt('node', 'a', revision)?.document.zone;
    assert.deepEqual([0, 1, 2, 3, 4].map(zoneAt), [undefined, '1', '2', undefined, '4']);
    assert.deepEqual([...history.basesOf(3)], [{ kind: 'node', id: 'a', base: node('2'), theirs: null }]);
    assert.deepEqual([...history.everKept('node')], ['a', 'b']);
    assert.deepEqual([...history.versionsOf('node', 'nobody')], []);
    await region.reopen();
  }
});

test('history: what a large transaction replaced is the same whether it is still at hand or read from the disk', async (context) => {
  const region = new Region(context);
  const ids = Array.from({ length: 2_500 }, (_, index) => `node-${index}`);
  await region.change((view) => ids.map((id) => put(view, 'node', id, node(id))));
  await region.change((view) => ids.map((id) => remove(view, 'node', id)));
  const atHand = [...(await region.journal.history()).basesOf(2)];
  assert.deepEqual(
    atHand.map(({ base }) => base),
    ids.map((id) => node(id)),
  );
  await region.reopen();
  assert.deepEqual([...(await region.journal.history()).basesOf(2)], atHand);
});

test('history: it is given out only once everything that was answered can be found in it', async (context) => {
  const region = new Region(context);
  for (let round = 0; round < 5; round += 1) {
    const id = `node-${round}`;
    const many = Array.from({ length: 7_000 }, (_, index) => `${id}-${index}`);
    await region.change((view) => [...many, id].map((each) => put(view, 'node', each, node(id))));
    const history = await region.journal.history();
    assert.equal(history.documentAt('node', id, round + 1)?.document.zone, id);
  }
  rmSync(indexPathOf(region.path), { force: true });
  await region.reopen();
  assert.equal((await region.journal.history()).documentAt('node', 'node-4', 5)?.document.zone, 'node-4');
});

test('view: who had an address last is known while nobody has it, also from the disk', async (context) => {
  const region = new Region(context);
  await region.change((view) => [put(view, 'placement', 'lb/n', placement('127.0.0.1'))]);
  assert.equal(region.journal.view.formerlyAt('127.0.0.1'), undefined);
  region.nowMs = 2_000;
  await region.change((view) => [remove(view, 'placement', 'lb/n')]);
  for (const opened of ['as it was written', 'from the disk']) {
    const { view } = region.journal;
    assert.deepEqual(view.formerlyAt('127.0.0.1'), { id: 'lb/n', endedAtMs: 2_000 }, opened);
    assert.equal(view.formerlyAt('127.0.0.2'), undefined);
    await region.reopen();
  }
  region.nowMs = 3_000;
  await region.change((view) => [put(view, 'placement', 'other/n', placement('127.0.0.1', 'other'))]);
  assert.equal(region.journal.view.formerlyAt('127.0.0.1'), undefined);
  region.nowMs = 4_000;
  await region.change((view) => [remove(view, 'placement', 'other/n')]);
  await region.reopen();
  assert.deepEqual(region.journal.view.formerlyAt('127.0.0.1'), { id: 'other/n', endedAtMs: 4_000 });
});
