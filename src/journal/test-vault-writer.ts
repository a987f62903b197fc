/**
 * A process that writes to a journal with a vault until it is killed, and prints what the vault says of itself after
 * each answer: for tests that kill it or leave it no room. Usage: node test-vault-writer.ts STORE VAULT
 */
import { accept } from '#base/result.ts';
import { systemClock } from '#io/clock.ts';
import { silentLog } from '#io/log.ts';
import { put } from '#model/change.ts';
import { openJournal } from './journal.ts';
import { openSqliteStore } from './sqlite-store.ts';
import { admitAll } from './test-guard.ts';
import { testIdentity } from './test-identity.ts';
import { openVault } from './vault-writer.ts';

const [path, folder] = process.argv.slice(2) as [string, string];
const store = openSqliteStore(path, testIdentity);
const journal = openJournal({ store, guard: admitAll, clock: systemClock, log: silentLog });
const vault = openVault({ folder, source: journal, clock: systemClock, log: silentLog });
const cause = { principal: 'ballast', channel: 'workflow', action: 'Write', requestId: '' } as const;

for (let count = 0; ; count += 1) {
  const ids = Array.from({ length: 1 + 37 * (count % 5) }, (_, index) => `node-${process.pid}-${count}-${index}`);
  const result = await journal.transact(cause, (view) =>
    accept({ changes: ids.map((id) => put(view, 'node', id, { zone: 'a', prefix: '' })), output: undefined }),
  );
  // A pipe is written synchronously: what was printed was answered.
  process.stdout.write(`${JSON.stringify({ answered: result.ok, head: journal.head.revision, ...vault.stats })}\n`);
  // The vault is one of those that wait for the event loop.
  await new Promise(setImmediate);
}
