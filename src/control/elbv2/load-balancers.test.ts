import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { createLoadBalancer } from './create-load-balancer.ts';
import { deleteLoadBalancer } from './delete-load-balancer.ts';
import { describeLoadBalancers } from './describe-load-balancers.ts';
import { modifyLoadBalancerAttributes } from './modify-load-balancer-attributes.ts';
import { idOf, TestRegion, testSettings } from './test-region.ts';

test('CreateLoadBalancer: answers everything a client reads, with the documented defaults', () => {
  const region = new TestRegion();
  region.admit('node-1', 'eu-test-1a', '127.80.0.0/16');
  const [created] = region.accepted(createLoadBalancer, { Name: 'Web', Tags: [{ Key: 'team', Value: 'a' }] })
    .LoadBalancers!;
  const { CanonicalHostedZoneId, LoadBalancerArn, ...rest } = created!;
  const id = idOf(LoadBalancerArn!);
  assert.equal(LoadBalancerArn, `arn:aws:elasticloadbalancing:eu-test-1:111111111111:loadbalancer/app/Web/${id}`);
  assert.match(CanonicalHostedZoneId!, /^Z[A-Z0-9]{8,31}$/);
  assert.deepEqual(rest, {
    DNSName: `web-${id}.eu-test-1.elb.ballast.test`,
    CreatedTime: new Date(1_000_000),
    LoadBalancerName: 'Web',
    Scheme: 'internet-facing',
    VpcId: 'vpc-test',
    State: { Code: 'provisioning' },
    Type: 'application',
    AvailabilityZones: testSettings.defaultSubnets.map(({ id: SubnetId, zone: ZoneName }) => ({
      ZoneName,
      SubnetId,
      LoadBalancerAddresses: [],
    })),
    SecurityGroups: [],
    IpAddressType: 'ipv4',
  });
  assert.equal(region.tables.revision, 2, 'the load balancer and its placements are one transaction');
  assert.equal(region.placements().length, 1);
});

test('CreateLoadBalancer: an internal one says so in its DNS name, and every label stays below 64 octets', () => {
  const region = new TestRegion();
  const input = { Name: 'a'.repeat(32), Scheme: 'internal' };
  const [created] = region.accepted(createLoadBalancer, input).LoadBalancers!;
  const [label] = created!.DNSName!.split('.');
  assert.match(label!, /^internal-a{32}-[0-9a-f]{16}$/);
  assert(label!.length <= 63);
});

test('CreateLoadBalancer: a name breaks no rule of names', () => {
  const region = new TestRegion();
  for (const name of ['', '-a', 'a-', 'a_b', 'ä', 'internal-a', 'a'.repeat(33), 'a b', 'a\n']) {
    region.refused(createLoadBalancer, { Name: name }, 'ValidationError');
  }
  region.accepted(createLoadBalancer, { Name: 'internal' });
  region.accepted(createLoadBalancer, { Name: 'a--b' });
});

test('CreateLoadBalancer: what is not offered is refused and named', () => {
  const region = new TestRegion();
  const refusals = [
    [{ Type: 'gateway' }, 'InvalidConfigurationRequest'],
    [{ Type: 'classic' }, 'ValidationError'],
    [{ Scheme: 'public' }, 'InvalidScheme'],
    [{ IpAddressType: 'dualstack-without-public-ipv4', Scheme: 'internal' }, 'InvalidConfigurationRequest'],
    [{ IpAddressType: 'ipv5' }, 'ValidationError'],
    [{ CustomerOwnedIpv4Pool: 'coip-1' }, 'ValidationError'],
    [{ IpamPools: { Ipv4IpamPoolId: 'pool' } }, 'ValidationError'],
    [{ EnablePrefixForIpv6SourceNat: 'on' }, 'InvalidConfigurationRequest'],
    [{ SecurityGroups: ['default'] }, 'InvalidSecurityGroup'],
    [{ SecurityGroups: ['sg-1', 'sg-2', 'sg-3', 'sg-4', 'sg-5', 'sg-6'] }, 'InvalidConfigurationRequest'],
    [{ Tags: [{ Key: 'aws:a' }] }, 'ValidationError'],
  ] as const;
  for (const [input, code] of refusals) region.refused(createLoadBalancer, { Name: 'web', ...input }, code);
  assert.match(
    region.refused(createLoadBalancer, { Name: 'web', Type: 'gateway' }, 'InvalidConfigurationRequest'),
    /'gateway' is not offered.*'application' and 'network' are/,
  );
});

