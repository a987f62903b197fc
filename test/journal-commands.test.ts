/** The commands that work on a journal by themselves: what they print, how they end, and being interrupted. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import test, { type TestContext } from 'node:test';
import { accept } from '#base/result.ts';
import { paths } from '#daemon/paths.ts';
import { systemClock } from '#io/clock.ts';
import { silentLog } from '#io/log.ts';
import { beginning } from '#journal/chain.ts';
import { openJournal } from '#journal/journal.ts';
import { openSqliteStore } from '#journal/sqlite-store.ts';
import { admitAll } from '#journal/test-guard.ts';
import { openVault } from '#journal/vault-writer.ts';
import { put } from '#model/change.ts';
import { launcher, temporaryFolder, until } from './running-ballast.ts';

interface Ended {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

function run(...args: readonly string[]) {
  const child = spawn(process.execPath, [launcher, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const printed = { output: '', errors: '' };
  child.stdout.on('data', (chunk: Buffer) => (printed.output += chunk));
  child.stderr.on('data', (chunk: Buffer) => (printed.errors += chunk));
  const ended = new Promise<Ended>((resolve) => child.once('close', (code) => resolve({ code, ...printed })));
  return { child, ended };
}

/** A data folder with a journal of so many changes in ten transactions, and its vault; nothing runs there. */
async function writtenFolder(context: TestContext, changes: number): Promise<string> {
  const data = temporaryFolder();
  context.after(() => rmSync(data, { recursive: true, force: true }));
  const identity = { storeId: 'b2', environment: 'staging', region: 'us-east-1', createdAtMs: 1, origin: beginning };
  const store = openSqliteStore(paths.journal(data), identity);
  const journal = openJournal({ store, guard: admitAll, clock: systemClock, log: silentLog });
  const vault = openVault({ folder: paths.vault(data), source: journal, clock: systemClock, log: silentLog });
  const cause = { principal: '000000000000/admin', channel: 'api', action: 'Test', requestId: '' } as const;
  for (let round = 0; round < 10; round += 1) {
    await journal.transact(cause, (view) => {
      const ids = Array.from({ length: changes / 10 }, (_, index) => `node-${index}`);
      return accept({
        changes: ids.map((id) => put(view, 'node', id, { zone: `${round}`, prefix: '' })),
        output: undefined,
      });
    });
  }
  await until(() => vault.stats.lagRevisions === 0, 'the vault holds all of it');
  await vault.close();
  await journal.close();
  return data;
}

test('verify: says what is whole, what is damaged and where, for people and for programs', async (context) => {
  const data = await writtenFolder(context, 1_000);
  const verify = (...args: string[]) => run('verify', '--data', data, ...args).ended;
  assert.deepEqual(await verify(), {
    code: 0,
    output: 'The journal is whole: revisions 1 to 10, 1,000 changes.\n',
    errors: '',
  });
  assert.match((await verify('--from', '8')).output, /revisions 8 to 10, 300 changes/);
  assert.match((await verify('--from', '11')).output, /Nothing to verify: the last revision is 10/);
  const { output: json, code } = await verify('--json');
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(json), { type: 'result', whole: true, from: 1, through: 10, changes: 1_000 });
  const wrong = await verify('--from', 'x');
  assert.deepEqual({ code: wrong.code, output: wrong.output }, { code: 2, output: '' });
  assert.match(wrong.errors, /--from is not a revision: 'x'/);
  const none = await run('verify', '--data', `${data}/nowhere`).ended;
  assert.equal(none.code, 3);
  assert.match(none.errors, /^ballast: there is no journal in /);

  const other = new DatabaseSync(paths.journal(data));
  other.exec(`DROP TRIGGER part_refuses_update;
    UPDATE part SET lines = replace(lines, '"zone":"3"', '"zone":"4"') WHERE revision = 4`);
  other.close();
  const damaged = await verify();
  assert.equal(damaged.code, 1);
  assert.match(
    damaged.output,
    /^the journal is damaged: revision 4 has other changes than were written\nfirst at revision 4/,
  );
  const told = JSON.parse((await verify('--json')).output);
  assert.equal(told.whole, false);
  assert.deepEqual({ where: told.broken.where, revision: told.broken.revision }, { where: 'log', revision: 4 });
});

test('recover, verify: interrupted, they leave nothing that anybody could take for whole', async (context) => {
  const data = await writtenFolder(context, 100_000);
  const verifying = run('verify', '--data', data);
  verifying.child.kill('SIGINT');
  await verifying.ended;
  for (const name of readdirSync(data)) if (name.startsWith('journal')) rmSync(`${data}/${name}`);
  const recover = () => run('recover', '--from', 'vault', '--data', data, '--yes');
  const interrupted = recover();
  await until(() => existsSync(paths.recovering(data)), 'it writes');
  interrupted.child.kill('SIGINT');
  assert.notEqual((await interrupted.ended).code, 0);
  assert(!existsSync(paths.journal(data)));
  const { code, output } = await recover().ended;
  assert.equal(code, 0, output);
  assert(!existsSync(paths.recovering(data)));
  assert.match((await run('verify', '--data', data).ended).output, /whole: revisions 1 to 10, 100,000 changes/);
});
