import assert from 'node:assert/strict';
import test from 'node:test';
import { TraceIds, writeTraceValue } from './trace-id.ts';

const seed = '0123456789abcdef0123456789abcdef';

function valueFor(incoming: string): string {
  const ids = new TraceIds(seed);
  ids.setTime(0x5759e988_000);
  const bytes = Buffer.from(incoming);
  const target = Buffer.alloc(500);
  return target.toString('latin1', 0, writeTraceValue(ids, bytes, { start: 0, end: bytes.length }, target, 0));
}

const id = '1-[0-9a-f]{8}-[0-9a-f]{24}';

test('trace id: an id carries the time and 96 bits that differ each time', () => {
  const ids = new TraceIds(seed);
  ids.setTime(1_465_510_280_000);
  const seen = new Set<string>();
  for (let count = 0; count < 1000; count += 1) {
    const target = Buffer.alloc(35);
    assert.equal(ids.write(target, 0), 35);
    assert.match(target.toString(), /^1-5759e988-[0-9a-f]{24}$/);
    seen.add(target.toString());
  }
  assert.equal(seen.size, 1000);
});

test('trace id: the generator is xoshiro128**, by its published first numbers', () => {
  const ids = new TraceIds('00000001000000020000000300000004');
  assert.deepEqual(
    [ids.next(), ids.next(), ids.next(), ids.next(), ids.next(), ids.next()],
    [11520, 0, 5927040, 70819200, 2031721883, 1637235492],
  );
});

test('trace id: a value with a root gets a Self in front and keeps its fields', () => {
  assert.match(
    valueFor('Root=1-67891233-abcdef012345678912345678'),
    new RegExp(`^Self=${id};Root=1-67891233-abcdef012345678912345678$`),
  );
  assert.match(valueFor('root=1-2-3;CalledFrom=app'), new RegExp(`^Self=${id};root=1-2-3;CalledFrom=app$`));
});

test('trace id: a Self that came along is replaced', () => {
  assert.match(valueFor('Self=1-67891234-0;Root=1-2-3;A=b'), new RegExp(`^Self=${id};Root=1-2-3;A=b$`));
});

test('trace id: a value without a root gets one in front', () => {
  assert.match(valueFor('CalledFrom=app'), new RegExp(`^Root=${id};CalledFrom=app$`));
  assert.match(valueFor(''), new RegExp(`^Root=${id}$`));
  assert.match(valueFor(';;'), new RegExp(`^Root=${id}$`));
});
