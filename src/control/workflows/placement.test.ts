import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { createLoadBalancer } from '#control/elbv2/create-load-balancer.ts';
import { deleteLoadBalancer } from '#control/elbv2/delete-load-balancer.ts';
import { TestRegion, testSettings } from '#control/elbv2/test-region.ts';
import { parseAddress, parsePrefix } from '#model/address.ts';
import { remove } from '#model/change.ts';
import { admitNode, placeUnplaced } from './placement.ts';

const terms = { nowMs: 1_000_000, holdAddressesMs: testSettings.holdAddressesMs };

/** Makes so many load balancers that whatever hashing decides is seen both ways. */
function createMany(region: TestRegion, count: number, subnets?: readonly string[]): void {
  for (let index = 0; index < count; index += 1) {
    region.accepted(createLoadBalancer, { Name: `lb-${index}`, ...(subnets && { Subnets: subnets }) });
  }
}

function zonesByLoadBalancer(region: TestRegion): string[] {
  const zones = new Map<string, string[]>();
  for (const { document } of region.placements()) {
    zones.set(document.loadBalancerId, [...(zones.get(document.loadBalancerId) ?? []), document.zone]);
  }
  return [...zones.values()].map((each) => each.toSorted().join(' '));
}

test('place: a load balancer gets two nodes in different zones, and all nodes get load balancers', () => {
  const region = new TestRegion();
  const zones = ['eu-test-1a', 'eu-test-1a', 'eu-test-1b', 'eu-test-1b', 'eu-test-1c', 'eu-test-1c'];
  for (const [index, zone] of zones.entries()) region.admit(`node-${index}`, zone, `127.${80 + index}.0.0/16`);
  createMany(region, 50);
  assert.equal(region.placements().length, 100);
  for (const placed of zonesByLoadBalancer(region)) assert.equal(new Set(placed.split(' ')).size, 2, placed);
  assert.equal(new Set(region.placements().map(({ document }) => document.nodeId)).size, 6);
});

test('place: nodes in the zones of the load balancer come first, any other is better than none', () => {
  const region = new TestRegion();
  region.admit('node-1', 'eu-test-1a', '127.80.0.0/16');
  region.admit('node-2', 'eu-test-1b', '127.81.0.0/16');
  region.admit('node-3', 'eu-test-1c', '127.82.0.0/16');
  createMany(region, 10, ['subnet-a', 'subnet-b']);
  assert.deepEqual(new Set(zonesByLoadBalancer(region)), new Set(['eu-test-1a eu-test-1b']));

  const elsewhere = new TestRegion();
  elsewhere.admit('node-1', 'somewhere', '127.80.0.0/16');
  elsewhere.admit('node-2', 'somewhere', '127.81.0.0/16');
  createMany(elsewhere, 3);
  assert.deepEqual(
    zonesByLoadBalancer(elsewhere),
    Array.from({ length: 3 }, () => 'somewhere somewhere'),
  );
});

test('place: every address is in its node’s prefix, given out once, and neither a claim address nor 0 or 255', () => {
  fc.assert(
    fc.property(fc.integer({ min: 22, max: 30 }), fc.integer({ min: 1, max: 40 }), (bits, count) => {
      const region = new TestRegion();
      region.admit('node-1', 'eu-test-1a', `127.80.0.0/${bits}`);
      for (let index = 0; index < count; index += 1) region.call(createLoadBalancer, { Name: `lb-${index}` });
      const addresses = region.placements().map(({ document }) => parseAddress(document.address)!);
      assert.equal(new Set(addresses).size, addresses.length);
      const { first, size } = parsePrefix(`127.80.0.0/${bits}`)!;
      for (const address of addresses) {
        assert(address > first && address < first + size && ![0, 255].includes(address % 256));
      }
      const usable = size - 1 - 2 * Math.ceil(size / 256) + (size >= 256 ? 1 : 2);
      assert.equal(addresses.length, Math.min(count, usable));
    }),
  );
});

test('place: the first address of a prefix stays free, wherever the prefix begins', () => {
  const region = new TestRegion();
  region.admit('node-1', 'eu-test-1a', '127.80.0.16/30');
  createMany(region, 3);
  const addresses = region.placements().map(({ document }) => document.address);
  assert.deepEqual(addresses.toSorted(), ['127.80.0.17', '127.80.0.18', '127.80.0.19']);
  region.refused(createLoadBalancer, { Name: 'one-more' }, 'TooManyLoadBalancers');
});

