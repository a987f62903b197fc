import assert from 'node:assert/strict';
import test from 'node:test';
import { defaultLimits } from '#control/limits.ts';
import { createLoadBalancer } from './create-load-balancer.ts';
import { createRule } from './create-rule.ts';
import { describeAccountLimits } from './describe-account-limits.ts';
import { TestRegion } from './test-region.ts';

test('DescribeAccountLimits: answers the quotas that are enforced, by the names of AWS', () => {
  const { Limits, NextMarker } = new TestRegion().accepted(describeAccountLimits, {});
  assert.equal(NextMarker, undefined);
  assert.equal(Limits!.length, 18);
  const limits = Object.fromEntries(Limits!.map(({ Name, Max }) => [Name, Max]));
  assert.equal(limits['application-load-balancers'], '50');
  assert.equal(limits['target-groups'], '3000');
  assert.equal(limits['network-load-balancers'], '50');
  assert.equal(limits['gateway-load-balancers'], '0');
});

test('limits: those of the account are held, and described', () => {
  const region = new TestRegion();
  region.limits = { ...defaultLimits, 'application-load-balancers': 1, 'rules-per-application-load-balancer': 0 };
  const LoadBalancerArn = region.loadBalancer('one');
  region.refused(createLoadBalancer, { Name: 'two' }, 'TooManyLoadBalancers');
  region.accepted(createLoadBalancer, { Name: 'net', Type: 'network' });
  const ListenerArn = region.listener(LoadBalancerArn, region.targetGroup('group'));
  const Actions = [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '200' } }];
  const Conditions = [{ Field: 'path-pattern', Values: ['/a'] }];
  region.refused(createRule, { ListenerArn, Priority: 1, Conditions, Actions }, 'TooManyRules');
  const { Limits } = region.accepted(describeAccountLimits, { PageSize: 1 });
  assert.deepEqual(Limits, [{ Name: 'application-load-balancers', Max: '1' }]);
});

test('DescribeAccountLimits: pages follow each other without gap or repetition, and foreign markers are refused', () => {
  const region = new TestRegion();
  const all = region.accepted(describeAccountLimits, { PageSize: 400 }).Limits!;
  for (const PageSize of [1, 5, 9, 17, 18]) {
    const seen = [];
    let Marker: string | undefined;
    do {
      const page = region.accepted(describeAccountLimits, { PageSize, ...(Marker !== undefined && { Marker }) });
      assert(page.Limits!.length >= 1 && page.Limits!.length <= PageSize);
      seen.push(...page.Limits!);
      Marker = page.NextMarker;
    } while (Marker !== undefined);
    assert.deepEqual(seen, all);
  }
  for (const Marker of ['', 'a', 'target-groups']) {
    region.refused(describeAccountLimits, { Marker }, 'ValidationError');
  }
  for (const PageSize of [0, 401]) region.refused(describeAccountLimits, { PageSize }, 'ValidationError');
});
