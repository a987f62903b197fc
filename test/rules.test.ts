/** Rules, end to end: made, changed and taken away with the official client while traffic flows. */
import assert from 'node:assert/strict';
import test from 'node:test';
import {
  CreateRuleCommand,
  CreateTargetGroupCommand,
  DeleteRuleCommand,
  DescribeListenersCommand,
  DescribeRulesCommand,
  ModifyListenerCommand,
  ModifyRuleCommand,
  ModifyTargetGroupAttributesCommand,
  paginateDescribeRules,
  RegisterTargetsCommand,
  type RuleCondition,
  SetRulePrioritiesCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { rejection, until } from './running-ballast.ts';
import { inStep, makeService, port, progressed, running, someTargets } from './service.ts';
import { Load, send } from './traffic.ts';

test('rules: hosts, paths and more choose the target group, and change under load without a failed request', async (context) => {
  const ballast = await running(context);
  const client = ballast.client();
  const targets = await someTargets(context, 2);
  const service = await makeService(ballast, 'web', [targets[0]!]);
  const { Listeners } = await client.send(new DescribeListenersCommand({ LoadBalancerArn: service.loadBalancerArn }));
  const ListenerArn = Listeners![0]!.ListenerArn!;
  const group = { Name: 'other', Protocol: 'HTTP', Port: 80, VpcId: 'vpc-1', TargetType: 'ip' } as const;
  const made = await client.send(new CreateTargetGroupCommand(group));
  const TargetGroupArn = made.TargetGroups![0]!.TargetGroupArn!;
  await client.send(
    new RegisterTargetsCommand({ TargetGroupArn, Targets: [{ Id: '127.0.0.1', Port: targets[1]!.port }] }),
  );
  const load = new Load({ host: service.addresses[0]!, port, connections: 4 });
  context.after(() => load.stop());
  await progressed(load, 100);

  const create = async (Priority: number, condition: RuleCondition, more: object = {}) => {
    const input = {
      ListenerArn,
      Priority,
      Conditions: [condition],
      Actions: [{ Type: 'forward', TargetGroupArn }],
      ...more,
    };
    const created = await client.send(
      new CreateRuleCommand(input as ConstructorParameters<typeof CreateRuleCommand>[0]),
    );
    return created.Rules![0]!.RuleArn!;
  };
  const ask = async (path: string, headers: Record<string, string> = {}, method = 'GET') => {
    const { status, headers: answered } = await send({ host: service.addresses[0]!, port, path, headers, method });
    return `${status} ${answered['x-target'] ?? ''}`.trim();
  };
  const [first, second] = targets.map(({ name }) => `200 ${name}`) as [string, string];

  const byPath = await create(10, { Field: 'path-pattern', Values: ['/other/*'] });
  await create(20, { Field: 'host-header', HostHeaderConfig: { Values: ['*.other.test'] } });
  await create(30, { Field: 'http-header', HttpHeaderConfig: { HttpHeaderName: 'X-Kind', RegexValues: ['^(b|c)$'] } });
  await create(40, { Field: 'query-string', QueryStringConfig: { Values: [{ Key: 'to', Value: 'other' }] } });
  await create(50, { Field: 'http-request-method', HttpRequestMethodConfig: { Values: ['REPORT'] } });
  await inStep(ballast);
  assert.equal(await ask('/'), first);
  await until(async () => (await ask('/other/x')) === second, 'its target is checked');
  assert.equal(await ask('/others'), first);
  assert.equal(await ask('/', { host: 'a.Other.test' }), second);
  assert.equal(await ask('/', { 'x-kind': 'C' }), second);
  assert.equal(await ask('/?a&to=other'), second);
  assert.equal(await ask('/', {}, 'REPORT'), second);

  // Another one goes before it: the answer is the load balancer's own; then they change places.
  const before = await create(
    5,
    { Field: 'path-pattern', Values: ['/other/*'] },
    {
      Actions: [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '410' } }],
    },
  );
  await inStep(ballast);
  assert.equal(await ask('/other/x'), '410');
  const RulePriorities = [
    { RuleArn: before, Priority: 10 },
    { RuleArn: byPath, Priority: 5 },
  ];
  await client.send(new SetRulePrioritiesCommand({ RulePriorities }));
  await inStep(ballast);
  assert.equal(await ask('/other/x'), second);

  const Transforms = [
    { Type: 'url-rewrite' as const, UrlRewriteConfig: { Rewrites: [{ Regex: '^/other/(.*)$', Replace: '/$1' }] } },
    {
      Type: 'host-header-rewrite' as const,
      HostHeaderRewriteConfig: { Rewrites: [{ Regex: '.*', Replace: 'inside' }] },
    },
  ];
  await client.send(new ModifyRuleCommand({ RuleArn: byPath, Transforms }));
  await inStep(ballast);
  const rewritten = await send({ host: service.addresses[0]!, port, path: '/other/x' });
  assert.equal(JSON.parse(String(rewritten.headers['x-seen'])).host, 'inside');

  const priorities: string[] = [];
  for await (const page of paginateDescribeRules({ client, pageSize: 3 }, { ListenerArn })) {
    priorities.push(...page.Rules!.map(({ Priority }) => Priority!));
  }
  assert.deepEqual(priorities, ['5', '10', '20', '30', '40', '50', 'default']);
  const twice = await rejection(create(20, { Field: 'path-pattern', Values: ['/x'] }));
  assert.equal(twice.name, 'PriorityInUseException');

  for (const RuleArn of [byPath, before]) await client.send(new DeleteRuleCommand({ RuleArn }));
  await client.send(new ModifyListenerCommand({ ListenerArn, DefaultActions: [{ Type: 'forward', TargetGroupArn }] }));
  await inStep(ballast);
  assert.equal(await ask('/other/x'), second, 'by default now');
  const { Rules } = await client.send(new DescribeRulesCommand({ ListenerArn }));
  assert.equal(Rules!.length, 5);
  // A client that brings its cookie back stays with its target, on whichever worker it arrives.
  const Attributes = [{ Key: 'stickiness.enabled', Value: 'true' }];
  await client.send(
    new RegisterTargetsCommand({ TargetGroupArn, Targets: [{ Id: '127.0.0.1', Port: targets[0]!.port }] }),
  );
  await client.send(new ModifyTargetGroupAttributesCommand({ TargetGroupArn, Attributes }));
  await inStep(ballast);
  const cookies = async (headers: Record<string, string>) => {
    const answered = await send({ host: service.addresses[0]!, port, path: '/other/x', headers });
    const [given = ''] = answered.headers['set-cookie'] ?? [];
    return { target: answered.headers['x-target'], cookie: given.split(';')[0]! };
  };
  const session = await cookies({});
  assert.match(session.cookie, /^AWSALB=[A-Za-z0-9_-]{40,}$/);
  for (let count = 0; count < 20; count += 1) {
    assert.equal((await cookies({ cookie: session.cookie })).target, session.target);
  }

  await progressed(load, 200);
  assert.deepEqual(load.failures, []);
});
