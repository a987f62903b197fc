import assert from 'node:assert/strict';
import test from 'node:test';
import {
  attributeNumber,
  loadBalancerAttribute,
  loadBalancerAttributes,
  targetGroupAttribute,
  targetGroupAttributes,
} from '#model/attributes.ts';
import { createLoadBalancer } from './create-load-balancer.ts';
import { describeLoadBalancerAttributes } from './describe-load-balancer-attributes.ts';
import { describeTargetGroupAttributes } from './describe-target-group-attributes.ts';
import { modifyLoadBalancerAttributes } from './modify-load-balancer-attributes.ts';
import { modifyTargetGroupAttributes } from './modify-target-group-attributes.ts';
import { idOf, TestRegion } from './test-region.ts';

type Values = Readonly<Record<string, string>>;

/** A region with a load balancer and a target group whose attributes are set and read as plain objects. */
function prepare() {
  const region = new TestRegion();
  const LoadBalancerArn = region.loadBalancer('web');
  const TargetGroupArn = region.targetGroup('group');
  const list = (values: Values) => Object.entries(values).map(([Key, Value]) => ({ Key, Value }));
  const onLoadBalancer = (values: Values) => ({ LoadBalancerArn, Attributes: list(values) });
  const onGroup = (values: Values) => ({ TargetGroupArn, Attributes: list(values) });
  const read = (attributes: readonly { Key?: string | undefined; Value?: string | undefined }[] | undefined) =>
    Object.fromEntries(attributes!.map(({ Key, Value }) => [Key, Value]));
  return { region, LoadBalancerArn, TargetGroupArn, onLoadBalancer, onGroup, read };
}

test('attributes: all that apply are answered, with their defaults', () => {
  const { region, LoadBalancerArn, TargetGroupArn, read } = prepare();
  const ofLoadBalancer = read(region.accepted(describeLoadBalancerAttributes, { LoadBalancerArn }).Attributes);
  const ofNetwork = ['dns_record.client_routing_policy', 'secondary_ips.auto_assigned.per_subnet'];
  assert.deepEqual(
    Object.keys(ofLoadBalancer),
    Object.keys(loadBalancerAttributes).filter((key) => !ofNetwork.includes(key)),
  );
  assert.equal(ofLoadBalancer['idle_timeout.timeout_seconds'], '60');
  assert.equal(ofLoadBalancer['ipv6.deny_all_igw_traffic'], 'false');
  const ofGroup = read(region.accepted(describeTargetGroupAttributes, { TargetGroupArn }).Attributes);
  const first = Object.keys(targetGroupAttributes).indexOf('lambda.multi_value_headers.enabled');
  assert.deepEqual(Object.keys(ofGroup), Object.keys(targetGroupAttributes).slice(0, first));
  assert.equal(ofGroup['deregistration_delay.timeout_seconds'], '300');
});

test('attributes: a default that depends on the scheme is read by it', () => {
  const { region, read } = prepare();
  const created = region.accepted(createLoadBalancer, { Name: 'inner', Scheme: 'internal' }).LoadBalancers!;
  const LoadBalancerArn = created[0]!.LoadBalancerArn!;
  const key = 'ipv6.deny_all_igw_traffic';
  const set = (Value: string) =>
    read(
      region.accepted(modifyLoadBalancerAttributes, { LoadBalancerArn, Attributes: [{ Key: key, Value }] }).Attributes,
    );
  assert.equal(read(region.accepted(describeLoadBalancerAttributes, { LoadBalancerArn }).Attributes)[key], 'true');
  assert.equal(set('false')[key], 'false');
  assert.deepEqual(region.tables.get('load-balancer', idOf(LoadBalancerArn))!.attributes, { [key]: 'false' });
});

test('attributes: only what differs from the default is kept, and all is answered', () => {
  const { region, LoadBalancerArn, onLoadBalancer, read } = prepare();
  const kept = () => region.tables.get('load-balancer', idOf(LoadBalancerArn))!.attributes;
  const given = { 'idle_timeout.timeout_seconds': '4000', 'routing.http2.enabled': 'true' };
  const answer = read(region.accepted(modifyLoadBalancerAttributes, onLoadBalancer(given)).Attributes);
  assert.equal(answer['idle_timeout.timeout_seconds'], '4000');
  assert.equal(Object.keys(answer).length, 23);
  assert.deepEqual(kept(), { 'idle_timeout.timeout_seconds': '4000' });
  region.unchanged(() => region.accepted(modifyLoadBalancerAttributes, onLoadBalancer(given)));
  region.accepted(modifyLoadBalancerAttributes, onLoadBalancer({ 'idle_timeout.timeout_seconds': '60' }));
  assert.deepEqual(kept(), {});
});

