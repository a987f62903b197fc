import assert from 'node:assert/strict';
import test from 'node:test';
import { formatTime, formatValue, memberOf } from './values.ts';

test('values: a text is quoted only where it could be taken for something else', () => {
  assert.equal(formatValue('a', 'web'), 'web');
  assert.equal(formatValue('a', 'GET / HTTP'), 'GET / HTTP');
  for (const text of ['', ' web', 'web ', '80', '-1.5', 'true', 'null', '[a', 'a, b', '{', '"', '(none)']) {
    assert.equal(formatValue('a', text), JSON.stringify(text));
  }
  assert.equal(formatValue('a', undefined), '(none)');
  assert.equal(formatValue('a', null), 'null');
  assert.equal(formatValue('a', ['x', 1, { b: true, c: [] }]), '[x, 1, {b: true, c: []}]');
});

test('values: moments in milliseconds are shown as times, durations are not', () => {
  assert.equal(formatValue('createdAtMs', Date.UTC(2026, 10, 23, 9, 0, 1, 999)), '2026-11-23T09:00:01Z');
  assert.equal(formatValue('delayMs', 300_000), '300000');
  assert.equal(formatValue('hugeMs', 1e300), '1e+300');
  assert.equal(formatTime('2026-11-23T10:00:05.123Z'), '2026-11-23T10:00:05Z');
  assert.equal(formatTime('whenever'), 'whenever');
});

test('values: what is long is cut', () => {
  const shown = formatValue('a', 'x'.repeat(1_000));
  assert.equal(shown.length, 300);
  assert(shown.endsWith('…'));
});

test('values: a member is found under its path, whatever dots its name has', () => {
  const document = {
    port: 80,
    healthCheck: { path: '/' },
    attributes: { 'idle_timeout.timeout_seconds': '30' },
    tags: [
      { key: 'team.name', value: 'video' },
      { key: 'empty', value: '' },
    ],
  };
  assert.equal(memberOf(document, 'port'), 80);
  assert.equal(memberOf(document, 'healthCheck.path'), '/');
  assert.equal(memberOf(document, 'attributes.idle_timeout.timeout_seconds'), '30');
  assert.equal(memberOf(document, 'tags.team.name'), 'video');
  assert.equal(memberOf(document, 'tags.empty'), '');
  for (const path of ['tags.other', 'other', 'other.port', 'port.x', 'constructor', '__proto__.x', 'toString.name']) {
    assert.equal(memberOf(document, path), undefined, path);
  }
  assert.equal(memberOf(null, 'port'), undefined);
});
