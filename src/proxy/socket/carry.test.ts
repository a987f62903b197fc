import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Carry } from './carry.ts';

test('carry: what is used and what is appended come out as one stream, and empty it holds nothing', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ append: fc.uint8Array({ maxLength: 700, size: 'max' }), use: fc.nat({ max: 900 }) }), {
        maxLength: 20,
      }),
      (steps) => {
        const carry = new Carry();
        let expected = Buffer.alloc(0);
        for (const { append, use } of steps) {
          if (append.length > 0) carry.append(Buffer.from(append), 0, append.length);
          expected = Buffer.concat([expected, append]);
          const carried = carry.bytes?.subarray(carry.start, carry.end) ?? Buffer.alloc(0);
          assert(carried.equals(expected));
          const used = Math.min(use, expected.length);
          if (!carry.isEmpty) carry.use(carry.start + used);
          expected = expected.subarray(used);
          assert.equal(carry.isEmpty, expected.length === 0);
          assert.equal(carry.bytes === undefined, carry.isEmpty);
        }
      },
    ),
  );
});
