import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { systemClock } from '#io/clock.ts';
import { silentLog } from '#io/log.ts';
import type { Change } from '#model/change.ts';
import type { Documents, Entry } from '#model/documents.ts';
import { sealTransaction } from './chain.ts';
import { openJournal } from './journal.ts';
import { bridgeToFollowers } from './rebuild.ts';
import { openSqliteStore } from './sqlite-store.ts';
import { admitAll } from './test-guard.ts';
import { testIdentity } from './test-identity.ts';

const cause = { principal: 'operator', channel: 'restore', action: 'RecoverFromNodes', requestId: 'r' } as const;
const listener = (port: number): Documents['listener'] => ({
  loadBalancerId: 'lb',
  protocol: 'HTTP',
  port,
  createdAtMs: 0,
  tags: [],
});
const change = (id: string, port: number): Change => ({ kind: 'listener', id, before: 0, after: listener(port) });
const entry = (id: string, revision: number, port: number): Entry => ({
  kind: 'listener',
  id,
  revision,
  document: listener(port),
});
const follower = (revision: number, entries: readonly Entry[], storeId = testIdentity.storeId) => ({
  revision,
  entries,
  position: { storeId, revision, hash: 'a'.repeat(64) },
});

/** A store at revision 1 with the listeners a and b. */
function storeAt(context: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'ballast-rebuild-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'journal.db');
  const store = openSqliteStore(path, testIdentity);
  const { hash: previousHash } = store.head();
  const key = { principalId: '0/admin', sealedSecret: 'sealed', createdAtMs: 0 };
  const changes: Change[] = [
    change('a', 80),
    change('b', 81),
    { kind: 'access-key', id: 'KEY', before: 0, after: key },
  ];
  store.append([sealTransaction({ revision: 1, timeMs: 7, cause, harmed: 0, changes, previousHash })]);
  return { path, store };
}

test('rebuild: a store goes past its followers with the latest of both, its chain whole and every lost number kept', async (context) => {
  const { path, store } = storeAt(context);
  const last = 2_345;
  const followers = [
    follower(last, [entry('a', 1, 80), entry('c', 900, 82), entry('d', 2_000, 81), entry('removed-before', 1, 99)]),
    follower(1_000, [entry('a', 990, 8080)]),
    follower(1, [entry('old', 1, 1)]),
    follower(9_999, [entry('foreign', 9_000, 2)], 'store-2'),
  ];
  const bridged = await bridgeToFollowers(store, { followers, cause, nowMs: 5 });
  assert.deepEqual(bridged?.lost, { from: 2, to: last });
  assert.deepEqual(bridged?.learned.map(({ id }) => id).sort(), ['a', 'c', 'd']);
  assert.deepEqual(
    bridged?.displaced.map(({ id }) => id),
    ['b'],
  );
  store.close();

  const again = openSqliteStore(path, testIdentity);
  const journal = openJournal({ store: again, guard: admitAll, clock: systemClock, log: silentLog });
  context.after(() => journal.close());
  assert.equal(journal.head.revision, last + 1);
  let expected = 1;
  for (const { revision, timeMs } of journal.transactionsFrom(1)) {
    assert.equal(revision, expected);
    assert.equal(timeMs, 7, 'time does not go back');
    expected += 1;
  }
  const lost = [1, 2, 1_500, last, last + 1].map((revision) => journal.isLost(revision));
  assert.deepEqual(lost, [false, true, true, true, false]);
  const held = [...journal.view.all('listener')].map(({ id, revision, document }) => [id, revision, document.port]);
  assert.deepEqual(held.sort(), [
    ['a', last + 1, 8080],
    ['c', last + 1, 82],
    ['d', last + 1, 81],
  ]);
  assert.equal(journal.view.revisionOf('access-key', 'KEY'), 1, 'what goes to no follower stays as it is');
  const history = await journal.history();
  assert.match(history.header(1_500)!.cause.reason!, /what it changed is lost; .* in revision 2346/);
  assert.deepEqual(
    [...history.changesOf(last + 1)].map(({ id, before, after }) => [id, before, after === null]).sort(),
    [
      ['a', 1, false],
      ['b', 1, true],
      ['c', 0, false],
      ['d', 0, false],
    ],
  );
});

test('rebuild: without a follower that is ahead nothing is written', async (context) => {
  const { store } = storeAt(context);
  const followers = [follower(1, [entry('a', 1, 80)]), follower(5, [entry('x', 5, 1)], 'store-2')];
  assert.equal(await bridgeToFollowers(store, { followers, cause, nowMs: 5 }), undefined);
  assert.equal(store.head().revision, 1);
  store.close();
});
