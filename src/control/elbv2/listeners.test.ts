import assert from 'node:assert/strict';
import test from 'node:test';
import type { Action } from '@aws-sdk/client-elastic-load-balancing-v2';
import { createListener } from './create-listener.ts';
import { deleteListener } from './delete-listener.ts';
import { deleteLoadBalancer } from './delete-load-balancer.ts';
import { deleteTargetGroup } from './delete-target-group.ts';
import { describeListeners } from './describe-listeners.ts';
import type { Decoded } from './shape.ts';
import { idOf, TestRegion } from './test-region.ts';

type ActionInput = Decoded<Action>;

/** A region with one load balancer, and what makes a valid listener on it. */
function prepare() {
  const region = new TestRegion();
  const LoadBalancerArn = region.loadBalancer('web');
  const group = region.targetGroup('group');
  const input = (action: ActionInput = { Type: 'forward', TargetGroupArn: group }, Port = 80) => ({
    LoadBalancerArn,
    Protocol: 'HTTP',
    Port,
    DefaultActions: [action],
  });
  /** The default action as DescribeListeners answers it after the listener was made with the given one. */
  const echoOf = (action: ActionInput) => {
    const [created] = region.accepted(createListener, input(action)).Listeners!;
    const [described] = region.accepted(describeListeners, { LoadBalancerArn }).Listeners!;
    assert.deepEqual(described, created);
    region.accepted(deleteListener, { ListenerArn: created!.ListenerArn! });
    assert.equal(created!.DefaultActions!.length, 1);
    return created!.DefaultActions![0]!;
  };
  return { region, LoadBalancerArn, group, input, echoOf };
}

const noStickiness = { Enabled: false };

test('CreateListener: makes the listener and its default rule in one transaction', () => {
  const { region, LoadBalancerArn, group, input } = prepare();
  const before = region.tables.revision;
  const [created] = region.accepted(createListener, input()).Listeners!;
  assert.equal(region.tables.revision, before + 1);
  const ListenerArn = created!.ListenerArn!;
  assert.equal(ListenerArn, `${LoadBalancerArn.replace(':loadbalancer/', ':listener/')}/${idOf(ListenerArn)}`);
  assert.deepEqual(created, {
    ListenerArn,
    LoadBalancerArn,
    Port: 80,
    Protocol: 'HTTP',
    DefaultActions: [
      {
        Type: 'forward',
        Order: 1,
        TargetGroupArn: group,
        ForwardConfig: {
          TargetGroups: [{ TargetGroupArn: group, Weight: 1 }],
          TargetGroupStickinessConfig: noStickiness,
        },
      },
    ],
  });
  const [rule] = [...region.tables.find('rulesOfListener', idOf(ListenerArn))];
  assert.equal(rule!.document.priority, 'default');
});

test('CreateListener: the same call again changes nothing, another listener on the port is refused', () => {
  const { region, input } = prepare();
  const first = region.accepted(createListener, input());
  assert.deepEqual(
    region.unchanged(() => region.accepted(createListener, input())),
    first,
  );
  const other = input({ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '404' } });
  region.refused(createListener, other, 'DuplicateListener');
  region.refused(createListener, { ...input(), Tags: [{ Key: 'a' }] }, 'DuplicateListener');
});

test('CreateListener: protocol and port must be given and offered, in the words of the service', () => {
  const { region, input } = prepare();
  const message = (changed: object, code: 'ValidationError' | 'ALPNPolicyNotSupported') =>
    region.refused(createListener, { ...input(), ...changed }, code);
  assert.equal(message({ Protocol: undefined }, 'ValidationError'), 'A listener protocol must be specified');
  assert.equal(message({ Port: undefined }, 'ValidationError'), 'A listener port must be specified');
  assert.equal(message({ Protocol: 'TCP' }, 'ValidationError'), `Listener protocol 'TCP' must be one of 'HTTP, HTTPS'`);
  for (const Port of [0, -1, 65_536, 1.5]) message({ Port }, 'ValidationError');
  assert.equal(
    message({ Certificates: [{ CertificateArn: 'arn:aws:acm:a:b:c' }] }, 'ValidationError'),
    'A certificate cannot be specified for HTTP listeners',
  );
  message({ SslPolicy: 'ELBSecurityPolicy-2016-08' }, 'ValidationError');
  message({ AlpnPolicy: ['HTTP2Optional'] }, 'ALPNPolicyNotSupported');
  message({ MutualAuthentication: { Mode: 'verify' } }, 'ValidationError');
  message({ Tags: [] }, 'ValidationError');
  region.accepted(createListener, { ...input(), Certificates: [], AlpnPolicy: [] });
});

