import assert from 'node:assert/strict';
import test from 'node:test';
import { Deadline, DeadlineWheel, tickMs } from './deadlines.ts';

class Entry extends Deadline {
  firedAtMs: number[] = [];
  readonly #now: () => number;
  constructor(now: () => number) {
    super();
    this.#now = now;
  }
  override onDeadline(): void {
    this.firedAtMs.push(this.#now());
  }
}

function world() {
  let nowMs = 5_000;
  const wheel = new DeadlineWheel({ wallMs: () => 0, monotonicMs: () => nowMs });
  const advance = (durationMs: number, stepMs = tickMs) => {
    for (const endMs = nowMs + durationMs; nowMs < endMs; ) {
      nowMs = Math.min(endMs, nowMs + stepMs);
      wheel.advance();
    }
  };
  return {
    wheel,
    advance,
    entry: () => new Entry(() => nowMs),
    stall: (durationMs: number) => (nowMs += durationMs),
    now: () => nowMs,
  };
}

test('deadlines: each fires once, never early and at most three ticks late', () => {
  const { wheel, advance, entry, now } = world();
  const begunMs = now();
  const delays = [0, 1, 99, 100, 101, 2_500, 51_100, 51_200, 60_000, 3_600_000];
  const entries = delays.map((delayMs) => {
    const it = entry();
    wheel.set(it, delayMs);
    return it;
  });
  advance(4_000_000);
  for (const [index, { firedAtMs }] of entries.entries()) {
    assert.equal(firedAtMs.length, 1, `${delays[index]}`);
    const afterMs = firedAtMs[0]! - begunMs;
    assert(afterMs >= delays[index]! && afterMs <= delays[index]! + 3 * tickMs, `${delays[index]}: ${afterMs}`);
  }
});

test('deadlines: a deadline that is moved fires at its last place, further or nearer', () => {
  const { wheel, advance, entry } = world();
  const further = entry();
  const nearer = entry();
  wheel.set(further, 500);
  wheel.set(nearer, 60_000);
  for (let count = 0; count < 10; count += 1) {
    advance(400);
    wheel.set(further, 500);
  }
  assert.deepEqual(further.firedAtMs, []);
  wheel.set(nearer, 200);
  advance(1_000);
  assert.equal(further.firedAtMs.length, 1);
  assert.equal(nearer.firedAtMs.length, 1);
});

test('deadlines: a suspended one does not fire until it is set again, a removed one leaves the wheel', () => {
  const { wheel, advance, entry } = world();
  const suspended = entry();
  const removed = entry();
  wheel.set(suspended, 300);
  wheel.set(removed, 300);
  wheel.suspend(suspended);
  wheel.remove(removed);
  assert.equal(removed.slotTick, 0);
  advance(1_000);
  assert.deepEqual([...suspended.firedAtMs, ...removed.firedAtMs], []);
  wheel.set(suspended, 300);
  advance(1_000);
  assert.equal(suspended.firedAtMs.length, 1);
});

test('deadlines: one that is set by another when it fires keeps its full time', () => {
  const { wheel, advance, entry } = world();
  const second = entry();
  const first = new (class extends Deadline {
    override onDeadline(): void {
      wheel.set(second, 700);
      wheel.set(this, 700);
    }
  })();
  wheel.set(first, 100);
  advance(600);
  assert.deepEqual(second.firedAtMs, []);
  advance(1_000);
  assert.equal(second.firedAtMs.length, 1);
});

test('deadlines: a stall of the process costs nobody their time', () => {
  const { wheel, advance, entry, stall } = world();
  const before = entry();
  const during = entry();
  wheel.set(before, 60_000);
  stall(20_000);
  // Bytes that arrived during the stall are handled before the wheel comes to know of it.
  wheel.set(during, 1_000);
  advance(900);
  assert.deepEqual([...before.firedAtMs, ...during.firedAtMs], []);
  advance(60_000);
  assert.equal(before.firedAtMs.length, 1);
  assert.equal(during.firedAtMs.length, 1);
});

test('deadlines: late ticks do not slow the wheel down', () => {
  const { wheel, advance, entry, now } = world();
  const it = entry();
  const begunMs = now();
  wheel.set(it, 50_000);
  advance(60_000, 130);
  assert(it.firedAtMs[0]! - begunMs < 51_000, `${it.firedAtMs[0]! - begunMs}`);
});
