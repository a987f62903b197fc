import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Histogram } from './histogram.ts';

test('histogram: a quantile is at most 6.25 % above the exact one, and never below it', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 100_000_000 }), { minLength: 1, maxLength: 200 }),
      (microseconds) => {
        const histogram = new Histogram();
        for (const value of microseconds) histogram.recordMs(value / 1000);
        const sorted = [...microseconds].sort((a, b) => a - b);
        for (const share of [0.5, 0.99, 1]) {
          const exact = sorted[Math.ceil(share * sorted.length) - 1]!;
          const found = histogram.quantileMs(share) * 1000;
          assert(found >= exact - 1 && found <= exact * 1.0625 + 1, `${found} for ${exact}`);
        }
      },
    ),
  );
});

test('histogram: the sparse form comes back as the same histogram, and two add up', () => {
  const first = new Histogram();
  const second = new Histogram();
  for (const value of [0, 0.001, 0.5, 12, 3000]) first.recordMs(value);
  second.recordMs(12);
  const copy = Histogram.fromSparse(JSON.parse(JSON.stringify(first.toSparse())));
  assert.deepEqual(copy, first);
  copy.add(second);
  assert.equal(copy.count, 6);
  assert.equal(copy.countAtMostMs(12) - first.countAtMostMs(12), 1);
});

test('histogram: durations beyond its range are counted in its first and last bucket', () => {
  const histogram = new Histogram();
  histogram.recordMs(-5);
  histogram.recordMs(1e12);
  assert.equal(histogram.count, 2);
  assert.equal(histogram.countAtMostMs(0), 1);
});