test('CreateLoadBalancer: subnets are well formed, in two zones or more, and one for each zone', () => {
  const region = new TestRegion();
  const refusals = [
    [{ Subnets: ['subnet-a'] }, 'ValidationError'],
    [{ Subnets: ['subnet-a', 'subnet-a'] }, 'InvalidConfigurationRequest'],
    [{ Subnets: ['subnet-x', 'subnet-x'] }, 'InvalidConfigurationRequest'],
    [{ Subnets: ['subnet-a', 'a'] }, 'InvalidSubnet'],
    [{ Subnets: ['subnet-1', 'subnet-2', 'subnet-3', 'subnet-4'] }, 'InvalidConfigurationRequest'],
    [{ Subnets: ['subnet-a'], SubnetMappings: [{ SubnetId: 'subnet-b' }] }, 'ValidationError'],
    [{ SubnetMappings: [{}] }, 'ValidationError'],
    [{ SubnetMappings: [{ SubnetId: 'subnet-a', AllocationId: 'eipalloc-1' }] }, 'InvalidConfigurationRequest'],
  ] as const;
  for (const [input, code] of refusals) region.refused(createLoadBalancer, { Name: 'web', ...input }, code);
  assert.match(
    region.refused(createLoadBalancer, { Name: 'web', Subnets: ['subnet-a'] }, 'ValidationError'),
    /^At least two subnets in two different Availability Zones must be specified$/,
  );
});

test('CreateLoadBalancer: subnets nobody has configured get zones of their own, the same whatever their order', () => {
  const subnet = fc.stringMatching(/^subnet-[0-9a-z]{1,32}$/);
  fc.assert(
    fc.property(fc.uniqueArray(subnet, { minLength: 2, maxLength: 3 }), (subnets) => {
      const configured = testSettings.defaultSubnets.map(({ id }) => id);
      fc.pre(!subnets.some((id) => configured.includes(id)));
      const region = new TestRegion();
      const [created] = region.accepted(createLoadBalancer, { Name: 'web', Subnets: subnets }).LoadBalancers!;
      const zones = created!.AvailabilityZones!.map(({ ZoneName }) => ZoneName!);
      assert.equal(new Set(zones).size, subnets.length);
      assert(zones.every((zone) => testSettings.zones.includes(zone)));
      const mappings = subnets.toReversed().map((SubnetId) => ({ SubnetId }));
      const [again] = region.accepted(createLoadBalancer, { Name: 'web', SubnetMappings: mappings }).LoadBalancers!;
      assert.deepEqual(again, created);
      const elsewhere = new TestRegion().accepted(createLoadBalancer, { Name: 'web', SubnetMappings: mappings });
      assert.deepEqual(elsewhere.LoadBalancers![0]!.AvailabilityZones, created!.AvailabilityZones);
    }),
  );
});

test('CreateLoadBalancer: the same call again changes nothing, other settings under the name are refused', () => {
  const region = new TestRegion();
  const input = { Name: 'web', SecurityGroups: ['sg-1', 'sg-2'], Tags: [{ Key: 'a', Value: '1' }, { Key: 'b' }] };
  const first = region.accepted(createLoadBalancer, input);
  const same = { ...input, SecurityGroups: ['sg-2', 'sg-1', 'sg-2'], Tags: input.Tags.toReversed() };
  assert.deepEqual(
    region.unchanged(() => region.accepted(createLoadBalancer, same)),
    first,
  );
  for (const other of [
    { Scheme: 'internal' },
    { Subnets: ['subnet-a', 'subnet-b'] },
    { SecurityGroups: [] },
    { Tags: [{ Key: 'a' }] },
  ]) {
    const message = region.refused(createLoadBalancer, { ...input, ...other }, 'DuplicateLoadBalancerName');
    assert.equal(message, `A load balancer with the same name 'web' exists, but with different settings`);
  }
});

