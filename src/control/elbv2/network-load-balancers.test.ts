import assert from 'node:assert/strict';
import test from 'node:test';
import type { FaultCode } from '#model/fault.ts';
import { createListener } from './create-listener.ts';
import { createLoadBalancer } from './create-load-balancer.ts';
import { createRule } from './create-rule.ts';
import { createTargetGroup } from './create-target-group.ts';
import { deleteLoadBalancer } from './delete-load-balancer.ts';
import { describeListeners } from './describe-listeners.ts';
import { describeLoadBalancerAttributes } from './describe-load-balancer-attributes.ts';
import { describeLoadBalancers } from './describe-load-balancers.ts';
import { describeTargetGroupAttributes } from './describe-target-group-attributes.ts';
import { modifyLoadBalancerAttributes } from './modify-load-balancer-attributes.ts';
import { modifyTargetGroupAttributes } from './modify-target-group-attributes.ts';
import { setIpAddressType } from './set-ip-address-type.ts';
import { setSecurityGroups } from './set-security-groups.ts';
import { setSubnets } from './set-subnets.ts';
import { TestRegion } from './test-region.ts';

function prepare(more: object = {}) {
  const region = new TestRegion();
  const make = (changed: object = {}) => ({ Name: 'net', Type: 'network', Subnets: ['subnet-a'], ...more, ...changed });
  const LoadBalancerArn = region.accepted(createLoadBalancer, make()).LoadBalancers![0]!.LoadBalancerArn!;
  const described = () =>
    region.accepted(describeLoadBalancers, { LoadBalancerArns: [LoadBalancerArn] }).LoadBalancers![0]!;
  const group = (Name: string, Protocol: string, changed: object = {}) =>
    region.accepted(createTargetGroup, { Name, Protocol, Port: 9000, VpcId: 'vpc-test', TargetType: 'ip', ...changed })
      .TargetGroups![0]!.TargetGroupArn!;
  const listen = (Protocol: string, Port: number, TargetGroupArn: string, changed: object = {}) => ({
    LoadBalancerArn,
    Protocol,
    Port,
    DefaultActions: [{ Type: 'forward', TargetGroupArn }],
    ...changed,
  });
  return { region, make, LoadBalancerArn, described, group, listen };
}

const attributesOf = (list: readonly { Key?: string | undefined; Value?: string | undefined }[] | undefined) =>
  Object.fromEntries(list!.map(({ Key, Value }) => [Key, Value]));

test('network load balancers: one subnet is enough, and ARNs and answers are theirs', () => {
  const { region, make, LoadBalancerArn, described } = prepare();
  assert.match(LoadBalancerArn, /:loadbalancer\/net\/net\/[0-9a-f]{16}$/);
  const { Type, AvailabilityZones, SecurityGroups, EnablePrefixForIpv6SourceNat, IpAddressType } = described();
  assert.deepEqual([Type, SecurityGroups, EnablePrefixForIpv6SourceNat, IpAddressType], ['network', [], 'off', 'ipv4']);
  assert.deepEqual(AvailabilityZones, [{ ZoneName: 'eu-test-1a', SubnetId: 'subnet-a', LoadBalancerAddresses: [] }]);
  region.unchanged(() => region.accepted(createLoadBalancer, make()));
  region.refused(createLoadBalancer, make({ Type: 'application', Subnets: undefined }), 'DuplicateLoadBalancerName');
  region.accepted(deleteLoadBalancer, { LoadBalancerArn });
});

