import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { formatAddress, parsePrefix } from '#model/address.ts';
import { nodePlans } from './slices.ts';

const zones = ['a', 'b', 'c'];
const plansOf = (addresses: string, nodes: number) => {
  const plans = nodePlans({ addresses, nodes, zones });
  assert('nodes' in plans, JSON.stringify(plans));
  return plans.nodes;
};

test('slices: a roomy prefix is cut for eight nodes, so that adding one moves nobody', () => {
  assert.deepEqual(plansOf('127.80.0.0/12', 1), [{ id: 'node-1', zone: 'a', prefix: '127.80.0.0/15' }]);
  const five = plansOf('127.80.0.0/12', 5);
  assert.deepEqual(
    five.map(({ id, zone, prefix }) => [id, zone, prefix]),
    [
      ['node-1', 'a', '127.80.0.0/15'],
      ['node-2', 'b', '127.82.0.0/15'],
      ['node-3', 'c', '127.84.0.0/15'],
      ['node-4', 'a', '127.86.0.0/15'],
      ['node-5', 'b', '127.88.0.0/15'],
    ],
  );
});

test('slices: a small prefix is cut for as many nodes as there are, and one that is too small is refused', () => {
  assert.deepEqual(
    plansOf('127.1.2.0/28', 2).map(({ prefix }) => prefix),
    ['127.1.2.0/29', '127.1.2.8/29'],
  );
  for (const [addresses, nodes] of [
    ['127.1.2.0/30', 3],
    ['127.1.2.0/32', 1],
  ] as const) {
    const plans = nodePlans({ addresses, nodes, zones });
    assert('refused' in plans && /too small/.test(plans.refused), addresses);
  }
  const wrong = nodePlans({ addresses: '127.1.2.3/24', nodes: 1, zones });
  assert('refused' in wrong && /not a prefix/.test(wrong.refused));
});

test('slices: no two nodes ever share an address, and all lie in the prefix', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 8, max: 24 }),
      fc.nat(2 ** 24),
      fc.integer({ min: 1, max: 64 }),
      (bits, seed, nodes) => {
        const size = 2 ** (32 - bits);
        const whole = { first: Math.floor((127 * 2 ** 24 + (seed % 2 ** 24)) / size) * size, size };
        let end = whole.first;
        for (const { prefix } of plansOf(`${formatAddress(whole.first)}/${bits}`, nodes)) {
          const slice = parsePrefix(prefix)!;
          assert(slice.first >= end);
          end = slice.first + slice.size;
        }
        assert(end <= whole.first + whole.size);
      },
    ),
  );
});