test('CreateListener: the load balancer must be there', () => {
  const { region, LoadBalancerArn, input } = prepare();
  region.refused(createListener, { ...input(), LoadBalancerArn: 'web' }, 'ValidationError');
  region.accepted(deleteLoadBalancer, { LoadBalancerArn });
  region.refused(createListener, input(), 'LoadBalancerNotFound');
});

test('CreateListener: a load balancer has at most 50 listeners', () => {
  const { region, LoadBalancerArn, group, input } = prepare();
  for (let port = 1; port <= 50; port += 1) region.listener(LoadBalancerArn, group, port);
  region.refused(createListener, input(undefined, 51), 'TooManyListeners');
});

test('forward: one group is answered in both forms, whichever was given', () => {
  const { group, echoOf } = prepare();
  const ForwardConfig = { TargetGroups: [{ TargetGroupArn: group }] };
  const echo = echoOf({ Type: 'forward', TargetGroupArn: group });
  assert.deepEqual(echoOf({ Type: 'forward', ForwardConfig }), echo);
  assert.deepEqual(echoOf({ Type: 'forward', TargetGroupArn: group, ForwardConfig }), echo);
  assert.deepEqual(echoOf({ Type: 'forward', TargetGroupArn: group, Order: 1 }), echo);
  assert.equal(echoOf({ Type: 'forward', TargetGroupArn: group, Order: 7 }).Order, 7);
});

test('forward: several groups are answered with their weights and stickiness, as ForwardConfig alone', () => {
  const { region, group, echoOf } = prepare();
  const second = region.targetGroup('second');
  const ForwardConfig = {
    TargetGroups: [
      { TargetGroupArn: second, Weight: 0 },
      { TargetGroupArn: group, Weight: 999 },
    ],
    TargetGroupStickinessConfig: { Enabled: true, DurationSeconds: 604_800 },
  };
  assert.deepEqual(echoOf({ Type: 'forward', ForwardConfig }), { Type: 'forward', Order: 1, ForwardConfig });
  const { TargetGroupStickinessConfig: _, ...plain } = ForwardConfig;
  assert.deepEqual(
    echoOf({ Type: 'forward', ForwardConfig: plain }).ForwardConfig!.TargetGroupStickinessConfig,
    noStickiness,
  );
});

