import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { faults } from '#model/fault.ts';
import { elbv2Operations } from './operations.ts';
import { checkLaws } from './test-laws.ts';
import { TestRegion } from './test-region.ts';
import { begin, step } from './test-steps.ts';

test('operations: whatever is called in whatever order, the laws of the documents hold', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 80, size: 'max' }), (steps) => {
      const region = new TestRegion();
      const arns = begin(region);
      for (const run of steps) {
        run(region, arns);
        checkLaws(region.tables);
      }
    }),
    { numRuns: 200 },
  );
});

test('operations: from any text in place of an ARN comes an answer or a fault, never a throw', () => {
  const members = [
    'LoadBalancerArn',
    'TargetGroupArn',
    'ListenerArn',
    'RuleArn',
    'ResourceArn',
    'TrustStoreArn',
    'IpAddressType',
  ];
  const arnLike = fc
    .array(
      fc.constantFrom(
        'arn:aws:elasticloadbalancing:eu-test-1:111111111111:',
        'loadbalancer',
        'targetgroup',
        'listener',
        'listener-rule',
        'app',
        '/',
        'a',
        '0123456789abcdef',
        '__proto__',
      ),
    )
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.oneof(fc.string(), arnLike), fc.constantFrom(...Object.keys(elbv2Operations)), (text, action) => {
      const region = new TestRegion();
      const input: Record<string, unknown> = {
        ResourceArn: text,
        ResourceArns: [text],
        SecurityGroups: [text],
        Subnets: [text, 'subnet-a'],
        IpAddressType: text,
        IpamPools: { Ipv4IpamPoolId: text },
        Names: [text],
        LoadBalancerArns: [text],
        TagKeys: [text],
        Tags: [{ Key: text, Value: text }],
        Targets: [{ Id: text, AvailabilityZone: text }],
        Attributes: [{ Key: text, Value: text }],
        DefaultActions: [{ Type: text }],
        Actions: [{ Type: text }],
        Conditions: [{ Field: text }, { Field: 'path-pattern', RegexValues: [text] }],
        Transforms: [{ Type: text }],
        RulePriorities: [{ RuleArn: text, Priority: 1 }],
        Priority: 1,
        Name: text,
        Marker: text,
      };
      for (const member of members) input[member] = text;
      const answer = region.call(elbv2Operations[action]!, input);
      assert(answer.ok || Object.hasOwn(faults, answer.fault.code));
    }),
    { numRuns: 2_000 },
  );
});
