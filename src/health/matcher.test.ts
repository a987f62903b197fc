import assert from 'node:assert/strict';
import test from 'node:test';
import { parseMatcher } from './matcher.ts';

test('matcher: codes, lists and ranges of 200 to 499 are read', () => {
  const matches = (text: string, code: number) => parseMatcher(text)?.(code);
  assert.equal(matches('200', 200), true);
  assert.equal(matches('200', 201), false);
  assert.equal(matches('200,302', 302), true);
  assert.equal(matches('200-299,404', 250), true);
  assert.equal(matches('200-299,404', 299), true);
  assert.equal(matches('200-299,404', 404), true);
  assert.equal(matches('200-299,404', 405), false);
  assert.equal(matches('200-499', 499), true);
});

test('matcher: everything else is refused', () => {
  const wrong = [
    '',
    ',',
    '200,',
    '99',
    '199',
    '500',
    '2000',
    '299-200',
    '200 - 299',
    '200-',
    '200-500',
    'abc',
    '0x200',
  ];
  for (const text of [...wrong, '200,'.repeat(500), Array(500).fill('200').join()]) {
    assert.equal(parseMatcher(text), undefined, text);
  }
});
