import assert from 'node:assert/strict';
import test from 'node:test';
import { unknownNetwork } from '#control/network.ts';
import type { FaultCode } from '#model/fault.ts';
import { createTargetGroup } from './create-target-group.ts';
import { deregisterTargets } from './deregister-targets.ts';
import { describeTargetGroupAttributes } from './describe-target-group-attributes.ts';
import { describeTargetHealth } from './describe-target-health.ts';
import { modifyTargetGroup } from './modify-target-group.ts';
import { registerTargets } from './register-targets.ts';
import { TestRegion } from './test-region.ts';

const functionArn = 'arn:aws:lambda:eu-test-1:111111111111:function:hello';
const instances = [
  ['i-00000000000000001', 'running', 'vpc-test', '127.1.0.1'],
  ['i-00000000000000002', 'stopped', 'vpc-test', '127.1.0.2'],
  ['i-00000000000000003', 'running', 'vpc-other', '127.1.0.3'],
] as const;

function prepare() {
  const region = new TestRegion();
  region.network = {
    ...unknownNetwork,
    instances: new Map(
      instances.map(([id, state, vpcId, privateAddress]) => [
        id,
        { id, state, vpcId, privateAddress, zone: 'eu-test-1a', subnetId: 'subnet-a', tags: {} },
      ]),
    ),
    functions: new Map([[functionArn, 'http://127.0.0.1:9001/']]),
  };
  const make = (Name: string, more: object = {}) =>
    region.accepted(createTargetGroup, { Name, Protocol: 'HTTP', Port: 80, VpcId: 'vpc-test', ...more })
      .TargetGroups![0]!;
  const refused = (more: object, code: FaultCode = 'ValidationError') =>
    region.refused(createTargetGroup, { Name: 'x', Protocol: 'HTTP', Port: 80, VpcId: 'vpc-test', ...more }, code);
  const register = (
    TargetGroupArn: string,
    ...Targets: { Id: string; Port?: number; AvailabilityZone?: string }[]
  ) => ({
    TargetGroupArn,
    Targets,
  });
  const health = (TargetGroupArn: string, Targets?: { Id: string }[]) =>
    region.accepted(describeTargetHealth, { TargetGroupArn, ...(Targets && { Targets }) }).TargetHealthDescriptions!;
  return { region, make, refused, register, health };
}

test('targets by instance: reached where the inventory says, while they run and are of the network', () => {
  const { region, make, register, health } = prepare();
  const group = make('instances');
  assert.equal(group.TargetType, 'instance');
  const arn = group.TargetGroupArn!;
  region.accepted(registerTargets, register(arn, { Id: instances[0][0] }, { Id: instances[0][0], Port: 81 }));
  assert.deepEqual(
    [...region.tables.all('target')].map(({ document: { address, port, named } }) => [address, port, named]),
    [
      ['127.1.0.1', 80, instances[0][0]],
      ['127.1.0.1', 81, instances[0][0]],
    ],
  );
  assert.deepEqual(
    health(arn).map(({ Target }) => Target),
    [
      { Id: instances[0][0], Port: 80 },
      { Id: instances[0][0], Port: 81 },
    ],
  );
  region.unchanged(() => region.accepted(registerTargets, register(arn, { Id: instances[0][0] })));
  assert.match(
    region.refused(registerTargets, register(arn, { Id: instances[1][0] }), 'InvalidTarget'),
    /not in a running state and cannot be registered: 'i-00000000000000002'$/,
  );
  region.refused(registerTargets, register(arn, { Id: instances[2][0] }), 'InvalidTarget');
  region.refused(registerTargets, register(arn, { Id: 'i-0000000000000000f' }), 'InvalidTarget');
  region.refused(registerTargets, register(arn, { Id: '127.0.0.1' }), 'ValidationError');
  region.refused(registerTargets, register(arn, { Id: instances[0][0], AvailabilityZone: 'all' }), 'ValidationError');
  // One that the inventory forgot can still be taken out.
  region.network = unknownNetwork;
  region.accepted(deregisterTargets, register(arn, { Id: instances[0][0] }));
  assert.deepEqual(
    health(arn, [{ Id: instances[0][0] }]).map(({ TargetHealth }) => TargetHealth!.Reason),
    ['Target.NotRegistered'],
  );
  assert.equal(health(arn).length, 1);
});

