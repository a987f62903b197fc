import assert from 'node:assert/strict';
import test from 'node:test';
import { startProgress } from './progress.ts';
import { textOutput } from './test-command.ts';

/** A place whose time passes when the test says so. */
function place(isTerminal: boolean, isJson = false) {
  let nowMs = 0;
  let task: (() => void) | undefined;
  const errors = textOutput(isTerminal);
  const json = textOutput(false);
  return {
    errors,
    monotonicMs: () => nowMs,
    every: (_: number, tick: () => void) => {
      task = tick;
      return {
        stop: () => {
          task = undefined;
        },
      };
    },
    ...(isJson ? { json } : {}),
    shown: () => (isJson ? json : errors).text(),
    pass: (durationMs: number) => {
      nowMs += durationMs;
      task?.();
    },
  };
}

test('progress: what takes no longer than a second shows nothing', () => {
  for (const isTerminal of [true, false]) {
    const it = place(isTerminal);
    const progress = startProgress(it, 'waiting');
    it.pass(900);
    progress.update({ done: 5, unit: 'lines' });
    progress.end();
    it.pass(60_000);
    assert.equal(it.shown(), '');
  }
});

test('progress: on a terminal one line is rewritten, and taken away at the end', () => {
  const it = place(true);
  const progress = startProgress(it, 'waiting for the answer');
  it.pass(1_000);
  assert.equal(it.shown(), '\r… waiting for the answer, 1 s\x1b[K');
  progress.update({ done: 12_000, unit: 'lines' });
  it.pass(1_000);
  assert(it.shown().endsWith('\r… 12,000 lines, 2 s\x1b[K'));
  progress.end();
  assert(it.shown().endsWith('\x1b[K\r\x1b[K'));
});

test('progress: output takes the line away, and it comes back a second after the last', () => {
  const it = place(true);
  const progress = startProgress(it, 'waiting');
  it.pass(1_000);
  progress.hide();
  const before = it.shown();
  assert(before.endsWith('\r\x1b[K'));
  it.pass(900);
  assert.equal(it.shown(), before);
  it.pass(100);
  assert(it.shown().endsWith('\r… waiting, 2 s\x1b[K'));
});

test('progress: with a known end there is a bar, and how long it will take', () => {
  const it = place(true);
  const progress = startProgress(it, 'waiting');
  progress.update({ done: 250, total: 1_000, unit: 'changes' });
  it.pass(3_000);
  assert.equal(it.shown(), `\r${'█'.repeat(6)}${'░'.repeat(18)}  25 %  250 of 1,000 changes, about 9 s left\x1b[K`);
  progress.update({ done: 2_000, total: 1_000, unit: 'changes' });
  it.pass(1_000);
  assert(it.shown().includes('100 %'));
});

test('progress: in a log there is a line every ten seconds', () => {
  const it = place(false);
  const progress = startProgress(it, 'waiting');
  progress.update({ done: 1, total: 4, unit: 'parts' });
  for (let second = 0; second < 20; second += 1) it.pass(1_000);
  assert.equal(it.shown(), ' 25 %  1 of 4 parts, about 30 s left\n 25 %  1 of 4 parts, about 60 s left\n');
});

test('progress: programs get an event a second', () => {
  const it = place(true, true);
  const progress = startProgress(it, 'waiting');
  it.pass(1_000);
  assert.equal(it.shown(), '', 'there is nothing to tell yet');
  progress.update({ done: 1, total: 4, unit: 'parts' });
  it.pass(1_000);
  it.pass(500);
  assert.deepEqual(JSON.parse(it.shown()), { type: 'progress', done: 1, total: 4, unit: 'parts' });
  progress.end();
  assert.equal(it.errors.text(), '');
});
