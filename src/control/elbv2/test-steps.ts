/** Random things that happen to a region, for properties: calls of operations, and the service's own steps. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AnyOperation } from '#control/operation.ts';
import { removeDrained } from '#control/workflows/draining.ts';
import { letGo } from '#control/workflows/leaving.ts';
import { elbv2Operations } from './operations.ts';
import type { TestRegion } from './test-region.ts';

export const accounts = ['111111111111', '222222222222'];

/** One thing that happens: a call with an input made from the ARNs seen so far, or one of the service's own steps. */
export type Step = (region: TestRegion, arns: string[]) => void;

const name = fc.constantFrom('a', 'b', 'c');
const port = fc.constantFrom(80, 81);
const pick = fc.nat({ max: 63 });
const targets = fc.array(
  fc.record({
    Id: fc.constantFrom('127.0.0.1', '127.0.0.2', '127.0.0.3', '224.0.0.1'),
    Port: fc.constantFrom(undefined, 81),
  }),
  { minLength: 1, maxLength: 2 },
);
const tags = fc.array(fc.record({ Key: fc.constantFrom('k', 'l', 'aws:m'), Value: fc.constantFrom('v', 'w') }), {
  maxLength: 3,
});

type ArnType = 'loadbalancer' | 'targetgroup' | 'listener' | 'listener-rule';

/** A call of the operation; the ARNs in its answer join those that later calls pick from. */
function call(action: string, input: (arnAt: (index: number, type?: ArnType) => string) => object): Step {
  const operation: AnyOperation = elbv2Operations[action]!;
  return (region, arns) => {
    // Mostly an ARN of the caller's and of the right type, now and then any text: of another, of nothing, or no ARN.
    const arnAt = (index: number, type?: ArnType) => {
      const own = arns.filter((arn) => arn.includes(`:${region.account}:${type === undefined ? '' : `${type}/`}`));
      const likely = index % 8 === 0 ? arns : own;
      return likely[index % likely.length] ?? '';
    };
    const before = region.tables.revision;
    const answer = region.call(operation, input(arnAt));
    if (!answer.ok) assert.equal(region.tables.revision, before, 'a refused call changes nothing');
    else arns.push(...arnsIn(JSON.stringify(answer.value)).filter((arn) => !arns.includes(arn)));
  };
}

function arnsIn(json: string): string[] {
  return json.match(/arn:aws:elasticloadbalancing:[^"]+/g) ?? [];
}

function withArn(action: string, member: string, input: fc.Arbitrary<object> = fc.constant({})): fc.Arbitrary<Step> {
  const type = member === 'RuleArn' ? 'listener-rule' : (member.slice(0, -'Arn'.length).toLowerCase() as ArnType);
  return fc
    .tuple(pick, input)
    .map(([index, others]) => call(action, (arnAt) => ({ ...others, [member]: arnAt(index, type) })));
}

function withArns(action: string, input: fc.Arbitrary<object>): fc.Arbitrary<Step> {
  return fc
    .tuple(fc.array(pick, { maxLength: 3 }), input)
    .map(([picks, others]) => call(action, (arnAt) => ({ ...others, ResourceArns: picks.map((at) => arnAt(at)) })));
}

const createListener = fc
  .tuple(pick, port, fc.array(pick, { minLength: 1, maxLength: 2 }), fc.boolean())
  .map(([loadBalancer, Port, groups, fixed]) =>
    call('CreateListener', (arnAt) => ({
      LoadBalancerArn: arnAt(loadBalancer, 'loadbalancer'),
      Protocol: 'HTTP',
      Port,
      DefaultActions: fixed
        ? [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '404' } }]
        : [
            {
              Type: 'forward',
              ForwardConfig: { TargetGroups: groups.map((at) => ({ TargetGroupArn: arnAt(at, 'targetgroup') })) },
            },
          ],
    })),
  );

const priority = fc.constantFrom(1, 2, 3);
const conditions = fc.constantFrom(
  [{ Field: 'path-pattern', Values: ['/a/*'] }],
  [{ Field: 'host-header', HostHeaderConfig: { RegexValues: ['^a'] } }],
  [],
);
const fixedResponse = [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '404' } }];

/** Actions that forward to one group, or none. */
const actions = fc.tuple(pick, fc.boolean());

const createRule = fc
  .tuple(pick, priority, conditions, actions)
  .map(([listener, Priority, Conditions, [group, fixed]]) =>
    call('CreateRule', (arnAt) => ({
      ListenerArn: arnAt(listener, 'listener'),
      Priority,
      Conditions,
      Actions: fixed ? fixedResponse : [{ Type: 'forward', TargetGroupArn: arnAt(group, 'targetgroup') }],
    })),
  );

