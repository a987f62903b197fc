import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { accept } from '#base/result.ts';
import { testGuard } from '#guard/test-gate.ts';
import { systemClock } from '#io/clock.ts';
import { silentLog } from '#io/log.ts';
import { systemRandom } from '#io/random.ts';
import { type Journal, openJournal } from '#journal/journal.ts';
import { type KeyRing, openKeyRing } from '#journal/seal.ts';
import { openSqliteStore } from '#journal/sqlite-store.ts';
import { testIdentity } from '#journal/test-identity.ts';
import { put } from '#model/change.ts';
import { firstCredentials, keyLookup } from './keys.ts';
import { rekey, unreadableSecret } from './rekey.ts';

const account = '000000000000';

class Place {
  readonly storePath: string;
  readonly keyPath: string;

  constructor(context: TestContext) {
    const folder = mkdtempSync(join(tmpdir(), 'ballast-rekey-'));
    context.after(() => rmSync(folder, { recursive: true, force: true }));
    this.storePath = join(folder, 'journal.db');
    this.keyPath = join(folder, 'seal.key');
  }

  open(): { journal: Journal; ring: KeyRing } {
    const store = openSqliteStore(this.storePath, testIdentity);
    const ring = openKeyRing(this.keyPath, true);
    assert(ring.ok);
    return {
      journal: openJournal({ store, guard: testGuard(), clock: systemClock, log: silentLog }),
      ring: ring.value,
    };
  }
}

const first = (journal: Journal, ring: KeyRing) =>
  firstCredentials({ journal, sealer: ring, random: systemRandom, account, nowMs: 1 });

/** Every version of the secret that was ever written opens. */
async function assertHistoryOpens(journal: Journal, ring: KeyRing, id: string, secret: string): Promise<number> {
  let count = 0;
  for (const { document } of (await journal.history()).versionsOf('access-key', id)) {
    assert.equal(ring.unseal(document!.sealedSecret, id), secret);
    count += 1;
  }
  return count;
}

test('rekey: every secret is sealed with a new key in one transaction, and who signs notices nothing', async (context) => {
  const { journal, ring } = new Place(context).open();
  context.after(() => journal.close());
  const { accessKeyId, secretAccessKey } = await first(journal, ring);
  const cause = { principal: 'ballast', channel: 'workflow', action: 'Test', requestId: '' } as const;
  await journal.transact(cause, (view) => {
    const key = { principalId: `${account}/admin`, sealedSecret: ring.seal('another', 'KEY2'), createdAtMs: 1 };
    return accept({ changes: [put(view, 'access-key', 'KEY2', key)], output: undefined });
  });
  const lookup = keyLookup(journal, ring);
  assert.equal(lookup(accessKeyId)?.secret, secretAccessKey);
  const before = { keyId: ring.keyId, text: journal.view.get('access-key', accessKeyId)!.sealedSecret };

  const done = await rekey({ journal, ring, random: systemRandom });
  assert(done.ok);
  assert.deepEqual(done.value, { keyId: ring.keyId, resealed: 2, revision: 3 });
  assert.notEqual(ring.keyId, before.keyId);
  assert.notEqual(journal.view.get('access-key', accessKeyId)!.sealedSecret, before.text);
  assert.equal(lookup(accessKeyId)?.secret, secretAccessKey);
  assert.equal(lookup('KEY2')?.secret, 'another');
  const header = (await journal.history()).header(3)!;
  assert.deepEqual(
    [header.cause.principal, header.cause.channel, header.cause.action],
    ['operator', 'maintenance', 'Rekey'],
  );
  assert.equal(await assertHistoryOpens(journal, ring, accessKeyId, secretAccessKey), 2);
});

test('rekey: several at once leave one key in use and every secret readable', async (context) => {
  const { journal, ring } = new Place(context).open();
  context.after(() => journal.close());
  const { accessKeyId, secretAccessKey } = await first(journal, ring);
  const all = await Promise.all([1, 2, 3].map(() => rekey({ journal, ring, random: systemRandom })));
  assert(all.every((each) => each.ok));
  assert(ring.isNewest(journal.view.get('access-key', accessKeyId)!.sealedSecret));
  await assertHistoryOpens(journal, ring, accessKeyId, secretAccessKey);
});

test('rekey: without a secret there is a new key and no transaction', async (context) => {
  const { journal, ring } = new Place(context).open();
  context.after(() => journal.close());
  const before = ring.keyId;
  const done = await rekey({ journal, ring, random: systemRandom });
  assert(done.ok);
  assert.deepEqual([done.value.resealed, done.value.revision], [0, undefined]);
  assert.notEqual(ring.keyId, before);
});

test('rekey: with a secret that does not open nothing is done, and it is named without being told', async (context) => {
  const place = new Place(context);
  const opened = place.open();
  const { accessKeyId } = await first(opened.journal, opened.ring);
  await opened.journal.close();
  rmSync(place.keyPath);
  const { journal, ring } = place.open();
  context.after(() => journal.close());
  const keys = readFileSync(place.keyPath, 'utf8');
  assert.match(unreadableSecret(journal.view, ring)!, new RegExp(`^the secret of ${accessKeyId} is sealed with key `));
  const done = await rekey({ journal, ring, random: systemRandom });
  assert(!done.ok);
  assert.match(done.fault, /which \S+seal\.key does not hold; put back/);
  assert.equal(readFileSync(place.keyPath, 'utf8'), keys);
  assert.equal(journal.head.revision, 1);
});

test('rekey: what ended between the new key and the transaction is as good as what did not begin', async (context) => {
  const place = new Place(context);
  const before = place.open();
  const { accessKeyId, secretAccessKey } = await first(before.journal, before.ring);
  assert(before.ring.addKey().ok);
  await before.journal.close();
  const { journal, ring } = place.open();
  context.after(() => journal.close());
  assert.equal(unreadableSecret(journal.view, ring), undefined);
  assert.equal(keyLookup(journal, ring)(accessKeyId)?.secret, secretAccessKey);
  const done = await rekey({ journal, ring, random: systemRandom });
  assert(done.ok && done.value.resealed === 1);
});

test('rekey: killed at any moment, it leaves every secret of the present and of the past readable', async (context) => {
  const place = new Place(context);
  const begun = place.open();
  const { accessKeyId, secretAccessKey } = await first(begun.journal, begun.ring);
  await begun.journal.close();
  let versions = 1;
  for (let kill = 0; kill < 5; kill += 1) {
    const rekeyer = spawn(process.execPath, [
      new URL('./test-rekeyer.ts', import.meta.url).pathname,
      place.storePath,
      place.keyPath,
    ]);
    let lines = 0;
    await new Promise<void>((resolve) => {
      rekeyer.stdout.on('data', (chunk: Buffer) => {
        lines += String(chunk).split('\n').length - 1;
        if (lines > kill * 7) rekeyer.kill('SIGKILL');
      });
      rekeyer.on('close', () => resolve());
    });
    assert(lines > kill * 7, 'it was at work');
    const { journal, ring } = place.open();
    assert.equal(unreadableSecret(journal.view, ring), undefined);
    const found = await assertHistoryOpens(journal, ring, accessKeyId, secretAccessKey);
    assert(found >= versions + lines, 'what was told is there');
    versions = found;
    await journal.close();
  }
});
