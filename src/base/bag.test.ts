import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Bag, type Bagged } from './bag.ts';

test('bag: holds what was added and not removed, in whatever order things come and go', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat())), (steps) => {
      const bag = new Bag<Bagged>();
      const expected = new Set<Bagged>();
      for (const [adds, luck] of steps) {
        const present = [...expected];
        if (adds || present.length === 0) {
          const item = { bagIndex: 0 };
          bag.add(item);
          expected.add(item);
        } else {
          const item = present[luck % present.length]!;
          bag.remove(item);
          expected.delete(item);
        }
        assert.equal(bag.size, expected.size);
        assert.deepEqual(new Set(bag.all()), expected);
      }
    }),
  );
});

test('bag: what does not lie in it cannot be removed', () => {
  const bag = new Bag<Bagged>();
  const item = { bagIndex: 0 };
  assert.throws(() => bag.remove(item));
  bag.add(item);
  assert.throws(() => bag.remove({ bagIndex: 0 }));
  bag.remove(item);
  assert.throws(() => bag.remove(item));
});
