/** A load balancer that moves to other zones while it serves, through the official client and real nodes. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { DescribeLoadBalancersCommand, SetSubnetsCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { until } from './running-ballast.ts';
import { makeService, port, progressed, resolver, running, someTargets } from './service.ts';
import { Load, send } from './traffic.ts';

const subnetsOf = (...zones: string[]) => zones.map((zone) => `subnet-0000000${zone}`);

test('SetSubnets: names lead to the new zones when they serve, and no request fails on the way there and back', async (context) => {
  const ballast = await running(context, ['--nodes', '3']);
  const service = await makeService(ballast, 'web', await someTargets(context, 2));
  const { loadBalancerArn, dnsName } = service;
  const client = ballast.client();
  const addresses = async () => (await resolver(ballast).resolve4(dnsName)).toSorted();
  const move = (...zones: string[]) =>
    client.send(new SetSubnetsCommand({ LoadBalancerArn: loadBalancerArn, Subnets: subnetsOf(...zones) }));
  await until(async () => (await addresses()).length === 2, 'both addresses serve');
  const before = await addresses();
  const loads = before.map((host) => new Load({ host, port, connections: 4 }));
  context.after(() => Promise.all(loads.map((load) => load.stop())));

  const moved = await move('b', 'c');
  assert.deepEqual(
    moved.AvailabilityZones!.map(({ SubnetId }) => SubnetId),
    subnetsOf('b', 'c'),
  );
  await until(async () => (await addresses()).some((each) => !before.includes(each)), 'the new address serves');
  const after = await addresses();
  assert.equal(after.length, 2);
  const [arrived] = after.filter((each) => !before.includes(each));
  const [left] = before.filter((each) => !after.includes(each));
  assert.equal((await send({ host: arrived!, port })).status, 200);
  for (const load of loads) await progressed(load, 200);

  await move('a', 'b');
  await until(async () => (await addresses()).includes(left!), 'the address of the zone that came back is given again');
  assert.deepEqual(await addresses(), before);
  for (const load of loads) {
    await progressed(load, 200);
    assert.deepEqual(load.failures, []);
  }
  const described = await client.send(new DescribeLoadBalancersCommand({ LoadBalancerArns: [loadBalancerArn] }));
  assert.equal(described.LoadBalancers![0]!.State!.Code, 'active');
});
