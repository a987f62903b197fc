import assert from 'node:assert/strict';
import test from 'node:test';
import { targetKey } from '#model/keys.ts';
import { createTargetGroup } from './create-target-group.ts';
import { deleteListener } from './delete-listener.ts';
import { deregisterTargets } from './deregister-targets.ts';
import { describeTargetHealth } from './describe-target-health.ts';
import { modifyTargetGroup } from './modify-target-group.ts';
import { modifyTargetGroupAttributes } from './modify-target-group-attributes.ts';
import { registerTargets } from './register-targets.ts';
import { idOf, TestRegion } from './test-region.ts';

/** A region with a target group that a listener uses. */
function prepare() {
  const region = new TestRegion();
  const TargetGroupArn = region.targetGroup('group', 8080);
  const ListenerArn = region.listener(region.loadBalancer('web'), TargetGroupArn);
  const register = (...Targets: { Id: string; Port?: number; AvailabilityZone?: string }[]) =>
    region.accepted(registerTargets, { TargetGroupArn, Targets });
  const deregister = (...Targets: { Id: string; Port?: number }[]) =>
    region.accepted(deregisterTargets, { TargetGroupArn, Targets });
  const setDelay = (seconds: number) =>
    region.accepted(modifyTargetGroupAttributes, {
      TargetGroupArn,
      Attributes: [{ Key: 'deregistration_delay.timeout_seconds', Value: `${seconds}` }],
    });
  const target = (address: string, port = 8080) =>
    region.tables.get('target', `${idOf(TargetGroupArn)}/${address}:${port}`);
  const health = (...Targets: { Id: string; Port?: number }[]) =>
    region.accepted(describeTargetHealth, { TargetGroupArn, Targets }).TargetHealthDescriptions!;
  return { region, TargetGroupArn, ListenerArn, register, deregister, setDelay, target, health };
}

test('RegisterTargets: the port defaults to the group’s, and the same address may have several', () => {
  const { register, target, region } = prepare();
  register({ Id: '127.0.0.1' }, { Id: '127.0.0.1', Port: 81 }, { Id: '10.0.0.1', AvailabilityZone: 'all' });
  assert.deepEqual(target('127.0.0.1')?.state, { kind: 'registered', sinceMs: region.nowMs });
  assert.equal(target('127.0.0.1', 81)?.port, 81);
  assert.equal(target('10.0.0.1')?.availabilityZone, 'all');
  assert.equal(region.tables.count('target'), 3);
});

test('RegisterTargets: what is registered already stays as it is, within one call too', () => {
  const { register, target, region } = prepare();
  register({ Id: '127.0.0.1' }, { Id: '127.0.0.1', Port: 8080 });
  const before = target('127.0.0.1');
  region.nowMs += 1000;
  region.unchanged(() => register({ Id: '127.0.0.1' }));
  region.unchanged(() => register({ Id: '127.0.0.1', AvailabilityZone: 'all' }, { Id: '127.0.0.1' }));
  register({ Id: '127.0.0.1', AvailabilityZone: 'eu-test-1a' });
  assert.deepEqual(target('127.0.0.1'), { ...before, availabilityZone: 'eu-test-1a' });
});

test('RegisterTargets: an id that is no address of a host is refused, and with it the whole call', () => {
  const { region, TargetGroupArn } = prepare();
  const refused = (target: { Id: string; Port?: number; AvailabilityZone?: string; QuicServerId?: string }) => {
    const Targets = [{ Id: '127.0.0.1' }, target];
    const answer = region.unchanged(() => region.call(registerTargets, { TargetGroupArn, Targets }));
    return answer.ok ? undefined : answer.fault.code;
  };
  for (const Id of [
    '',
    'i-0123456789abcdef0',
    '127.0.0',
    '127.0.0.256',
    '127.0.0.01',
    '::1',
    '127.0.0.1 ',
    'localhost',
  ]) {
    assert.equal(refused({ Id }), 'ValidationError', Id);
  }
  for (const Id of ['0.0.0.0', '0.1.2.3', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255']) {
    assert.equal(refused({ Id }), 'InvalidTarget', Id);
  }
  for (const Port of [0, 65_536]) assert.equal(refused({ Id: '127.0.0.2', Port }), 'ValidationError');
  assert.equal(refused({ Id: '127.0.0.2', AvailabilityZone: 'us-east-1a' }), 'ValidationError');
  assert.equal(refused({ Id: '127.0.0.2', QuicServerId: '0x1' }), 'ValidationError');
});

test('RegisterTargets: no call, group or load balancer gets more targets than its quota', () => {
  const { region, TargetGroupArn, register, deregister } = prepare();
  const targets = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => ({ Id: '127.0.0.1', Port: from + index }));
  region.refused(registerTargets, { TargetGroupArn, Targets: [] }, 'ValidationError');
  region.refused(registerTargets, { TargetGroupArn, Targets: targets(1, 1001) }, 'ValidationError');
  register(...targets(1, 1000));
  region.refused(registerTargets, { TargetGroupArn, Targets: targets(1_001, 1) }, 'TooManyTargets');
  region.unchanged(() => register(...targets(1, 1000)));
  // The load balancer's second group has room for itself, but the load balancer has not.
  const second = region.targetGroup('second');
  region.accepted(registerTargets, { TargetGroupArn: second, Targets: targets(1, 1) });
  const [listener] = [...region.tables.all('listener')];
  const loadBalancer = region.tables.get('load-balancer', listener!.document.loadBalancerId)!;
  const arn = `arn:aws:elasticloadbalancing:eu-test-1:111111111111:loadbalancer/app/${loadBalancer.name}/${listener!.document.loadBalancerId}`;
  assert.throws(() => region.listener(arn, second, 81), /TooManyTargets/);
  deregister(...targets(1, 1));
  region.listener(arn, second, 81);
  region.refused(registerTargets, { TargetGroupArn: second, Targets: targets(2, 1) }, 'TooManyTargets');
  // What drains is on its way out, and there is room for as many others.
  deregister(...targets(2, 2));
  region.accepted(registerTargets, { TargetGroupArn: second, Targets: targets(2, 1) });
  region.refused(registerTargets, { TargetGroupArn, Targets: targets(10_001, 2) }, 'TooManyTargets');
  register(...targets(10_001, 1));
});