test('DescribeLoadBalancers: the state is what the nodes say of the addresses', () => {
  const region = new TestRegion();
  const arn = region.loadBalancer('web');
  const id = idOf(arn);
  const state = () => region.accepted(describeLoadBalancers, { Names: ['web'] }).LoadBalancers![0]!.State;
  assert.deepEqual(state(), { Code: 'provisioning' });
  region.admit('node-1', 'eu-test-1a', '127.80.0.0/16');
  region.admit('node-2', 'eu-test-1b', '127.81.0.0/16');
  assert.deepEqual(state(), { Code: 'provisioning' });
  region.report('node-1', { loadBalancerId: id, failure: 'EADDRINUSE' });
  assert.deepEqual(state(), { Code: 'provisioning' });
  region.report('node-2', { loadBalancerId: id, failure: 'EACCES' });
  assert.deepEqual(state(), { Code: 'failed', Reason: 'EADDRINUSE' });
  region.report('node-2', { loadBalancerId: id });
  assert.deepEqual(state(), { Code: 'active_impaired', Reason: 'EADDRINUSE' });
  region.report('node-1', { loadBalancerId: id });
  assert.deepEqual(state(), { Code: 'active' });
  region.report('node-1', { loadBalancerId: id, failure: 'port 81: EADDRINUSE' });
  assert.deepEqual(state(), { Code: 'active_impaired', Reason: 'port 81: EADDRINUSE' });
});

test('DescribeLoadBalancers: finds by ARNs or by names, and says so when one of them is not there', () => {
  const region = new TestRegion();
  const [a, b] = [region.loadBalancer('a'), region.loadBalancer('b')];
  const found = (input: { Names?: string[]; LoadBalancerArns?: string[] }) =>
    region.accepted(describeLoadBalancers, input).LoadBalancers!.map(({ LoadBalancerArn }) => LoadBalancerArn);
  assert.deepEqual(found({}), [a, b]);
  assert.deepEqual(found({ Names: [], LoadBalancerArns: [] }), [a, b]);
  assert.deepEqual(found({ Names: ['b', 'b'] }), [b]);
  assert.deepEqual(found({ LoadBalancerArns: [b, a, b] }), [a, b]);
  assert.equal(
    region.refused(describeLoadBalancers, { Names: ['a', 'c'] }, 'LoadBalancerNotFound'),
    'One or more load balancers not found',
  );
  region.refused(
    describeLoadBalancers,
    { LoadBalancerArns: [a.replace(idOf(a), 'f'.repeat(16))] },
    'LoadBalancerNotFound',
  );
  region.refused(describeLoadBalancers, { LoadBalancerArns: [a.replace('/a/', '/b/')] }, 'LoadBalancerNotFound');
  region.refused(describeLoadBalancers, { LoadBalancerArns: Array.from({ length: 21 }, () => a) }, 'ValidationError');
  region.refused(describeLoadBalancers, { LoadBalancerArns: [a], Names: ['a'] }, 'ValidationError');
  for (const arn of [
    '',
    'a',
    a.replace('eu-test-1', 'us-test-1'),
    a.replace('111111111111', '222222222222'),
    region.targetGroup('a'),
  ]) {
    const message = region.refused(describeLoadBalancers, { LoadBalancerArns: [arn] }, 'ValidationError');
    assert.equal(message, `'${arn}' is not a valid load balancer ARN`);
  }
});

