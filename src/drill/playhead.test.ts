import assert from 'node:assert/strict';
import test from 'node:test';
import { Playhead } from './playhead.ts';

const full = () => {
  const playhead = new Playhead({ segmentMs: 100, bufferSegments: 3 });
  for (const atMs of [10, 20, 30]) playhead.arrive(atMs);
  return playhead;
};

test('playhead: nothing plays before the buffer is full, and waiting for that is no stall', () => {
  const playhead = new Playhead({ segmentMs: 100, bufferSegments: 3 });
  playhead.arrive(10);
  playhead.arrive(5000);
  assert.deepEqual(playhead.figures(9000), { played: 0, stalls: 0, stalledMs: 0 });
  playhead.arrive(9000);
  assert.deepEqual(playhead.figures(9000), { played: 1, stalls: 0, stalledMs: 0 });
});

test('playhead: plays one segment each segment time, however seldom it is asked', () => {
  const playhead = full();
  assert.equal(playhead.figures(129).played, 1);
  assert.equal(playhead.figures(130).played, 2);
  const asleep = full();
  assert.deepEqual(asleep.figures(330), { played: 3, stalls: 0, stalledMs: 0 });
});

test('playhead: has room as soon as a segment was taken, and no more than its buffer', () => {
  const playhead = full();
  assert.equal(playhead.roomAtMs(30), undefined);
  playhead.arrive(40);
  assert.equal(playhead.roomAtMs(40), 130);
  assert.equal(playhead.roomAtMs(130), undefined);
});

test('playhead: a stall lasts from when a segment was due until one is there, and the time after counts from then', () => {
  const playhead = full();
  assert.deepEqual(playhead.figures(400), { played: 3, stalls: 1, stalledMs: 70 });
  assert.deepEqual(playhead.figures(500), { played: 3, stalls: 1, stalledMs: 170 });
  playhead.arrive(530);
  assert.deepEqual(playhead.figures(530), { played: 4, stalls: 1, stalledMs: 200 });
  playhead.arrive(600);
  assert.deepEqual(playhead.figures(700), { played: 5, stalls: 1, stalledMs: 200 });
  assert.deepEqual(playhead.figures(740), { played: 5, stalls: 2, stalledMs: 210 });
});

test('playhead: a stall that nobody asked about while it lasted counts all the same', () => {
  const playhead = full();
  playhead.arrive(530);
  assert.deepEqual(playhead.figures(530), { played: 4, stalls: 1, stalledMs: 200 });
});

test('playhead: a segment that arrives in the very moment it is due is in time', () => {
  const playhead = full();
  playhead.arrive(330);
  assert.deepEqual(playhead.figures(330), { played: 4, stalls: 0, stalledMs: 0 });
});

test('playhead: segments that were there in time are no stall when the program looks late', () => {
  const playhead = full();
  playhead.arrive(100);
  playhead.arrive(425);
  assert.deepEqual(playhead.figures(429), { played: 4, stalls: 0, stalledMs: 0 });
});

test('playhead: while the device stands still, so does the picture, and a stall from before keeps its own length', () => {
  const playhead = full();
  playhead.hold(1000);
  assert.deepEqual(playhead.figures(1030), { played: 1, stalls: 0, stalledMs: 0 });
  assert.deepEqual(playhead.figures(1380), { played: 3, stalls: 1, stalledMs: 50 });
  playhead.hold(1000);
  assert.deepEqual(playhead.figures(2380), { played: 3, stalls: 1, stalledMs: 50 });
});
