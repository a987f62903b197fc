import assert from 'node:assert/strict';
import test from 'node:test';
import { alignColumns, styleFor } from './style.ts';

const terminal = { isTerminal: true, write: () => {} };
const pipe = { isTerminal: false, write: () => {} };

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