test('DeregisterTargets: a target drains for the delay, and registering it again ends that', () => {
  const { register, deregister, target, region } = prepare();
  register({ Id: '127.0.0.1' });
  deregister({ Id: '127.0.0.1' });
  const untilMs = region.nowMs + 300_000;
  assert.deepEqual(target('127.0.0.1')?.state, { kind: 'draining', sinceMs: region.nowMs, untilMs });
  region.nowMs += 1000;
  region.unchanged(() => deregister({ Id: '127.0.0.1' }));
  register({ Id: '127.0.0.1' });
  assert.deepEqual(target('127.0.0.1')?.state, { kind: 'registered', sinceMs: region.nowMs });
});

test('DeregisterTargets: without a delay, or without a rule that uses the group, a target goes at once', () => {
  const { register, deregister, setDelay, target, region, ListenerArn } = prepare();
  register({ Id: '127.0.0.1' }, { Id: '127.0.0.2' }, { Id: '127.0.0.3' });
  deregister({ Id: '127.0.0.1' });
  setDelay(0);
  deregister({ Id: '127.0.0.1' }, { Id: '127.0.0.2' });
  assert.equal(target('127.0.0.1'), undefined, 'one that drains already goes as well');
  assert.equal(target('127.0.0.2'), undefined);
  setDelay(60);
  region.accepted(deleteListener, { ListenerArn });
  deregister({ Id: '127.0.0.3' });
  assert.equal(region.tables.count('target'), 0);
});

test('DeregisterTargets: means the group’s port when none is given; what is not there is no error', () => {
  const { register, deregister, target, region, TargetGroupArn } = prepare();
  register({ Id: '127.0.0.1', Port: 81 });
  region.unchanged(() => deregister({ Id: '127.0.0.1' }, { Id: '127.0.0.9' }));
  deregister({ Id: '127.0.0.1', Port: 81 });
  assert.equal(target('127.0.0.1', 81)?.state.kind, 'draining');
  region.refused(deregisterTargets, { TargetGroupArn, Targets: [] }, 'ValidationError');
  region.refused(deregisterTargets, { TargetGroupArn, Targets: [{ Id: 'i-1' }] }, 'ValidationError');
  const missing = TargetGroupArn.replace(idOf(TargetGroupArn), 'f'.repeat(16));
  for (const operation of [registerTargets, deregisterTargets]) {
    region.refused(operation, { TargetGroupArn: missing, Targets: [{ Id: '127.0.0.1' }] }, 'TargetGroupNotFound');
    region.refused(operation, { TargetGroupArn: 'x', Targets: [{ Id: '127.0.0.1' }] }, 'ValidationError');
  }
});

test('DescribeTargetHealth: says what the nodes have found out, in the API’s words', () => {
  const { region, TargetGroupArn, register, health } = prepare();
  register({ Id: '127.0.0.1', AvailabilityZone: 'all' });
  const key = `${idOf(TargetGroupArn)}/127.0.0.1:8080`;
  const state = () => health()[0]!.TargetHealth;
  assert.deepEqual(state(), {
    State: 'initial',
    Reason: 'Elb.RegistrationInProgress',
    Description: 'Target registration is in progress',
  });
  const unhealthy = { reason: 'Target.Timeout', description: 'Request timed out' } as const;
  region.health.set(key, { kind: 'unhealthy', ...unhealthy });
  assert.deepEqual(state(), { State: 'unhealthy', Reason: unhealthy.reason, Description: unhealthy.description });
  region.health.set(key, { kind: 'healthy' });
  assert.deepEqual(health(), [
    {
      Target: { Id: '127.0.0.1', Port: 8080, AvailabilityZone: 'all' },
      HealthCheckPort: '8080',
      TargetHealth: { State: 'healthy' },
    },
  ]);
  region.accepted(modifyTargetGroup, { TargetGroupArn, HealthCheckPort: '9000' });
  assert.equal(health()[0]!.HealthCheckPort, '9000');
});