test('ModifyLoadBalancerAttributes: keys, values and contradictions are refused, with everything else in the call', () => {
  const { region, LoadBalancerArn, onLoadBalancer } = prepare();
  const fine = { 'idle_timeout.timeout_seconds': '100' };
  for (const wrong of [
    { 'idle_timeout.timeout_seconds': '0' },
    { 'idle_timeout.timeout_seconds': '4001' },
    { 'idle_timeout.timeout_seconds': '060' },
    { 'idle_timeout.timeout_seconds': '1e2' },
    { 'client_keep_alive.seconds': '59' },
    { 'client_keep_alive.seconds': '604801' },
    { 'deletion_protection.enabled': 'yes' },
    { 'load_balancing.cross_zone.enabled': 'false' },
    { 'routing.http.desync_mitigation_mode': 'off' },
    { 'access_logs.s3.prefix': 'a'.repeat(1025) },
    { 'deregistration_delay.timeout_seconds': '1' },
    { constructor: 'a' },
    { '': 'a' },
  ] as Values[]) {
    region.refused(modifyLoadBalancerAttributes, onLoadBalancer({ ...fine, ...wrong }), 'ValidationError');
  }
  for (const logs of ['access_logs', 'connection_logs', 'health_check_logs']) {
    const enabled = { [`${logs}.s3.enabled`]: 'true' };
    region.refused(modifyLoadBalancerAttributes, onLoadBalancer(enabled), 'InvalidConfigurationRequest');
    region.accepted(modifyLoadBalancerAttributes, onLoadBalancer({ ...enabled, [`${logs}.s3.bucket`]: 'bucket' }));
    const without = onLoadBalancer({ [`${logs}.s3.bucket`]: '' });
    region.refused(modifyLoadBalancerAttributes, without, 'InvalidConfigurationRequest');
  }
  const attribute = { Key: 'routing.http2.enabled', Value: 'true' };
  for (const Attributes of [[], [{ Key: attribute.Key }], [{ Value: 'a' }], [attribute, attribute]]) {
    region.refused(modifyLoadBalancerAttributes, { LoadBalancerArn, Attributes }, 'ValidationError');
  }
  const Attributes = Array.from({ length: 21 }, () => attribute);
  region.refused(modifyLoadBalancerAttributes, { LoadBalancerArn, Attributes }, 'ValidationError');
});

test('ModifyTargetGroupAttributes: keys, values and contradictions are refused', () => {
  const { region, onGroup } = prepare();
  const health = 'target_group_health';
  for (const wrong of [
    { 'deregistration_delay.timeout_seconds': '3601' },
    { 'slow_start.duration_seconds': '29' },
    { 'stickiness.type': 'source_ip' },
    { 'stickiness.lb_cookie.duration_seconds': '0' },
    { 'stickiness.app_cookie.cookie_name': 'a b' },
    { 'load_balancing.algorithm.type': 'random' },
    { [`${health}.unhealthy_state_routing.minimum_healthy_targets.count`]: 'off' },
    { [`${health}.unhealthy_state_routing.minimum_healthy_targets.percentage`]: '101' },
  ] as Values[]) {
    region.refused(modifyTargetGroupAttributes, onGroup(wrong), 'ValidationError');
  }
  for (const wrong of [
    { 'lambda.multi_value_headers.enabled': 'true' },
    { 'proxy_protocol_v2.enabled': 'true' },
    { 'stickiness.enabled': 'true', 'stickiness.type': 'app_cookie' },
    { 'stickiness.app_cookie.cookie_name': 'AWSALBTG' },
    { 'load_balancing.algorithm.anomaly_mitigation': 'on' },
    { 'slow_start.duration_seconds': '30', 'load_balancing.algorithm.type': 'least_outstanding_requests' },
    {
      [`${health}.dns_failover.minimum_healthy_targets.percentage`]: '49',
      [`${health}.unhealthy_state_routing.minimum_healthy_targets.percentage`]: '50',
    },
  ] as Values[]) {
    region.refused(modifyTargetGroupAttributes, onGroup(wrong), 'InvalidConfigurationRequest');
  }
  region.accepted(
    modifyTargetGroupAttributes,
    onGroup({
      'deregistration_delay.timeout_seconds': '0',
      'slow_start.duration_seconds': '900',
      'stickiness.enabled': 'true',
      'stickiness.type': 'app_cookie',
      'stickiness.app_cookie.cookie_name': 'session',
      [`${health}.dns_failover.minimum_healthy_targets.count`]: 'off',
      [`${health}.unhealthy_state_routing.minimum_healthy_targets.count`]: '3',
    }),
  );
  for (const wrong of [
    { 'load_balancing.cross_zone.enabled': 'false' },
    { 'load_balancing.algorithm.type': 'weighted_random', 'slow_start.duration_seconds': '0' },
  ] as Values[]) {
    const message = region.refused(modifyTargetGroupAttributes, onGroup(wrong), 'InvalidConfigurationRequest');
    assert.match(message, /^Stickiness is not supported w/);
    region.accepted(modifyTargetGroupAttributes, onGroup({ ...wrong, 'stickiness.enabled': 'false' }));
    region.refused(
      modifyTargetGroupAttributes,
      onGroup({ 'stickiness.enabled': 'true' }),
      'InvalidConfigurationRequest',
    );
    region.accepted(
      modifyTargetGroupAttributes,
      onGroup({
        'load_balancing.cross_zone.enabled': 'true',
        'load_balancing.algorithm.type': 'round_robin',
        'slow_start.duration_seconds': '900',
        'stickiness.enabled': 'true',
      }),
    );
  }
  const slowStartStays = onGroup({ 'load_balancing.algorithm.type': 'weighted_random' });
  region.refused(modifyTargetGroupAttributes, slowStartStays, 'InvalidConfigurationRequest');
});

