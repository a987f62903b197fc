/** The drill, small: the whole day, and the same as it was in 2012. How long things take is not judged here. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import test from 'node:test';
import type { ScenarioResult } from '#drill/scoreboard.ts';
import { launcher } from './running-ballast.ts';

async function drill(
  ...flags: readonly string[]
): Promise<{ code: number; results: ScenarioResult[]; errors: string }> {
  const words = ['drill', 'christmas-eve', '--load-balancers', '20', '--nodes', '2', '--json', ...flags];
  const child = spawn(process.execPath, [launcher, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
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

const folders = () => readdirSync(tmpdir()).filter((name) => name.startsWith('ballast-drill-')).length;

test('drill: the day of 2012 with all layers on impairs nobody, is noticed and mended', async () => {
  const { results, errors } = await drill();
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

test('drill: as in 2012 the damage is real, and the exit code says so', async () => {
  const before = folders();
  const { code, results, errors } = await drill('--as-in-2012');
  assert.equal(code, 1, errors);
  const [only, ...others] = results;
  assert.deepEqual(others, []);
  assert.equal(only!.impaired, 6, 'thirty percent of twenty');
  assert(only!.failedRequests > 0 && only!.noticedAfterMs === undefined && !only!.target.holds);
  assert(folders() <= before && existsSync(tmpdir()), 'nothing is left behind');
});
