import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import test from 'node:test';
import { silentLog } from '#io/log.ts';
import { sleep } from '#io/timers.ts';
import { openJournal } from '#journal/journal.ts';
import { openSqliteStore } from '#journal/sqlite-store.ts';
import { StoreFailure } from '#journal/store.ts';
import { admitAll } from '#journal/test-guard.ts';
import { testIdentity } from '#journal/test-identity.ts';
import { listVault, VaultReader } from '#journal/vault-reader.ts';
import { sealedAgain } from '#journal/vault-text.ts';
import { verifyStore } from '#journal/verify.ts';
import { Retention } from './retention.ts';
import { everything, linesIn, linesOf, logText, oldRegion, verified } from './test-retention.ts';
import { revert } from './time-travel/revert.ts';
import { type JournalRegion, refused } from './time-travel/test-journal-region.ts';

test('retention: of each registration the last change of a day stays, and nothing else is touched', async (context) => {
  const { region, retention, path, days, groupArn } = await oldRegion(context);
  const third = days.at(-1)!;
  const text = logText(path, region.revision);
  const head = region.revision;
  const state = region.state();
  const history = await region.journal.history();
  const before = everything(history);
  const ends = () => days.map((revision) => [...history.viewAt(revision).all('target')]);
  const endsBefore = ends();
  assert(endsBefore.every((targets) => targets.length >= 90));

  const [planned, preview] = await linesOf(retention.fold({ olderThanDays: 3, dryRun: true }));
  assert(planned?.type === 'fold');
  const { changes } = planned;
  const entry = { type: 'fold', from: 1, to: third, firstDay: '2026-01-01', lastDay: '2026-01-03', changes };
  assert.deepEqual(planned, { ...entry, state: 'planned' });
  assert.deepEqual(preview, { type: 'result', done: false, revisions: [] });
  assert.deepEqual(logText(path, region.revision), text, 'a preview changes nothing');

  assert.deepEqual(await linesOf(retention.fold({ olderThanDays: 3 })), [
    { ...entry, state: 'planned' },
    { ...entry, state: 'done' },
    { type: 'result', done: true, revisions: [head + 1] },
  ]);
  assert.equal(verified(path).broken, undefined);
  assert.deepEqual(ends(), endsBefore, 'every day ends as it did');
  const { [`fold/${third}`]: fold, ...rest } = region.state();
  assert(fold !== undefined);
  assert.deepEqual(rest, state);
  assert.equal(linesIn(text) - linesIn(logText(path, head)), changes);

  const left = new Map<string, number>();
  for (let revision = 1; revision <= third; revision += 1) {
    for (const { kind, id } of history.changesOf(revision)) {
      if (kind !== 'target') continue;
      const key = `${days.findIndex((last) => revision <= last)} ${id}`;
      left.set(key, (left.get(key) ?? 0) + 1);
    }
  }
  assert(left.size > 300);
  assert(left.values().every((count) => count === 1));
  const after = everything(await region.journal.history());
  const others = (all: Record<string, unknown>) => Object.entries(all).filter(([key]) => !key.startsWith('target/'));
  assert.deepEqual(others(after), others(before));

  // The last is whole, and what it replaced is not; the one before it is empty.
  const revertOf = (revision: number) => refused(revert(region.travel, { from: revision, to: revision }), 409);
  assert.match(await revertOf(third), /what target\/.*10\.1\.0\.1.* was before revision \d+ was folded away/);
  assert.match(await revertOf(third - 1), /1 of the 1 changes of revision \d+ were folded away/);

  // It goes on from there.
  assert.deepEqual(await linesOf(retention.fold({ olderThanDays: 3 })), [
    { type: 'result', done: false, revisions: [] },
  ]);
  await region.register(groupArn, '10.9.9.9');
  assert.equal(verified(path).broken, undefined);
});

test('retention: undone, the log is what it was, byte for byte; the index follows both ways', async (context) => {
  const { region, retention, path, days } = await oldRegion(context);
  const third = days.at(-1)!;
  const head = region.revision;
  const text = logText(path, head);
  const before = everything(await region.journal.history());
  await linesOf(retention.fold({ olderThanDays: 3 }));
  assert.deepEqual(await linesOf(retention.undo({ fold: third, dryRun: true })), [
    { ...[...retention.list()][0] },
    { type: 'result', done: false, revisions: [] },
  ]);
  const undone = await linesOf(retention.undo({ fold: third }));
  assert.deepEqual(undone.at(-1), { type: 'result', done: true, revisions: [region.revision] });
  assert.deepEqual(logText(path, head), text);
  assert.deepEqual(everything(await region.journal.history()), before);
  assert.equal(verified(path).broken, undefined);
  assert.deepEqual([...retention.list()], []);

  await linesOf(retention.fold({ olderThanDays: 3 }));
  const folded = everything(await region.journal.history());
  assert.notDeepEqual(folded, before);
  await region.close();
  rmSync(join(region.folder, 'journal-index.db'));
  const store = openSqliteStore(path, testIdentity);
  assert.deepEqual(everything(await store.past()), folded, 'a new index knows what the old one knew');
  store.close();
  assert.equal(verified(path).broken, undefined);
});

