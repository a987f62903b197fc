import assert from 'node:assert/strict';
import test from 'node:test';
import type { RuleCondition, RuleTransform } from '@aws-sdk/client-elastic-load-balancing-v2';
import { createListener } from './create-listener.ts';
import { createRule } from './create-rule.ts';
import { deleteRule } from './delete-rule.ts';
import { deleteTargetGroup } from './delete-target-group.ts';
import { describeListeners } from './describe-listeners.ts';
import { describeRules } from './describe-rules.ts';
import { describeTags } from './describe-tags.ts';
import { modifyListener } from './modify-listener.ts';
import { modifyRule } from './modify-rule.ts';
import { setRulePriorities } from './set-rule-priorities.ts';
import type { Decoded } from './shape.ts';
import { idOf, TestRegion } from './test-region.ts';

type ConditionInput = Decoded<RuleCondition>;
type TransformInput = Decoded<RuleTransform>;

const fixed = { Type: 'fixed-response', FixedResponseConfig: { StatusCode: '404' } };
const path = (value: string): ConditionInput => ({ Field: 'path-pattern', Values: [value] });

/** A region with a listener and two target groups, and short ways to its rules. */
function prepare() {
  const region = new TestRegion();
  const LoadBalancerArn = region.loadBalancer('web');
  const [group, other] = [region.targetGroup('group'), region.targetGroup('other')];
  const forward = (TargetGroupArn: string) => [{ Type: 'forward', TargetGroupArn }];
  const input = { LoadBalancerArn, Protocol: 'HTTP', Port: 80, DefaultActions: forward(group) };
  const ListenerArn = region.accepted(createListener, input).Listeners![0]!.ListenerArn!;
  const rule = (
    Priority: number,
    Conditions: readonly ConditionInput[] = [path(`/${Priority}`)],
    more: object = {},
  ) => ({
    ListenerArn,
    Priority,
    Conditions,
    Actions: [fixed],
    ...more,
  });
  const create = (...given: Parameters<typeof rule>) => region.accepted(createRule, rule(...given)).Rules![0]!;
  const described = () => region.accepted(describeRules, { ListenerArn }).Rules!;
  const refusal = (conditions: readonly ConditionInput[]) =>
    region.refused(createRule, rule(9, conditions), 'ValidationError');
  return { region, LoadBalancerArn, ListenerArn, group, other, forward, rule, create, described, refusal };
}

test('CreateRule: the answer is what DescribeRules says, by priority, with the default rule last', () => {
  const { region, ListenerArn, other, forward, create, described } = prepare();
  const third = create(30);
  const first = create(5, [path('/img/*')], { Actions: forward(other), Tags: [{ Key: 'team', Value: 'video' }] });
  assert.deepEqual(described().slice(0, 2), [first, third]);
  assert.equal(first.RuleArn, `${ListenerArn.replace(':listener/', ':listener-rule/')}/${idOf(first.RuleArn!)}`);
  assert.deepEqual(first, {
    RuleArn: first.RuleArn,
    Priority: '5',
    Conditions: [
      {
        Field: 'path-pattern',
        Values: ['/img/*'],
        RegexValues: undefined,
        PathPatternConfig: { Values: ['/img/*'], RegexValues: undefined },
      },
    ],
    Actions: first.Actions,
    IsDefault: false,
  });
  assert.equal(first.Actions![0]!.TargetGroupArn, other);
  const { Priority, IsDefault, Conditions } = described().at(-1)!;
  assert.deepEqual({ Priority, IsDefault, Conditions }, { Priority: 'default', IsDefault: true, Conditions: [] });
  const tags = region.accepted(describeTags, { ResourceArns: [first.RuleArn!] }).TagDescriptions![0]!.Tags;
  assert.deepEqual(tags, [{ Key: 'team', Value: 'video' }]);
  const byArn = region.accepted(describeRules, { RuleArns: [third.RuleArn!, first.RuleArn!] }).Rules!;
  assert.deepEqual(byArn, [first, third]);
});

