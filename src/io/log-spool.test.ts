import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { LogSpool, type LogSpoolOptions } from './log-spool.ts';

const hourMs = 3_600_000;

function spooling(context: TestContext, more: Partial<LogSpoolOptions> = {}) {
  const parent = mkdtempSync(join(tmpdir(), 'ballast-spool-'));
  context.after(() => rmSync(parent, { recursive: true, force: true }));
  const folder = join(parent, 'logs');
  let nowMs = 10 * hourMs;
  const clock = { wallMs: () => nowMs, monotonicMs: () => nowMs };
  const spool = new LogSpool({ folder, writer: 'test', intervalMs: hourMs, clock, ...more });
  context.after(() => spool.close());
  return {
    folder,
    spool,
    now: () => nowMs,
    pass: (durationMs: number) => {
      nowMs += durationMs;
    },
    /** Name → text, in the order of the names. */
    files: () =>
      readdirSync(folder)
        .sort()
        .map((name) => [name, readFileSync(join(folder, name), 'latin1')] as const),
  };
}

test('log spool: entries lie in files of their intervals, whole and in order, and are handed over when the time is up', async (context) => {
  const { spool, now, pass, files } = spooling(context);
  const book = spool.book('heading');
  book.addText('one', now());
  book.addText('two', now());
  await spool.flush();
  assert.deepEqual(files(), [[`${11 * hourMs}-test-1.open`, 'heading\none\ntwo\n']]);
  pass(hourMs - 1);
  book.addText('three', now());
  pass(1);
  book.addText('four', now());
  await spool.flush();
  assert.deepEqual(files(), [
    [`${11 * hourMs}-test-1.log`, 'heading\none\ntwo\nthree\n'],
    [`${12 * hourMs}-test-2.open`, 'heading\nfour\n'],
  ]);
  await spool.close();
  assert.deepEqual(
    files().map(([name]) => name),
    [`${11 * hourMs}-test-1.log`, `${12 * hourMs}-test-2.log`],
  );
  assert.equal(spool.droppedLines, 0);
});

test('log spool: a large file is handed over before its time, and books have files of their own', async (context) => {
  const { spool, now, files } = spooling(context, { fileBytesMax: 100 });
  for (let count = 0; count < 3; count += 1) {
    spool.book('a').addText('x'.repeat(120), now());
    spool.book('b').addText('y', now());
    await spool.flush();
  }
  const shown = files().map(([name, text]) => `${text[0]}${name.slice(name.indexOf('.'))}`);
  assert.deepEqual(shown.sort(), ['a.log', 'a.log', 'a.log', 'b.open']);
});

test('log spool: what waits for the disk is bounded; what is beyond it is dropped and counted', async (context) => {
  const { spool, now, files } = spooling(context, { waitingBytesMax: 50 });
  const book = spool.book('heading');
  for (let count = 0; count < 10; count += 1) book.addText(`line ${count}`, now());
  assert.equal(spool.droppedLines, 3);
  await spool.flush();
  assert.equal(files()[0]![1], 'heading\nline 0\nline 1\nline 2\nline 3\nline 4\nline 5\nline 6\n');
  book.addText('later', now());
  await spool.flush();
  assert.match(files()[0]![1], /line 6\nlater\n$/);
});

test('log spool: a folder that holds enough gets no more files until somebody takes some', async (context) => {
  const { spool, folder, now, pass, files } = spooling(context, { folderBytesMax: 1_000 });
  mkdirSync(folder);
  writeFileSync(join(folder, 'old.log'), 'x'.repeat(1_000));
  const book = spool.book('heading');
  book.addText('lost', now());
  await spool.flush();
  assert.equal(spool.droppedLines, 1);
  rmSync(join(folder, 'old.log'));
  pass(1_000);
  book.addText('kept', now());
  await spool.flush();
  assert.equal(files()[0]![1], 'heading\nkept\n');
});

test('log spool: a folder that cannot be written to loses entries and nothing else', async (context) => {
  const { spool, folder, now, pass, files } = spooling(context);
  // A file in the place of the folder: not even root can write into it.
  writeFileSync(folder, '');
  const book = spool.book('heading');
  book.addText('lost', now());
  await spool.flush();
  assert.equal(spool.droppedLines, 1);
  rmSync(folder);
  pass(1_000);
  book.addText('kept', now());
  await spool.flush();
  assert.equal(files()[0]![1], 'heading\nkept\n');
});
