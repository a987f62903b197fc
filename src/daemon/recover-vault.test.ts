import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { accept } from '#base/result.ts';
import { runCommand } from '#cli/test-command.ts';
import { systemClock } from '#io/clock.ts';
import { takeLock } from '#io/lock.ts';
import { silentLog } from '#io/log.ts';
import { type Journal, openJournal } from '#journal/journal.ts';
import { openReplica } from '#journal/replica.ts';
import { openKeyRing } from '#journal/seal.ts';
import { openSqliteStore } from '#journal/sqlite-store.ts';
import { admitAll } from '#journal/test-guard.ts';
import { testIdentity } from '#journal/test-identity.ts';
import { openVault } from '#journal/vault-writer.ts';
import { type Change, put, remove } from '#model/change.ts';
import { type Entry, kinds } from '#model/documents.ts';
import { sampleLoadBalancer } from '#model/test-documents.ts';
import type { View } from '#model/view.ts';
import { healAtStart } from './mending.ts';
import { paths } from './paths.ts';
import { recover } from './recover.ts';

const cause = { principal: 'ballast', channel: 'workflow', action: 'Test', requestId: 'r-1' } as const;
const { storeId } = testIdentity;

interface Lost {
  readonly data: string;
  /** Of the journal that was lost: its transactions and its documents. */
  readonly transactions: readonly unknown[];
  readonly documents: readonly Entry[];
  /** The revision and time of each transaction. */
  readonly moments: readonly { readonly revision: number; readonly timeMs: number }[];
}

function openAt(data: string, identity = testIdentity): Journal {
  const store = openSqliteStore(paths.journal(data), identity);
  return openJournal({ store, guard: admitAll, clock: systemClock, log: silentLog });
}

async function write(journal: Journal, decide: (view: View) => readonly Change[]): Promise<void> {
  assert((await journal.transact(cause, (view) => accept({ changes: decide(view), output: 0 }))).ok);
}

const all = (view: View): Entry[] => kinds.flatMap((kind) => [...view.all(kind)] as Entry[]);

/** A data folder whose journal has a vault and is gone: three load balancers, one of them deleted, and many nodes. */
async function lostJournal(context: TestContext, identity = testIdentity, folder?: string): Promise<Lost> {
  const data = folder ?? mkdtempSync(join(tmpdir(), 'ballast-recover-vault-'));
  if (folder === undefined) context.after(() => rmSync(data, { recursive: true, force: true }));
  const journal = openAt(data, identity);
  const open = () => openVault({ folder: paths.vault(data), source: journal, clock: systemClock, log: silentLog });
  let vault = open();
  for (const [name, account] of [
    ['a', '000000000000'],
    ['b', '111111111111'],
    ['c', '111111111111'],
  ] as const) {
    await write(journal, (view) => [put(view, 'load-balancer', name, { ...sampleLoadBalancer, name, account })]);
    // Each has a time of its own.
    await sleep(2);
  }
  await write(journal, (view) => [remove(view, 'load-balancer', 'c')]);
  // What comes next has a frame of its own.
  await vault.close();
  vault = open();
  await write(journal, (view) =>
    Array.from({ length: 1_234 }, (_, index) => put(view, 'node', `n${index}`, { zone: 'ä', prefix: '' })),
  );
  await vault.close();
  assert.equal(vault.stats.lagRevisions, 0);
  const transactions = [...journal.transactionsFrom(1)];
  const documents = all(journal.view);
  await journal.close();
  for (const name of readdirSync(data)) if (name.startsWith('journal')) rmSync(join(data, name));
  return { data, transactions, documents, moments: transactions };
}

const run = (data: string, ...args: readonly string[]) =>
  runCommand(recover, ['--from', 'vault', '--data', data, ...args]);

/** What the store holds that was recovered. */
async function held(data: string) {
  const journal = openAt(data, { ...testIdentity, storeId: 'made-by-mistake' });
  const { identity, head, view } = journal;
  const found = { identity, head, view, transactions: [...journal.transactionsFrom(1)], documents: all(view) };
  await journal.close();
  return found;
}

