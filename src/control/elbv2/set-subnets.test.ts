import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { letGo } from '#control/workflows/leaving.ts';
import { harm } from '#guard/harm.ts';
import { put, remove } from '#model/change.ts';
import { describeLoadBalancers } from './describe-load-balancers.ts';
import { setSubnets } from './set-subnets.ts';
import { idOf, TestRegion } from './test-region.ts';

const graceMs = 120_000;

/** A region with a node in each zone and a load balancer that serves in the first two. */
function prepare(nodes: readonly string[] = ['a', 'b', 'c']) {
  const region = new TestRegion();
  for (const zone of nodes) region.admit(`node-${zone}`, `eu-test-1${zone}`, `127.8${'abc'.indexOf(zone)}.0.0/29`);
  const LoadBalancerArn = region.loadBalancer('web');
  const id = idOf(LoadBalancerArn);
  region.listener(LoadBalancerArn, region.targetGroup('group'));
  const set = (...zones: string[]) =>
    region.accepted(setSubnets, { LoadBalancerArn, Subnets: zones.map((zone) => `subnet-${zone}`) });
  const serve = (...zones: string[]) => {
    for (const zone of zones) region.report(`node-${zone}`, { loadBalancerId: id });
  };
  const states = () =>
    Object.fromEntries(region.placements().map(({ document }) => [document.nodeId.slice(5), document.state.kind]));
  const tick = (passedMs: number) => {
    region.nowMs += passedMs;
    const changes = letGo(region.tables, region.nowMs);
    assert.deepEqual(harm(region.tables, changes), []);
    region.apply(changes);
  };
  set('a', 'b');
  serve('a', 'b');
  return { region, LoadBalancerArn, id, set, serve, states, tick };
}

test('SetSubnets: the zones are those of the subnets named, in zone order, and are described', () => {
  const { region, LoadBalancerArn, set } = prepare();
  const { AvailabilityZones, IpAddressType } = set('c', 'b');
  assert.equal(IpAddressType, 'ipv4');
  assert.deepEqual(
    AvailabilityZones!.map(({ ZoneName, SubnetId }) => [ZoneName, SubnetId]),
    [
      ['eu-test-1b', 'subnet-b'],
      ['eu-test-1c', 'subnet-c'],
    ],
  );
  const described = region.accepted(describeLoadBalancers, { LoadBalancerArns: [LoadBalancerArn] }).LoadBalancers![0]!;
  assert.deepEqual(described.AvailabilityZones, AvailabilityZones);
  region.unchanged(() => set('b', 'c'));
  const SubnetMappings = [{ SubnetId: 'subnet-b' }, { SubnetId: 'subnet-c' }];
  region.unchanged(() => region.accepted(setSubnets, { LoadBalancerArn, SubnetMappings }));
});

test('SetSubnets: a subnet that stays keeps its zone, whatever comes beside it', () => {
  const subnet = fc.stringMatching(/^subnet-x[0-9a-z]{1,8}$/);
  fc.assert(
    fc.property(fc.uniqueArray(subnet, { minLength: 4, maxLength: 4 }), ([first, stays, other, last]) => {
      const { region, LoadBalancerArn } = prepare([]);
      const zoneOf = (...Subnets: string[]) =>
        region
          .accepted(setSubnets, { LoadBalancerArn, Subnets })
          .AvailabilityZones!.find(({ SubnetId }) => SubnetId === stays)!.ZoneName;
      const zone = zoneOf(first!, stays!);
      assert.equal(zoneOf(stays!, other!, last!), zone);
    }),
  );
});

test('SetSubnets: fewer than two zones, and what is malformed or not offered, is refused', () => {
  const { region, LoadBalancerArn } = prepare();
  const Subnets = ['subnet-a', 'subnet-b'];
  const refusals = [
    [{}, 'ValidationError'],
    [{ Subnets: [], SubnetMappings: [] }, 'ValidationError'],
    [{ Subnets: ['subnet-a'] }, 'ValidationError'],
    [{ Subnets: ['subnet-a', 'a'] }, 'InvalidSubnet'],
    [{ Subnets: ['subnet-a', 'subnet-a'] }, 'InvalidConfigurationRequest'],
    [{ Subnets, SubnetMappings: [{ SubnetId: 'subnet-c' }] }, 'ValidationError'],
    [{ SubnetMappings: [{ SubnetId: 'subnet-a', AllocationId: 'eipalloc-1' }] }, 'InvalidConfigurationRequest'],
    [{ Subnets, IpAddressType: 'ipv5' }, 'ValidationError'],
    [{ Subnets, EnablePrefixForIpv6SourceNat: 'off' }, 'InvalidConfigurationRequest'],
  ] as const;
  for (const [input, code] of refusals) region.refused(setSubnets, { LoadBalancerArn, ...input }, code);
  const missing = LoadBalancerArn.replace(idOf(LoadBalancerArn), 'f'.repeat(16));
  region.refused(setSubnets, { LoadBalancerArn: missing, Subnets }, 'LoadBalancerNotFound');
});

