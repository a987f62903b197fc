import assert from 'node:assert/strict';
import test from 'node:test';
import { BufferPool } from './buffer-pool.ts';

test('buffer pool: only so many are out at one time, and one that was dropped is never handed out again', () => {
  const buffers = new BufferPool({ bytes: 1024, countMax: 2, keptMax: 2 });
  const [first, second] = [buffers.take()!, buffers.take()!];
  assert.equal(first.length, 1024);
  assert.equal(buffers.take(), undefined);
  buffers.give(first);
  assert.equal(buffers.take(), first);
  buffers.drop();
  const third = buffers.take();
  assert(third !== undefined && third !== first && third !== second);
  assert.equal(buffers.take(), undefined);
});

test('buffer pool: only so many wait for the next taker', () => {
  const buffers = new BufferPool({ bytes: 1024, countMax: 3, keptMax: 1 });
  const all = [buffers.take()!, buffers.take()!, buffers.take()!];
  for (const buffer of all) buffers.give(buffer);
  assert.equal(buffers.take(), all[0]);
  assert(!all.includes(buffers.take()!));
});