test('place: a full node is passed over, and only when all are full the load balancer is refused', () => {
  const region = new TestRegion();
  region.admit('node-1', 'eu-test-1a', '127.80.0.0/30');
  region.admit('node-2', 'eu-test-1b', '127.81.0.0/29');
  createMany(region, 7);
  assert.equal(region.placements().length, 10);
  region.refused(createLoadBalancer, { Name: 'one-more' }, 'TooManyLoadBalancers');
  const [entry] = [...region.tables.all('load-balancer')];
  const { name } = entry!.document;
  const LoadBalancerArn = `arn:aws:elasticloadbalancing:eu-test-1:111111111111:loadbalancer/app/${name}/${entry!.id}`;
  region.accepted(deleteLoadBalancer, { LoadBalancerArn });
  region.nowMs += terms.holdAddressesMs;
  region.accepted(createLoadBalancer, { Name: 'one-more' });
});

test('place: a node whose prefix cannot be read gives no address and does no harm', () => {
  const region = new TestRegion();
  region.admit('node-1', 'eu-test-1a', 'nonsense');
  region.admit('node-2', 'eu-test-1b', '127.81.0.0/16');
  createMany(region, 5);
  assert.deepEqual(new Set(region.placements().map(({ document }) => document.nodeId)), new Set(['node-2']));
});

test('placeUnplaced: what was made before a node came is placed when it comes, and again when a second one does', () => {
  const region = new TestRegion();
  createMany(region, 20);
  assert.equal(region.placements().length, 0);
  region.apply(admitNode(region.tables, { nodeId: 'node-1', zone: 'eu-test-1a', prefix: '127.80.0.0/16' }));
  region.apply(placeUnplaced(region.tables, terms));
  const first = region.placements().map(({ document }) => document);
  assert.equal(first.length, 20);
  region.unchanged(() => region.apply(placeUnplaced(region.tables, terms)));
  region.admit('node-2', 'eu-test-1b', '127.81.0.0/16');
  const both = region.placements().map(({ document }) => document);
  assert.equal(both.length, 40);
  assert.deepEqual(
    both.filter(({ nodeId }) => nodeId === 'node-1'),
    first,
    'what was placed stays where it is',
  );
});

test('placeUnplaced: several load balancers placed at once share no address, and one that finds none waits', () => {
  const region = new TestRegion();
  createMany(region, 10);
  region.admit('node-1', 'eu-test-1a', '127.80.0.0/29');
  assert.equal(region.placements().length, 7);
  assert.equal(new Set(region.placements().map(({ document }) => document.address)).size, 7);
});

test('place: an address is kept for the load balancer that had it, from its deletion on and for as long as was set', () => {
  const region = new TestRegion();
  region.admit('node-1', 'eu-test-1a', '127.80.0.0/30');
  const given = () => region.placements().map(({ document }) => document.address);
  const arns = ['a', 'b', 'c'].map((name) => region.loadBalancer(name));
  const held = given();
  assert.equal(held.length, 3);
  region.accepted(deleteLoadBalancer, { LoadBalancerArn: arns[1]! });
  const message = region.refused(createLoadBalancer, { Name: 'd' }, 'TooManyLoadBalancers');
  assert.match(message, /those of deleted ones are kept for a while/);
  region.nowMs += terms.holdAddressesMs - 1;
  region.refused(createLoadBalancer, { Name: 'd' }, 'TooManyLoadBalancers');
  region.nowMs += 1;
  region.loadBalancer('d');
  assert.deepEqual(given().toSorted(), held.toSorted());
});

test('place: a load balancer whose placement was lost gets its own address again at once', () => {
  const region = new TestRegion();
  region.admit('node-1', 'eu-test-1a', '127.80.0.0/29');
  region.loadBalancer('a');
  const [placement] = region.placements();
  region.apply([remove(region.tables, 'placement', placement!.id)]);
  region.apply(placeUnplaced(region.tables, terms));
  assert.equal(region.placements()[0]!.document.address, placement!.document.address);
});

test('admitNode: a node that is known as it is changes nothing, a new zone is noted', () => {
  const region = new TestRegion();
  const node = { nodeId: 'node-1', zone: 'eu-test-1a', prefix: '127.80.0.0/16' };
  region.apply(admitNode(region.tables, node));
  assert.deepEqual(admitNode(region.tables, node), []);
  region.apply(admitNode(region.tables, { ...node, zone: 'eu-test-1b' }));
  assert.deepEqual(region.tables.get('node', 'node-1'), { zone: 'eu-test-1b', prefix: '127.80.0.0/16' });
});