test('network load balancers: chosen addresses belong to the scheme and address type, and are described', () => {
  const { region, make } = prepare();
  const one = (mapping: object, more: object = {}) =>
    make({ Name: 'other', Subnets: undefined, SubnetMappings: [{ SubnetId: 'subnet-b', ...mapping }], ...more });
  const refusals: readonly (readonly [object, object, FaultCode])[] = [
    [{ AllocationId: 'eipalloc-1' }, { Scheme: 'internal' }, 'InvalidConfigurationRequest'],
    [{ AllocationId: 'eip-1' }, {}, 'AllocationIdNotFound'],
    [{ PrivateIPv4Address: '10.0.0.1' }, {}, 'InvalidConfigurationRequest'],
    [{ PrivateIPv4Address: '10.0.0.256' }, { Scheme: 'internal' }, 'ValidationError'],
    [{ IPv6Address: '::1' }, {}, 'InvalidConfigurationRequest'],
    [{ IPv6Address: 'x' }, { IpAddressType: 'dualstack' }, 'ValidationError'],
    [{ SourceNatIpv6Prefix: 'auto_assigned' }, { IpAddressType: 'dualstack' }, 'InvalidConfigurationRequest'],
    [{}, { EnablePrefixForIpv6SourceNat: 'on' }, 'InvalidConfigurationRequest'],
    [{}, { EnablePrefixForIpv6SourceNat: 'maybe' }, 'ValidationError'],
    [{}, { IpAddressType: 'dualstack-without-public-ipv4' }, 'InvalidConfigurationRequest'],
    [{}, { CustomerOwnedIpv4Pool: 'ipv4pool-coip-1' }, 'ValidationError'],
    [{}, { IpamPools: { Ipv4IpamPoolId: 'ipam-pool-1' } }, 'InvalidConfigurationRequest'],
  ];
  for (const [mapping, more, code] of refusals) region.refused(createLoadBalancer, one(mapping, more), code);
  const mapping = { AllocationId: 'eipalloc-1', IPv6Address: '2001:db8::1', SourceNatIpv6Prefix: '2001:db8:1::/80' };
  const input = one(mapping, { IpAddressType: 'dualstack', EnablePrefixForIpv6SourceNat: 'on' });
  const made = region.accepted(createLoadBalancer, input).LoadBalancers![0]!;
  assert.deepEqual(made.AvailabilityZones, [
    {
      ZoneName: 'eu-test-1b',
      SubnetId: 'subnet-b',
      LoadBalancerAddresses: [{ AllocationId: 'eipalloc-1', IPv6Address: '2001:db8::1' }],
      SourceNatIpv6Prefixes: ['2001:db8:1::/80'],
    },
  ]);
  const LoadBalancerArn = made.LoadBalancerArn!;
  region.refused(setIpAddressType, { LoadBalancerArn, IpAddressType: 'ipv4' }, 'InvalidConfigurationRequest');
  // Zones are added; those that are there stay with their addresses.
  const added = region.accepted(setSubnets, { LoadBalancerArn, Subnets: ['subnet-a', 'subnet-b'] });
  assert.deepEqual(
    added.AvailabilityZones!.map(({ SubnetId, LoadBalancerAddresses }) => [SubnetId, LoadBalancerAddresses!.length]),
    [
      ['subnet-a', 0],
      ['subnet-b', 1],
    ],
  );
  assert.equal(added.EnablePrefixForIpv6SourceNat, 'on');
  region.refused(setSubnets, { LoadBalancerArn, Subnets: ['subnet-a'] }, 'InvalidConfigurationRequest');
});

test('network load balancers: security groups only where they were from the beginning', () => {
  const { region, LoadBalancerArn, described } = prepare();
  const set = { LoadBalancerArn, SecurityGroups: ['sg-2'] };
  region.refused(setSecurityGroups, set, 'InvalidConfigurationRequest');
  assert.equal(described().EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic, undefined);
  const other = prepare({ SecurityGroups: ['sg-1'] });
  assert.equal(other.described().EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic, 'on');
  const off = {
    ...set,
    LoadBalancerArn: other.LoadBalancerArn,
    EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic: 'off',
  };
  assert.deepEqual(other.region.accepted(setSecurityGroups, off), {
    SecurityGroupIds: ['sg-2'],
    EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic: 'off',
  });
});