const segments = (data: string, id = storeId) =>
  readdirSync(join(paths.vault(data), id))
    .sort()
    .map((name) => join(paths.vault(data), id, name));

function follower(data: string, id: string, revision: number, entries: readonly Entry[], of = storeId): void {
  const replica = openReplica(paths.lastGood(data, id), silentLog);
  replica.apply({ entries, changes: [], position: { storeId: of, revision, hash: 'a'.repeat(64) } });
  replica.close();
}

test('recover from vault: every document, revision, hash and the identity are those of the lost journal', async (context) => {
  const { data, transactions, documents } = await lostJournal(context);
  const { code, output, errors } = await run(data, '--yes');
  assert.deepEqual([code, errors], [0, '']);
  assert.match(output, new RegExp(`^Store ${storeId}, region ${testIdentity.region}, environment`));
  assert.match(output, /Put back: 5 transactions, revision 1 \(\S+Z\) to 5 \(\S+Z\)\./);
  assert.match(output, /account 000000000000: 1 load balancer\n {2}account 111111111111: 1 load balancer\n/);
  assert.match(output, /Needed besides, before the next start:\n {2}\S+seal\.key is missing/);
  assert.match(output, /Wrote the store up to revision 5, hash [0-9a-f]{16}…, and read all of it back\./);
  assert.deepEqual(readdirSync(data).sort(), ['journal-index.db', 'journal.db', 'run', 'vault']);
  const found = await held(data);
  assert.deepEqual(found.identity, testIdentity);
  assert.deepEqual(found.transactions, transactions);
  assert.deepEqual(found.documents, documents);
  // The vault goes on with it where it ended.
  const journal = openAt(data);
  context.after(() => journal.close());
  const vault = openVault({ folder: paths.vault(data), source: journal, clock: systemClock, log: silentLog });
  await write(journal, (view) => [remove(view, 'node', 'n0')]);
  await vault.close();
  assert.deepEqual(vault.stats, { revision: 6, lagRevisions: 0, lagSeconds: 0, failures: 0, diverged: false });
  assert.equal(segments(data).length, 1);
});

test('recover from vault: --to ends at a revision or a time, and says what it leaves out', async (context) => {
  const { data, transactions, moments } = await lostJournal(context);
  const time = new Date(moments[1]!.timeMs).toISOString();
  for (const to of ['2', time]) {
    const { code, output } = await run(data, '--to', to, '--yes');
    assert.equal(code, 0);
    assert.match(
      output,
      /Missing:\n {2}what came after revision 2, which is left out as you asked\n.*: mv \S+ \S+aside/,
    );
    assert.deepEqual((await held(data)).transactions, transactions.slice(0, 2));
    rmSync(paths.journal(data));
  }
  const early = await run(data, '--to', '2001-02-03', '--yes');
  assert.deepEqual([early.code, early.output], [1, '']);
  assert.match(early.errors, /^ballast: nothing is as old as that: store \S+ begins with revision 1 of \S+Z\n$/);
  const late = await run(data, '--to', '6', '--yes');
  assert.match(late.errors, /^ballast: the vault holds nothing of revision 6: it can be read up to 5\n$/);
  assert(!existsSync(paths.journal(data)));
});

test('recover from vault: without a yes nothing is written, and a program reads plan and result as JSON', async (context) => {
  const { data } = await lostJournal(context);
  const asked = await run(data);
  assert.equal(asked.code, 1);
  assert.equal(asked.errors, 'ballast: nobody can be asked here: give --yes to go on\nballast: nothing was written\n');
  assert.deepEqual(readdirSync(data).sort(), ['run', 'vault']);
  openKeyRing(paths.sealKey(data), true);
  const { output } = await run(data, '--yes', '--json');
  const [plan, result] = output
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    [plan.type, plan.storeId, plan.segments, plan.transactions, plan.last.revision, plan.broken, plan.sealKeyFault],
    ['plan', storeId, 1, 5, 5, undefined, undefined],
  );
  assert.deepEqual(plan.owners, [
    { account: '000000000000', loadBalancers: 1 },
    { account: '111111111111', loadBalancers: 1 },
  ]);
  assert.deepEqual([result.type, result.revision, result.hash, result.learned], ['result', 5, plan.last.hash, 0]);
});