test('DescribeRules: pages go by priority, and what changes between them neither repeats nor hides anything', () => {
  const { region, ListenerArn, create } = prepare();
  const rules = [1, 2, 3, 4, 5].map((priority) => create(priority));
  const page = (Marker?: string) =>
    region.accepted(describeRules, { ListenerArn, PageSize: 2, ...(Marker && { Marker }) });
  const first = page();
  assert.deepEqual(first.Rules, rules.slice(0, 2));
  region.accepted(deleteRule, { RuleArn: rules[1]!.RuleArn! });
  region.accepted(setRulePriorities, { RulePriorities: [{ RuleArn: rules[0]!.RuleArn!, Priority: 7 }] });
  const second = page(first.NextMarker);
  assert.deepEqual(second.Rules, rules.slice(2, 4));
  const third = page(second.NextMarker);
  assert.deepEqual(
    third.Rules!.map(({ Priority }) => Priority),
    ['5', '7'],
  );
  assert.deepEqual(
    page(third.NextMarker).Rules!.map(({ Priority }) => Priority),
    ['default'],
  );
  assert.equal(page(third.NextMarker).NextMarker, undefined);
  region.refused(describeRules, { ListenerArn, Marker: 'x' }, 'ValidationError');
  region.refused(describeRules, {}, 'ValidationError');
  region.refused(describeRules, { RuleArns: [rules[1]!.RuleArn!] }, 'RuleNotFound');
});

test('CreateRule: a priority is in use once on a listener, between 1 and 50000', () => {
  const { region, rule, create } = prepare();
  create(10);
  assert.equal(region.refused(createRule, rule(10), 'PriorityInUse'), "Priority '10' is currently in use");
  for (const priority of [0, 50_001, 1.5]) region.refused(createRule, rule(priority), 'ValidationError');
  region.refused(createRule, { ...rule(1), ListenerArn: `${rule(1).ListenerArn.slice(0, -2)}00` }, 'ListenerNotFound');
});

test('conditions: every field is echoed as it was given', () => {
  const { create } = prepare();
  const conditions: [ConditionInput, ConditionInput?][] = [
    [
      { Field: 'host-header', HostHeaderConfig: { Values: ['*.Example.com', 'a.b'] } },
      {
        Field: 'host-header',
        Values: ['*.Example.com', 'a.b'],
        HostHeaderConfig: { Values: ['*.Example.com', 'a.b'] },
      },
    ],
    [
      { Field: 'path-pattern', RegexValues: ['^/v[0-9]+/'] },
      { Field: 'path-pattern', RegexValues: ['^/v[0-9]+/'], PathPatternConfig: { RegexValues: ['^/v[0-9]+/'] } },
    ],
    [{ Field: 'http-header', HttpHeaderConfig: { HttpHeaderName: 'X-Client', Values: ['a *', '?b'] } }],
    [{ Field: 'http-request-method', HttpRequestMethodConfig: { Values: ['GET', 'M-SEARCH'] } }],
    [{ Field: 'query-string', QueryStringConfig: { Values: [{ Key: 'v', Value: '1*' }, { Value: 'x\\*' }] } }],
    [{ Field: 'source-ip', SourceIpConfig: { Values: ['10.0.0.0/8', '2001:db8::/32'] } }],
  ];
  for (const [index, [given, echoed = given]] of conditions.entries()) {
    assert.deepEqual(JSON.parse(JSON.stringify(create(index + 1, [given]).Conditions)), [echoed]);
  }
});