test('network listeners: each protocol forwards to groups of the protocols that go with it', () => {
  const { region, group, listen } = prepare();
  const groups = new Map(
    ['HTTP', 'TCP', 'TLS', 'UDP', 'TCP_UDP', 'QUIC', 'TCP_QUIC'].map((protocol) => [
      protocol,
      group(protocol.replace('_', '-'), protocol),
    ]),
  );
  const goes: Readonly<Record<string, readonly string[]>> = {
    TCP: ['TCP', 'TCP_UDP'],
    UDP: ['UDP', 'TCP_UDP'],
    TCP_UDP: ['TCP_UDP'],
    QUIC: ['QUIC', 'TCP_QUIC'],
    TCP_QUIC: ['TCP_QUIC'],
  };
  let port = 1_000;
  for (const [protocol, allowed] of Object.entries(goes)) {
    for (const [behind, arn] of groups) {
      port += 1;
      const input = listen(protocol, port, arn);
      if (allowed.includes(behind)) region.accepted(createListener, input);
      else region.refused(createListener, input, 'IncompatibleProtocols');
    }
  }
  const tcp = groups.get('TCP')!;
  region.refused(createListener, listen('HTTP', 80, tcp), 'ValidationError');
  region.refused(createListener, listen('TLS', 443, tcp), 'ValidationError');
  const Certificates = [{ CertificateArn: 'x' }];
  region.refused(createListener, listen('TCP', 443, tcp, { Certificates }), 'ValidationError');
  const fixed = [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '200' } }];
  region.refused(createListener, listen('TCP', 443, tcp, { DefaultActions: fixed }), 'InvalidLoadBalancerAction');
  const web = region.loadBalancer('web');
  region.refused(createListener, { ...listen('HTTP', 80, tcp), LoadBalancerArn: web }, 'IncompatibleProtocols');
  const [listener] = region.accepted(createListener, listen('TCP', 5_000, tcp)).Listeners!;
  assert.match(listener!.ListenerArn!, /:listener\/net\/net\/[0-9a-f]{16}\/[0-9a-f]{16}$/);
  assert.deepEqual(region.accepted(describeListeners, { ListenerArns: [listener!.ListenerArn!] }).Listeners, [
    listener,
  ]);
  const rule = { ListenerArn: listener!.ListenerArn!, Priority: 1, Conditions: [], Actions: fixed };
  const Conditions = [{ Field: 'path-pattern', Values: ['/a'] }];
  region.refused(createRule, { ...rule, Conditions }, 'OperationNotPermitted');
});

test('network load balancers and their groups have attributes of their own', () => {
  const { region, LoadBalancerArn, group } = prepare();
  const attributes = attributesOf(region.accepted(describeLoadBalancerAttributes, { LoadBalancerArn }).Attributes);
  assert.equal(attributes['load_balancing.cross_zone.enabled'], 'false');
  assert.equal(attributes['dns_record.client_routing_policy'], 'any_availability_zone');
  assert(!('idle_timeout.timeout_seconds' in attributes));
  const set = (Key: string, Value: string) => ({ LoadBalancerArn, Attributes: [{ Key, Value }] });
  region.accepted(modifyLoadBalancerAttributes, set('load_balancing.cross_zone.enabled', 'true'));
  region.accepted(modifyLoadBalancerAttributes, set('secondary_ips.auto_assigned.per_subnet', '2'));
  for (const [key, value] of [
    ['secondary_ips.auto_assigned.per_subnet', '1'],
    ['idle_timeout.timeout_seconds', '60'],
  ] as const) {
    region.refused(modifyLoadBalancerAttributes, set(key, value), 'InvalidConfigurationRequest');
  }
  const ofGroup = (TargetGroupArn: string) =>
    attributesOf(region.accepted(describeTargetGroupAttributes, { TargetGroupArn }).Attributes);
  const [tcp, udp, tls] = [group('tcp', 'TCP'), group('udp', 'UDP'), group('tls', 'TLS')];
  const picked = (arn: string) => {
    const found = ofGroup(arn);
    return [
      found['stickiness.type'],
      found['preserve_client_ip.enabled'],
      found['deregistration_delay.connection_termination.enabled'],
      found['load_balancing.algorithm.type'],
    ];
  };
  assert.deepEqual(picked(tcp), ['source_ip', 'false', 'false', undefined]);
  assert.deepEqual(picked(udp), ['source_ip', 'true', 'true', undefined]);
  assert.equal(ofGroup(group('of-instances', 'TCP', { TargetType: 'instance' }))['preserve_client_ip.enabled'], 'true');
  const change = (TargetGroupArn: string, Key: string, Value: string) => ({
    TargetGroupArn,
    Attributes: [{ Key, Value }],
  });
  region.accepted(modifyTargetGroupAttributes, change(tcp, 'stickiness.enabled', 'true'));
  region.accepted(modifyTargetGroupAttributes, change(tcp, 'proxy_protocol_v2.enabled', 'true'));
  region.refused(modifyTargetGroupAttributes, change(tcp, 'stickiness.type', 'lb_cookie'), 'ValidationError');
  region.refused(modifyTargetGroupAttributes, change(udp, 'preserve_client_ip.enabled', 'false'), 'ValidationError');
  region.refused(modifyTargetGroupAttributes, change(tls, 'stickiness.enabled', 'true'), 'InvalidConfigurationRequest');
});