test('recover from vault: a store that holds something, and one that cannot be read, are never written over', async (context) => {
  const { data } = await lostJournal(context);
  assert.equal((await run(data, '--yes')).code, 0);
  const before = readFileSync(paths.journal(data));
  const again = await run(data, '--yes');
  assert.deepEqual([again.code, again.output], [1, '']);
  assert.match(
    again.errors,
    /journal\.db holds a state store at revision 5; move it aside first: mkdir \S+ && mv \S+\* /,
  );
  assert.deepEqual(readFileSync(paths.journal(data)), before);
  writeFileSync(paths.journal(data), 'rubbish '.repeat(1_000));
  assert.match((await run(data, '--yes')).errors, /cannot be read, and may hold something: .*; move it aside first/);
  assert.equal(readFileSync(paths.journal(data), 'utf8').length, 8_000);
  rmSync(paths.journal(data));
  const lock = takeLock(paths.processLock(data, 'control-plane'))!;
  assert.match((await run(data, '--yes')).errors, /^ballast: a control plane runs on \S+; stop it first\n$/);
  lock.release();
  // What an earlier try left behind is no store.
  writeFileSync(paths.recovering(data), 'half of it');
  assert.equal((await run(data, '--yes')).code, 0);
  assert(!existsSync(paths.recovering(data)));
});

test('recover from vault: where it is damaged, all before is put back and the place is named; a torn end is no damage', async (context) => {
  const { data, transactions } = await lostJournal(context);
  const [segment] = segments(data);
  const whole = readFileSync(segment!);
  appendFileSync(segment!, 'abc');
  const torn = await run(data);
  assert.match(torn.output, /Missing:\n {2}the last 3 bytes of the vault: a write that was never finished/);
  // A bit in the last frame, with something behind it.
  const flipped = Buffer.concat([whole, whole]);
  flipped[whole.length - 20]! ^= 4;
  chmodSync(segment!, 0o600);
  writeFileSync(segment!, flipped);
  const { code, output } = await run(data, '--yes');
  assert.equal(code, 0, output);
  assert.match(output, /Missing:\n {2}revision 5 and all after it: segment-0{14}1\.ballast, frame 2: a frame is not/);
  assert.match(output, /Ballast will not write to this copy, which goes further: mv /);
  const found = await held(data);
  assert.deepEqual(found.transactions, transactions.slice(0, 4));
});

test('recover from vault: what nodes have seen beyond it is put back too, under new numbers, and nothing is taken from them', async (context) => {
  const { data, transactions } = await lostJournal(context);
  const document = { ...sampleLoadBalancer, name: 'late' };
  const entry = { kind: 'load-balancer', id: 'late', revision: 8, document } as const;
  follower(data, 'node-1', 9, [entry]);
  follower(data, 'node-2', 4, []);
  follower(data, 'node-3', 7, [], 'another-store');
  mkdirSync(paths.lastGoodFolder(data), { recursive: true });
  writeFileSync(paths.lastGood(data, 'node-4'), 'rubbish '.repeat(1_000));
  const { code, output } = await run(data, '--yes');
  assert.equal(code, 0);
  assert.match(output, /Have seen more than revision 5:\n {2}node-1 is at revision 9, 4 ahead\n.*; revision 10 holds/);
  assert.match(output, /Follow another store, and will take nothing from this one:\n {2}node-3\n/);
  assert.match(output, /Left out:\n {2}\S+node-4\.db cannot be read/);
  assert.match(output, /Revisions 6 to 9 are lost; 1 documents? of them (?:is|are) known from nodes\./);
  const found = await held(data);
  assert.deepEqual(found.transactions.slice(0, 5), transactions);
  assert.equal(found.head.revision, 10);
  assert.deepEqual(found.view.get('load-balancer', 'late'), document);
  assert.deepEqual([...found.view.all('load-balancer')].map(({ id }) => id).sort(), ['a', 'b', 'late']);
  // Who wants less than there is gets just that.
  rmSync(paths.journal(data));
  const cut = await run(data, '--to', '5', '--yes');
  assert.match(cut.output, /They go on serving what they have, .* shown as diverged/);
  assert.equal((await held(data)).head.revision, 5);
});

