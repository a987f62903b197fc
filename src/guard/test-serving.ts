/** States with load balancers that serve, for tests of what harms them. */
import { Tables } from '#journal/tables.ts';
import { put } from '#model/change.ts';
import type { Documents } from '#model/documents.ts';
import { sampleLoadBalancer, sampleTargetGroup } from '#model/test-documents.ts';

const forward = { kind: 'forward', groups: [{ targetGroupId: 'tg', weight: 1 }] } as const;
export const target = (port: number): Documents['target'] => ({
  targetGroupId: 'tg',
  address: '127.0.0.1',
  port,
  state: { kind: 'registered', sinceMs: 0 },
});
export const placement = (nodeId: string): Documents['placement'] => ({
  loadBalancerId: 'lb',
  nodeId,
  zone: 'a',
  address: '127.80.0.1',
  state: { kind: 'serving', sinceMs: 0 },
});

/** One serving load balancer: two listeners, two addresses, two targets. */
export function serving(): Tables {
  const tables = new Tables();
  const listener = { loadBalancerId: 'lb', protocol: 'HTTP', port: 80, createdAtMs: 0, tags: [] } as const;
  const changes = [
    put(tables, 'load-balancer', 'lb', sampleLoadBalancer),
    put(tables, 'target-group', 'tg', sampleTargetGroup),
    put(tables, 'target', 'tg/t1', target(1)),
    put(tables, 'target', 'tg/t2', target(2)),
    put(tables, 'listener', 'l1', listener),
    put(tables, 'listener', 'l2', { ...listener, port: 81 }),
    put(tables, 'rule', 'r1', {
      listenerId: 'l1',
      priority: 'default',
      conditions: [],
      actions: [forward],
      transforms: [],
      tags: [],
    }),
    put(tables, 'placement', 'lb/p1', placement('node-1')),
    put(tables, 'placement', 'lb/p2', placement('node-2')),
  ];
  tables.apply(1, changes, 0);
  return tables;
}

/** So many load balancers with a listener and an address each, those of account `111111111111` first. */
export function region(counts: readonly (readonly [account: string, count: number])[]): Tables {
  const tables = new Tables();
  let number = 0;
  const changes = counts.flatMap(([account, count]) =>
    Array.from({ length: count }, () => {
      number += 1;
      const id = `lb${number}`;
      const name = `web-${number}`;
      return [
        put(tables, 'load-balancer', id, { ...sampleLoadBalancer, account, name, dnsName: name }),
        put(tables, 'listener', `l${number}`, {
          loadBalancerId: id,
          protocol: 'HTTP',
          port: 80,
          createdAtMs: 0,
          tags: [],
        }),
        put(tables, 'placement', `${id}/node-1`, {
          ...placement('node-1'),
          loadBalancerId: id,
          address: `127.80.0.${number}`,
        }),
      ];
    }).flat(),
  );
  tables.apply(1, changes, 0);
  return tables;
}
