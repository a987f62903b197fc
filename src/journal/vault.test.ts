import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { accept } from '#base/result.ts';
import { type Clock, systemClock } from '#io/clock.ts';
import { type Log, silentLog } from '#io/log.ts';
import { put, remove } from '#model/change.ts';
import { type Journal, openJournal } from './journal.ts';
import { openSqliteStore } from './sqlite-store.ts';
import type { StoreIdentity } from './store.ts';
import { admitAll } from './test-guard.ts';
import { testIdentity as identity } from './test-identity.ts';
import { listVault, VaultReader } from './vault-reader.ts';
import { sealedAgain } from './vault-text.ts';
import { openVault, type Vault } from './vault-writer.ts';

const cause = { principal: 'ballast', channel: 'workflow', action: 'Test', requestId: 'r-1' } as const;

interface Place {
  readonly base: string;
  openJournal(name?: string, as?: StoreIdentity): Journal;
  openVault(source: Journal, path: string, options?: { clock?: Clock; log?: Log }): Vault;
}

/** A folder with what is opened in it, all of which ends with the test. */
function placeFor(context: TestContext): Place {
  const base = mkdtempSync(join(tmpdir(), 'ballast-vault-'));
  const vaults: Vault[] = [];
  const journals: Journal[] = [];
  context.after(async () => {
    for (const vault of vaults) await vault.close();
    for (const journal of journals) await journal.close();
    rmSync(base, { recursive: true, force: true });
  });
  return {
    base,
    openJournal: (name = 'journal.db', as = identity) => {
      const store = openSqliteStore(join(base, name), as);
      journals.push(openJournal({ store, guard: admitAll, clock: systemClock, log: silentLog }));
      return journals.at(-1)!;
    },
    openVault: (source, folder, { clock = systemClock, log = silentLog } = {}) => {
      vaults.push(openVault({ folder, source, clock, log }));
      return vaults.at(-1)!;
    },
  };
}

/** One transaction that puts `count` documents, or removes those that are there. */
async function write(journal: Journal, name: string, count = 1): Promise<void> {
  const result = await journal.transact(cause, (view) => {
    const ids = Array.from({ length: count }, (_, index) => `${name}-${index}`);
    const node = { zone: 'ä', prefix: '127.80.0.0/16' };
    const changes = ids.map((id) => (view.get('node', id) ? remove(view, 'node', id) : put(view, 'node', id, node)));
    return accept({ changes, output: undefined });
  });
  assert(result.ok);
}

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const endMs = Date.now() + 60_000; Date.now() < endMs; await sleep(5)) if (await condition()) return;
  assert.fail(`never: ${what}`);
}

async function inStep(vault: Vault, clock?: { pass(durationMs: number): void }): Promise<void> {
  await until(() => {
    clock?.pass(1_000);
    return vault.stats.lagRevisions === 0 && !vault.stats.diverged;
  }, 'the vault is in step');
}

async function read(path: string, storeId = identity.storeId) {
  const stored = (await listVault(path)).find((each) => each.identity.storeId === storeId);
  assert(stored !== undefined, 'the vault holds the store');
  const reader = new VaultReader(stored);
  const transactions = [];
  for await (const transaction of reader.transactions()) transactions.push(transaction);
  return { transactions, reader, identity: stored.identity, segments: stored.segments };
}

/** The vault holds exactly what the journal does, text for text. */
async function assertCopies(path: string, journal: Journal): Promise<void> {
  const { transactions, reader, identity: found } = await read(path, journal.identity.storeId);
  assert.equal(reader.broken, undefined);
  assert.deepEqual(found, journal.identity);
  assert.deepEqual(
    transactions,
    Array.from(journal.textsFrom(1), (each) => ({ ...each, parts: [...each.parts] })),
  );
  assert.deepEqual(
    transactions.map((each) => sealedAgain(each).transaction),
    [...journal.transactionsFrom(1)],
  );
}

function segmentsOf(path: string, storeId = identity.storeId): string[] {
  return readdirSync(join(path, storeId))
    .sort()
    .map((name) => join(path, storeId, name));
}

test('vault: it holds every transaction in the text of the journal, small ones, large ones and those without a document', async (context) => {
  const place = placeFor(context);
  const { base } = place;
  const journal = place.openJournal();
  const vault = place.openVault(journal, join(base, 'vault'));
  await Promise.all(Array.from({ length: 50 }, (_, index) => write(journal, `n${index}`)));
  await write(journal, 'many', 20_000);
  await write(journal, 'some', 350);
  await write(journal, 'many', 20_000);
  await inStep(vault);
  await assertCopies(join(base, 'vault'), journal);
  assert.deepEqual(
    [dirname(segmentsOf(join(base, 'vault'))[0]!), ...segmentsOf(join(base, 'vault'))].map(
      (path) => statSync(path).mode & 0o777,
    ),
    [0o700, 0o600],
  );
});

