/**
 * A process that folds a journal, or undoes that, and says when it is about to change something, so that it can be
 * killed then.
 * Usage: node test-retention-process.ts STORE VAULT NOW-MS fold|undo
 */
import { silentLog } from '#io/log.ts';
import { openJournal } from '#journal/journal.ts';
import { openSqliteStore } from '#journal/sqlite-store.ts';
import { admitAll } from '#journal/test-guard.ts';
import { testIdentity } from '#journal/test-identity.ts';
import { Retention, type RetentionOptions } from './retention.ts';

const [path, vault, now, wish] = process.argv.slice(2) as [string, string, string, string];
const nowMs = () => Number(now);
const clock = { wallMs: nowMs, monotonicMs: () => performance.now() };
const store = openSqliteStore(path, testIdentity);
const journal = openJournal({ store, guard: admitAll, clock, log: silentLog });
// A pipe is written synchronously: what is printed is known before it is done.
const say = () => process.stdout.write('.');
const talking = {
  identity: journal.identity,
  get head() {
    return journal.head;
  },
  get view() {
    return journal.view;
  },
  history: () => journal.history(),
  transact: (...given: Parameters<typeof journal.transact>) => {
    say();
    return journal.transact(...given);
  },
  get folding() {
    const { folding } = journal;
    return {
      ...folding,
      rewrite: (batch: Parameters<typeof folding.rewrite>[0]) => {
        say();
        folding.rewrite(batch);
        say();
      },
    };
  },
} as unknown as RetentionOptions['journal'];

const retention = new Retention({ journal: talking, vault, newRequestId: () => 'request-2', nowMs });
const [fold] = retention.list();
const answer =
  wish === 'fold' ? await retention.fold({ olderThanDays: 3 }) : fold && (await retention.undo({ fold: fold.to }));
if (answer?.ok === false) throw new Error(answer.fault.error);
if (answer !== undefined)
  for await (const line of answer.value) if (line?.type === 'error') throw new Error(line.error);
await journal.close();
