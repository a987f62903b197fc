import assert from 'node:assert/strict';
import test from 'node:test';
import { describeAccountLimits } from './describe-account-limits.ts';
import { quotas } from './quotas.ts';
import { TestRegion } from './test-region.ts';

test('DescribeAccountLimits: answers the quotas that are enforced, by the names of AWS', () => {
  const { Limits, NextMarker } = new TestRegion().accepted(describeAccountLimits, {});
  assert.equal(NextMarker, undefined);
  assert.equal(Limits!.length, 18);
  const limits = Object.fromEntries(Limits!.map(({ Name, Max }) => [Name, Max]));
  assert.equal(limits['application-load-balancers'], `${quotas.loadBalancersPerAccount}`);
  assert.equal(limits['target-groups'], `${quotas.targetGroupsPerAccount}`);
  assert.equal(limits['network-load-balancers'], `${quotas.loadBalancersPerAccount}`);
  assert.equal(limits['gateway-load-balancers'], '0');
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
