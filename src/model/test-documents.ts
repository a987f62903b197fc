/** Plain documents for tests, which change what matters to them. */
import type { Documents } from './documents.ts';

export const sampleLoadBalancer: Documents['load-balancer'] = {
  account: '000000000000',
  name: 'web',
  type: 'application',
  scheme: 'internet-facing',
  ipAddressType: 'ipv4',
  vpcId: 'vpc-1',
  zones: [],
  securityGroups: [],
  dnsName: 'web-1.us-east-1.elb.ballast.internal',
  createdAtMs: 0,
  attributes: {},
  tags: [],
};

export const sampleTargetGroup: Documents['target-group'] = {
  account: '000000000000',
  name: 'targets',
  targetType: 'ip',
  protocol: 'HTTP',
  protocolVersion: 'HTTP1',
  ipAddressType: 'ipv4',
  port: 80,
  vpcId: 'vpc-1',
  healthCheck: {
    enabled: true,
    protocol: 'HTTP',
    port: 'traffic-port',
    path: '/',
    intervalSeconds: 30,
    timeoutSeconds: 5,
    healthyThresholdCount: 5,
    unhealthyThresholdCount: 2,
    matcher: '200',
  },
  createdAtMs: 0,
  attributes: {},
  tags: [],
};