test('retention: a journal that comes back from the vault has everything, and is folded again', async (context) => {
  const { region, retention, vault, path, days } = await oldRegion(context);
  await linesOf(retention.fold({ olderThanDays: 3 }));
  const folded = logText(path, region.revision);
  while (vault.stats.lagRevisions > 0) await sleep(5);
  const again = join(region.folder, 'again.db');
  const store = openSqliteStore(again, testIdentity);
  const [vaulted] = await listVault(join(region.folder, 'vault'));
  for await (const transaction of new VaultReader(vaulted!).transactions()) store.append([sealedAgain(transaction)]);
  assert.equal(verified(again).broken, undefined);
  const clock = { wallMs: () => region.nowMs, monotonicMs: () => performance.now() };
  const journal = openJournal({ store, guard: admitAll, clock, log: silentLog });
  const other = new Retention({ ...region.travel, journal, vault: join(region.folder, 'vault') });
  assert.deepEqual(
    [...other.list()].map(({ to, state }) => ({ to, state })),
    [{ to: days.at(-1), state: 'unfinished' }],
  );
  assert.deepEqual((await linesOf(other.fold({ olderThanDays: 3 }))).at(-1), {
    type: 'result',
    done: true,
    revisions: [],
  });
  assert.deepEqual(logText(again, region.revision), folded);
  assert.equal(verified(again).broken, undefined);
  await journal.close();
});

/** Folds or undoes in another process, which is killed when it has said so much. */
function runner(region: JournalRegion, path: string) {
  const script = join(import.meta.dirname, 'test-retention-process.ts');
  return async (wish: 'fold' | 'undo', killAfter: number): Promise<number | null> => {
    const args = [script, path, join(region.folder, 'vault'), `${region.nowMs}`, wish];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.length;
      if (said >= killAfter) child.kill('SIGKILL');
    });
    const [code] = await once(child, 'exit');
    assert.deepEqual(verified(path).broken, undefined, `${wish}, killed after ${killAfter}`);
    return code as number | null;
  };
}

test('retention: killed at any point, it leaves a whole journal, and the same request goes on with it', async (context) => {
  const { region, path } = await oldRegion(context);
  const head = region.revision;
  const text = logText(path, head);
  await region.close();
  const run = runner(region, path);
  let kills = 0;
  for (const wish of ['fold', 'undo', 'fold', 'undo'] as const) {
    for (let killAfter = 1; killAfter < 20; killAfter += 1) {
      if ((await run(wish, killAfter)) === 0) break;
      kills += 1;
    }
    assert.equal(await run(wish, Number.POSITIVE_INFINITY), 0);
    const isWhole = linesIn(logText(path, head)) === linesIn(text);
    assert.equal(isWhole, wish === 'undo');
    if (isWhole) assert.deepEqual(logText(path, head), text);
  }
  assert(kills >= 8, `${kills} kills`);
  const kept = openSqliteStore(path, testIdentity);
  const maintained = everything(await kept.past());
  kept.close();
  rmSync(join(region.folder, 'journal-index.db'));
  const store = openSqliteStore(path, testIdentity);
  assert.deepEqual(everything(await store.past()), maintained);
  store.close();
});

