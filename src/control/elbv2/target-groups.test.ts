import assert from 'node:assert/strict';
import test from 'node:test';
import { createListener } from './create-listener.ts';
import { createTargetGroup } from './create-target-group.ts';
import { deleteListener } from './delete-listener.ts';
import { deleteTargetGroup } from './delete-target-group.ts';
import { describeTargetGroups } from './describe-target-groups.ts';
import { modifyTargetGroup } from './modify-target-group.ts';
import { registerTargets } from './register-targets.ts';
import { idOf, TestRegion } from './test-region.ts';

const input = { Name: 'group', Protocol: 'HTTP', Port: 8080, VpcId: 'vpc-1', TargetType: 'ip' };

test('CreateTargetGroup: answers everything a client reads, with the documented defaults', () => {
  const region = new TestRegion();
  const [created] = region.accepted(createTargetGroup, input).TargetGroups!;
  const { TargetGroupArn, ...rest } = created!;
  assert.match(
    TargetGroupArn!,
    /^arn:aws:elasticloadbalancing:eu-test-1:111111111111:targetgroup\/group\/[0-9a-f]{16}$/,
  );
  assert.deepEqual(rest, {
    TargetGroupName: 'group',
    Protocol: 'HTTP',
    Port: 8080,
    VpcId: 'vpc-1',
    HealthCheckProtocol: 'HTTP',
    HealthCheckPort: 'traffic-port',
    HealthCheckEnabled: true,
    HealthCheckIntervalSeconds: 30,
    HealthCheckTimeoutSeconds: 5,
    HealthyThresholdCount: 5,
    UnhealthyThresholdCount: 2,
    HealthCheckPath: '/',
    Matcher: { HttpCode: '200' },
    LoadBalancerArns: [],
    TargetType: 'ip',
    ProtocolVersion: 'HTTP1',
    IpAddressType: 'ipv4',
  });
});

test('CreateTargetGroup: a name breaks no rule of names, in the words of the service', () => {
  const region = new TestRegion();
  const message = (Name: string) => region.refused(createTargetGroup, { ...input, Name }, 'ValidationError');
  assert.equal(message('a'.repeat(33)), `Target group name '${'a'.repeat(33)}' cannot be longer than '32' characters`);
  for (const name of ['', 'a_b', 'ä', 'a\n']) {
    assert.equal(
      message(name),
      `Target group name '${name}' can only contain characters that are alphanumeric characters or hyphens(-)`,
    );
  }
  for (const name of ['-a', 'a-', 'a--b'])
    assert.match(message(name), /at 'targetGroup.targetGroupArn.targetGroupName'/);
});

test('CreateTargetGroup: what must be given is asked for, and what is not offered is named', () => {
  const region = new TestRegion();
  const refused = (changed: object, code: 'ValidationError' | 'InvalidConfigurationRequest' = 'ValidationError') =>
    region.refused(createTargetGroup, { ...input, ...changed }, code);
  assert.equal(refused({ Port: undefined }), 'A port must be specified');
  assert.equal(refused({ VpcId: undefined }), 'A VPC ID must be specified');
  assert.equal(refused({ Protocol: undefined }), 'A protocol must be specified');
  for (const VpcId of ['', 'vpc', 'vpc-A']) refused({ VpcId });
  for (const Port of [0, 65_536]) refused({ Port });
  refused({ HealthCheckEnabled: false }, 'InvalidConfigurationRequest');
  refused({ Protocol: 'GENEVE' }, 'InvalidConfigurationRequest');
  for (const member of ['TargetType', 'Protocol', 'ProtocolVersion', 'IpAddressType', 'HealthCheckProtocol']) {
    refused({ [member]: 'constructor' });
  }
  for (const HealthCheckProtocol of ['TCP', 'UDP', 'TLS', 'TCP_UDP', 'GENEVE']) {
    assert.match(refused({ HealthCheckProtocol }), /^Health check protocol '\w+' must be one of 'HTTP, HTTPS'$/);
  }
});