test('conditions: what the service would refuse is refused, with what was found and what is allowed', () => {
  const { refusal } = prepare();
  const wrong: [readonly ConditionInput[], RegExp][] = [
    [[], /at least one condition/],
    [[{}], /A condition field must be specified/],
    [[{ Field: 'cookie' }], /'cookie' must be one of/],
    [[{ Field: 'path-pattern' }], /must have a value/],
    [[{ Field: 'path-pattern', Values: ['/a', '/b'] }], /too many values; the limit is '1'/],
    [[{ Field: 'path-pattern', PathPatternConfig: { Values: ['/a', '/b', '/c', '/d'] } }], /the limit is '3'/],
    [[{ Field: 'path-pattern', Values: ['/a'], PathPatternConfig: { Values: ['/b'] } }], /two different Values/],
    [[{ Field: 'path-pattern', Values: ['/a'], RegexValues: ['a'] }], /either Values or RegexValues, not both/],
    [[path('/a b')], /can hold only letters, digits/],
    [[path('')], /between '1' and '128'/],
    [[path(`/${'a'.repeat(128)}`)], /between '1' and '128'/],
    [[path('/a'), path('/b')], /only have one 'path-pattern' condition/],
    [[path('/*'), { Field: 'host-header', Values: ['*.*.*.???.com'] }], /only have '6' wildcards; it has '7'/],
    [[{ Field: 'host-header', Values: ['example'] }], /must hold a '\.'/],
    [[{ Field: 'host-header', Values: ['example.c0m'] }], /only letters behind the last one/],
    [[{ Field: 'host-header', PathPatternConfig: { Values: ['/a'] } }], /PathPatternConfig cannot be specified/],
    [[{ Field: 'http-header', HttpHeaderConfig: { Values: ['a'] } }], /HttpHeaderName must be specified/],
    [[{ Field: 'http-header', HttpHeaderConfig: { HttpHeaderName: 'Host', Values: ['a'] } }], /use a host-header/],
    [[{ Field: 'http-header', HttpHeaderConfig: { HttpHeaderName: 'a b', Values: ['a'] } }], /must be a header name/],
    [[{ Field: 'http-request-method', HttpRequestMethodConfig: { Values: ['get'] } }], /A-Z, hyphen and underscore/],
    [[{ Field: 'http-request-method', Values: ['GET'] }], /Values cannot be specified/],
    [[{ Field: 'query-string', QueryStringConfig: { Values: [{ Key: 'a' }] } }], /needs a Value/],
    [[{ Field: 'source-ip', SourceIpConfig: { Values: ['10.0.0.1'] } }], /CIDR format/],
    [[{ Field: 'source-ip', SourceIpConfig: { Values: ['10.0.0.0/33'] } }], /CIDR format/],
    [[{ Field: 'path-pattern', RegexValues: ['(?=a)'] }], /not a regular expression that is supported/],
    [[{ Field: 'path-pattern', RegexValues: ['\\p{L}'] }], /Unicode character classes/],
    [[{ Field: 'path-pattern', RegexValues: ['(a)\\1'] }], /not a regular expression that is supported/],
  ];
  for (const [conditions, message] of wrong) assert.match(refusal(conditions), message);
  const six = [1, 2].map((index) => ({
    Field: 'http-header',
    HttpHeaderConfig: { HttpHeaderName: `X-${index}`, Values: ['a', 'b', 'c'] },
  }));
  assert.match(refusal(six), /only have '5' condition values; it has '6'/);
});

test('transforms: one of each type, with groups that are there', () => {
  const { region, rule, create } = prepare();
  const url: TransformInput = {
    Type: 'url-rewrite',
    UrlRewriteConfig: { Rewrites: [{ Regex: '^/a/(.*)$', Replace: '/$1' }] },
  };
  const host: TransformInput = {
    Type: 'host-header-rewrite',
    HostHeaderRewriteConfig: { Rewrites: [{ Regex: '^(.+)\\.com$', Replace: '$1.internal' }] },
  };
  const created = create(1, undefined, { Transforms: [url, host] });
  assert.deepEqual(created.Transforms, [url, host]);
  const RuleArn = created.RuleArn!;
  const modified = (input: object) => region.accepted(modifyRule, { RuleArn, ...input }).Rules![0]!.Transforms;
  assert.deepEqual(modified({ Conditions: [path('/x')] }), [url, host]);
  assert.deepEqual(modified({ Transforms: [host] }), [host]);
  assert.equal(modified({ ResetTransforms: true }), undefined);
  region.refused(modifyRule, { RuleArn, ResetTransforms: true, Transforms: [url] }, 'ValidationError');
  const rewrite = (Regex: string, Replace: string) => [
    { Type: 'url-rewrite', UrlRewriteConfig: { Rewrites: [{ Regex, Replace }] } },
  ];
  for (const [Transforms, message] of [
    [[url, url], /only have one 'url-rewrite'/],
    [[{ Type: 'url-rewrite' }], /has 0 rewrites/],
    [[{ ...url, Type: 'host-header-rewrite' }], /UrlRewriteConfig cannot be specified/],
    [rewrite('(', ''), /not a regular expression/],
    [rewrite('(a)', '/$2'), /names \$2, and Regex has 1 groups/],
    [rewrite('a', '/a b'), /without spaces/],
    [rewrite('a'.repeat(1_025), ''), /at most '1024'/],
  ] as const) {
    assert.match(
      region.refused(createRule, { ...rule(2), Transforms: Transforms as TransformInput[] }, 'ValidationError'),
      message,
    );
  }
});