test('attributes: every number is held to the range that AWS documents, with its ends and its one word beside it', () => {
  const { region, onLoadBalancer, onGroup } = prepare();
  const health = 'target_group_health';
  const minimum = 'minimum_healthy_targets';
  const loadBalancerRanges = [
    ['client_keep_alive.seconds', ['60', '604800'], ['59', '604801', 'off']],
    ['idle_timeout.timeout_seconds', ['1', '4000'], ['0', '4001', '-1']],
  ] as const;
  for (const [key, fine, wrong] of loadBalancerRanges) {
    for (const value of fine) region.accepted(modifyLoadBalancerAttributes, onLoadBalancer({ [key]: value }));
    for (const value of [...wrong, '', ' 60', '60.0', '6e1']) {
      region.refused(modifyLoadBalancerAttributes, onLoadBalancer({ [key]: value }), 'ValidationError');
    }
  }
  const groupRanges = [
    ['deregistration_delay.timeout_seconds', ['0', '3600'], ['-1', '3601', 'off']],
    ['stickiness.lb_cookie.duration_seconds', ['1', '604800'], ['0', '604801', 'off']],
    ['stickiness.app_cookie.duration_seconds', ['1', '604800'], ['0', '604801', 'off']],
    ['slow_start.duration_seconds', ['0', '30', '900'], ['29', '901', 'off']],
    [`${health}.dns_failover.${minimum}.count`, ['off', '1'], ['0']],
    [`${health}.dns_failover.${minimum}.percentage`, ['off', '1', '100'], ['0', '101']],
    [`${health}.unhealthy_state_routing.${minimum}.count`, ['1'], ['0', 'off']],
    [`${health}.unhealthy_state_routing.${minimum}.percentage`, ['off', '1', '100'], ['0', '101']],
  ] as const;
  for (const [key, fine, wrong] of groupRanges) {
    for (const value of fine) region.accepted(modifyTargetGroupAttributes, onGroup({ [key]: value }));
    for (const value of [...wrong, '', ' 30', '30.0', '3e1']) {
      region.refused(modifyTargetGroupAttributes, onGroup({ [key]: value }), 'ValidationError');
    }
  }
});

test('attributes: of what is not there are refused', () => {
  const { region, LoadBalancerArn, TargetGroupArn } = prepare();
  const missing = (arn: string) => arn.replace(idOf(arn), 'f'.repeat(16));
  const Attributes = [{ Key: 'a', Value: 'b' }];
  const loadBalancer = { LoadBalancerArn: missing(LoadBalancerArn), Attributes };
  const group = { TargetGroupArn: missing(TargetGroupArn), Attributes };
  region.refused(describeLoadBalancerAttributes, loadBalancer, 'LoadBalancerNotFound');
  region.refused(modifyLoadBalancerAttributes, loadBalancer, 'LoadBalancerNotFound');
  region.refused(describeTargetGroupAttributes, group, 'TargetGroupNotFound');
  region.refused(modifyTargetGroupAttributes, group, 'TargetGroupNotFound');
  region.refused(modifyTargetGroupAttributes, { TargetGroupArn: LoadBalancerArn, Attributes }, 'ValidationError');
});

test('attributes: other folders read the effective value, as text or as a number', () => {
  const document = {
    type: 'application',
    scheme: 'internal',
    attributes: { 'idle_timeout.timeout_seconds': '5' },
  } as const;
  assert.equal(attributeNumber(loadBalancerAttribute(document, 'idle_timeout.timeout_seconds')), 5);
  assert.equal(attributeNumber(loadBalancerAttribute(document, 'client_keep_alive.seconds')), 3600);
  const percentage = 'target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage';
  assert.equal(
    attributeNumber(targetGroupAttribute({ targetType: 'ip', protocol: 'HTTP', attributes: {} }, percentage)),
    undefined,
  );
});
