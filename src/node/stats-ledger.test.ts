import assert from 'node:assert/strict';
import test from 'node:test';
import {
  addLoadBalancers,
  groupNumbers,
  type LoadBalancerStats,
  loadBalancerNumbers,
  type ProxyStats,
} from '#proxy/stats.ts';
import { hostStats } from './hosts.ts';
import { StatsLedger } from './stats-ledger.ts';

const zeros = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, 0])) as never;

/** A worker that has taken so many requests for a load balancer, and has a connection open. */
function worker(requests: Readonly<Record<string, number>>): ProxyStats {
  const loadBalancers = Object.entries(requests).map(([id, count]): LoadBalancerStats => {
    const group = {
      ...(zeros(groupNumbers) as LoadBalancerStats['targetGroups'][number]),
      id: `group-of-${id}`,
      ipv6Requests: 0,
      requests: count,
      activeConnections: 1,
      responses: { '1xx': 0, '2xx': count, '3xx': 0, '4xx': 0, '5xx': 0 },
      responseTime: { pairs: [[10, count]], count, sumMicroseconds: 10 * count } as const,
    };
    return {
      ...(zeros(loadBalancerNumbers) as LoadBalancerStats),
      id,
      ipv6Requests: 0,
      ipv6Bytes: 0,
      requests: count,
      activeConnections: 1,
      elbResponses: { 503: count },
      targetGroups: [group],
    };
  });
  const others = { idleTargetConnections: 0, droppedLogLines: 0, targets: [], targetsLeftOut: 0 };
  return { activeConnections: loadBalancers.length, loadBalancers, ...others };
}

const requestsOf = ({ loadBalancers }: ProxyStats) =>
  Object.fromEntries(loadBalancers.map(({ id, requests }) => [id, requests]));

test('stats ledger: a worker that does not answer counts as it last did', () => {
  const ledger = new StatsLedger();
  ledger.add([
    { worker: 1, stats: worker({ a: 5 }) },
    { worker: 2, stats: worker({ a: 7 }) },
  ]);
  const sums = ledger.add([
    { worker: 1, stats: worker({ a: 6 }) },
    { worker: 2, stats: undefined },
  ]);
  assert.deepEqual(requestsOf(sums), { a: 13 });
});

test('stats ledger: what a worker had counted that has ended stays, but for what was open', () => {
  const ledger = new StatsLedger();
  ledger.add([
    { worker: 1, stats: worker({ a: 5 }) },
    { worker: 2, stats: worker({ a: 7 }) },
  ]);
  for (const more of [0, 1]) {
    const sums = ledger.add([
      { worker: 2, stats: worker({ a: 7 + more }) },
      { worker: 3, stats: worker({ a: more }) },
    ]);
    assert.deepEqual(requestsOf(sums), { a: 12 + 2 * more });
    const [{ activeConnections, targetGroups, elbResponses }] = sums.loadBalancers as [LoadBalancerStats];
    assert.deepEqual([activeConnections, targetGroups[0]!.activeConnections], [2, 2]);
    assert.deepEqual([elbResponses[503], targetGroups[0]!.responseTime.count], [12 + 2 * more, 12 + 2 * more]);
  }
});

test('stats ledger: of what no worker serves any more nothing stays', () => {
  const ledger = new StatsLedger();
  ledger.add([
    { worker: 1, stats: worker({ a: 5, b: 1 }) },
    { worker: 2, stats: worker({ a: 7, b: 2 }) },
  ]);
  ledger.add([{ worker: 2, stats: worker({ a: 7, b: 2 }) }]);
  assert.deepEqual(requestsOf(ledger.add([{ worker: 2, stats: worker({ a: 8 }) }])), { a: 13 });
  // Made again under the same id, it begins anew.
  assert.deepEqual(requestsOf(ledger.add([{ worker: 2, stats: worker({ a: 8, b: 1 }) }])), { a: 13, b: 1 });
});

test('stats: the same load balancer of two families is one', () => {
  const [four] = worker({ a: 3 }).loadBalancers;
  const sum = addLoadBalancers([four!, { ...four!, ipv6Requests: 3, ipv6Bytes: 9 }]);
  assert.deepEqual([sum.requests, sum.ipv6Requests, sum.ipv6Bytes, sum.targetGroups.length], [6, 3, 9, 1]);
});

test('hosts: targets are counted by what the tables say of them, each group of a load balancer once', () => {
  const target = (port: number, state: 'healthy' | 'unhealthy' | 'initial' | 'draining') => ({
    key: `g/127.0.0.1:${port}`,
    address: '127.0.0.1',
    port,
    state,
  });
  const states = ['healthy', 'healthy', 'unhealthy', 'initial', 'draining'] as const;
  const group = {
    id: 'g',
    name: 'g',
    algorithm: 'round_robin' as const,
    targets: states.map((state, port) => target(port, state)),
    eligible: [0, 1],
  };
  const table = { loadBalancer: { id: 'a' }, groups: [group] };
  const open = { loadBalancer: { id: 'b' }, groups: [{ ...group, isFailingOpen: true as const }] };
  const counts = { healthy: 2, unhealthy: 1, registered: 4, anomalous: 1, mitigated: 2 };
  const of = { targetGroupId: 'g', ...counts, isOfFunctions: false };
  const anomalies = [{ targetGroupId: 'g', anomalous: 1, mitigated: 2 }];
  for (let round = 0; round < 2; round += 1) {
    assert.deepEqual(hostStats([table, table, open] as never, anomalies), [
      { loadBalancerId: 'a', ...of, isFailingOpen: false },
      { loadBalancerId: 'b', ...of, isFailingOpen: true },
    ]);
  }
  const [well] = hostStats([table] as never, []);
  assert.deepEqual([well?.anomalous, well?.mitigated], [0, 0]);
});