test('targets by function: one without port, protocol or network, and checked only on request', () => {
  const { region, refused, register, health } = prepare();
  for (const member of ['Protocol', 'Port', 'VpcId'] as const) {
    const none = { Protocol: undefined, Port: undefined, VpcId: undefined };
    const given = { Protocol: 'HTTP', Port: 80, VpcId: 'vpc-test' }[member];
    refused({ TargetType: 'lambda', ...none, [member]: given });
  }
  const input = { Name: 'functions', TargetType: 'lambda' };
  const group = region.accepted(createTargetGroup, input).TargetGroups![0]!;
  const { TargetGroupArn: arn, ...rest } = group;
  assert.deepEqual(rest, {
    TargetGroupName: 'functions',
    Protocol: undefined,
    Port: undefined,
    VpcId: undefined,
    HealthCheckEnabled: false,
    HealthCheckIntervalSeconds: 35,
    HealthCheckTimeoutSeconds: 30,
    HealthyThresholdCount: 5,
    UnhealthyThresholdCount: 2,
    HealthCheckPath: '/',
    Matcher: { HttpCode: '200' },
    LoadBalancerArns: [],
    TargetType: 'lambda',
    ProtocolVersion: undefined,
    IpAddressType: 'ipv4',
  });
  region.accepted(registerTargets, register(arn!, { Id: functionArn }));
  assert.deepEqual(health(arn!), [
    {
      Target: { Id: functionArn },
      TargetHealth: {
        State: 'unused',
        Reason: 'Target.NotInUse',
        Description: 'Target group is not configured to receive traffic from the load balancer',
      },
    },
  ]);
  const LoadBalancerArn = region.loadBalancer('web');
  region.listener(LoadBalancerArn, arn!);
  assert.deepEqual(health(arn!)[0]!.TargetHealth, {
    State: 'unavailable',
    Reason: 'Target.HealthCheckDisabled',
    Description: 'Health checks are not enabled for this target',
  });
  const other = functionArn.replace('hello', 'other');
  region.refused(registerTargets, register(arn!, { Id: other }), 'InvalidTarget');
  region.network = { ...region.network, functions: new Map([[other, 'http://127.0.0.1:9002/']]) };
  region.refused(registerTargets, register(arn!, { Id: other }), 'TooManyTargets');
  region.refused(registerTargets, register(arn!, { Id: functionArn, Port: 80 }), 'ValidationError');
  region.refused(
    registerTargets,
    register(arn!, { Id: functionArn.replace('eu-test-1', 'eu-x-1') }),
    'ValidationError',
  );
  const [changed] = region.accepted(modifyTargetGroup, { TargetGroupArn: arn!, HealthCheckEnabled: true })
    .TargetGroups!;
  assert.equal(changed!.HealthCheckEnabled, true);
  region.refused(modifyTargetGroup, { TargetGroupArn: arn!, HealthCheckPort: '80' }, 'ValidationError');
  const attributes = region.accepted(describeTargetGroupAttributes, { TargetGroupArn: arn! }).Attributes;
  assert.deepEqual(attributes, [{ Key: 'lambda.multi_value_headers.enabled', Value: 'false' }]);
});

test('targets by load balancer: an application load balancer that listens on the port', () => {
  const { region, make, refused, register } = prepare();
  region.admit('node-1', 'eu-test-1a', '127.80.0.0/24');
  refused({ TargetType: 'alb' });
  const arn = make('front', { TargetType: 'alb', Protocol: 'TCP' }).TargetGroupArn!;
  const web = region.loadBalancer('web');
  region.refused(registerTargets, register(arn, { Id: web }), 'InvalidTarget');
  region.listener(web, region.targetGroup('behind'), 80);
  region.accepted(registerTargets, register(arn, { Id: web }));
  const [target] = region.tables.all('target');
  assert.equal(target!.document.named, web);
  assert.match(target!.document.address, /^127\.80\.0\./);
  region.refused(
    registerTargets,
    register(arn, { Id: `${web.slice(0, -16)}${'f'.repeat(16)}` }),
    'LoadBalancerNotFound',
  );
  region.refused(registerTargets, register(arn, { Id: 'web' }), 'ValidationError');
});

