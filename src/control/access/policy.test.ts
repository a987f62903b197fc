import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { parsePolicy, type Verdict, verdictOf } from './policy.ts';

const group = 'arn:aws:elasticloadbalancing:us-east-1:111111111111:targetgroup/web/0123456789abcdef';

function policy(...statements: object[]) {
  const parsed = parsePolicy(JSON.stringify({ Version: '2012-10-17', Statement: statements }));
  assert(parsed.ok, parsed.ok ? '' : parsed.fault);
  return (action: string, resource = group): Verdict =>
    verdictOf(parsed.value, `elasticloadbalancing:${action}`, resource);
}

test('policy: what is allowed is allowed, what is denied is denied, and the rest is not allowed', () => {
  const says = policy(
    {
      Effect: 'Allow',
      Action: ['elasticloadbalancing:Describe*', 'ELASTICLOADBALANCING:registertargets'],
      Resource: '*',
    },
    {
      Sid: 'x',
      Effect: 'Allow',
      Action: 'elasticloadbalancing:Delete*',
      Resource: ['arn:aws:elasticloadbalancing:*:*:targetgroup/web/*'],
    },
    { Effect: 'Deny', NotAction: 'elasticloadbalancing:*', Resource: '*' },
    { Effect: 'Deny', Action: '*', NotResource: ['*', 'arn:aws:elasticloadbalancing:us-east-1:*'] },
    { Effect: 'Deny', Action: 'elasticloadbalancing:DescribeTag?', Resource: '*' },
  );
  assert.equal(says('DescribeRules', '*'), 'allowed');
  assert.equal(says('RegisterTargets'), 'allowed');
  assert.equal(says('DescribeTags', '*'), 'denied');
  assert.equal(says('DeleteTargetGroup'), 'allowed');
  assert.equal(says('DeleteTargetGroup', group.replace('web', 'other')), 'not allowed');
  assert.equal(says('CreateRule'), 'not allowed');
});

test('policy: what is not wholly understood is refused, and says what was found', () => {
  const allow = { Effect: 'Allow', Action: '*', Resource: '*' };
  const whole = { Version: '2012-10-17', Statement: [allow] };
  const wrong: [unknown, RegExp][] = [
    ['{', /no JSON: /],
    [[], /no JSON object/],
    [{ ...whole, Version: '2013' }, /Version is not one of/],
    [{ ...whole, Version: undefined }, /Version is not one of/],
    [{ ...whole, Statements: [] }, /has Statements; allowed/],
    [{ ...whole, Statement: [] }, /Statement is empty/],
    [{ ...whole, Statement: [allow, 7] }, /statement 2: it is no JSON object/],
    [{ ...whole, Statement: { ...allow, Condition: {} } }, /it has Condition; allowed: Sid, Effect/],
    [{ ...whole, Statement: { ...allow, Principal: '*' } }, /it has Principal/],
    [{ ...whole, Statement: { ...allow, Effect: 'allow' } }, /Effect is not one of Allow, Deny/],
    [{ ...whole, Statement: { ...allow, NotAction: '*' } }, /either Action or NotAction/],
    [{ ...whole, Statement: { Effect: 'Allow', Action: '*' } }, /either Resource or NotResource/],
    [{ ...whole, Statement: { ...allow, Action: [] } }, /Action is empty/],
    [{ ...whole, Statement: { ...allow, Action: 'CreateRule' } }, /Action has "CreateRule"; allowed: SERVICE:NAME/],
    [{ ...whole, Statement: { ...allow, Resource: ['*', 'web'] } }, /Resource has "web"; allowed: an ARN/],
    [{ ...whole, Statement: { ...allow, Resource: 7 } }, /Resource has 7/],
    [{ ...whole, Id: 'x'.repeat(7_000) }, /at most 6144 are allowed/],
  ];
  for (const [given, message] of wrong) {
    const parsed = parsePolicy(typeof given === 'string' ? given : JSON.stringify(given));
    assert(!parsed.ok, JSON.stringify(given));
    assert.match(parsed.fault, message);
  }
});

test('policy: a denial wins over any number of permissions, in whatever order', () => {
  const statement = fc.record({
    Effect: fc.constantFrom('Allow', 'Deny'),
    Action: fc.constantFrom(
      '*',
      'elasticloadbalancing:*',
      'elasticloadbalancing:Create*',
      'elasticloadbalancing:?reateRule',
    ),
    Resource: fc.constantFrom('*', group, 'arn:aws:elasticloadbalancing:*', 'arn:aws:s3:*'),
  });
  const names = ['CreateRule', 'DescribeRules'];
  fc.assert(
    fc.property(fc.array(statement, { minLength: 1, maxLength: 6 }), fc.constantFrom(...names), (statements, name) => {
      const applying = statements.filter(({ Action, Resource }) => {
        const matchesAction = Action.length < 23 || name === 'CreateRule';
        return matchesAction && !Resource.includes('s3');
      });
      const denied = applying.some(({ Effect }) => Effect === 'Deny');
      const wanted = denied ? 'denied' : applying.length > 0 ? 'allowed' : 'not allowed';
      assert.equal(policy(...statements)(name), wanted);
    }),
  );
});