test('ModifyRule, DeleteRule: change what is given, and leave the default rule to its listener', () => {
  const { region, create, described, forward, other } = prepare();
  const { RuleArn } = create(1);
  const [modified] = region.accepted(modifyRule, { RuleArn: RuleArn!, Actions: forward(other) }).Rules!;
  assert.equal(modified!.Conditions![0]!.Values![0], '/1');
  assert.equal(modified!.Actions![0]!.TargetGroupArn, other);
  assert.deepEqual(described()[0], modified);
  assert.match(region.refused(deleteTargetGroup, { TargetGroupArn: other }, 'ResourceInUse'), /in use/);
  region.accepted(deleteRule, { RuleArn: RuleArn! });
  region.accepted(deleteTargetGroup, { TargetGroupArn: other });
  region.refused(deleteRule, { RuleArn: RuleArn! }, 'RuleNotFound');
  const last = described().at(-1)!.RuleArn!;
  region.refused(deleteRule, { RuleArn: last }, 'OperationNotPermitted');
  region.refused(modifyRule, { RuleArn: last, Actions: [fixed] }, 'OperationNotPermitted');
});

test('SetRulePriorities: rules change places in one step, or nothing changes', () => {
  const { region, create, described } = prepare();
  const [one, two, three] = [create(1).RuleArn!, create(2).RuleArn!, create(3).RuleArn!];
  const swap = {
    RulePriorities: [
      { RuleArn: one, Priority: 2 },
      { RuleArn: two, Priority: 1 },
    ],
  };
  const answered = region.accepted(setRulePriorities, swap).Rules!;
  assert.deepEqual(
    answered.map(({ RuleArn, Priority }) => [RuleArn, Priority]),
    [
      [one, '2'],
      [two, '1'],
    ],
  );
  assert.deepEqual(
    described()
      .slice(0, 3)
      .map(({ RuleArn }) => RuleArn),
    [two, one, three],
  );
  const set = (...pairs: [string, number][]) => ({
    RulePriorities: pairs.map(([RuleArn, Priority]) => ({ RuleArn, Priority })),
  });
  region.refused(setRulePriorities, set([one, 3]), 'PriorityInUse');
  region.refused(setRulePriorities, set([one, 7], [three, 7]), 'PriorityInUse');
  region.refused(setRulePriorities, set([one, 7], [one, 8]), 'ValidationError');
  region.refused(setRulePriorities, set([one, 0]), 'ValidationError');
  region.refused(setRulePriorities, set(), 'ValidationError');
  region.refused(setRulePriorities, set([described().at(-1)!.RuleArn!, 7]), 'OperationNotPermitted');
  assert.equal(
    region.refused(setRulePriorities, set([`${one.slice(0, -2)}00`, 7]), 'RuleNotFound'),
    'One or more rules not found',
  );
});

test('ModifyListener: changes port and default actions, what is not given stays', () => {
  const { region, LoadBalancerArn, ListenerArn, group, other, forward } = prepare();
  const [moved] = region.accepted(modifyListener, { ListenerArn, Port: 8080 }).Listeners!;
  assert.deepEqual([moved!.Port, moved!.DefaultActions![0]!.TargetGroupArn], [8080, group]);
  const [pointed] = region.accepted(modifyListener, { ListenerArn, DefaultActions: forward(other) }).Listeners!;
  assert.deepEqual([pointed!.Port, pointed!.DefaultActions![0]!.TargetGroupArn], [8080, other]);
  assert.deepEqual(region.accepted(describeListeners, { LoadBalancerArn }).Listeners, [pointed]);
  region.accepted(deleteTargetGroup, { TargetGroupArn: group });
  region.accepted(createListener, { LoadBalancerArn, Protocol: 'HTTP', Port: 81, DefaultActions: [fixed] });
  region.refused(modifyListener, { ListenerArn, Port: 81 }, 'DuplicateListener');
  region.refused(modifyListener, { ListenerArn, Port: 0 }, 'ValidationError');
  region.refused(modifyListener, { ListenerArn, Protocol: 'HTTPS' }, 'ValidationError');
  region.refused(modifyListener, { ListenerArn, DefaultActions: [] }, 'ValidationError');
});

test('rules: a target group that another load balancer uses is refused, also for a rule', () => {
  const { region, rule, forward } = prepare();
  const foreign = region.targetGroup('foreign');
  const LoadBalancerArn = region.loadBalancer('another');
  region.accepted(createListener, { LoadBalancerArn, Protocol: 'HTTP', Port: 80, DefaultActions: forward(foreign) });
  region.refused(createRule, { ...rule(1), Actions: forward(foreign) }, 'TargetGroupAssociationLimit');
});