test('SetSubnets: an address outside the zones leaves when another serves and names were asked again, and is held', () => {
  const { region, LoadBalancerArn, id, set, serve, states, tick } = prepare();
  const [first] = region.placements();
  set('b', 'c');
  assert.deepEqual(states(), { a: 'leaving', b: 'serving', c: 'pending' });
  serve('a', 'b');
  assert.deepEqual(states(), { a: 'leaving', b: 'serving', c: 'pending' }, 'what its node says does not bring it back');
  serve('c');
  tick(graceMs - 1);
  assert.deepEqual(states(), { a: 'leaving', b: 'serving', c: 'serving' });
  const { State } = region.accepted(describeLoadBalancers, { LoadBalancerArns: [LoadBalancerArn] }).LoadBalancers![0]!;
  assert.equal(State!.Code, 'active');
  tick(1);
  assert.deepEqual(states(), { b: 'serving', c: 'serving' });
  assert.equal(region.tables.formerlyAt(first!.document.address)?.id, `${id}/node-a`);
  set('a', 'b');
  const back = region.placements().find(({ document }) => document.nodeId === 'node-a')!;
  assert.equal(back.document.address, first!.document.address, 'it gets back the address that was held');
});

test('SetSubnets: when all zones change, the old addresses wait for the new ones, however long that takes', () => {
  const { region, LoadBalancerArn, set, serve, states, tick } = prepare();
  region.admit('node-d', 'eu-test-1c', '127.84.0.0/29');
  region.apply([put(region.tables, 'node', 'node-b', { zone: 'elsewhere', prefix: '127.81.0.0/29' })]);
  const moved = region.placements().find(({ document }) => document.nodeId === 'node-b')!;
  region.apply([put(region.tables, 'placement', moved.id, { ...moved.document, zone: 'elsewhere' })]);
  region.apply([remove(region.tables, 'node', 'node-a')]);
  set('b', 'c');
  assert.deepEqual(states(), { a: 'leaving', b: 'leaving', c: 'pending', d: 'pending' });
  tick(10 * graceMs);
  assert.deepEqual(states(), { a: 'leaving', b: 'leaving', c: 'pending', d: 'pending' });
  const describe = () => region.accepted(describeLoadBalancers, { LoadBalancerArns: [LoadBalancerArn] });
  assert.equal(describe().LoadBalancers![0]!.State!.Code, 'active');
  serve('d');
  tick(graceMs);
  assert.deepEqual(states(), { c: 'pending', d: 'serving' });
});

test('SetSubnets: zones that are enabled again keep their addresses', () => {
  const { set, serve, states, tick } = prepare();
  set('b', 'c');
  set('a', 'b');
  assert.deepEqual(states(), { a: 'serving', b: 'serving' }, 'the new one, which never served, is gone at once');
  set('b', 'c');
  serve('c');
  set('a', 'b');
  assert.deepEqual(states(), { a: 'serving', b: 'serving', c: 'leaving' });
  tick(graceMs);
  assert.deepEqual(states(), { a: 'serving', b: 'serving' });
});

test('SetSubnets: an address for which no node of the zones has another stays, until one does and the call is repeated', () => {
  const { region, set, serve, states, tick } = prepare(['a', 'b']);
  set('b', 'c');
  tick(graceMs);
  assert.deepEqual(states(), { a: 'serving', b: 'serving' });
  region.admit('node-c', 'eu-test-1c', '127.82.0.0/29');
  assert.deepEqual(states(), { a: 'serving', b: 'serving' });
  set('b', 'c');
  serve('c');
  tick(graceMs);
  assert.deepEqual(states(), { b: 'serving', c: 'serving' });
});

test('letGo: an address whose zone came back by other means, or that is the only one, serves again', () => {
  const zoneBack = prepare();
  zoneBack.set('b', 'c');
  const document = zoneBack.region.tables.get('load-balancer', zoneBack.id)!;
  const zones = document.zones.map((each) => ({ ...each, zone: each.zone.replace('1c', '1a') }));
  zoneBack.region.apply([put(zoneBack.region.tables, 'load-balancer', zoneBack.id, { ...document, zones })]);
  zoneBack.tick(0);
  assert.deepEqual(zoneBack.states(), { a: 'serving', b: 'serving', c: 'pending' });

  const alone = prepare();
  alone.set('b', 'c');
  alone.region.apply(['b', 'c'].map((zone) => remove(alone.region.tables, 'placement', `${alone.id}/node-${zone}`)));
  alone.tick(0);
  assert.deepEqual(alone.states(), { a: 'serving' });
});

test('SetSubnets: whatever is called and reported, clients always find an address, and it settles in the zones', () => {
  const zones = fc.constantFrom(['a', 'b'], ['b', 'c'], ['a', 'c'], ['a', 'b', 'c']);
  const step = fc.oneof(
    zones.map((each) => ({ kind: 'set', zones: each }) as const),
    fc.constantFrom('a', 'b', 'c').map((zone) => ({ kind: 'serve', zone }) as const),
    fc.nat({ max: 2 * graceMs }).map((ms) => ({ kind: 'tick', ms }) as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), zones, (steps, last) => {
      const { region, set, serve, states, tick } = prepare();
      for (const each of [...steps, { kind: 'set', zones: last } as const]) {
        if (each.kind === 'set') set(...each.zones);
        else if (each.kind === 'serve') serve(each.zone);
        else tick(each.ms);
        const kinds = Object.values(states());
        assert(kinds.includes('serving') || kinds.includes('leaving'));
        assert(kinds.filter((kind) => kind !== 'leaving').length >= 2);
        assert.equal(new Set(region.placements().map(({ document }) => document.address)).size, kinds.length);
      }
      serve('a', 'b', 'c');
      tick(graceMs);
      assert.equal(Object.keys(states()).length, 2);
      const wanted: readonly string[] = last;
      for (const zone of Object.keys(states())) assert(wanted.includes(zone));
    }),
  );
});
