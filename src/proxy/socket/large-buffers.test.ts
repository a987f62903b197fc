import assert from 'node:assert/strict';
import test from 'node:test';
import { LargeBuffers } from './large-buffers.ts';

test('large buffers: only so many are out at one time, and one that was dropped is never handed out again', () => {
  const buffers = new LargeBuffers(2);
  const [first, second] = [buffers.take()!, buffers.take()!];
  assert.equal(buffers.take(), undefined);
  buffers.give(first);
  assert.equal(buffers.take(), first);
  buffers.drop();
  const third = buffers.take();
  assert(third !== undefined && third !== first && third !== second);
  assert.equal(buffers.take(), undefined);
});