/** Time that stands still until it is moved. */
function standingClock(): Clock & { pass(durationMs: number): void } {
  let nowMs = 0;
  return {
    wallMs: () => systemClock.wallMs() + nowMs,
    monotonicMs: () => nowMs,
    pass: (durationMs) => {
      nowMs += durationMs;
    },
  };
}

/** Text that does not get smaller when it is compressed. */
function noise(length: number): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(length / 2))).toString('hex');
}

test('vault: 64 KiB of text go there at once, less once a second has passed, and the lag says so', async (context) => {
  const place = placeFor(context);
  const { base } = place;
  const journal = place.openJournal();
  const clock = standingClock();
  const vault = place.openVault(journal, join(base, 'vault'), { clock });
  await write(journal, 'many', 1_500);
  await inStep(vault);
  await write(journal, 'one');
  assert.equal(vault.stats.lagRevisions, 1);
  // Since the time stands still, nothing but the text's size can make it due.
  await write(journal, 'more', 1_500);
  await inStep(vault);
  assert.equal(vault.stats.lagSeconds, 0);
  await write(journal, 'one');
  clock.pass(999);
  assert(vault.stats.lagSeconds >= 0.9);
  await write(journal, 'one');
  // Its second begins when the vault takes the text, which may be after the time was moved.
  await inStep(vault, clock);
  assert.deepEqual(vault.stats, { revision: 5, lagRevisions: 0, lagSeconds: 0, failures: 0, diverged: false });
  await assertCopies(join(base, 'vault'), journal);
});

test('vault: a segment is sealed at 4 MiB or after an hour, read-only, and another goes on', async (context) => {
  const place = placeFor(context);
  const { base } = place;
  const journal = place.openJournal();
  const clock = standingClock();
  const vault = place.openVault(journal, join(base, 'vault'), { clock });
  for (let round = 0; round < 6; round += 1) await write(journal, noise(20), 1);
  const prefixes = Array.from({ length: 500 }, () => noise(20_000));
  await journal.transact(cause, (view) =>
    accept({
      changes: prefixes.map((prefix, index) => put(view, 'node', `x${index}`, { zone: 'a', prefix })),
      output: 0,
    }),
  );
  await inStep(vault, clock);
  await until(() => segmentsOf(join(base, 'vault')).length === 2, 'another segment is begun');
  await write(journal, 'a');
  await inStep(vault, clock);
  clock.pass(3_600_000);
  await write(journal, 'b');
  await inStep(vault, clock);
  await until(() => segmentsOf(join(base, 'vault')).length === 3, 'an old one is sealed too');
  await vault.close();
  assert.deepEqual(
    segmentsOf(join(base, 'vault')).map((path) => statSync(path).mode & 0o777),
    [0o400, 0o400, 0o600],
  );
  await assertCopies(join(base, 'vault'), journal);
});

test('vault: after a time without it, it catches up, and goes on in the same segment', async (context) => {
  const place = placeFor(context);
  const { base } = place;
  const journal = place.openJournal();
  for (let round = 0; round < 3; round += 1) {
    const vault = place.openVault(journal, join(base, 'vault'));
    await write(journal, `with-${round}`, 300);
    await vault.close();
    assert.equal(vault.stats.lagRevisions, 0, 'closing brings it in step');
    for (let count = 0; count < 20; count += 1) await write(journal, `without-${round}-${count}`, 5);
  }
  const vault = place.openVault(journal, join(base, 'vault'));
  await inStep(vault);
  await vault.close();
  await assertCopies(join(base, 'vault'), journal);
  assert.equal(segmentsOf(join(base, 'vault')).length, 1);
});

