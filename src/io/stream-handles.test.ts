import assert from 'node:assert/strict';
import { test } from 'node:test';
import { streamHandles, streamHandlesOf } from './stream-handles.ts';

type Parts = Record<string, unknown>;

const { binding } = process as unknown as { readonly binding: (name: string) => Parts };

/** Node's own, with one part of one module replaced. */
function without(module: string, part: string, replacement?: unknown): (name: string) => unknown {
  return (name) => (name === module ? { ...binding(name), [part]: replacement } : binding(name));
}

test('stream handles: this Node has those that are known', () => {
  assert.notEqual(streamHandles(), undefined);
  assert.equal(streamHandles(), streamHandles());
  assert.notEqual(streamHandlesOf(binding), undefined);
});

test('stream handles: where a part is missing or another thing, there are none', () => {
  const parts: readonly (readonly [module: string, part: string])[] = [
    ['stream_wrap', 'WriteWrap'],
    ['stream_wrap', 'ShutdownWrap'],
    ['stream_wrap', 'streamBaseState'],
    ['stream_wrap', 'kReadBytesOrError'],
    ['stream_wrap', 'kLastWriteWasAsync'],
    ['tcp_wrap', 'TCP'],
    ['tcp_wrap', 'TCPConnectWrap'],
    ['tcp_wrap', 'constants'],
  ];
  for (const [module, part] of parts) {
    assert.equal(streamHandlesOf(without(module, part)), undefined, `${part} is gone`);
    assert.equal(streamHandlesOf(without(module, part, 'text')), undefined, `${part} is a text`);
  }
  class Other {}
  assert.equal(streamHandlesOf(without('tcp_wrap', 'TCP', Other)), undefined, 'handles have other methods');
});

test('stream handles: where nobody may ask for them, there are none', () => {
  const refusing = () => {
    throw new Error('no such module');
  };
  assert.equal(streamHandlesOf(refusing), undefined);
  assert.equal(streamHandlesOf(undefined as never), undefined);
});
