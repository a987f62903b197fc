/**
 * A process that seals the secrets of a store anew, again and again, until it is killed: for tests that kill it and
 * look whether every secret still opens. Usage: node test-rekeyer.ts STORE KEYFILE
 */
import { systemClock } from '#io/clock.ts';
import { silentLog } from '#io/log.ts';
import { systemRandom } from '#io/random.ts';
import { openJournal } from '#journal/journal.ts';
import { openKeyRing } from '#journal/seal.ts';
import { openSqliteStore } from '#journal/sqlite-store.ts';
import { admitAll } from '#journal/test-guard.ts';
import { testIdentity } from '#journal/test-identity.ts';
import { rekey } from './rekey.ts';

const [, , storePath, keyPath] = process.argv;
const store = openSqliteStore(storePath!, testIdentity);
const journal = openJournal({ store, guard: admitAll, clock: systemClock, log: silentLog });
const ring = openKeyRing(keyPath!, false);
if (!ring.ok) throw new Error(ring.fault);
while (true) {
  const done = await rekey({ journal, ring: ring.value, random: systemRandom });
  if (!done.ok) throw new Error(done.fault);
  process.stdout.write(`${done.value.keyId}\n`);
}