async function runUntil(args: readonly string[], isEnough: (lines: readonly string[]) => boolean, shellPrefix = '') {
  const script = new URL('./test-vault-writer.ts', import.meta.url).pathname;
  const command = `${shellPrefix} exec "$0" "$@"`;
  const child = spawn('bash', ['-c', command, process.execPath, script, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  const lines = () => printed.split('\n').slice(0, -1);
  child.stdout.on('data', (chunk: Buffer) => {
    printed += chunk;
    if (isEnough(lines())) child.kill('SIGKILL');
  });
  await new Promise((resolve) => child.once('close', resolve));
  return lines().map((line) => JSON.parse(line) as Vault['stats'] & { answered: boolean; head: number });
}

test('vault: killed with SIGKILL under load, it keeps all it said it held, and catches up with the rest', async (context) => {
  const place = placeFor(context);
  const { base } = place;
  const [store, path] = [join(base, 'journal.db'), join(base, 'vault')];
  for (let round = 0; round < 5; round += 1) {
    const told = await runUntil([store, path], (lines) => lines.length > 40 + 33 * round);
    const { reader } = await read(path);
    assert.equal(reader.broken, undefined);
    assert(reader.last.revision >= told.at(-1)!.revision, 'what it said it holds, it holds');
    const journal = place.openJournal();
    const vault = place.openVault(journal, path);
    await inStep(vault);
    await vault.close();
    await assertCopies(path, journal);
  }
});

/** A vault of twelve frames, each of which a vault wrote that was then closed; `ends` are where they end. */
async function smallVault(place: Place, sealEvery = 0) {
  const journal = place.openJournal();
  const clock = standingClock();
  const path = join(place.base, 'vault');
  const ends: number[] = [];
  for (let count = 1; count <= 12; count += 1) {
    const vault = place.openVault(journal, path, { clock });
    await write(journal, `n${count}`, count % 2 === 0 ? 1 : count);
    await vault.close();
    ends.push(statSync(segmentsOf(path).at(-1)!).size);
    if (sealEvery === 0 || count % sealEvery !== 0) continue;
    const sealed = segmentsOf(path).length;
    clock.pass(3_600_000);
    const sealing = place.openVault(journal, path, { clock });
    await until(() => segmentsOf(path).length > sealed, 'it is sealed');
    await sealing.close();
  }
  return { journal, path, ends };
}

test('vault: torn anywhere in its last frames, it holds every transaction before, and goes on behind them', async (context) => {
  const place = placeFor(context);
  const { journal, path, ends } = await smallVault(place);
  const [start, size] = [ends.at(-3)!, ends.at(-1)!];
  const copy = join(place.base, 'copy');
  // Through the heads of the last frames and their bodies, where bytes are missing and where zeros stand instead.
  for (let cut = start; cut < size; cut += cut < start + 8 ? 1 : 13) {
    rmSync(copy, { recursive: true, force: true });
    cpSync(path, copy, { recursive: true });
    truncateSync(segmentsOf(copy)[0]!, cut);
    const hasZeros = cut % 2 === 0;
    if (hasZeros) truncateSync(segmentsOf(copy)[0]!, size);
    const whole = ends.filter((end) => end <= cut);
    const torn = await read(copy);
    assert.equal(torn.reader.broken, undefined, `cut at ${cut}`);
    assert.equal(torn.reader.tornBytes, (hasZeros ? size : cut) - whole.at(-1)!, `cut at ${cut}`);
    assert.equal(torn.transactions.length, whole.length);
    await place.openVault(journal, copy).close();
    await assertCopies(copy, journal);
    assert.equal(segmentsOf(copy).length, torn.reader.tornBytes === 0 ? 1 : 2);
  }
});

test('vault: a flipped bit anywhere in a sealed segment is found, and its segment and revision are named', async (context) => {
  const { path, ends } = await smallVault(placeFor(context), 6);
  const genuine = await read(path);
  assert.deepEqual([genuine.segments, genuine.reader.broken], [3, undefined]);
  const sealed = segmentsOf(path)[0]!;
  chmodSync(sealed, 0o600);
  const bytes = readFileSync(sealed);
  // Every fifth byte, and in turn each of its bits.
  for (let position = 0; position < bytes.length; position += 5) {
    const flipped = Buffer.from(bytes);
    flipped[position]! ^= 1 << (position % 8);
    writeFileSync(sealed, flipped);
    const { reader, transactions } = await read(path);
    assert(reader.broken !== undefined, `byte ${position} of ${bytes.length}`);
    assert.equal(reader.broken.segment, 'segment-000000000000001.ballast');
    assert.equal(reader.broken.revision, transactions.length + 1);
    assert.deepEqual(transactions, genuine.transactions.slice(0, transactions.length));
    // Frames before the flipped byte are whole; all six are when it is in the seal.
    const whole = ends.slice(0, 6).filter((end) => end <= position).length;
    if (whole > 0) assert.equal(transactions.length, whole, `byte ${position}`);
  }
});

test('vault: while its folder is gone or cannot be written changes go on, and it begins again when it can', async (context) => {
  const place = placeFor(context);
  const journal = place.openJournal();
  const path = join(place.base, 'vault');
  const logged: string[] = [];
  const note = (sentence: string) => void logged.push(sentence);
  const log = { info: note, warn: note, error: note };
  const vault = place.openVault(journal, path, { log });
  await write(journal, 'a');
  await inStep(vault);
  rmSync(path, { recursive: true });
  // A file stands where the folder was: no folder can be made.
  writeFileSync(path, '');
  await write(journal, 'b');
  await until(() => vault.stats.failures >= 2, 'it is tried, and tried again');
  assert(vault.stats.lagRevisions > 0 && vault.stats.lagSeconds > 0);
  assert.match(logged[0]!, /^the vault in \S+ cannot be written, changes go on without it: /);
  assert.equal(logged.length, 1, 'once, and not at every try');
  await write(journal, 'c');
  rmSync(path);
  await inStep(vault);
  assert.match(logged[1]!, /is written again$/);
  assert(vault.stats.failures >= 2);
  await vault.close();
  await assertCopies(path, journal);
});

test('vault: one that holds another history, or more than the journal, is left as it is', async (context) => {
  const place = placeFor(context);
  const path = join(place.base, 'vault');
  const first = place.openJournal('first.db');
  await write(first, 'a');
  await write(first, 'b');
  await place.openVault(first, path).close();
  const before = segmentsOf(path).map((each) => readFileSync(each));
  const second = place.openJournal('second.db');
  const logged: string[] = [];
  const note = (sentence: string) => void logged.push(sentence);
  const log = { info: note, warn: note, error: note };
  for (const writes of [1, 3]) {
    while (second.head.revision < writes) await write(second, `other-${second.head.revision}`);
    const vault = place.openVault(second, path, { log });
    await until(() => vault.stats.diverged, 'it is found to be another');
    await write(second, `later-${writes}`);
    await vault.close();
    assert.deepEqual(
      segmentsOf(path).map((each) => readFileSync(each)),
      before,
    );
  }
  assert.match(logged[0]!, /holds another history than the journal and is left as it is: it goes to revision 2, and/);
  assert.match(logged[1]!, /: its revision 2 is another than that of the journal; move it aside/);
  // Stores are told apart by their id: another one has a folder of its own.
  const third = place.openJournal('third.db', { ...identity, storeId: 'store-3' });
  await write(third, 'c');
  await place.openVault(third, path).close();
  await assertCopies(path, third);
  await assertCopies(path, first);
});

test('vault: on a full disk changes go on, nothing half is left, and it is in step again when there is room', async (context) => {
  const place = placeFor(context);
  const journal = place.openJournal();
  await write(journal, 'a');
  const path = join(place.base, 'vault');
  const folder = join(path, identity.storeId);
  mkdirSync(folder, { recursive: true });
  // The device answers each write as a full disk does. It is where a segment is begun.
  symlinkSync('/dev/full', join(folder, 'next-segment'));
  const logged: string[] = [];
  const note = (sentence: string) => void logged.push(sentence);
  const vault = place.openVault(journal, path, { log: { info: note, warn: note, error: note } });
  await until(() => vault.stats.failures > 0, 'the disk is full');
  assert.match(logged[0]!, /cannot be written, changes go on without it: ENOSPC/);
  await write(journal, 'b');
  assert.deepEqual([vault.stats.lagRevisions, vault.stats.diverged], [2, false]);
  assert.deepEqual(readdirSync(folder), ['next-segment']);
  rmSync(join(folder, 'next-segment'));
  await inStep(vault);
  await vault.close();
  await assertCopies(path, journal);
});

test('vault: a segment that is missing, or has lost its end, is named, and all before it can be read', async (context) => {
  const { path } = await smallVault(placeFor(context), 3);
  const whole = await read(path);
  const [first, second, third] = segmentsOf(path) as [string, string, string];
  const missing = join(path, 'second');
  renameSync(second, missing);
  const gap = await read(path);
  const readable = gap.transactions.length;
  assert.deepEqual(gap.transactions, whole.transactions.slice(0, readable));
  const at = { segment: basename(third), frame: 0, revision: readable + 1 };
  const last = Number(/\d{15}/.exec(third)![0]) - 1;
  assert.deepEqual(gap.reader.broken, { ...at, why: `revisions ${readable + 1} to ${last} are missing before it` });
  renameSync(missing, second);
  // The seal alone is gone: what was sealed cannot be told from what was cut.
  chmodSync(second, 0o600);
  truncateSync(second, statSync(second).size - 37);
  assert.deepEqual((await read(path)).reader.broken, {
    segment: basename(third),
    frame: 0,
    revision: last + 1,
    why: 'the one before it has lost its seal',
  });
  rmSync(first);
  const headless = await read(path);
  assert.deepEqual([headless.transactions.length, headless.reader.broken?.revision], [0, 1]);
});