test('recover from vault: of several stores in it one is chosen, and what is not there is said in one line', async (context) => {
  const { data } = await lostJournal(context);
  await lostJournal(context, { ...testIdentity, storeId: 'other', createdAtMs: testIdentity.createdAtMs + 1 }, data);
  const several = await run(data, '--yes');
  assert.deepEqual([several.code, several.output], [1, '']);
  assert.match(several.errors, /holds several stores; choose one with --store ID: store-1 \(.*\); other \(/);
  assert.match((await run(data, '--store', 'x', '--yes')).errors, /does not hold store x; it holds: store-1 /);
  assert.equal((await run(data, '--store', 'other', '--yes')).code, 0);
  assert.equal((await held(data)).identity.storeId, 'other');
  renameSync(paths.vault(data), join(data, 'elsewhere'));
  assert.match((await run(data)).errors, /^ballast: there is no vault in \S+vault, or no segment in it can be read\n$/);
  rmSync(paths.journal(data));
  const [segment] = readdirSync(join(data, 'elsewhere', 'other')).map((name) => join(data, 'elsewhere', 'other', name));
  truncateSync(segment!, readFileSync(segment!).indexOf('\n') + 1);
  const empty = await run(data, '--vault', join(data, 'elsewhere'), '--store', 'other');
  assert.match(empty.errors, /^ballast: \S+other holds no transaction that can be read\n$/);
});

test('recover: what does not fit together is refused before anything is looked at', async () => {
  const refusals: [readonly string[], RegExp][] = [
    [[], /--from: it is missing; allowed: vault, nodes/],
    [['--from', 'tape'], /--from: found 'tape'; allowed: vault, nodes/],
    [['--from', 'nodes', '--to', '5'], /--to goes with --from vault/],
    [['--from', 'nodes', '--vault', '/x'], /--vault goes with --from vault/],
    [['--from', 'vault', '--region', 'eu-west-1'], /--region goes with --from nodes/],
    [['--from', 'vault', '--to', 'yesterday'], /--to: found 'yesterday'; allowed: a revision/],
    [['--from', 'vault', '--frm'], /unknown flag --frm/],
  ];
  for (const [args, expected] of refusals) {
    const { code, errors, output } = await runCommand(recover, args);
    assert.deepEqual([code, output], [2, '']);
    assert.match(errors, expected);
  }
});

test('recover from vault: what was put back to a moment on purpose stays so at the next start, and nothing else does', async (context) => {
  const { data, moments } = await lostJournal(context);
  const { environment, region } = testIdentity;
  const found: string[] = [];
  const heal = () =>
    healAtStart({
      data,
      vault: paths.vault(data),
      environment,
      region,
      nowMs: Date.now(),
      onFound: (what) => void found.push(what),
    });
  // A folder that never had a store misses none, whatever is in a vault that it shares with others.
  assert.deepEqual(await heal(), accept(undefined));
  writeFileSync(paths.storeId(data), storeId);
  const { code, errors } = await run(data, '--to', '3', '--yes');
  assert.equal(code, 0, errors);
  assert.deepEqual(await heal(), accept(undefined));
  assert.equal((await held(data)).head.revision, 3);
  // Without the word of whoever did it, it has lost its end.
  rmSync(paths.recoveredTo(data));
  const healed = await heal();
  assert(healed.ok && healed.value?.revision === moments.at(-1)!.revision);
  assert.deepEqual(found, ['the state store ended at revision 3, and its copy in the vault at 5']);
  assert.equal((await held(data)).head.revision, 5);
  assert(readdirSync(join(data, 'aside')).length === 1, 'what was there is kept');
  // Now it is whole, and another environment has nothing to do with it.
  assert.deepEqual(await heal(), accept(undefined));
});