test('retention: killed between log and index, it leaves an index that lacks lines, which is no damage', async (context) => {
  const { region, path } = await oldRegion(context);
  const text = logText(path, region.revision);
  const head = region.revision;
  await region.close();
  const run = runner(region, path);
  assert.equal(await run('fold', Number.POSITIVE_INFINITY), 0);
  const folded = logText(path, head);
  const index = join(region.folder, 'journal-index.db');
  // It knows the fold's own revision once it was opened again.
  openSqliteStore(path, testIdentity).close();
  // As it was before the log took back its first lines.
  copyFileSync(index, `${index}.before`);
  const clock = { wallMs: () => region.nowMs, monotonicMs: () => performance.now() };
  const journal = openJournal({ store: openSqliteStore(path, testIdentity), guard: admitAll, clock, log: silentLog });
  const { folding } = journal;
  const once = new Proxy(journal, {
    get: (_, name) => {
      const value = Reflect.get(journal, name, journal) as unknown;
      if (name !== 'folding') return typeof value === 'function' ? (value.bind(journal) as unknown) : value;
      const rewrite: typeof folding.rewrite = (batch) => {
        folding.rewrite(batch);
        throw new StoreFailure('that was one');
      };
      return { ...folding, rewrite };
    },
  });
  const vault = join(region.folder, 'vault');
  const retention = new Retention({ journal: once, vault, newRequestId: () => 'request-2', nowMs: clock.wallMs });
  const [fold] = retention.list();
  assert.equal((await linesOf(retention.undo({ fold: fold!.to }))).at(-1)?.type, 'error');
  await journal.close();
  assert.notDeepEqual(logText(path, head), folded, 'some lines are back');
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${index}${suffix}`, { force: true });
  renameSync(`${index}.before`, index);
  assert.equal(verified(path).broken, undefined);
  assert.equal(await run('undo', Number.POSITIVE_INFINITY), 0);
  assert.deepEqual(logText(path, head), text);
});

test('retention: without all of it in the vault, as it was, nothing is folded and nothing is put back', async (context) => {
  const { region, retention, path, days } = await oldRegion(context);
  const text = logText(path, region.revision);
  const [store] = readdirSync(join(region.folder, 'vault'));
  const folder = join(region.folder, 'vault', store!);
  const [segment] = readdirSync(folder);
  const refusal = async (answer: ReturnType<typeof retention.fold>) => {
    const last = (await linesOf(answer)).at(-1);
    assert(last?.type === 'error', JSON.stringify(last));
    return last.error;
  };
  // It would write again what is not there.
  await region.closing.shift()!();
  const away = join(region.folder, 'away');
  renameSync(folder, away);
  const gone = /does not hold revision \d+ as it was written: it has no copy of this journal; nothing was changed/;
  assert.match(await refusal(retention.fold({ olderThanDays: 3 })), gone);
  assert.deepEqual(logText(path, region.revision), text);
  assert.deepEqual([...retention.list()], []);
  renameSync(away, folder);
  await linesOf(retention.fold({ olderThanDays: 3 }));
  const folded = logText(path, region.revision);

  const file = join(folder, segment!);
  copyFileSync(file, `${file}.copy`);
  flipBit(file, 900);
  assert.match(await refusal(retention.undo({ fold: days.at(-1)! })), /does not hold revision/);
  assert.deepEqual(logText(path, region.revision), folded);
  assert.equal(verified(path).broken, undefined);
  rmSync(file);
  renameSync(`${file}.copy`, file);
  const unknown = await retention.undo({ fold: 7 });
  assert(!unknown.ok);
  assert.equal(unknown.fault.error, `there is no fold 7; there are ${days.at(-1)}`);

  // One at a time; and whoever stops reading stops it.
  const [first, second] = [await retention.undo({ fold: days.at(-1)! }), await retention.fold({ olderThanDays: 3 })];
  assert(first.ok && !second.ok);
  assert.equal(second.fault.status, 409);
  for await (const _ of first.value) break;
  await linesOf(retention.undo({ fold: days.at(-1)! }));
  assert.deepEqual(logText(path, region.revision).slice(0, text.length), text);
});

test('retention: what a fold does not answer for is damage, and a fold in the middle of a look is none', async (context) => {
  const { region, retention, path, days } = await oldRegion(context);
  const pass = verifyStore({ path });
  for (let steps = 0; steps < 5; steps += 1) assert.equal(pass.next().done, false);
  await linesOf(retention.fold({ olderThanDays: 3 }));
  await region.close();
  for (let step = pass.next(); ; step = pass.next()) {
    if (step.done !== true) continue;
    assert.equal(step.value.broken, undefined);
    break;
  }
  const whole = new DatabaseSync(path);
  whole.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  whole.close();
  const third = days.at(-1)!;
  const damages = {
    'a line is taken out of a folded part': `UPDATE part SET lines = char(10) || substr(lines, instr(lines, char(10)) + 1)
       WHERE number = (SELECT min(number) FROM part WHERE lines LIKE 'target%' AND number IN (SELECT part FROM fold))`,
    'a value is changed in a folded part': `UPDATE part SET lines = replace(lines, '10.1.0.1', '10.1.0.2')
       WHERE revision = ${third}`,
    'a part is listed as something else': "UPDATE fold SET folded = replace(folded, 'a', 'b')",
    'a part is not listed': 'DELETE FROM fold WHERE part = (SELECT min(part) FROM fold)',
    'a part that was not folded is, and is listed': `INSERT INTO fold SELECT number, NULL,
         (SELECT folded FROM fold WHERE part = (SELECT number FROM part WHERE lines = char(10) LIMIT 1))
       FROM part WHERE revision = ${third};
       UPDATE part SET lines = char(10) WHERE revision = ${third}`,
    'the fold itself is of another range': `UPDATE part SET lines = replace(lines, '"from":1', '"from":9')
       WHERE lines LIKE 'fold%'`,
  };
  for (const [what, sql] of Object.entries(damages)) {
    const copy = join(region.folder, 'damaged.db');
    copyFileSync(path, copy);
    const database = new DatabaseSync(copy);
    const triggers = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").all();
    for (const { name } of triggers) database.exec(`DROP TRIGGER ${name}`);
    const before = database.prepare('SELECT total_changes() AS count').get()!.count;
    database.exec(sql);
    assert.notEqual(database.prepare('SELECT total_changes() AS count').get()!.count, before, what);
    database.close();
    assert.equal(verified(copy).broken?.where, 'log', what);
  }
});

function flipBit(path: string, at: number): void {
  chmodSync(path, 0o600);
  const bytes = readFileSync(path);
  bytes[at]! ^= 4;
  writeFileSync(path, bytes);
}