test('DescribeLoadBalancers: every page after the first goes on where the last one ended, whatever happened between', () => {
  const createdAtMs = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(createdAtMs, fc.integer({ min: 1, max: 5 }), fc.nat(), (times, PageSize, deletedIndex) => {
      const region = new TestRegion();
      const arns = times.map((timeMs, index) => {
        region.nowMs = timeMs;
        return region.loadBalancer(`lb-${index}`);
      });
      const deleted = arns[deletedIndex % arns.length]!;
      const seen: string[] = [];
      let Marker: string | undefined;
      do {
        const page = region.accepted(describeLoadBalancers, { PageSize, Marker });
        assert(page.LoadBalancers!.length <= PageSize);
        seen.push(...page.LoadBalancers!.map(({ LoadBalancerArn }) => LoadBalancerArn!));
        // What has been given already goes, among it perhaps the last one that the marker was made from.
        region.accepted(deleteLoadBalancer, { LoadBalancerArn: seen.includes(deleted) ? deleted : seen.at(-1)! });
        Marker = page.NextMarker;
      } while (Marker !== undefined);
      assert.deepEqual(seen.toSorted(), arns.toSorted());
      assert.equal(new Set(seen).size, seen.length);
    }),
  );
});

test('DescribeLoadBalancers: a last page that is full has no marker', () => {
  const region = new TestRegion();
  for (const name of ['a', 'b']) region.loadBalancer(name);
  assert.equal(region.accepted(describeLoadBalancers, { PageSize: 2 }).NextMarker, undefined);
  assert.notEqual(region.accepted(describeLoadBalancers, { PageSize: 1 }).NextMarker, undefined);
});

test('DescribeLoadBalancers: a page size out of range and a marker of somebody else are refused', () => {
  const region = new TestRegion();
  for (const PageSize of [0, -1, 401]) region.refused(describeLoadBalancers, { PageSize }, 'ValidationError');
  for (const Marker of ['', 'x', 'MTIz', Buffer.from('1/2').toString('base64url')]) {
    region.refused(describeLoadBalancers, { Marker }, 'ValidationError');
  }
});

test('DescribeLoadBalancers: an account neither sees nor touches what belongs to another', () => {
  const region = new TestRegion();
  const arn = region.loadBalancer('web');
  region.account = '222222222222';
  assert.deepEqual(region.accepted(describeLoadBalancers, {}).LoadBalancers, []);
  region.refused(describeLoadBalancers, { Names: ['web'] }, 'LoadBalancerNotFound');
  region.refused(deleteLoadBalancer, { LoadBalancerArn: arn }, 'ValidationError');
  // Its own account in the ARN does not make the load balancer its own.
  const forged = arn.replace('111111111111', '222222222222');
  region.refused(describeLoadBalancers, { LoadBalancerArns: [forged] }, 'LoadBalancerNotFound');
  region.unchanged(() => region.accepted(deleteLoadBalancer, { LoadBalancerArn: forged }));
  assert.notEqual(region.loadBalancer('web'), arn, 'names are unique for each account only');
});

test('DeleteLoadBalancer: takes listeners, rules and addresses along, and leaves target groups', () => {
  const region = new TestRegion();
  region.admit('node-1', 'eu-test-1a', '127.80.0.0/16');
  const [web, other, group] = [region.loadBalancer('web'), region.loadBalancer('other'), region.targetGroup('group')];
  region.listener(web, group, 80);
  region.listener(web, group, 81);
  region.accepted(deleteLoadBalancer, { LoadBalancerArn: web });
  const left = (['load-balancer', 'listener', 'rule', 'placement', 'target-group'] as const).map((kind) =>
    region.tables.count(kind),
  );
  assert.deepEqual(left, [1, 0, 0, 1, 1]);
  assert.equal(region.accepted(describeLoadBalancers, {}).LoadBalancers![0]!.LoadBalancerArn, other);
});

test('DeleteLoadBalancer: deleting it again succeeds, and deletion protection holds until it is turned off', () => {
  const region = new TestRegion();
  const LoadBalancerArn = region.loadBalancer('web');
  const protect = (Value: string) =>
    region.accepted(modifyLoadBalancerAttributes, {
      LoadBalancerArn,
      Attributes: [{ Key: 'deletion_protection.enabled', Value }],
    });
  protect('true');
  region.refused(deleteLoadBalancer, { LoadBalancerArn }, 'OperationNotPermitted');
  protect('false');
  region.accepted(deleteLoadBalancer, { LoadBalancerArn });
  region.unchanged(() => region.accepted(deleteLoadBalancer, { LoadBalancerArn }));
  region.refused(deleteLoadBalancer, { LoadBalancerArn: 'web' }, 'ValidationError');
});