test('CreateTargetGroup: the same call again changes nothing, other settings under the name are refused', () => {
  const region = new TestRegion();
  const tagged = { ...input, Tags: [{ Key: 'a', Value: '1' }, { Key: 'b' }] };
  const first = region.accepted(createTargetGroup, tagged);
  const same = { ...tagged, Tags: tagged.Tags.toReversed(), HealthCheckPath: '/' };
  assert.deepEqual(
    region.unchanged(() => region.accepted(createTargetGroup, same)),
    first,
  );
  for (const other of [{ Port: 81 }, { VpcId: 'vpc-2' }, { HealthCheckPath: '/a' }, { Tags: undefined }]) {
    assert.equal(
      region.refused(createTargetGroup, { ...tagged, ...other }, 'DuplicateTargetGroupName'),
      `A target group with the same name 'group' exists, but with different settings`,
    );
  }
});

test('health check: each setting is held to its range', () => {
  const region = new TestRegion();
  for (const wrong of [
    { HealthCheckIntervalSeconds: 4 },
    { HealthCheckIntervalSeconds: 301 },
    { HealthCheckTimeoutSeconds: 1 },
    { HealthCheckTimeoutSeconds: 121 },
    { HealthyThresholdCount: 1 },
    { HealthyThresholdCount: 11 },
    { UnhealthyThresholdCount: 1 },
    { UnhealthyThresholdCount: 11 },
    { HealthCheckPort: '0' },
    { HealthCheckPort: '65536' },
    { HealthCheckPort: 'traffic' },
    { HealthCheckPath: '' },
    { HealthCheckPath: 'a' },
    { HealthCheckPath: '/a b' },
    { HealthCheckPath: '/\r\nHost: a' },
    { HealthCheckPath: `/${'a'.repeat(1024)}` },
    { Matcher: {} },
    ...['', '199', '500', '200-', '299-200', '200,', '200, 201', '2e2', '200-300-400'].map((HttpCode) => ({
      Matcher: { HttpCode },
    })),
  ]) {
    region.refused(createTargetGroup, { ...input, ...wrong }, 'ValidationError');
  }
  region.refused(createTargetGroup, { ...input, Matcher: { GrpcCode: '0' } }, 'ValidationError');
  const settings = {
    HealthCheckIntervalSeconds: 300,
    HealthCheckTimeoutSeconds: 120,
    HealthyThresholdCount: 10,
    UnhealthyThresholdCount: 10,
    HealthCheckPort: '65535',
    HealthCheckPath: '/a?b=c',
    Matcher: { HttpCode: '200-299,301,499' },
  };
  const [created] = region.accepted(createTargetGroup, { ...input, ...settings }).TargetGroups!;
  assert.deepEqual({ ...created, ...settings }, created);
});

test('health check: the timeout is smaller than the interval, and the default of one makes room for the other', () => {
  const region = new TestRegion();
  const timing = (name: string, given: object) => {
    const [created] = region.accepted(createTargetGroup, { ...input, Name: name, ...given }).TargetGroups!;
    return [created!.HealthCheckIntervalSeconds, created!.HealthCheckTimeoutSeconds];
  };
  assert.deepEqual(timing('a', { HealthCheckIntervalSeconds: 5 }), [5, 4]);
  assert.deepEqual(timing('b', { HealthCheckIntervalSeconds: 6 }), [6, 5]);
  assert.deepEqual(timing('c', { HealthCheckTimeoutSeconds: 29 }), [30, 29]);
  assert.deepEqual(timing('d', { HealthCheckTimeoutSeconds: 30 }), [31, 30]);
  const equal = { HealthCheckIntervalSeconds: 10, HealthCheckTimeoutSeconds: 10 };
  region.refused(createTargetGroup, { ...input, ...equal }, 'ValidationError');
});

test('ModifyTargetGroup: changes only what is given, and judges the whole', () => {
  const region = new TestRegion();
  const TargetGroupArn = region.targetGroup('group');
  const [before] = region.accepted(describeTargetGroups, {}).TargetGroups!;
  const change = { HealthCheckPath: '/health', Matcher: { HttpCode: '204' }, HealthCheckIntervalSeconds: 6 };
  const [after] = region.accepted(modifyTargetGroup, { TargetGroupArn, ...change }).TargetGroups!;
  assert.deepEqual(after, { ...before, ...change });
  assert.deepEqual(region.accepted(describeTargetGroups, {}).TargetGroups, [after]);
  region.refused(modifyTargetGroup, { TargetGroupArn, HealthCheckTimeoutSeconds: 6 }, 'ValidationError');
  region.refused(modifyTargetGroup, { TargetGroupArn, HealthCheckIntervalSeconds: 5 }, 'ValidationError');
  region.refused(modifyTargetGroup, { TargetGroupArn, HealthCheckEnabled: false }, 'InvalidConfigurationRequest');
  region.unchanged(() => region.accepted(modifyTargetGroup, { TargetGroupArn, ...change }));
  region.unchanged(() => region.accepted(modifyTargetGroup, { TargetGroupArn }));
  region.refused(modifyTargetGroup, { TargetGroupArn: 'group' }, 'ValidationError');
  region.accepted(deleteTargetGroup, { TargetGroupArn });
  region.refused(modifyTargetGroup, { TargetGroupArn }, 'TargetGroupNotFound');
});

