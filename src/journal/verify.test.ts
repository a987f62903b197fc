import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import test, { type TestContext } from 'node:test';
import { accept } from '#base/result.ts';
import { systemClock } from '#io/clock.ts';
import { silentLog } from '#io/log.ts';
import { sleep } from '#io/timers.ts';
import { type Change, put, remove } from '#model/change.ts';
import type { Kind } from '#model/documents.ts';
import { sampleLoadBalancer, sampleTargetGroup } from '#model/test-documents.ts';
import type { View } from '#model/view.ts';
import { type Journal, openJournal } from './journal.ts';
import { indexPathOf } from './sqlite-schema.ts';
import { openSqliteStore } from './sqlite-store.ts';
import { admitAll } from './test-guard.ts';
import { testIdentity } from './test-identity.ts';
import { type Verified, type VerifyOptions, verifyStore } from './verify.ts';
import { verifyInBackground } from './verify-background.ts';
import { sayBreak } from './verify-break.ts';

type Memory = ReturnType<NonNullable<VerifyOptions['memory']>>;

const cause = { principal: '0/admin', channel: 'api', action: 'Test', requestId: '' } as const;
const node = (zone: string) => ({ zone, prefix: '127.80.0.0/16' });

function open(path: string): Journal {
  const store = openSqliteStore(path, testIdentity);
  return openJournal({ store, guard: admitAll, clock: systemClock, log: silentLog });
}

async function change(journal: Journal, decide: (view: View) => readonly Change[]): Promise<void> {
  const result = await journal.transact(cause, (view) => accept({ changes: decide(view), output: 0 }));
  assert(result.ok);
}

