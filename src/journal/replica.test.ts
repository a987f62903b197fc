import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import test, { type TestContext } from 'node:test';
import { accept } from '#base/result.ts';
import type { Change } from '#model/change.ts';
import type { Entry } from '#model/documents.ts';
import { Replica, ReplicaFailure, readReplica } from './replica.ts';

function path(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'ballast-replica-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'last-good.db');
}

const node = (id: string, revision: number, prefix = 'p'): Entry => ({
  kind: 'node',
  id,
  revision,
  document: { zone: 'a', prefix },
});
const at = (revision: number) => ({ storeId: 's', revision, hash: `h${revision}` });
const tombstone = (id: string): Change => ({ kind: 'node', id, before: 1, after: null });
const held = (replica: Replica) => [...replica.view.all('node')].map(({ id, document }) => `${id} ${document.prefix}`);

test('replica: documents, position and health are there again after opening it anew', (context) => {
  const file = path(context);
  const replica = new Replica(file);
  replica.apply({ entries: [node('a', 3), node('b', 4)], changes: [], position: at(5) });
  replica.keepHealth('t', { kind: 'healthy' });
  replica.keepHealth('u', { kind: 'healthy' });
  replica.keepHealth('u', undefined);
  replica.close();
  const again = new Replica(file);
  assert.deepEqual(held(again), ['a p', 'b p']);
  assert.deepEqual(again.position, at(5));
  assert.deepEqual([...again.health], [['t', { kind: 'healthy' }]]);
  again.close();
});

test('replica: the same news twice, and older news, change nothing', (context) => {
  const replica = new Replica(path(context));
  replica.apply({ entries: [node('a', 3, 'new'), node('b', 3)], changes: [], position: at(3) });
  const stale = replica.apply({
    entries: [node('a', 3, 'again'), node('a', 2, 'old')],
    changes: [{ revision: 3, change: tombstone('b') }],
    position: at(3),
  });
  assert.deepEqual(stale, []);
  assert.deepEqual(held(replica), ['a new', 'b p']);
  replica.close();
});

test('replica: a tombstone of a later revision removes, and what nobody mentions stays', (context) => {
  const replica = new Replica(path(context));
  replica.apply({ entries: [node('a', 1), node('b', 1)], changes: [], position: at(1) });
  const applied = replica.apply({
    entries: [],
    changes: [
      { revision: 2, change: tombstone('a') },
      { revision: 2, change: tombstone('unknown') },
    ],
    position: at(2),
  });
  assert.deepEqual(
    applied.map(({ id, before, after }) => [id, before?.revision, after]),
    [['a', 1, undefined]],
  );
  assert.deepEqual(held(replica), ['b p']);
  replica.close();
});

test('replica: what is forgotten is gone from disk too', (context) => {
  const file = path(context);
  const replica = new Replica(file);
  replica.apply({ entries: [node('a', 1), node('b', 1)], changes: [], position: at(1) });
  replica.forget([{ kind: 'node', id: 'a' }]);
  assert.deepEqual(held(replica), ['b p']);
  replica.close();
  const again = new Replica(file);
  assert.deepEqual(held(again), ['b p']);
  again.close();
});

test('replica: a file that is not one is refused', (context) => {
  const file = path(context);
  writeFileSync(file, 'rubbish '.repeat(1_000));
  assert.throws(() => new Replica(file));
});

test('replica: on a disk that is full nothing changes, and later the same news goes in', (context) => {
  const file = path(context);
  const replica = new Replica(file);
  replica.apply({ entries: [node('a', 1)], changes: [], position: at(1) });
  // Another program that holds the file stands for the full disk: SQLite refuses the same write in the same place.
  const other = new DatabaseSync(file);
  other.exec('BEGIN IMMEDIATE');
  const news = { entries: [node('b', 2)], changes: [{ revision: 2, change: tombstone('a') }], position: at(2) };
  assert.throws(() => replica.apply(news), ReplicaFailure);
  replica.forget([{ kind: 'node', id: 'a' }]);
  replica.keepHealth('t', { kind: 'healthy' });
  assert.deepEqual(held(replica), ['a p']);
  assert.deepEqual(replica.position, at(1));
  other.exec('ROLLBACK');
  other.close();
  replica.apply(news);
  assert.deepEqual(held(replica), ['b p']);
  replica.close();
});

test('replica: what a file holds can be read beside its follower and without one, and leaves no trace', (context) => {
  const file = path(context);
  const replica = new Replica(file);
  replica.apply({ entries: [node('a', 3)], changes: [], position: at(3) });
  const expected = accept({ position: at(3), entries: [node('a', 3)] });
  assert.deepEqual(readReplica(file), expected);
  replica.apply({ entries: [node('b', 4)], changes: [], position: at(4) });
  assert.equal(readReplica(file).ok && held(replica).length, 2);
  replica.close();
  assert.deepEqual(readReplica(file), accept({ position: at(4), entries: [node('a', 3), node('b', 4)] }));
  assert.deepEqual(readdirSync(dirname(file)), ['last-good.db']);
});

test('replica: a file that no follower wrote is refused in one line, and nothing is made where there is none', (context) => {
  const file = path(context);
  for (const damage of ["UPDATE document SET body = '{'", "UPDATE document SET kind = 'x'", 'DROP TABLE position']) {
    rmSync(file, { force: true });
    const replica = new Replica(file);
    replica.apply({ entries: [node('a', 1)], changes: [], position: at(1) });
    replica.close();
    const database = new DatabaseSync(file);
    database.exec(damage);
    database.close();
    const read = readReplica(file);
    assert(!read.ok && read.fault.startsWith(`${file} cannot be read: `) && !read.fault.includes('\n'), damage);
  }
  rmSync(file);
  assert(!readReplica(file).ok);
  assert.deepEqual(readdirSync(dirname(file)), []);
});