test('DescribeTargetGroups: finds by ARNs, by names, and by the load balancer that uses them', () => {
  const region = new TestRegion();
  const [a, b, c] = [region.targetGroup('a'), region.targetGroup('b'), region.targetGroup('c')];
  const web = region.loadBalancer('web');
  const other = region.loadBalancer('other');
  region.listener(web, a, 80);
  region.accepted(createListener, {
    LoadBalancerArn: web,
    Protocol: 'HTTP',
    Port: 81,
    DefaultActions: [
      { Type: 'forward', ForwardConfig: { TargetGroups: [{ TargetGroupArn: a }, { TargetGroupArn: c }] } },
    ],
  });
  const found = (wanted: Parameters<typeof describe>[0]) =>
    describe(wanted).map(({ TargetGroupArn }) => TargetGroupArn);
  const describe = (wanted: { LoadBalancerArn?: string; TargetGroupArns?: string[]; Names?: string[] }) =>
    region.accepted(describeTargetGroups, wanted).TargetGroups!;
  assert.deepEqual(found({}), [a, b, c]);
  assert.deepEqual(found({ Names: ['c', 'b'] }), [b, c]);
  assert.deepEqual(found({ TargetGroupArns: [c] }), [c]);
  assert.deepEqual(found({ LoadBalancerArn: web }), [a, c]);
  assert.deepEqual(found({ LoadBalancerArn: other }), []);
  assert.deepEqual(describe({ Names: ['a'] })[0]!.LoadBalancerArns, [web]);
  assert.equal(
    region.refused(describeTargetGroups, { Names: ['d'] }, 'TargetGroupNotFound'),
    'One or more target groups not found',
  );
  region.refused(
    describeTargetGroups,
    { TargetGroupArns: [a.replace(idOf(a), 'f'.repeat(16))] },
    'TargetGroupNotFound',
  );
  region.refused(describeTargetGroups, { TargetGroupArns: [web] }, 'ValidationError');
  region.refused(describeTargetGroups, { LoadBalancerArn: web, Names: ['a'] }, 'ValidationError');
  region.refused(describeTargetGroups, { TargetGroupArns: [a], Names: ['a'] }, 'ValidationError');
  region.refused(describeTargetGroups, { LoadBalancerArn: 'web' }, 'ValidationError');
  region.refused(describeTargetGroups, { Marker: 'x' }, 'ValidationError');
  region.account = '222222222222';
  assert.deepEqual(found({}), []);
  region.refused(describeTargetGroups, { TargetGroupArns: [a] }, 'ValidationError');
});

test('DeleteTargetGroup: is refused while in use, takes its targets along, and succeeds when nothing is there', () => {
  const region = new TestRegion();
  const TargetGroupArn = region.targetGroup('group');
  region.accepted(registerTargets, { TargetGroupArn, Targets: [{ Id: '127.0.0.1' }, { Id: '127.0.0.2' }] });
  const ListenerArn = region.listener(region.loadBalancer('web'), TargetGroupArn);
  assert.equal(
    region.refused(deleteTargetGroup, { TargetGroupArn }, 'ResourceInUse'),
    `The target group '${TargetGroupArn}' is currently in use by a listener or a rule`,
  );
  region.accepted(deleteListener, { ListenerArn });
  region.accepted(deleteTargetGroup, { TargetGroupArn });
  assert.equal(region.tables.count('target'), 0);
  region.unchanged(() => region.accepted(deleteTargetGroup, { TargetGroupArn }));
  region.refused(deleteTargetGroup, { TargetGroupArn: 'group' }, 'ValidationError');
});
