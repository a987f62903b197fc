import assert from 'node:assert/strict';
import test from 'node:test';
import { isDeep, printable, printableJson, printableValue } from './printable.ts';

test('printable: what would move the cursor, colour, or turn the reading direction is shown instead', () => {
  assert.equal(printable('\x1b[2Jweb\r\n\x07\x7f\x9b'), '\\u001b[2Jweb\\u000d\\u000a\\u0007\\u007f\\u009b');
  assert.equal(printable('a\u202eb\u2066c\u200fd\u2028e\ufeff'), 'a\\u202eb\\u2066c\\u200fd\\u2028e\\ufeff');
  assert.equal(printable('\u{e0041}'), '\\udb40\\udc41');
  assert.equal(printable('Größe → 東京 🙂'), 'Größe → 東京 🙂');
});

test('printable: every code unit comes out as something that a terminal shows', () => {
  for (let unit = 0; unit < 0x1_0000; unit += 1) {
    const shown = printable(String.fromCharCode(unit));
    assert(!/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(shown), unit.toString(16));
  }
});

test('printable: JSON stays JSON of the same value', () => {
  const value = { 'a\x9b': ['\u202e', '\x7f', { b: 'x\ny' }], c: 'Größe' };
  const shown = printableJson(JSON.stringify(value, null, 2));
  assert.deepEqual(JSON.parse(shown), value);
  assert(!/[\u007f-\u009f\u202e]/.test(shown));
});

test('printable: a value is made printable in all its texts and names, and no deeper than can be walked', () => {
  const value = printableValue({ 'a\x1b': ['\x07', 1, null, true, { b: '\r' }] });
  assert.deepEqual(value, { 'a\\u001b': ['\\u0007', 1, null, true, { b: '\\u000d' }] });
  const deep: unknown = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`);
  assert.equal(JSON.stringify(printableValue(deep)).includes('…'), true);
  assert.equal(isDeep(deep), true);
  assert.equal(isDeep(value), false);
});