test('forward: what the API does not allow is refused', () => {
  const { region, group, input } = prepare();
  const groups = Array.from({ length: 6 }, (_, index) => ({ TargetGroupArn: region.targetGroup(`group-${index}`) }));
  const missing = group.replace(idOf(group), 'f'.repeat(16));
  const sticky = (config: object) => ({
    Type: 'forward',
    ForwardConfig: { TargetGroups: groups.slice(0, 2), TargetGroupStickinessConfig: config },
  });
  const refusals = [
    [{ Type: 'forward' }, 'ValidationError'],
    [{ Type: 'forward', ForwardConfig: { TargetGroups: [] } }, 'ValidationError'],
    [{ Type: 'forward', ForwardConfig: { TargetGroups: [{}] } }, 'ValidationError'],
    [{ Type: 'forward', TargetGroupArn: 'group' }, 'ValidationError'],
    [{ Type: 'forward', TargetGroupArn: missing }, 'TargetGroupNotFound'],
    [{ Type: 'forward', ForwardConfig: { TargetGroups: groups } }, 'TooManyTargetGroups'],
    [{ Type: 'forward', ForwardConfig: { TargetGroups: [groups[0]!, groups[0]!] } }, 'ValidationError'],
    [{ Type: 'forward', TargetGroupArn: group, ForwardConfig: { TargetGroups: [groups[0]!] } }, 'ValidationError'],
    [
      {
        Type: 'forward',
        TargetGroupArn: groups[0]!.TargetGroupArn,
        ForwardConfig: { TargetGroups: groups.slice(0, 2) },
      },
      'ValidationError',
    ],
    [{ Type: 'forward', ForwardConfig: { TargetGroups: [{ ...groups[0]!, Weight: 1000 }] } }, 'ValidationError'],
    [{ Type: 'forward', ForwardConfig: { TargetGroups: [{ ...groups[0]!, Weight: -1 }] } }, 'ValidationError'],
    [sticky({ Enabled: true }), 'ValidationError'],
    [sticky({ Enabled: true, DurationSeconds: 0 }), 'ValidationError'],
    [sticky({ Enabled: true, DurationSeconds: 604_801 }), 'ValidationError'],
    [
      { Type: 'forward', TargetGroupArn: group, RedirectConfig: { StatusCode: 'HTTP_301' } },
      'InvalidLoadBalancerAction',
    ],
    [{ Type: 'forward', TargetGroupArn: group, Order: 0 }, 'ValidationError'],
    [{ Type: 'forward', TargetGroupArn: group, Order: 50_001 }, 'ValidationError'],
  ] as const;
  for (const [action, code] of refusals) region.refused(createListener, input(action), code);
});

test('forward: a target group has one load balancer at a time', () => {
  const { region, LoadBalancerArn, group, input } = prepare();
  const other = region.loadBalancer('other');
  const ListenerArn = region.listener(LoadBalancerArn, group);
  region.listener(LoadBalancerArn, group, 81);
  region.refused(createListener, { ...input(), LoadBalancerArn: other }, 'TargetGroupAssociationLimit');
  region.accepted(deleteListener, { ListenerArn });
  region.refused(createListener, { ...input(), LoadBalancerArn: other }, 'TargetGroupAssociationLimit');
  region.accepted(deleteLoadBalancer, { LoadBalancerArn });
  region.listener(other, group);
});

test('forward: a load balancer uses at most 100 target groups', () => {
  const { region, LoadBalancerArn, input } = prepare();
  for (let port = 1; port <= 20; port += 1) {
    const TargetGroups = Array.from({ length: 5 }, (_, index) => ({
      TargetGroupArn: region.targetGroup(`group-${port}-${index}`),
    }));
    region.accepted(createListener, input({ Type: 'forward', ForwardConfig: { TargetGroups } }, port));
  }
  region.refused(createListener, input(undefined, 21), 'TooManyUniqueTargetGroupsPerLoadBalancer');
  region.listener(
    LoadBalancerArn,
    region.accepted(describeListeners, { LoadBalancerArn }).Listeners![0]!.DefaultActions![0]!.ForwardConfig!
      .TargetGroups![0]!.TargetGroupArn!,
    22,
  );
});

test('redirect: is answered with the defaults that keep a part of the URL', () => {
  const { echoOf } = prepare();
  assert.deepEqual(
    echoOf({ Type: 'redirect', RedirectConfig: { Protocol: 'HTTPS', Port: '443', StatusCode: 'HTTP_301' } }),
    {
      Type: 'redirect',
      Order: 1,
      RedirectConfig: {
        Protocol: 'HTTPS',
        Port: '443',
        Host: '#{host}',
        Path: '/#{path}',
        Query: '#{query}',
        StatusCode: 'HTTP_301',
      },
    },
  );
  const RedirectConfig = {
    Protocol: '#{protocol}',
    Port: '#{port}',
    Host: 'www.#{host}',
    Path: '/#{host}/#{port}/#{path}',
    Query: 'a=#{protocol}&b=#{query}',
    StatusCode: 'HTTP_302' as const,
  };
  assert.deepEqual(echoOf({ Type: 'redirect', RedirectConfig }).RedirectConfig, RedirectConfig);
  assert.equal(
    echoOf({ Type: 'redirect', RedirectConfig: { ...RedirectConfig, Query: '' } }).RedirectConfig!.Query,
    '',
  );
});