function folderOf(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'ballast-verify-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A closed store with a few of everything: several parts, a tombstone, versions, what is found by a table. */
async function writtenStore(context: TestContext): Promise<string> {
  const path = join(folderOf(context), 'journal.db');
  const journal = open(path);
  await change(journal, (view) => [put(view, 'load-balancer', 'lb', sampleLoadBalancer)]);
  await change(journal, (view) => [put(view, 'target-group', 'tg', sampleTargetGroup)]);
  await change(journal, (view) => Array.from({ length: 120 }, (_, index) => put(view, 'node', `n${index}`, node('a'))));
  await change(journal, (view) => [put(view, 'node', 'n1', node('b')), remove(view, 'node', 'n2')]);
  await change(journal, (view) => [put(view, 'load-balancer', 'lb', { ...sampleLoadBalancer, name: 'shop' })]);
  await journal.history();
  await journal.close();
  return path;
}

function verified(options: VerifyOptions): Verified {
  const pass = verifyStore(options);
  while (true) {
    const step = pass.next();
    if (step.done === true) return step.value;
  }
}

/** A copy of the store in which another program has changed something. */
function damagedCopy(path: string, file: 'log' | 'index', damage: (database: DatabaseSync) => void): string {
  const copy = join(path, '..', 'copy.db');
  copyFileSync(path, copy);
  copyFileSync(indexPathOf(path), indexPathOf(copy));
  const database = new DatabaseSync(file === 'log' ? copy : indexPathOf(copy));
  const triggers = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").all();
  for (const { name } of triggers) database.exec(`DROP TRIGGER ${name}`);
  damage(database);
  database.close();
  return copy;
}

test('verify: a whole store is whole, from its beginning and from any revision', async (context) => {
  const path = await writtenStore(context);
  const whole = { from: 1, through: 5, changes: 125, broken: undefined };
  assert.deepEqual(verified({ path }), whole);
  for (const [from, changes] of [
    [2, 124],
    [4, 3],
    [5, 1],
    [6, 0],
  ] as const) {
    assert.deepEqual(verified({ path, from }), { ...whole, from, changes });
  }
  rmSync(indexPathOf(path));
  assert.deepEqual(verified({ path }), whole);
});

test('verify: a change of any column of any row is found, in the log or in the index', async (context) => {
  const path = await writtenStore(context);
  // Written once and covered by nothing: the chain begins behind them.
  const uncovered = new Set(['identity.environment', 'identity.region', 'identity.created_at_ms', 'progress.only']);
  let planted = 0;
  for (const file of ['log', 'index'] as const) {
    const reader = new DatabaseSync(file === 'log' ? path : indexPathOf(path), { readOnly: true });
    const tables = reader.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all() as { name: string }[];
    for (const { name: table } of tables) {
      const rows = reader.prepare(`SELECT * FROM ${table}`).all();
      // Nothing is folded here; where it is, the tests of retention plant damage.
      if (table === 'fold') continue;
      const columns = Object.keys(rows[0]!);
      for (const row of [...rows.slice(0, 6), ...rows.slice(-2)]) {
        const where = columns.map((column) => `${column} = ?`).join(' AND ');
        for (const column of columns.filter((each) => !uncovered.has(`${table}.${each}`) && each !== 'only')) {
          const value = row[column]!;
          // Far enough for a key not to meet another row's.
          const other = typeof value === 'string' ? `${value.slice(0, -1)}~` : Number(value) + 1_000;
          const values = columns.map((each) => row[each]!);
          const copy = damagedCopy(path, file, (database) => {
            const { changes } = database
              .prepare(`UPDATE ${table} SET ${column} = ? WHERE ${where}`)
              .run(other, ...values);
            assert.equal(changes, 1);
          });
          const { broken } = verified({ path: copy });
          assert(broken, `${table}.${column} of ${JSON.stringify(row)} as ${other}`);
          if (table !== 'identity') assert.equal(broken.where, file, `${table}.${column}: ${broken.what}`);
          planted += 1;
        }
      }
    }
    reader.close();
  }
  assert(planted > 150);
});

test('verify: a row that is gone is found in every table', async (context) => {
  const path = await writtenStore(context);
  const tables = {
    log: ['identity', 'transaction_log', 'part'],
    index: ['key', 'version', 'document', 'ever_found', 'progress'],
  };
  for (const file of ['log', 'index'] as const) {
    for (const table of tables[file]) {
      const reader = new DatabaseSync(file === 'log' ? path : indexPathOf(path), { readOnly: true });
      const first = reader.prepare(`SELECT * FROM ${table} LIMIT 1`).get()!;
      reader.close();
      const where = Object.keys(first)
        .map((column) => `${column} = ?`)
        .join(' AND ');
      const copy = damagedCopy(path, file, (database) => {
        database.prepare(`DELETE FROM ${table} WHERE ${where}`).run(...Object.values(first));
      });
      assert.equal(verified({ path: copy }).broken?.where, file, table);
    }
  }
});

test('verify: names the revision, its time, and whose load balancer it was', async (context) => {
  const path = await writtenStore(context);
  const copy = damagedCopy(path, 'log', (database) => {
    database.exec("UPDATE part SET lines = replace(lines, 'shop', 'shoq') WHERE revision = 5");
  });
  const { broken } = verified({ path: copy });
  assert.equal(broken?.what, 'revision 5 has other changes than were written');
  assert.deepEqual(broken.touched, [{ kind: 'load-balancer', id: 'lb', name: 'shoq', account: '000000000000' }]);
  assert.equal(typeof broken.timeMs, 'number');
  assert.match(sayBreak(broken).join('\n'), /put back a backup/);
});

test('verify: a line that is gone is damage when no fold answers for it', async (context) => {
  const path = await writtenStore(context);
  const copy = damagedCopy(path, 'log', (database) => {
    database.exec('UPDATE part SET lines = char(10) || substr(lines, instr(lines, char(10)) + 1) WHERE number = 4');
  });
  rmSync(indexPathOf(copy));
  assert.match(verified({ path: copy }).broken?.what ?? '', /revision 3 has lost lines, and no fold answers for part/);
});

test('verify: a flipped bit anywhere in the pages of a file is found, or was in no row', async (context) => {
  const path = await writtenStore(context);
  const { readFileSync, writeFileSync } = await import('node:fs');
  const copy = damagedCopy(path, 'log', () => {});
  const bytes = readFileSync(path);
  const rowsOf = (file: string) => {
    const database = new DatabaseSync(file, { readOnly: true });
    try {
      return ['transaction_log', 'part']
        .map((table) => JSON.stringify(database.prepare(`SELECT * FROM ${table}`).all()))
        .join();
    } catch {
      return 'unreadable';
    } finally {
      database.close();
    }
  };
  const before = rowsOf(path);
  for (let at = 4096; at < bytes.length; at += 53) {
    const flipped = Buffer.from(bytes);
    flipped[at]! ^= 1 << (at % 8);
    writeFileSync(copy, flipped);
    const { broken } = verified({ path: copy });
    if (broken === undefined) assert.equal(rowsOf(copy), before, `byte ${at}`);
  }
});

test('verify: in the background, a store that is written meanwhile is whole, and damage is said once', async (context) => {
  const path = await writtenStore(context);
  const journal = open(path);
  const errors: string[] = [];
  const log = { ...silentLog, error: (text: string) => errors.push(text) };
  const verifier = verifyInBackground({
    path,
    memory: () => journal.view,
    clock: systemClock,
    log,
    pace: { everyMs: 1, pauseMs: 1 },
  });
  context.after(async () => {
    verifier.close();
    await journal.close();
  });
  for (let count = 0; verifier.stats.passes < 5; count += 1) {
    await change(journal, (view) => [put(view, 'node', `n${count % 150}`, node(`z${count}`))]);
    await sleep(1);
  }
  assert.deepEqual([verifier.stats.damaged, errors], [false, []]);
  assert(verifier.stats.verifiedRevision >= 5);
  const other = new DatabaseSync(path, { timeout: 5_000 });
  other.exec(
    "DROP TRIGGER part_refuses_update; UPDATE part SET lines = replace(lines, 'shop', 'shoq') WHERE revision = 5",
  );
  other.close();
  const morePasses = async (count: number) => {
    const { passes } = verifier.stats;
    while (verifier.stats.passes < passes + count) await sleep(1);
  };
  // A pass that was under way meanwhile may have met the damage from the other side.
  await morePasses(2);
  assert(verifier.stats.damaged);
  assert.match(errors.at(-1)!, /revision 5 has other changes than were written/);
  const { length } = errors;
  await morePasses(4);
  assert.equal(errors.length, length, 'the same is said once');
});

test('verify: a document in memory that is not the one of the log is found', async (context) => {
  const path = await writtenStore(context);
  const journal = open(path);
  context.after(() => journal.close());
  const { view } = journal;
  const memory = { revision: 5, get: view.get.bind(view), count: view.count.bind(view) } as Memory;
  assert.equal(verified({ path, memory: () => memory }).broken, undefined);
  const get = () => sampleLoadBalancer;
  const wrong = verified({ path, memory: () => ({ ...memory, get }) }).broken;
  assert.deepEqual({ where: wrong?.where, kind: wrong?.touched[0]?.kind }, { where: 'memory', kind: 'load-balancer' });
  const count = (kind: Kind) => view.count(kind) + (kind === 'target-group' ? 1 : 0);
  const more = verified({ path, memory: () => ({ ...memory, count }) }).broken;
  assert.equal(more?.what, 'memory has 2 documents of kind target-group, and the log has 1');
});
