import assert from 'node:assert/strict';
import test from 'node:test';
import { alignColumns, Columns, counted, styleFor } from './style.ts';
import { textOutput } from './test-command.ts';

const terminal = textOutput(true);
const pipe = textOutput(false);

test('style: there is colour on a terminal alone, and not when NO_COLOR is set', () => {
  assert.equal(styleFor(terminal, {}).bad('x'), '\x1b[31mx\x1b[0m');
  assert.equal(styleFor(terminal, { NO_COLOR: '' }).bad('x'), '\x1b[31mx\x1b[0m');
  assert.equal(styleFor(terminal, { NO_COLOR: '1' }).bad('x'), 'x');
  assert.equal(styleFor(pipe, {}).bad('x'), 'x');
});

test('style: columns stand under each other, coloured or not', () => {
  const { good } = styleFor(terminal, {});
  assert.equal(
    alignColumns([
      ['a', good('up'), 'x'],
      ['long', 'restarting', ''],
    ]),
    `  a     ${good('up')}          x\n  long  restarting`,
  );
});

test('style: columns that come in batches grow and never shrink', () => {
  const columns = new Columns('', [3]);
  assert.equal(columns.format([['1', 'x', 'end']]), '1    x  end');
  assert.equal(columns.format([['2', 'long', 'end']]), '2    long  end');
  assert.equal(columns.format([['3', 'x', 'a very long end']]), '3    x     a very long end');
  assert.equal(columns.format([['4', 'x', 'end']]), '4    x     end');
});

test('style: numbers are read with their nouns', () => {
  assert.equal(counted(1, 'target group'), '1 target group');
  assert.equal(counted(12_000, 'change'), '12,000 changes');
  assert.equal(counted(0, 'registry'), '0 registries');
  assert.equal(counted(3, 'access key'), '3 access keys');
});