test('DescribeTargetHealth: draining, not in use and not registered are told apart', () => {
  const { region, ListenerArn, TargetGroupArn, register, deregister, health } = prepare();
  register({ Id: '127.0.0.1' }, { Id: '127.0.0.2' });
  region.health.set(`${idOf(TargetGroupArn)}/127.0.0.2:8080`, { kind: 'healthy' });
  deregister({ Id: '127.0.0.1' });
  region.accepted(deleteListener, { ListenerArn });
  const asked = health({ Id: '127.0.0.1' }, { Id: '127.0.0.2' }, { Id: '127.0.0.3' }, { Id: '127.0.0.1', Port: 9 });
  assert.deepEqual(
    asked.map(({ TargetHealth }) => [TargetHealth!.State, TargetHealth!.Reason, TargetHealth!.Description]),
    [
      ['draining', 'Target.DeregistrationInProgress', 'Target deregistration is in progress'],
      ['unused', 'Target.NotInUse', 'Target group is not configured to receive traffic from the load balancer'],
      ['unused', 'Target.NotRegistered', 'Target is not registered to the target group'],
      ['unused', 'Target.NotRegistered', 'Target is not registered to the target group'],
    ],
  );
  assert.deepEqual(asked[2]!.Target, { Id: '127.0.0.3', Port: 8080 });
  assert.equal(asked[3]!.HealthCheckPort, '8080');
  assert.equal(health().length, 2, 'without targets in the request, those of the group');
});

test('DescribeTargetHealth: refuses what it does not know', () => {
  const { region, TargetGroupArn } = prepare();
  region.refused(describeTargetHealth, { TargetGroupArn: 'x' }, 'ValidationError');
  region.refused(describeTargetHealth, { TargetGroupArn, Targets: [{ Id: 'i-1' }] }, 'ValidationError');
  region.refused(describeTargetHealth, { TargetGroupArn, Include: ['Everything'] }, 'ValidationError');
  const missing = TargetGroupArn.replace(idOf(TargetGroupArn), 'f'.repeat(16));
  region.refused(describeTargetHealth, { TargetGroupArn: missing }, 'TargetGroupNotFound');
});

test('DescribeTargetHealth: anomalies come when they are asked for, of targets that are registered and take HTTP', () => {
  const { region, TargetGroupArn } = prepare();
  const [Id, other] = ['127.0.0.1', '127.0.0.2'];
  region.accepted(registerTargets, { TargetGroupArn, Targets: [{ Id }, { Id: other }] });
  const targetGroupId = idOf(TargetGroupArn);
  region.anomalies.set(targetKey({ targetGroupId, address: Id, port: 8080 }), { isAnomalous: true, isMitigated: true });
  const asked = (input: object) =>
    region
      .accepted(describeTargetHealth, { TargetGroupArn, ...input })
      .TargetHealthDescriptions!.map(({ AnomalyDetection }) => AnomalyDetection);
  const found = [
    { Result: 'anomalous', MitigationInEffect: 'yes' },
    { Result: 'normal', MitigationInEffect: 'no' },
  ];
  assert.deepEqual(asked({ Include: ['AnomalyDetection'] }), found);
  assert.deepEqual(asked({ Include: ['All'] }), found);
  assert.deepEqual(asked({}), [undefined, undefined]);
  assert.deepEqual(asked({ Include: ['All'], Targets: [{ Id: other }, { Id: '127.0.0.9' }] }), [found[1], undefined]);
  const network = { Name: 'network', Protocol: 'TCP', Port: 80, VpcId: 'vpc-test', TargetType: 'ip' };
  const arn = region.accepted(createTargetGroup, network).TargetGroups![0]!.TargetGroupArn!;
  region.accepted(registerTargets, { TargetGroupArn: arn, Targets: [{ Id }] });
  assert.deepEqual(asked({ TargetGroupArn: arn, Include: ['All'] }), [undefined]);
});

test('ModifyTargetGroupAttributes: zones are not kept apart while a target belongs to all of them', () => {
  const { region, TargetGroupArn, register, deregister, setDelay } = prepare();
  setDelay(0);
  const apart = (Value: string) => ({
    TargetGroupArn,
    Attributes: [{ Key: 'load_balancing.cross_zone.enabled', Value }],
  });
  register({ Id: '127.0.0.1', AvailabilityZone: 'eu-test-1a' }, { Id: '10.0.0.1', AvailabilityZone: 'all' });
  region.refused(modifyTargetGroupAttributes, apart('false'), 'InvalidConfigurationRequest');
  region.accepted(modifyTargetGroupAttributes, apart('true'));
  deregister({ Id: '10.0.0.1' });
  region.accepted(modifyTargetGroupAttributes, apart('false'));
});