const modifyRule = fc.tuple(pick, conditions, actions).map(([rule, Conditions, [group, fixed]]) =>
  call('ModifyRule', (arnAt) => ({
    RuleArn: arnAt(rule, 'listener-rule'),
    Conditions,
    Actions: fixed ? undefined : [{ Type: 'forward', TargetGroupArn: arnAt(group, 'targetgroup') }],
  })),
);

const setPriorities = fc.array(fc.tuple(pick, priority), { maxLength: 3 }).map((pairs) =>
  call('SetRulePriorities', (arnAt) => ({
    RulePriorities: pairs.map(([rule, Priority]) => ({ RuleArn: arnAt(rule, 'listener-rule'), Priority })),
  })),
);

const modifyListener = fc.tuple(pick, port, actions).map(([listener, Port, [group, fixed]]) =>
  call('ModifyListener', (arnAt) => ({
    ListenerArn: arnAt(listener, 'listener'),
    Port,
    DefaultActions: fixed ? undefined : [{ Type: 'forward', TargetGroupArn: arnAt(group, 'targetgroup') }],
  })),
);

const createGroup = fc.record({
  Name: name,
  Protocol: fc.constant('HTTP'),
  Port: port,
  VpcId: fc.constant('vpc-1'),
  TargetType: fc.constantFrom('ip', 'ip', 'ip', 'instance'),
});

export const step: fc.Arbitrary<Step> = fc.oneof(
  fc
    .record({ Name: name, Scheme: fc.constantFrom('internal', undefined) })
    .map((input) => call('CreateLoadBalancer', () => input)),
  createGroup.map((input) => call('CreateTargetGroup', () => input)),
  createListener,
  createListener,
  createRule,
  createRule,
  modifyRule,
  setPriorities,
  modifyListener,
  withArn('DeleteRule', 'RuleArn'),
  withArn('DescribeRules', 'ListenerArn'),
  withArn('DeleteLoadBalancer', 'LoadBalancerArn'),
  withArn('DeleteListener', 'ListenerArn'),
  withArn('DeleteTargetGroup', 'TargetGroupArn'),
  withArn('RegisterTargets', 'TargetGroupArn', fc.record({ Targets: targets })),
  withArn('DeregisterTargets', 'TargetGroupArn', fc.record({ Targets: targets })),
  withArn('DescribeTargetHealth', 'TargetGroupArn', fc.record({ Targets: targets })),
  withArn('ModifyTargetGroup', 'TargetGroupArn', fc.record({ HealthCheckTimeoutSeconds: fc.constantFrom(3, 40) })),
  withArn(
    'ModifyLoadBalancerAttributes',
    'LoadBalancerArn',
    fc.boolean().map((on) => ({ Attributes: [{ Key: 'deletion_protection.enabled', Value: `${on}` }] })),
  ),
  withArn(
    'SetSubnets',
    'LoadBalancerArn',
    fc.subarray(['subnet-a', 'subnet-b', 'subnet-c', 'subnet-x'], { minLength: 1 }).map((Subnets) => ({ Subnets })),
  ),
  withArn(
    'ModifyCapacityReservation',
    'LoadBalancerArn',
    fc.constantFrom(100, 200).map((CapacityUnits) => ({ MinimumLoadBalancerCapacity: { CapacityUnits } })),
  ),
  withArn(
    'ModifyListenerAttributes',
    'ListenerArn',
    fc.boolean().map((on) => ({ Attributes: [{ Key: 'routing.http.response.server.enabled', Value: `${on}` }] })),
  ),
  withArns('AddTags', fc.record({ Tags: tags })),
  withArns('RemoveTags', fc.record({ TagKeys: fc.constantFrom([], ['k']) })),
  withArns('DescribeTags', fc.constant({})),
  fc.constant(call('DescribeLoadBalancers', () => ({}))),
  withArn('DescribeTargetGroups', 'LoadBalancerArn'),
  withArn('DescribeListeners', 'LoadBalancerArn'),
  fc.constantFrom(...accounts).map(
    (account): Step =>
      (region) => {
        region.account = account;
      },
  ),
  fc.nat({ max: 400_000 }).map(
    (passedMs): Step =>
      (region) => {
        region.nowMs += passedMs;
        region.apply(removeDrained(region.tables, region.nowMs));
        region.apply(letGo(region.tables, region.nowMs));
      },
  ),
  fc.constantFrom(1, 2, 3).map(
    (number): Step =>
      (region) => {
        region.admit(`node-${number}`, `eu-test-1${'abc'[number - 1]}`, `127.8${number}.0.0/29`);
        const reports = region.placements().map(({ document: { loadBalancerId } }) => ({ loadBalancerId }));
        region.report(`node-${number}`, ...reports);
      },
  ),
);

/** What every region begins with: something of each account, so that calls find something. */
export function begin(region: TestRegion): string[] {
  const arns = ['not an arn'];
  for (const account of accounts) {
    region.account = account;
    arns.push(region.loadBalancer('a'), region.targetGroup('a', 80));
  }
  return arns;
}
