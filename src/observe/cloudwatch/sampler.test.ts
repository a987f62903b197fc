import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '#io/clock.ts';
import { nextLookMs, Sampler } from './sampler.ts';

const minuteMs = 60_000;

test('sampler: looks are at ends of periods, and every minute ends with one, whatever the period', () => {
  for (let periodMs = 1_000; periodMs <= minuteMs; periodMs += 1_000) {
    const looks: number[] = [];
    for (let atMs = 7 * minuteMs - 1; atMs < 9 * minuteMs; ) {
      const nextMs = nextLookMs(atMs, periodMs);
      assert(nextMs > atMs && nextMs - atMs <= periodMs, `${periodMs}: ${nextMs} after ${atMs}`);
      looks.push(nextMs);
      atMs = nextMs;
    }
    for (const endMs of [7, 8, 9]) assert(looks.includes(endMs * minuteMs), `${periodMs}: minute ${endMs}`);
    assert.equal(looks.length, 1 + 2 * Math.ceil(minuteMs / periodMs));
  }
});

test('sampler: each look is for its own end of a period, the next comes after it, and none after it is stopped', async () => {
  const times: number[] = [];
  let looking = 0;
  const look = async (atMs: number) => {
    looking += 1;
    assert.equal(looking, 1, 'one at a time');
    assert(systemClock.wallMs() >= atMs, 'its period is over');
    await new Promise(setImmediate);
    looking -= 1;
    times.push(atMs);
    if (times.length === 3) sampler.stop();
  };
  const sampler = new Sampler({ periodMs: 10, clock: systemClock, look });
  await looks(5);
  assert.equal(times.length, 3);
  assert(times.every((atMs, index) => atMs % 10 === 0 && (index === 0 || atMs > times[index - 1]!)));
});

/** As long as another sampler takes for so many, at the same ends of periods. */
function looks(count: number): Promise<void> {
  return new Promise((resolve) => {
    let left = count;
    const look = async () => {
      left -= 1;
      if (left > 0) return;
      sampler.stop();
      resolve();
    };
    const sampler = new Sampler({ periodMs: 10, clock: systemClock, look });
  });
}
