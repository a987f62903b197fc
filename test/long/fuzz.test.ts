import assert from 'node:assert/strict';
import test from 'node:test';
import { fuzz } from '../fuzz/fuzz.ts';
import { formatFinding } from '../fuzz/input.ts';
import { fuzzTargets } from '../fuzz/targets.ts';

/** By their turns, the cheap ones get the most of it. */
const inputsMax = 600_000;

test('fuzz: fresh inputs find nothing in any target', async (t) => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  t.diagnostic(`seed ${seed}`);
  const { findings, tallies } = await fuzz({ targets: fuzzTargets, seed, isOver: (inputs) => inputs >= inputsMax });
  t.diagnostic(JSON.stringify(tallies));
  assert.equal(findings.map(formatFinding).join(''), '');
});
