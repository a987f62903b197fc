/** Retention, as its operator meets it: on a journal that goes back for months. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { accept } from '#base/result.ts';
import { paths } from '#daemon/paths.ts';
import { silentLog } from '#io/log.ts';
import { beginning } from '#journal/chain.ts';
import { dayMs, dayOf } from '#journal/fold.ts';
import { openJournal } from '#journal/journal.ts';
import { openSqliteStore } from '#journal/sqlite-store.ts';
import { admitAll } from '#journal/test-guard.ts';
import { put, remove } from '#model/change.ts';
import { sampleTargetGroup } from '#model/test-documents.ts';
import { ballastCommand, startBallast, temporaryFolder, until } from './running-ballast.ts';
import { endWith, inVault } from './service.ts';

const cause = { principal: '000000000000/admin', channel: 'api', action: 'RegisterTargets', requestId: '' } as const;

/** A data folder whose journal knows ten days of a busy target group, a hundred days ago. */
async function busyPast(): Promise<string> {
  const data = temporaryFolder();
  // Four rounds a day, from one o'clock on.
  let nowMs = (dayOf(Date.now()) - 100) * dayMs - 5 * 3_600_000;
  const identity = {
    storeId: 'a1',
    environment: 'staging',
    region: 'us-east-1',
    createdAtMs: nowMs,
    origin: beginning,
  };
  const store = openSqliteStore(paths.journal(data), identity);
  const clock = { wallMs: () => nowMs, monotonicMs: () => performance.now() };
  const journal = openJournal({ store, guard: admitAll, clock, log: silentLog });
  const group = '00000000000000aa';
  const target = (id: string) => ({
    targetGroupId: group,
    address: /10[.0-9]+/.exec(id)![0],
    port: 80,
    state: { kind: 'registered', sinceMs: nowMs } as const,
  });
  const ids = Array.from({ length: 500 }, (_, index) => `${group}/10.0.${index >> 8}.${index & 255}:80`);
  await journal.transact(cause, (view) =>
    accept({ changes: [put(view, 'target-group', group, sampleTargetGroup)], output: undefined }),
  );
  for (let round = 0; round < 40; round += 1) {
    nowMs += dayMs / 4;
    await journal.transact(cause, (view) =>
      accept({
        changes: ids.map((id) => (round % 2 === 0 ? put(view, 'target', id, target(id)) : remove(view, 'target', id))),
        output: undefined,
      }),
    );
  }
  await journal.close();
  return data;
}

test('retention: what would go is shown first, goes with --yes, comes back with --undo, and outlives a kill', async (context) => {
  const data = await busyPast();
  const ballast = await startBallast({ data, flags: ['--environment', 'staging'] });
  endWith(context, ballast);
  await inVault(ballast);
  const run = (...args: string[]) => ballastCommand('retention', '--data', data, ...args);
  const verify = () => ballastCommand('verify', '--data', data);

  assert.equal(await run(), 'Nothing is folded: the whole history is there.\n');
  const plan = await run('--older-than', '30');
  const [, fold] =
    /fold (\d+): \d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d, revisions 1 to \d+, 15,000 changes can be folded/.exec(plan) ?? [];
  assert(fold !== undefined, plan);
  assert.match(plan, /Nothing was changed\. Add --yes to do it\.\n$/);
  assert.match(await run('--older-than', '4000'), /Nothing is old enough to be folded\.\n$/);

  assert.match(await run('--older-than', '30', '--yes'), /changes folded\nDone as revision \d+\. /);
  assert.match(await verify(), /The journal is whole/);
  assert.match(await run(), new RegExp(`^fold ${fold}: .* changes folded\n$`));
  assert.match(await ballastCommand('log', '--data', data), /operator +maintenance +revisions 1 to 41 folded\n/);
  assert.match(await ballastCommand('show', '3', '--data', data), /folded away by retention/);

  process.kill(ballast.report.pids.controlPlane, 'SIGKILL');
  await until(async () => (await run().catch(() => '')).includes('folded'), 'the control plane is back');
  const lines = (await run('--undo', fold, '--yes', '--json')).trimEnd().split('\n');
  assert.deepEqual(JSON.parse(lines.at(-1)!).done, true);
  assert.match(await verify(), /The journal is whole/);
  assert.equal(await run(), 'Nothing is folded: the whole history is there.\n');
  assert.match(await ballastCommand('show', '3', '--data', data), /500 targets/);
});
