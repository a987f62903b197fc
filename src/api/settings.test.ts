import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import {
  DescribeAccountLimitsCommand,
  DescribeCapacityReservationCommand,
  DescribeListenerAttributesCommand,
  DescribeSSLPoliciesCommand,
  ElasticLoadBalancingV2Client,
  GetResourcePolicyCommand,
  ModifyCapacityReservationCommand,
  ModifyIpPoolsCommand,
  ModifyListenerAttributesCommand,
  SetIpAddressTypeCommand,
  SetSecurityGroupsCommand,
  SetSubnetsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { testSettings } from '#control/elbv2/test-region.ts';
import { accessKeyId, secretAccessKey } from './test-api.ts';
import { startRegionApi } from './test-region-api.ts';

/** The official client of an API over a real journal, with a load balancer and a listener. */
async function start(context: TestContext) {
  const { region, url } = await startRegionApi(context);
  const client = new ElasticLoadBalancingV2Client({
    endpoint: url,
    region: testSettings.region,
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 1,
  });
  context.after(() => client.destroy());
  const LoadBalancerArn = await region.loadBalancer('web');
  const ListenerArn = await region.listener(LoadBalancerArn, await region.targetGroup('targets'));
  return { client, LoadBalancerArn, ListenerArn };
}

test('settings: the official client reads and sets attributes of listeners, empty values among them', async (context) => {
  const { client, ListenerArn } = await start(context);
  const key = 'routing.http.response.content_security_policy.header_value';
  const value = `default-src 'self'; img-src *`;
  const set = async (Value: string) => {
    const command = new ModifyListenerAttributesCommand({ ListenerArn, Attributes: [{ Key: key, Value }] });
    return (await client.send(command)).Attributes!.find(({ Key }) => Key === key)!.Value;
  };
  assert.equal(await set(value), value);
  assert.equal(await set(''), '');
  const { Attributes } = await client.send(new DescribeListenerAttributesCommand({ ListenerArn }));
  assert.equal(Attributes!.length, 11);
  await assert.rejects(set('a\nb'), { name: 'ValidationError' });
});

test('settings: the official client reads capacity, with its empty list, its fractions and its time', async (context) => {
  const { client, LoadBalancerArn } = await start(context);
  const { CapacityReservationState } = await client.send(new DescribeCapacityReservationCommand({ LoadBalancerArn }));
  assert.deepEqual(CapacityReservationState, []);
  const reserved = await client.send(
    new ModifyCapacityReservationCommand({ LoadBalancerArn, MinimumLoadBalancerCapacity: { CapacityUnits: 100 } }),
  );
  assert(reserved.LastModifiedTime instanceof Date);
  assert.equal(reserved.MinimumLoadBalancerCapacity!.CapacityUnits, 100);
  assert.equal(reserved.CapacityReservationState![0]!.EffectiveCapacityUnits, 100 / 3);
  assert.equal(reserved.CapacityReservationState![0]!.State!.Code, 'provisioned');
  await client.send(new ModifyCapacityReservationCommand({ LoadBalancerArn, ResetCapacityReservation: true }));
});

test('settings: the official client pages through the policies, and reads the limits', async (context) => {
  const { client } = await start(context);
  const names: string[] = [];
  let Marker: string | undefined;
  do {
    const page = await client.send(new DescribeSSLPoliciesCommand({ PageSize: 7, Marker }));
    for (const { Name, Ciphers } of page.SslPolicies!) {
      assert.equal(Ciphers![0]!.Priority, 1);
      names.push(Name!);
    }
    Marker = page.NextMarker;
  } while (Marker !== undefined);
  assert.equal(names[0], 'ELBSecurityPolicy-2016-08');
  assert.equal(new Set(names).size, names.length);
  assert(names.includes('ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09'));
  assert.equal((await client.send(new DescribeAccountLimitsCommand({}))).Limits!.length, 18);
});

test('settings: the official client sets groups and subnets, and is told by code what it cannot have', async (context) => {
  const { client, LoadBalancerArn } = await start(context);
  const groups = await client.send(new SetSecurityGroupsCommand({ LoadBalancerArn, SecurityGroups: ['sg-1', 'sg-2'] }));
  assert.deepEqual(groups.SecurityGroupIds, ['sg-1', 'sg-2']);
  const subnets = await client.send(new SetSubnetsCommand({ LoadBalancerArn, Subnets: ['subnet-b', 'subnet-c'] }));
  assert.deepEqual(
    subnets.AvailabilityZones!.map(({ ZoneName, LoadBalancerAddresses }) => [ZoneName, LoadBalancerAddresses]),
    [
      ['eu-test-1b', []],
      ['eu-test-1c', []],
    ],
  );
  await client.send(new ModifyIpPoolsCommand({ LoadBalancerArn, RemoveIpamPools: ['ipv4'] }));
  const none = new SetSecurityGroupsCommand({ LoadBalancerArn, SecurityGroups: [] });
  await assert.rejects(client.send(none), { name: 'ValidationError' });
  const dualstack = new SetIpAddressTypeCommand({ LoadBalancerArn, IpAddressType: 'dualstack' });
  assert.equal((await client.send(dualstack)).IpAddressType, 'dualstack');
  const prefix = new SetSubnetsCommand({
    LoadBalancerArn,
    Subnets: ['subnet-b', 'subnet-c'],
    EnablePrefixForIpv6SourceNat: 'on',
  });
  await assert.rejects(client.send(prefix), { name: 'InvalidConfigurationRequestException' });
  const policy = new GetResourcePolicyCommand({ ResourceArn: LoadBalancerArn });
  await assert.rejects(client.send(policy), { name: 'ResourceNotFoundException' });
});
