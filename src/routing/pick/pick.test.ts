import assert from 'node:assert/strict';
import test from 'node:test';
import { pickRoundRobin } from './round-robin.ts';
import { pickWeighted } from './weighted.ts';

test('round robin: every eligible target gets the same number of turns', () => {
  const state = { turn: 4_000_000_000 };
  const picked = Array.from({ length: 300 }, () => pickRoundRobin(state, ['a', 'b', 'c'], []));
  for (const target of ['a', 'b', 'c']) assert.equal(picked.filter((each) => each === target).length, 100);
});

test('round robin: targets that were tried are passed over, and nobody is left when all were', () => {
  const state = { turn: 0 };
  assert.equal(pickRoundRobin(state, ['a', 'b', 'c'], ['a', 'b']), 'c');
  assert.equal(pickRoundRobin(state, ['a', 'b', 'c'], ['a']), 'b');
  assert.equal(pickRoundRobin(state, ['a'], ['a']), undefined);
  assert.equal(pickRoundRobin(state, [], []), undefined);
});

test('round robin: a change of the targets keeps the turn', () => {
  const state = { turn: 0 };
  assert.equal(pickRoundRobin(state, ['a', 'b', 'c', 'd'], []), 'a');
  assert.equal(pickRoundRobin(state, ['a', 'b', 'c'], []), 'b');
  assert.equal(pickRoundRobin(state, ['a', 'b', 'c', 'd'], []), 'c');
  assert.equal(pickRoundRobin(state, ['a', 'b'], []), 'b');
});

test('weighted: choices are picked by their shares, and never with a share of 0', () => {
  const choices = [
    { name: 'none', share: 0 },
    { name: 'most', share: 0.7 },
    { name: 'some', share: 0.3 },
  ];
  const counts: Record<string, number> = {};
  for (let roll = 0; roll < 1; roll += 1 / 1000) {
    const { name } = pickWeighted(choices, roll)!;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  assert.equal(counts.none, undefined);
  assert(Math.abs(counts.most! - 700) <= 1, `${counts.most}`);
});

test('weighted: shares that add up to a little less than 1 leave no roll without a choice', () => {
  const choices = [{ share: 0.1 }, { share: 0.2 }, { share: 0.7 - Number.EPSILON }, { share: 0 }];
  assert.equal(pickWeighted(choices, 1 - 2 ** -53), choices[2]);
  assert.equal(pickWeighted([], 0), undefined);
});
