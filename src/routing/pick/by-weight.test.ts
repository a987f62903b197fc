import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { layOut, pickByWeight } from './by-weight.ts';

const weightsOf = fc.array(fc.double({ min: 1 / 32, max: 1, noNaN: true }), { minLength: 1, maxLength: 40 });

test('by weight: each is picked as its weight says, over all rolls that there are', () => {
  const names = ['a', 'b', 'c', 'd'];
  const choices = layOut(names, [1, 1 / 32, 0.5, 1]);
  const counts = new Map(names.map((name) => [name, 0]));
  const rollsCount = 81_000;
  for (let index = 0; index < rollsCount; index += 1) {
    const name = pickByWeight(choices, [], index / rollsCount)!;
    counts.set(name, counts.get(name)! + 1);
  }
  const expected = { a: 32_000, b: 1_000, c: 16_000, d: 32_000 };
  for (const [name, count] of Object.entries(expected)) {
    assert(Math.abs(counts.get(name)! - count) <= 4, JSON.stringify([...counts]));
  }
});

test('by weight: the places are laid out so that each target has its share of them, and not more', () => {
  fc.assert(
    fc.property(weightsOf, (weights) => {
      const { parts, others } = layOut(weights, weights);
      const shares = weights.map(() => 0);
      for (const [index, part] of parts.entries()) {
        assert(part >= 0 && part <= 1 + 1e-9, `${part}`);
        shares[index]! += part;
        shares[others[index]!]! += 1 - part;
      }
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      for (const [index, weight] of weights.entries()) {
        assert(Math.abs(shares[index]! / weights.length - weight / total) < 1e-9);
      }
    }),
  );
});

test('by weight: who was tried is left out, the others share as before, and nobody is left when all were', () => {
  const choices = layOut(['a', 'b', 'c'], [1, 0.25, 1]);
  const counts = { a: 0, b: 0, c: 0 };
  for (let index = 0; index < 1_000; index += 1) {
    counts[pickByWeight(choices, ['a'], index / 1_000) as 'a' | 'b' | 'c'] += 1;
  }
  assert.deepEqual(counts, { a: 0, b: 200, c: 800 });
  assert.equal(pickByWeight(choices, ['c', 'a'], 1 - 2 ** -32), 'b');
  assert.equal(pickByWeight(choices, ['a', 'b', 'c'], 0), undefined);
  assert.equal(pickByWeight(layOut<string>([], []), [], 0), undefined);
  fc.assert(
    fc.property(
      weightsOf,
      fc.nat(40),
      fc.double({ min: 0, max: 1 - 2 ** -32, noNaN: true }),
      (weights, count, roll) => {
        const targets = weights.map((_, index) => index);
        const picked = pickByWeight(layOut(targets, weights), targets.slice(0, count), roll);
        if (count >= targets.length) assert.equal(picked, undefined);
        else assert(picked !== undefined && picked >= count);
      },
    ),
  );
});
