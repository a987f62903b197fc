import assert from 'node:assert/strict';
import test from 'node:test';
import { addTags } from './add-tags.ts';
import { createListener } from './create-listener.ts';
import { createLoadBalancer } from './create-load-balancer.ts';
import { createTargetGroup } from './create-target-group.ts';
import { deleteListener } from './delete-listener.ts';
import { deleteLoadBalancer } from './delete-load-balancer.ts';
import { deleteTargetGroup } from './delete-target-group.ts';
import { describeTags } from './describe-tags.ts';
import { removeTags } from './remove-tags.ts';
import { idOf, TestRegion } from './test-region.ts';

/** A region with one resource of every kind that has tags. */
function prepare() {
  const region = new TestRegion();
  const loadBalancer = region.loadBalancer('web');
  const targetGroup = region.targetGroup('group');
  const listener = region.listener(loadBalancer, targetGroup);
  const [rule] = [...region.tables.all('rule')];
  const listenerRule = `${listener.replace(':listener/', ':listener-rule/')}/${rule!.id}`;
  const tagsOf = (...ResourceArns: string[]) => region.accepted(describeTags, { ResourceArns }).TagDescriptions!;
  return { region, all: [loadBalancer, targetGroup, listener, listenerRule], tagsOf };
}

test('tags: are added to, answered for and removed from every kind of resource, in the order of the request', () => {
  const { region, all, tagsOf } = prepare();
  const ResourceArns = all.toReversed();
  region.accepted(addTags, { ResourceArns, Tags: [{ Key: 'b', Value: '1' }, { Key: 'a' }] });
  const Tags = [
    { Key: 'b', Value: '1' },
    { Key: 'a', Value: '' },
  ];
  assert.deepEqual(
    tagsOf(...ResourceArns),
    ResourceArns.map((ResourceArn) => ({ ResourceArn, Tags })),
  );
  region.accepted(removeTags, { ResourceArns, TagKeys: ['b', 'missing'] });
  assert.deepEqual(tagsOf(all[0]!, all[0]!), [{ ResourceArn: all[0], Tags: [{ Key: 'a', Value: '' }] }]);
});

test('tags: can be given when a resource is made', () => {
  const { region, tagsOf } = prepare();
  const Tags = [{ Key: 'a', Value: '1' }];
  const web = region.accepted(createLoadBalancer, { Name: 'a', Tags }).LoadBalancers![0]!.LoadBalancerArn!;
  const group = { Name: 'a', Protocol: 'HTTP', Port: 80, VpcId: 'vpc-1', TargetType: 'ip', Tags };
  const TargetGroupArn = region.accepted(createTargetGroup, group).TargetGroups![0]!.TargetGroupArn!;
  const DefaultActions = [{ Type: 'forward', TargetGroupArn }];
  const listener = { LoadBalancerArn: web, Protocol: 'HTTP', Port: 80, DefaultActions, Tags };
  const { ListenerArn } = region.accepted(createListener, listener).Listeners![0]!;
  for (const arn of [web, TargetGroupArn, ListenerArn!]) assert.deepEqual(tagsOf(arn), [{ ResourceArn: arn, Tags }]);
});

test('tags: keep their order of insertion, and a new value takes the place of the old one', () => {
  const { region, all, tagsOf } = prepare();
  const ResourceArns = [all[0]!];
  region.accepted(addTags, { ResourceArns, Tags: [{ Key: 'z', Value: '1' }, { Key: 'a' }] });
  region.accepted(addTags, { ResourceArns, Tags: [{ Key: 'm' }, { Key: 'z', Value: '2' }] });
  assert.deepEqual(
    tagsOf(all[0]!)[0]!.Tags!.map(({ Key, Value }) => `${Key}=${Value}`),
    ['z=2', 'a=', 'm='],
  );
  region.unchanged(() => region.accepted(addTags, { ResourceArns, Tags: [{ Key: 'z', Value: '2' }] }));
  region.unchanged(() => region.accepted(removeTags, { ResourceArns, TagKeys: ['missing'] }));
});

