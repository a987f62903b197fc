import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { AnyOperation } from '#control/operation.ts';
import { removeDrained } from '#control/workflows/draining.ts';
import { faults } from '#model/fault.ts';
import { type IndexName, indexes } from '#model/view.ts';
import { elbv2Operations } from './operations.ts';
import { TestRegion } from './test-region.ts';

const accounts = ['111111111111', '222222222222'];

/** One thing that happens: a call with an input made from the ARNs seen so far, or one of the service's own steps. */
type Step = (region: TestRegion, arns: string[]) => void;

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

type ArnType = 'loadbalancer' | 'targetgroup' | 'listener';

/** A call of the operation; the ARNs in its answer join those that later calls pick from. */
function call(action: string, input: (arnAt: (index: number, type?: ArnType) => string) => object): Step {
  const operation: AnyOperation = elbv2Operations[action]!;
  return (region, arns) => {
    // Mostly an ARN of the caller's and of the right type, now and then any text: of another, of nothing, or no ARN.
    const arnAt = (index: number, type?: ArnType) => {
      const own = arns.filter((arn) => arn.includes(`:${region.account}:${type ?? ''}`));
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
  const type = member.slice(0, -'Arn'.length).toLowerCase() as ArnType;
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

const createGroup = fc.record({
  Name: name,
  Protocol: fc.constant('HTTP'),
  Port: port,
  VpcId: fc.constant('vpc-1'),
  TargetType: fc.constantFrom('ip', 'ip', 'ip', 'instance'),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  fc
    .record({ Name: name, Scheme: fc.constantFrom('internal', undefined) })
    .map((input) => call('CreateLoadBalancer', () => input)),
  createGroup.map((input) => call('CreateTargetGroup', () => input)),
  createListener,
  createListener,
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
      },
  ),
  fc.constantFrom(1, 2, 3).map(
    (number): Step =>
      (region) => {
        region.admit(`node-${number}`, `eu-test-1${'abc'[number - 1]}`, `127.8${number}.0.0/29`);
      },
  ),
);

function checkLaws({ tables }: TestRegion): void {
  for (const { document } of tables.all('listener')) {
    assert(tables.get('load-balancer', document.loadBalancerId), 'every listener has its load balancer');
  }
  for (const { id } of tables.all('listener')) {
    const rules = [...tables.find('rulesOfListener', id)];
    assert.equal(rules.filter(({ document }) => document.priority === 'default').length, 1, 'one default rule each');
  }
  const loadBalancerOfGroup = new Map<string, string>();
  for (const { document } of tables.all('rule')) {
    const listener = tables.get('listener', document.listenerId);
    assert(listener, 'every rule has its listener');
    for (const action of document.actions) {
      for (const { targetGroupId } of action.kind === 'forward' ? action.groups : []) {
        const group = tables.get('target-group', targetGroupId);
        assert(group, 'every group that is forwarded to is there');
        assert.equal(group.account, tables.get('load-balancer', listener.loadBalancerId)!.account);
        const user: string = loadBalancerOfGroup.get(targetGroupId) ?? listener.loadBalancerId;
        assert.equal(user, listener.loadBalancerId, 'a group has one load balancer');
        loadBalancerOfGroup.set(targetGroupId, user);
      }
    }
  }
  for (const { document } of tables.all('target')) {
    assert(tables.get('target-group', document.targetGroupId), 'every target has its group');
  }
  for (const { document } of tables.all('placement')) {
    assert(tables.get('load-balancer', document.loadBalancerId), 'every placement has its load balancer');
    assert(tables.get('node', document.nodeId), 'every placement has its node');
  }
  const unique = (what: string, keys: readonly string[]) => assert.equal(new Set(keys).size, keys.length, what);
  unique(
    'an address is given out once',
    [...tables.all('placement')].map(({ document }) => document.address),
  );
  unique(
    'a port is listened on once',
    [...tables.all('listener')].map(({ document }) => `${document.loadBalancerId}:${document.port}`),
  );
  for (const kind of ['load-balancer', 'target-group'] as const) {
    unique(
      'names are unique in an account',
      [...tables.all(kind)].map(({ document }) => `${document.account}/${document.name}`),
    );
  }
  checkIndexes(tables);
}

/** Every index finds exactly what a search through the whole table finds. */
function checkIndexes(tables: TestRegion['tables']): void {
  for (const index of Object.keys(indexes) as IndexName[]) {
    const { kind, keys } = indexes[index];
    const wanted = new Map<string, string[]>();
    for (const { id, document } of tables.all(kind)) {
      for (const key of (keys as (it: unknown) => readonly string[])(document)) {
        wanted.set(key, [...(wanted.get(key) ?? []), id]);
      }
    }
    for (const [key, ids] of wanted) {
      assert.deepEqual([...tables.find(index, key)].map(({ id }) => id).toSorted(), ids.toSorted(), index);
    }
  }
}

test('operations: whatever is called in whatever order, the laws of the documents hold', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 80, size: 'max' }), (steps) => {
      const region = new TestRegion();
      const arns = ['not an arn'];
      for (const account of accounts) {
        region.account = account;
        arns.push(region.loadBalancer('a'), region.targetGroup('a', 80));
      }
      for (const run of steps) {
        run(region, arns);
        checkLaws(region);
      }
    }),
    { numRuns: 200 },
  );
});

test('operations: from any text in place of an ARN comes an answer or a fault, never a throw', () => {
  const members = ['LoadBalancerArn', 'TargetGroupArn', 'ListenerArn'];
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
        ResourceArns: [text],
        LoadBalancerArns: [text],
        TagKeys: [text],
        Tags: [{ Key: text, Value: text }],
        Targets: [{ Id: text, AvailabilityZone: text }],
        Attributes: [{ Key: text, Value: text }],
        DefaultActions: [{ Type: text }],
        Name: text,
        Marker: text,
      };
      for (const member of members) input[member] = text;
      const answer = region.call(elbv2Operations[action]!, input);
      assert(answer.ok || Object.hasOwn(faults, answer.fault.code));
    }),
    { numRuns: 500 },
  );
});
