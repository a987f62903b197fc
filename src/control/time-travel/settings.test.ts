import assert from 'node:assert/strict';
import test from 'node:test';
import { testSettings } from '#control/elbv2/test-region.ts';
import { letGo } from '#control/workflows/leaving.ts';
import type { LogEntry } from '#model/history.ts';
import { Looking } from './looking.ts';
import { revert } from './revert.ts';
import { JournalRegion, told } from './test-journal-region.ts';

const idOf = (arn: string) => arn.slice(arn.lastIndexOf('/') + 1);

test('revert: settings of load balancers and listeners go back one by one, and what was set since stays', async (context) => {
  const region = new JournalRegion(context);
  const LoadBalancerArn = await region.loadBalancer('web');
  const ListenerArn = await region.listener(LoadBalancerArn, await region.targetGroup('targets'));
  const before = region.state();
  const set = async (name: string, Value: string) => {
    const Attributes = [{ Key: `routing.http.response.${name}`, Value }];
    await region.call('ModifyListenerAttributes', { ListenerArn, Attributes });
    return region.revision;
  };
  const [server, options] = [await set('server.enabled', 'false'), await set('x_frame_options.header_value', 'DENY')];
  await told(revert(region.travel, { from: server, to: server }));
  const attributes = () => region.view.get('listener', idOf(ListenerArn))!.attributes;
  assert.deepEqual(attributes(), { 'routing.http.response.x_frame_options.header_value': 'DENY' });
  await told(revert(region.travel, { from: options, to: options }));
  await region.call('ModifyCapacityReservation', {
    LoadBalancerArn,
    MinimumLoadBalancerCapacity: { CapacityUnits: 100 },
  });
  await region.call('SetSecurityGroups', { LoadBalancerArn, SecurityGroups: ['sg-1'] });
  const last = region.revision;
  await told(revert(region.travel, { from: last - 1, to: last - 1 }));
  assert.deepEqual(region.view.get('load-balancer', idOf(LoadBalancerArn))!.securityGroups, ['sg-1']);
  await told(revert(region.travel, { from: last, to: last }));
  assert.deepEqual(region.state(), before);
});

test('revert: zones that were taken away come back, and the address that was leaving serves on', async (context) => {
  const region = new JournalRegion(context);
  for (const [index, zone] of testSettings.zones.entries()) {
    await region.admit(`node-${index}`, zone, `127.8${index}.0.0/24`);
  }
  const LoadBalancerArn = await region.loadBalancer('web');
  await region.call('SetSubnets', { LoadBalancerArn, Subnets: ['subnet-a', 'subnet-b'] });
  await region.listener(LoadBalancerArn, await region.targetGroup('targets'));
  for (const index of [0, 1]) await region.serve(`node-${index}`);
  const id = idOf(LoadBalancerArn);
  const { zones } = region.view.get('load-balancer', id)!;
  await region.call('SetSubnets', { LoadBalancerArn, Subnets: ['subnet-b', 'subnet-c'] });
  const { revision } = region;
  const logged = await new Looking(region.journal, testSettings).log({});
  assert(logged.ok);
  const [last] = [...logged.value].filter((line) => line !== undefined) as LogEntry[];
  assert.match(last!.summary, /web changed: zones; .*on node-0 at \S+ leaves: its zone was removed/);
  await region.serve('node-2');
  await told(revert(region.travel, { from: revision, to: revision }));
  assert.deepEqual(region.view.get('load-balancer', id)!.zones, zones);
  await region.step((view) => letGo(view, region.nowMs));
  const states = [...region.view.all('placement')].map(({ document }) => `${document.zone} ${document.state.kind}`);
  assert(states.includes('eu-test-1a serving') && states.includes('eu-test-1b serving'), states.join());
});
