import assert from 'node:assert/strict';
import test from 'node:test';
import { formatDuration } from './duration.ts';

test('duration: has the unit that a person would say, and at most two of them', () => {
  const hourMs = 3_600_000;
  const said = [0, 0.6, 310, 999.4, 999.6, 1000, 4212, 59_940, 59_960, 60_000, 125_000, 3_599_400, 3_599_600].map(
    formatDuration,
  );
  assert.deepEqual(said, [
    '0 ms',
    '1 ms',
    '310 ms',
    '999 ms',
    '1.0 s',
    '1.0 s',
    '4.2 s',
    '59.9 s',
    '1 min',
    '1 min',
    '2 min 5 s',
    '59 min 59 s',
    '1 h',
  ]);
  assert.equal(formatDuration(23 * hourMs + 41 * 60_000), '23 h 41 min');
  assert.equal(formatDuration(30 * hourMs), '30 h');
});
