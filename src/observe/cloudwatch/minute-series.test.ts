import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { MinuteSeries } from './minute-series.ts';

const number = fc.oneof(fc.nat({ max: 200 }), fc.maxSafeNat(), fc.constant(0));
const row = fc.uniqueArray(fc.tuple(fc.nat({ max: 600 }), number), { selector: ([column]) => column, maxLength: 6 });
/** Few rows, so that they come again; gaps of which most are none. */
const series = fc
  .array(row, { minLength: 1, maxLength: 4 })
  .chain((rows) => fc.array(fc.tuple(fc.constantFrom(1, 1, 1, 2, 500), fc.constantFrom(...rows)), { maxLength: 60 }));

const nonZero = (pairs: readonly (readonly [number, number])[]) =>
  [...pairs].filter(([, value]) => value !== 0).sort(([one], [other]) => one - other);

test('minute series: what was put in comes out, of any range, and nothing of what was dropped', () => {
  fc.assert(
    fc.property(series, fc.nat({ max: 80 }), fc.nat({ max: 80 }), (steps, dropped, first) => {
      const kept = new MinuteSeries();
      let minute = 29_000_000;
      let plain: { minute: number; row: readonly (readonly [number, number])[] }[] = [];
      steps.forEach(([gap, pairs], index) => {
        minute += gap;
        kept.append(minute, new Map(pairs));
        plain.push({ minute, row: nonZero(pairs) });
        // In the middle, too: what comes behind a drop must still be found.
        if (index !== dropped) return;
        const before = minute - (first % 20);
        kept.dropBefore(before);
        plain = plain.filter((each) => each.minute >= before);
      });
      const read = (from: number, end: number) =>
        [...kept.rows(from, end)].map((each) => ({ minute: each.minute, row: nonZero([...each.row]) }));
      assert.deepEqual(read(0, Number.POSITIVE_INFINITY), plain);
      const [from, end] = [29_000_000 + first, 29_000_000 + first + dropped];
      assert.deepEqual(
        read(from, end),
        plain.filter((each) => each.minute >= from && each.minute < end),
      );
    }),
  );
});

test('minute series: minutes that are alike cost nothing, and others a few bytes', () => {
  const [idle, busy] = [new MinuteSeries(), new MinuteSeries()];
  for (let minute = 1; minute <= 180; minute += 1) {
    idle.append(minute, new Map([[0, 1]]));
    busy.append(minute, new Map(Array.from({ length: 20 }, (_, column) => [column, 1_000 + minute])));
  }
  assert.equal(idle.sizeBytes, 32);
  assert(busy.sizeBytes <= 16 * 1024, `${busy.sizeBytes}`);
  busy.dropBefore(1_000);
  assert(busy.isEmpty && busy.sizeBytes === 32);
});
