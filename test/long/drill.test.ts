/** The drill, small: the whole day, and the same as it was in 2012. How long things take is not judged here. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import type { ScenarioResult } from '#drill/scoreboard.ts';
import { launcher } from '../running-ballast.ts';

/** A folder for temporary files is its own, so that what others do meanwhile in the common one is not taken for its. */
async function drill(
  temporary: string,
  ...flags: readonly string[]
): Promise<{ code: number; results: ScenarioResult[]; errors: string }> {
  const words = ['drill', 'christmas-eve', '--load-balancers', '20', '--nodes', '2', '--json', ...flags];
  const child = spawn(process.execPath, [launcher, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: temporary },
  });
  let [printed, errors] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk));
  const [code] = (await once(child, 'close')) as [number];
  const lines = printed.split('\n').filter((line) => line !== '');
  return {
    code,
    errors,
    results: lines.map((line) => JSON.parse(line)).filter(({ scenario }) => scenario !== undefined),
  };
}

function temporaryFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'ballast-drills-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('drill: the day of 2012 with all layers on impairs nobody, is noticed and mended', async (context) => {
  const { results, errors } = await drill(temporaryFolder(context));
  assert.deepEqual(
    results.map(({ scenario }) => scenario),
    ['unapproved-maintenance', 'stolen-approval', 'rows-deleted', 'files-removed', 'emptied-store'],
    errors,
  );
  for (const { scenario, impaired, requests, failedRequests, noticedAfterMs, mendedAfterMs, notes } of results) {
    assert(requests > 200, scenario);
    assert.deepEqual([impaired, failedRequests], [0, 0], scenario);
    assert.notEqual(noticedAfterMs, undefined, scenario);
    const isBarred = scenario === 'unapproved-maintenance' || scenario === 'stolen-approval';
    assert.equal(mendedAfterMs === undefined, isBarred, scenario);
    assert(notes.includes('In the end the state knows 20 of 20 load balancers.'), `${scenario}: ${notes.join(' ')}`);
  }
});

test('drill: as in 2012 the damage is real, and the exit code says so', async (context) => {
  const temporary = temporaryFolder(context);
  const { code, results, errors } = await drill(temporary, '--as-in-2012');
  assert.equal(code, 1, errors);
  const [only, ...others] = results;
  assert.deepEqual(others, []);
  assert.equal(only!.impaired, 6, 'thirty percent of twenty');
  assert(only!.failedRequests > 0 && only!.noticedAfterMs === undefined && !only!.target.holds);
  assert.deepEqual(readdirSync(temporary), [], 'nothing is left behind');
});
