import assert from 'node:assert/strict';
import test from 'node:test';
import { pickLeastOutstanding } from './least-outstanding.ts';
import { pickRandom } from './random.ts';
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

test('least outstanding requests: whoever has the fewest is picked, equals by turns', () => {
  const state = { turn: 7 };
  const targets = ['a', 'b', 'c'].map((name) => ({ name, outstanding: 0 }));
  const picked = Array.from({ length: 6 }, () => pickLeastOutstanding(state, targets, [])!.name);
  assert.equal(picked.join(''), 'bcabca');
  targets[0]!.outstanding = 2;
  targets[1]!.outstanding = 3;
  targets[2]!.outstanding = 2;
  assert.deepEqual(Array.from({ length: 4 }, () => pickLeastOutstanding(state, targets, [])!.name).toSorted(), [
    'a',
    'a',
    'c',
    'c',
  ]);
  assert.equal(pickLeastOutstanding(state, targets, [targets[0]!, targets[2]!])!.name, 'b');
  assert.equal(pickLeastOutstanding(state, targets, targets), undefined);
  assert.equal(pickLeastOutstanding(state, [], []), undefined);
});

test('random: each is as likely as any other, and who was tried is left out', () => {
  const counts: Record<string, number> = {};
  for (let roll = 0; roll < 1; roll += 1 / 300) {
    const name = pickRandom(['a', 'b', 'c'], [], roll)!;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  for (const count of Object.values(counts)) assert(Math.abs(count - 100) <= 1, JSON.stringify(counts));
  assert.equal(pickRandom(['a', 'b', 'c'], ['a', 'c'], 0.99), 'b');
  assert.equal(pickRandom(['a'], ['a'], 0), undefined);
  assert.equal(pickRandom([], [], 0.5), undefined);
});
