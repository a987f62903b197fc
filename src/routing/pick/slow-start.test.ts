import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { rolls } from '#base/rolls.ts';
import { pickInSlowStart, shareAt } from './slow-start.ts';

function counts(shares: readonly number[], picks: number, seed: number): number[] {
  const state = { turn: 0 };
  const targets = shares.map((_, index) => index);
  const found = shares.map(() => 0);
  const how = { share: (target: number) => shares[target]!, roll: rolls(seed) };
  for (let count = 0; count < picks; count += 1) found[pickInSlowStart(state, targets, [], how)!]! += 1;
  return found;
}

test('slow start: a share grows evenly from next to nothing to the whole, and stays there', () => {
  const slowStart = { beganAtMs: 1_000, durationMs: 30_000 };
  const at = [0, 1_000, 4_000, 16_000, 31_000, 9e9].map((atMs) => shareAt(slowStart, atMs));
  assert.deepEqual(at, [0.01, 0.01, 0.1, 0.5, 1, 1]);
});

test('slow start: who is in it gets its share of a turn, and the others share alike what it leaves', () => {
  const [growing, ...others] = counts([0.3, 1, 1, 1], 33_000, 1) as [number, number, number, number];
  assert(Math.abs(growing - 3_000) < 250, `${growing}`);
  for (const other of others) assert(Math.abs(other - 10_000) < 250, `${others}`);
});

test('slow start: whatever the shares are, somebody who was not tried is picked', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: 1, maxLength: 8 }),
      fc.nat(),
      fc.nat(7),
      (shares, seed, triedCount) => {
        const targets = shares.map((_, index) => index);
        const tried = targets.slice(0, triedCount);
        const how = { share: (target: number) => shares[target]!, roll: rolls(seed) };
        const picked = pickInSlowStart({ turn: seed }, targets, tried, how);
        if (tried.length === targets.length) assert.equal(picked, undefined);
        else assert(picked !== undefined && !tried.includes(picked));
      },
    ),
  );
});

test('slow start: where all are in it together they share alike', () => {
  const found = counts([0.05, 0.05, 0.05], 9_000, 7);
  for (const count of found) assert(Math.abs(count - 3_000) < 200, `${found}`);
});
