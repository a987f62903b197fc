/**
 * A process that writes to a journal until it is killed, and prints each revision once it was answered: for tests that
 * kill it and count what is missing. Usage: node test-writer.ts STORE
 */
import { accept } from '#base/result.ts';
import { systemClock } from '#io/clock.ts';
import { silentLog } from '#io/log.ts';
import { put, remove } from '#model/change.ts';
import { openJournal } from './journal.ts';
import { openSqliteStore } from './sqlite-store.ts';
import { admitAll } from './test-guard.ts';
import { testIdentity } from './test-identity.ts';

const path = process.argv[2]!;
const store = openSqliteStore(path, testIdentity);
const journal = openJournal({ store, guard: admitAll, clock: systemClock, log: silentLog });
const cause = { principal: 'ballast', channel: 'workflow', action: 'Write', requestId: '' } as const;

async function writeFor(writer: number): Promise<never> {
  for (let count = 0; ; count += 1) {
    const id = `node-${process.pid}-${writer}-${count}`;
    const node = { zone: 'a', prefix: '127.80.0.0/16' };
    const result = await journal.transact(cause, (view) => {
      // Now and then one that takes several parts, and takes back what is there: a kill may come in the middle of it.
      const many = count % 16 === writer ? Array.from({ length: 350 }, (_, index) => `other-${index}`) : [];
      const others = many.map((other) =>
        view.get('node', other) ? remove(view, 'node', other) : put(view, 'node', other, node),
      );
      return accept({ changes: [put(view, 'node', id, node), ...others], output: undefined });
    });
    // A pipe is written synchronously: what was printed was answered.
    process.stdout.write(
      result.ok ? `${result.value.transaction?.revision} ${id}\n` : `refused ${result.fault.code}\n`,
    );
  }
}

for (let writer = 0; writer < 8; writer += 1) void writeFor(writer);