test('AddTags: a resource has at most 50, and overwriting does not count', () => {
  const { region, all } = prepare();
  const tags = (count: number, Value: string) =>
    Array.from({ length: count }, (_, index) => ({ Key: `${index}`, Value }));
  region.accepted(addTags, { ResourceArns: [all[0]!], Tags: tags(50, 'a') });
  region.accepted(addTags, { ResourceArns: [all[0]!], Tags: tags(50, 'b') });
  region.refused(addTags, { ResourceArns: [all[0]!], Tags: [{ Key: 'one more' }] }, 'TooManyTags');
  // The first resource has room; the second has not, so neither gets any.
  region.refused(addTags, { ResourceArns: [all[1]!, all[0]!], Tags: [{ Key: 'one more' }] }, 'TooManyTags');
  region.refused(createLoadBalancer, { Name: 'a', Tags: tags(51, 'a') }, 'TooManyTags');
});

test('AddTags: keys and values are held to the rules of tags', () => {
  const { region, all } = prepare();
  const refused = (Key: string, Value: string) =>
    region.refused(addTags, { ResourceArns: all, Tags: [{ Key, Value }] }, 'ValidationError');
  refused('', 'a');
  refused('a'.repeat(129), 'a');
  refused('a', 'a'.repeat(257));
  for (const key of ['aws:a', 'AWS:a', 'a*', 'a\n', 'a&b']) refused(key, 'a');
  refused('a', '<b>');
  const Tags = [
    { Key: '𝒜'.repeat(128), Value: '𝒜'.repeat(256) },
    { Key: 'ä ö_.:/=+-@1', Value: '' },
    { Key: 'notaws:a', Value: 'a' },
  ];
  region.accepted(addTags, { ResourceArns: all, Tags });
  region.refused(addTags, { ResourceArns: all, Tags: [{ Key: 'a' }, { Key: 'a', Value: 'b' }] }, 'DuplicateTagKeys');
  region.refused(createLoadBalancer, { Name: 'a', Tags: [{ Key: 'a' }, { Key: 'a' }] }, 'DuplicateTagKeys');
  region.refused(addTags, { ResourceArns: all, Tags: [] }, 'ValidationError');
});

test('tags: a resource that is not there is refused with the code of its kind', () => {
  const { region, all } = prepare();
  const [loadBalancer, targetGroup, listener, rule] = all as [string, string, string, string];
  const calls = (arn: string, code: Parameters<typeof region.refused>[2]) => {
    const ResourceArns = [loadBalancer, arn];
    region.refused(addTags, { ResourceArns, Tags: [{ Key: 'a' }] }, code);
    region.refused(removeTags, { ResourceArns, TagKeys: ['a'] }, code);
    region.refused(describeTags, { ResourceArns }, code);
  };
  const codes = ['LoadBalancerNotFound', 'TargetGroupNotFound', 'ListenerNotFound', 'RuleNotFound'] as const;
  for (const [index, code] of codes.entries()) calls(all[index]!.replace(idOf(all[index]!), 'f'.repeat(16)), code);
  for (const arn of ['', 'x', listener.replace('eu-test-1', 'us-test-1'), rule.replace('11111', '22222')]) {
    calls(arn, 'ValidationError');
  }
  for (const ResourceArns of [[], Array.from({ length: 21 }, () => targetGroup)]) {
    region.refused(describeTags, { ResourceArns }, 'ValidationError');
  }
  region.accepted(deleteListener, { ListenerArn: listener });
  calls(rule, 'RuleNotFound');
  region.accepted(deleteTargetGroup, { TargetGroupArn: targetGroup });
  calls(targetGroup, 'TargetGroupNotFound');
  region.accepted(deleteLoadBalancer, { LoadBalancerArn: loadBalancer });
  calls(listener, 'LoadBalancerNotFound');
});
