import assert from 'node:assert/strict';
import test from 'node:test';
import { soak } from '../soak/soak.ts';
import { faultsOf, usualBounds } from '../soak/verdict.ts';

const mebibyte = 1024 * 1024;

test('soak: 100,000 connections of every kind leave a worker as small as it was, with nothing open', async (t) => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  t.diagnostic(`seed ${seed}`);
  const result = await soak({ connections: 100_000, concurrency: 128, samples: 16, seed });
  t.diagnostic(`${Math.round(100_000 / result.seconds)} connections a second`);
  assert.deepEqual(result.problems, []);
  // It has not reached its size yet when the second quarter begins.
  const bounds = { ...usualBounds, rssBytesMax: 64 * mebibyte };
  assert.deepEqual(faultsOf(result.before, result.samples, bounds), []);
});
