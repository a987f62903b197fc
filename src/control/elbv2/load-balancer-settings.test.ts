import assert from 'node:assert/strict';
import test from 'node:test';
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

test('SetIpAddressType: ipv4 is what every load balancer has, others are not offered, or not known', () => {
  const { region, LoadBalancerArn, missing } = prepare();
  const set = (IpAddressType: string) => ({ LoadBalancerArn, IpAddressType });
  assert.deepEqual(
    region.unchanged(() => region.accepted(setIpAddressType, set('ipv4'))),
    { IpAddressType: 'ipv4' },
  );
  for (const type of ['dualstack', 'dualstack-without-public-ipv4']) {
    const message = region.refused(setIpAddressType, set(type), 'InvalidConfigurationRequest');
    assert.match(message, /is not offered by this version of Ballast; 'ipv4' is/);
  }
  region.refused(setIpAddressType, set('ipv6'), 'ValidationError');
  region.refused(setIpAddressType, { LoadBalancerArn: missing, IpAddressType: 'ipv4' }, 'LoadBalancerNotFound');
});

test('ModifyIpPools: no pool can be given, and removing what is not there changes nothing', () => {
  const { region, LoadBalancerArn, missing } = prepare();
  const remove = { LoadBalancerArn, RemoveIpamPools: ['ipv4'] };
  assert.deepEqual(
    region.unchanged(() => region.accepted(modifyIpPools, remove)),
    {},
  );
  const give = (Ipv4IpamPoolId: string) => ({ LoadBalancerArn, IpamPools: { Ipv4IpamPoolId } });
  region.refused(modifyIpPools, give('ipam-pool-1'), 'InvalidConfigurationRequest');
  for (const id of ['pool-1', 'ipam-pool-', `ipam-pool-${'1'.repeat(991)}`]) {
    region.refused(modifyIpPools, give(id), 'ValidationError');
  }
  for (const wrong of [{}, { RemoveIpamPools: [] }, { IpamPools: {} }, { RemoveIpamPools: ['ipv6'] }]) {
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