test('targets by address: of the group’s address family', () => {
  const { region, make, refused, register } = prepare();
  refused({ TargetType: 'instance', IpAddressType: 'ipv6' }, 'InvalidConfigurationRequest');
  const arn = make('six', { TargetType: 'ip', IpAddressType: 'ipv6' }).TargetGroupArn!;
  region.accepted(registerTargets, register(arn, { Id: '2001:db8::1' }));
  for (const id of ['127.0.0.1', '::ffff:1.2.3.4', 'fe80::1%eth0', 'x']) {
    region.refused(registerTargets, register(arn, { Id: id }), 'ValidationError');
  }
  for (const id of ['::', 'ff02::1']) region.refused(registerTargets, register(arn, { Id: id }), 'InvalidTarget');
});

test('target groups: health checks begin and are held to what the protocol allows', () => {
  const { region, make, refused } = prepare();
  const checks = (name: string, more: object) => {
    const group = make(name, { TargetType: 'ip', ...more });
    return [
      group.HealthCheckProtocol,
      group.HealthCheckPath,
      group.Matcher,
      group.HealthCheckIntervalSeconds,
      group.HealthCheckTimeoutSeconds,
      group.ProtocolVersion,
    ];
  };
  assert.deepEqual(checks('https', { Protocol: 'HTTPS' }), ['HTTP', '/', { HttpCode: '200' }, 30, 5, 'HTTP1']);
  assert.deepEqual(checks('grpc', { ProtocolVersion: 'GRPC' }), [
    'HTTP',
    '/AWS.ALB/healthcheck',
    { GrpcCode: '12' },
    30,
    5,
    'GRPC',
  ]);
  assert.deepEqual(checks('tcp', { Protocol: 'TCP' }), ['TCP', undefined, undefined, 30, 10, undefined]);
  assert.deepEqual(checks('tcp-http', { Protocol: 'TCP', HealthCheckProtocol: 'HTTP' }), [
    'HTTP',
    '/',
    { HttpCode: '200-399' },
    30,
    6,
    undefined,
  ]);
  const tls = { Protocol: 'TLS', HealthCheckIntervalSeconds: 10 };
  assert.deepEqual(checks('tls', tls).slice(3, 5), [10, 10]);
  refused({ Protocol: 'TCP', HealthCheckPath: '/' }, 'InvalidConfigurationRequest');
  refused({ Protocol: 'TCP', HealthCheckIntervalSeconds: 10, HealthCheckTimeoutSeconds: 11 });
  refused({ Protocol: 'TCP', ProtocolVersion: 'HTTP1' });
  refused({ HealthCheckProtocol: 'TCP' });
  refused({ HealthCheckProtocol: 'UDP' });
  refused({ ProtocolVersion: 'GRPC', Matcher: { HttpCode: '200' } });
  refused({ ProtocolVersion: 'GRPC', Matcher: { GrpcCode: '100' } });
  refused({ Protocol: 'TCP', TargetControlPort: 9000 });
  assert.equal(make('controlled', { TargetControlPort: 9000 }).TargetControlPort, 9000);
  // From TCP to requests and back: what TCP has no use for comes with its default.
  const TargetGroupArn = make('changing', { Protocol: 'TCP', TargetType: 'ip' }).TargetGroupArn!;
  const change = (more: object) => region.accepted(modifyTargetGroup, { TargetGroupArn, ...more }).TargetGroups![0]!;
  const asked = change({ HealthCheckProtocol: 'HTTPS' });
  assert.deepEqual([asked.HealthCheckPath, asked.Matcher], ['/', { HttpCode: '200-399' }]);
  assert.equal(change({ HealthCheckProtocol: 'TCP' }).HealthCheckPath, undefined);
});
