import assert from 'node:assert/strict';
import test from 'node:test';
import { dayOf2012 } from './day-of-2012.ts';

test('day of 2012: the events are in order, and each stands at its time of the clock in Seattle', () => {
  const clock = dayOf2012.timeline.flatMap((event) =>
    'atMs' in event ? [new Date(Date.parse(dayOf2012.happenedAt) + event.atMs).toISOString().slice(8, 16)] : [],
  );
  // 12:24, 17:02, 02:45, 05:40, 08:15, 10:30 and 12:05 Pacific, which is eight hours behind UTC.
  assert.deepEqual(clock, ['24T20:24', '25T01:02', '25T10:45', '25T13:40', '25T16:15', '25T18:30', '25T20:05']);
});

test('day of 2012: exactly two times are doubtful: those of the cause found and of the APIs enabled', () => {
  const doubtful = dayOf2012.timeline.filter((event) => 'isDoubtful' in event && event.isDoubtful);
  assert.deepEqual(
    doubtful.map(({ event }) => event.slice(0, 9)),
    ['the cause', 'most APIs'],
  );
});

test('day of 2012: the figures are those of the timeline', () => {
  const times = dayOf2012.timeline.map((event) => ('atMs' in event ? event.atMs : undefined));
  assert.equal(times.at(-1), dayOf2012.mendedAfterMs);
  assert.ok(times.includes(dayOf2012.noticedAfterMs));
});
