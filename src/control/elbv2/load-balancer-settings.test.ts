import assert from 'node:assert/strict';
import test from 'node:test';
import { createLoadBalancer } from './create-load-balancer.ts';
import { describeLoadBalancers } from './describe-load-balancers.ts';
import { getResourcePolicy } from './get-resource-policy.ts';
import { modifyIpPools } from './modify-ip-pools.ts';
import { setIpAddressType } from './set-ip-address-type.ts';
import { setSecurityGroups } from './set-security-groups.ts';
import { idOf, TestRegion } from './test-region.ts';

/** A region with a load balancer, and the ARN of one that is not there. */
function prepare() {
  const region = new TestRegion();
  const LoadBalancerArn = region.loadBalancer('web');
  return { region, LoadBalancerArn, missing: LoadBalancerArn.replace(idOf(LoadBalancerArn), 'f'.repeat(16)) };
}

test('SetSecurityGroups: those named take the place of those before, each once', () => {
  const { region, LoadBalancerArn } = prepare();
  const set = (...SecurityGroups: string[]) =>
    region.accepted(setSecurityGroups, { LoadBalancerArn, SecurityGroups }).SecurityGroupIds;
  assert.deepEqual(set('sg-1', 'sg-2', 'sg-1'), ['sg-1', 'sg-2']);
  assert.deepEqual(set('sg-3'), ['sg-3']);
  assert.deepEqual(region.accepted(describeLoadBalancers, {}).LoadBalancers![0]!.SecurityGroups, ['sg-3']);
  region.unchanged(() => set('sg-3'));
});

test('SetSecurityGroups: none, too many, malformed ones and what only a network load balancer has are refused', () => {
  const { region, LoadBalancerArn, missing } = prepare();
  const refusals = [
    [{ SecurityGroups: [] }, 'ValidationError'],
    [{ SecurityGroups: ['default'] }, 'InvalidSecurityGroup'],
    [{ SecurityGroups: ['sg-1', 'sg-2', 'sg-3', 'sg-4', 'sg-5', 'sg-6'] }, 'InvalidConfigurationRequest'],
    [
      { SecurityGroups: ['sg-1'], EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic: 'on' },
      'InvalidConfigurationRequest',
    ],
    [{ SecurityGroups: ['sg-1'], EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic: 'yes' }, 'ValidationError'],
  ] as const;
  for (const [input, code] of refusals) region.refused(setSecurityGroups, { LoadBalancerArn, ...input }, code);
  region.refused(setSecurityGroups, { LoadBalancerArn: missing, SecurityGroups: ['sg-1'] }, 'LoadBalancerNotFound');
});

test('SetIpAddressType: the type is kept and described, and one that the scheme cannot have is refused', () => {
  const { region, LoadBalancerArn, missing } = prepare();
  const set = (IpAddressType: string) => ({ LoadBalancerArn, IpAddressType });
  assert.deepEqual(
    region.unchanged(() => region.accepted(setIpAddressType, set('ipv4'))),
    { IpAddressType: 'ipv4' },
  );
  const described = () => region.accepted(describeLoadBalancers, {}).LoadBalancers![0]!.IpAddressType;
  for (const type of ['dualstack', 'dualstack-without-public-ipv4', 'ipv4']) {
    assert.deepEqual(region.accepted(setIpAddressType, set(type)), { IpAddressType: type });
    assert.equal(described(), type);
  }
  region.refused(setIpAddressType, set('ipv6'), 'ValidationError');
  region.refused(setIpAddressType, { LoadBalancerArn: missing, IpAddressType: 'ipv4' }, 'LoadBalancerNotFound');
  const inner = region.accepted(createLoadBalancer, { Name: 'inner', Scheme: 'internal' }).LoadBalancers![0]!;
  const wrong = { LoadBalancerArn: inner.LoadBalancerArn!, IpAddressType: 'dualstack-without-public-ipv4' };
  region.refused(setIpAddressType, wrong, 'InvalidConfigurationRequest');
});

test('ModifyIpPools: a pool is kept and described until it is removed', () => {
  const { region, LoadBalancerArn, missing } = prepare();
  const remove = { LoadBalancerArn, RemoveIpamPools: ['ipv4'] };
  const give = (Ipv4IpamPoolId: string) => ({ LoadBalancerArn, IpamPools: { Ipv4IpamPoolId } });
  const described = () => region.accepted(describeLoadBalancers, {}).LoadBalancers![0]!.IpamPools;
  const pools = { Ipv4IpamPoolId: 'ipam-pool-1' };
  assert.deepEqual(region.accepted(modifyIpPools, give('ipam-pool-1')), { IpamPools: pools });
  assert.deepEqual(described(), pools);
  region.unchanged(() => region.accepted(modifyIpPools, give('ipam-pool-1')));
  assert.deepEqual(region.accepted(modifyIpPools, remove), {});
  assert.equal(described(), undefined);
  region.unchanged(() => region.accepted(modifyIpPools, remove));
  for (const id of ['pool-1', 'ipam-pool-', `ipam-pool-${'1'.repeat(991)}`]) {
    region.refused(modifyIpPools, give(id), 'ValidationError');
  }
  for (const wrong of [
    {},
    { RemoveIpamPools: [] },
    { IpamPools: {} },
    { RemoveIpamPools: ['ipv6'] },
    { RemoveIpamPools: ['ipv4'], IpamPools: pools },
  ]) {
    region.refused(modifyIpPools, { LoadBalancerArn, ...wrong }, 'ValidationError');
  }
  region.refused(modifyIpPools, { ...remove, LoadBalancerArn: missing }, 'LoadBalancerNotFound');
});

test('GetResourcePolicy: nothing has a policy, and what is no ARN is refused as such', () => {
  const { region, LoadBalancerArn } = prepare();
  const trustStore = LoadBalancerArn.replace('loadbalancer/app/', 'truststore/');
  for (const ResourceArn of [LoadBalancerArn, trustStore]) {
    region.refused(getResourcePolicy, { ResourceArn }, 'ResourceNotFound');
  }
  for (const ResourceArn of ['', 'web', 'arn:aws:s3:::web']) {
    region.refused(getResourcePolicy, { ResourceArn }, 'ValidationError');
  }
});