test('redirect: what loops, what is no URL, and what could end a header line is refused', () => {
  const { region, input } = prepare();
  const refusals = [
    [undefined, 'ValidationError'],
    [{}, 'InvalidLoadBalancerAction'],
    [{ Query: 'a=b' }, 'InvalidLoadBalancerAction'],
    [{ Path: '/#{path}', Host: '#{host}' }, 'InvalidLoadBalancerAction'],
    [{ Protocol: 'FTP' }, 'ValidationError'],
    [{ Port: '0' }, 'ValidationError'],
    [{ Port: '080' }, 'ValidationError'],
    [{ Port: '65536' }, 'ValidationError'],
    [{ Port: '#{host}' }, 'ValidationError'],
    [{ Host: '' }, 'ValidationError'],
    [{ Host: 'a'.repeat(129) }, 'ValidationError'],
    [{ Host: 'a/b' }, 'InvalidLoadBalancerAction'],
    [{ Host: '#{path}' }, 'InvalidLoadBalancerAction'],
    [{ Host: 'a\r\nSet-Cookie: a' }, 'InvalidLoadBalancerAction'],
    [{ Path: 'a' }, 'InvalidLoadBalancerAction'],
    [{ Path: '/a b' }, 'InvalidLoadBalancerAction'],
    [{ Path: '/\r\n' }, 'InvalidLoadBalancerAction'],
    [{ Path: '/ä' }, 'InvalidLoadBalancerAction'],
    [{ Path: '/#{query}' }, 'InvalidLoadBalancerAction'],
    [{ Path: '/', Query: '#{nothing}' }, 'InvalidLoadBalancerAction'],
    [{ Path: '/', Query: 'a'.repeat(129) }, 'ValidationError'],
    [{ Path: '/', Query: '\0' }, 'InvalidLoadBalancerAction'],
    [{ Path: '/', StatusCode: 'HTTP_307' }, 'ValidationError'],
  ] as const;
  for (const [config, code] of refusals) {
    const RedirectConfig = config && { StatusCode: 'HTTP_301', ...config };
    region.refused(createListener, input({ Type: 'redirect', RedirectConfig }), code);
  }
});

test('fixed-response: is answered as it was given', () => {
  const { echoOf } = prepare();
  const full = { StatusCode: '503', ContentType: 'text/plain', MessageBody: 'später' };
  for (const FixedResponseConfig of [full, { StatusCode: '200', MessageBody: '' }]) {
    const echo = echoOf({ Type: 'fixed-response', FixedResponseConfig }).FixedResponseConfig!;
    assert.deepEqual(JSON.parse(JSON.stringify(echo)), FixedResponseConfig);
  }
});

test('fixed-response: a status, content type or body out of range is refused', () => {
  const { region, input } = prepare();
  const refusals = [
    [undefined, 'ValidationError'],
    [{ StatusCode: '301' }, 'ValidationError'],
    [{ StatusCode: '2000' }, 'ValidationError'],
    [{ StatusCode: '2XX' }, 'ValidationError'],
    [{ StatusCode: '200\n' }, 'ValidationError'],
    [{ StatusCode: '200', ContentType: 'image/png' }, 'InvalidLoadBalancerAction'],
    [{ StatusCode: '200', MessageBody: 'a'.repeat(1025) }, 'ValidationError'],
  ] as const;
  for (const [FixedResponseConfig, code] of refusals) {
    region.refused(createListener, input({ Type: 'fixed-response', FixedResponseConfig }), code);
  }
});

