/** Counters as nodes tell them, for tests: nothing was counted but what is given. */
import { Histogram } from '#base/histogram.ts';
import type { HostCounts } from '#model/node-counts.ts';
import type { LoadBalancerTraffic } from '#observe/metrics.ts';
import type { NodeCounts } from './minute-book.ts';

/** A whole minute, when nodes begin to count. */
export const beganMs = 1_699_999_800_000;

type Group = LoadBalancerTraffic['targetGroups'][number];

const group: Group = {
  id: 'tg',
  requests: 0,
  withoutTarget: 0,
  nonSticky: 0,
  unhealthyRouting: 0,
  connectErrors: 0,
  newConnections: 0,
  activeConnections: 0,
  ipv6Requests: 0,
  responses: {},
  connectionErrors: 0,
  retries: 0,
  retriesRefused: 0,
  responseTime: new Histogram().toSparse(),
};
export const balancer: LoadBalancerTraffic = {
  id: 'lb',
  requests: 0,
  newConnections: 0,
  activeConnections: 0,
  rejectedConnections: 0,
  blockedConnections: 0,
  bytesIn: 0,
  bytesOut: 0,
  clientGone: 0,
  ruleEvaluations: 0,
  fixedResponses: 0,
  redirects: 0,
  redirectsTooLong: 0,
  nonCompliantRequests: 0,
  droppedInvalidHeaders: 0,
  forwardedInvalidHeaders: 0,
  ipv6Requests: 0,
  ipv6Bytes: 0,
  elbResponses: {},
  targetGroups: [],
};
const hosts: HostCounts = {
  loadBalancerId: 'lb',
  targetGroupId: 'tg',
  healthy: 2,
  unhealthy: 1,
  registered: 4,
  isFailingOpen: false,
  isOfFunctions: false,
  anomalous: 0,
  mitigated: 0,
};

/** What a node has counted, where it is something. */
export interface Seen extends Partial<Omit<NodeCounts, 'loadBalancers' | 'hosts'>> {
  readonly of?: Partial<LoadBalancerTraffic>;
  readonly group?: Partial<Group>;
  readonly hosts?: Partial<HostCounts>;
}

/** What a node tells that has one load balancer with one target group. */
export function node(
  { of, group: ofGroup, hosts: seen, ...rest }: Seen = {},
  { id, groupId } = { id: 'lb', groupId: 'tg' },
): NodeCounts {
  return {
    zone: 'a',
    instance: 'one',
    startedAtMs: beganMs,
    loadBalancers: [{ ...balancer, id, targetGroups: [{ ...group, id: groupId, ...ofGroup }], ...of }],
    hosts: [{ ...hosts, loadBalancerId: id, targetGroupId: groupId, ...seen }],
    functions: [],
    ...rest,
  };
}

export function times(...durationsMs: number[]) {
  const histogram = new Histogram();
  for (const durationMs of durationsMs) histogram.recordMs(durationMs);
  return histogram.toSparse();
}
