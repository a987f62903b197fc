import assert from 'node:assert/strict';
import test from 'node:test';
import { put, remove } from '#model/change.ts';
import { Tables } from './tables.ts';

const target = (targetGroupId: string, port: number, sinceMs = 0) =>
  ({ targetGroupId, address: '10.0.0.1', port, state: { kind: 'registered', sinceMs } }) as const;
const ids = (entries: Iterable<{ readonly id: string }>) => [...entries].map(({ id }) => id);

test('tables: targets are counted, listed and found with their like, one or many, through changes and back', () => {
  const tables = new Tables();
  tables.apply(1, [put(tables, 'target', 'a/1', target('a', 1)), put(tables, 'target', 'b/1', target('b', 1))], 0);
  tables.apply(2, [put(tables, 'target', 'a/2', target('a', 2)), put(tables, 'target', 'b/1', target('b', 1, 5))], 0);
  assert.equal(tables.count('target'), 3);
  assert.deepEqual(ids(tables.all('target')), ['a/1', 'a/2', 'b/1']);
  assert.deepEqual(ids(tables.find('targetsOfTargetGroup', 'a')), ['a/1', 'a/2']);
  assert.equal(tables.get('target', 'b/1')?.state.sinceMs, 5);
  assert.equal(tables.get('target', 'b/2'), undefined);
  assert.equal(tables.get('target', 'a/3'), undefined);

  const changes = ['a/1', 'a/2', 'b/1'].map((id) => remove(tables, 'target', id));
  const replaced = tables.apply(3, changes, 0);
  assert.equal(tables.count('target'), 0);
  assert.deepEqual([...ids(tables.all('target')), ...ids(tables.find('targetsOfTargetGroup', 'a'))], []);
  tables.undo(2, changes, replaced);
  assert.equal(tables.count('target'), 3);
  assert.deepEqual(ids(tables.find('targetsOfTargetGroup', 'a')).sort(), ['a/1', 'a/2']);
  tables.unload('target', 'b/9');
  assert.equal(tables.count('target'), 3);
});