test('actions: a listener has exactly one that routes, of a type that is known', () => {
  const { region, group, input } = prepare();
  const forward = { Type: 'forward', TargetGroupArn: group };
  region.refused(createListener, { ...input(), DefaultActions: [] }, 'ValidationError');
  const two = [
    { ...forward, Order: 1 },
    { ...forward, Order: 2 },
  ];
  region.refused(createListener, { ...input(), DefaultActions: two }, 'InvalidLoadBalancerAction');
  for (const Type of ['authenticate-oidc', 'authenticate-cognito', 'jwt-validation']) {
    const DefaultActions = [{ Type, Order: 1 }, forward];
    region.refused(createListener, { ...input(), DefaultActions }, 'InvalidLoadBalancerAction');
    region.refused(createListener, input({ Type }), 'InvalidLoadBalancerAction');
  }
  for (const Type of ['', 'proxy', 'constructor']) region.refused(createListener, input({ Type }), 'ValidationError');
});

test('DescribeListeners: those of a load balancer, or those named, but not neither nor both', () => {
  const { region, LoadBalancerArn, group } = prepare();
  const arns = [81, 80].map((port) => region.listener(LoadBalancerArn, group, port));
  const found = (input: { LoadBalancerArn?: string; ListenerArns?: string[]; PageSize?: number; Marker?: string }) =>
    region.accepted(describeListeners, input);
  const arnsOf = (input: Parameters<typeof found>[0]) => found(input).Listeners!.map(({ ListenerArn }) => ListenerArn);
  assert.deepEqual(arnsOf({ LoadBalancerArn }), arns);
  assert.deepEqual(arnsOf({ ListenerArns: [arns[1]!] }), [arns[1]]);
  const first = found({ LoadBalancerArn, PageSize: 1 });
  assert.deepEqual(arnsOf({ LoadBalancerArn, PageSize: 1, Marker: first.NextMarker! }), [arns[1]]);
  assert.equal(
    region.refused(describeListeners, {}, 'ValidationError'),
    'You must specify either listener ARNs or a load balancer ARN',
  );
  region.refused(describeListeners, { LoadBalancerArn, ListenerArns: arns }, 'ValidationError');
  assert.equal(
    region.refused(describeListeners, { ListenerArns: ['x'] }, 'ValidationError'),
    `'x' is not a valid listener ARN`,
  );
  const missing = arns[0]!.replace(idOf(arns[0]!), 'f'.repeat(16));
  assert.equal(
    region.refused(describeListeners, { ListenerArns: [arns[1]!, missing] }, 'ListenerNotFound'),
    'One or more listeners not found',
  );
  region.refused(describeListeners, { LoadBalancerArn, PageSize: 0 }, 'ValidationError');
});

test('DescribeListeners: a target group that went missing is left out, and the rest is still answered', () => {
  const { region, LoadBalancerArn, group } = prepare();
  region.listener(LoadBalancerArn, group);
  const id = idOf(group);
  region.apply([{ kind: 'target-group', id, before: region.tables.revisionOf('target-group', id), after: null }]);
  const [listener] = region.accepted(describeListeners, { LoadBalancerArn }).Listeners!;
  assert.deepEqual(listener!.DefaultActions![0]!.ForwardConfig!.TargetGroups, []);
});

test('DeleteListener: takes its rules along and frees the target group; one that is not there is an error', () => {
  const { region, LoadBalancerArn, group } = prepare();
  const ListenerArn = region.listener(LoadBalancerArn, group);
  region.refused(deleteTargetGroup, { TargetGroupArn: group }, 'ResourceInUse');
  region.accepted(deleteListener, { ListenerArn });
  assert.equal(region.tables.count('rule'), 0);
  region.refused(deleteListener, { ListenerArn }, 'ListenerNotFound');
  region.refused(deleteListener, { ListenerArn: LoadBalancerArn }, 'ValidationError');
  region.accepted(deleteTargetGroup, { TargetGroupArn: group });
});
