import assert from 'node:assert/strict';
import test from 'node:test';
import { Tables } from '#journal/tables.ts';
import { type Change, put, remove } from '#model/change.ts';
import type { Documents } from '#model/documents.ts';
import { sampleLoadBalancer, sampleTargetGroup } from '#model/test-documents.ts';
import { judge } from './guard.ts';
import { describeHarm, harm } from './harm.ts';

const forward = { kind: 'forward', groups: [{ targetGroupId: 'tg', weight: 1 }] } as const;
const target = (port: number): Documents['target'] => ({
  targetGroupId: 'tg',
  address: '127.0.0.1',
  port,
  state: { kind: 'registered', sinceMs: 0 },
});
const placement = (nodeId: string): Documents['placement'] => ({
  loadBalancerId: 'lb',
  nodeId,
  zone: 'a',
  address: '127.80.0.1',
  state: { kind: 'serving', sinceMs: 0 },
});

/** One serving load balancer: two listeners, two addresses, two targets. */
function serving(): Tables {
  const tables = new Tables();
  const listener = { loadBalancerId: 'lb', protocol: 'HTTP', port: 80, createdAtMs: 0, tags: [] } as const;
  const changes = [
    put(tables, 'load-balancer', 'lb', sampleLoadBalancer),
    put(tables, 'target-group', 'tg', sampleTargetGroup),
    put(tables, 'target', 't1', target(1)),
    put(tables, 'target', 't2', target(2)),
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
    put(tables, 'placement', 'p1', placement('node-1')),
    put(tables, 'placement', 'p2', placement('node-2')),
  ];
  tables.apply(1, changes, 0);
  return tables;
}

function reasons(view: Tables, changes: readonly Change[]): string[] {
  return harm(view, changes).map(({ name, reason }) => `${name} ${reason}`);
}

const draining = { ...target(1), state: { kind: 'draining', sinceMs: 1, untilMs: 2 } } as const;

test('harm: a load balancer is harmed when it, its last listener, address or target goes, and not before', () => {
  const view = serving();
  const gone = (kind: 'load-balancer' | 'listener' | 'placement' | 'target', ...ids: string[]) =>
    reasons(
      view,
      ids.map((id) => remove(view, kind, id)),
    );
  assert.deepEqual(gone('load-balancer', 'lb'), ['web deleted']);
  assert.deepEqual(gone('listener', 'l1'), []);
  assert.deepEqual(gone('listener', 'l1', 'l2'), ['web last-listener-gone']);
  assert.deepEqual(gone('placement', 'p2'), []);
  assert.deepEqual(gone('placement', 'p1', 'p2'), ['web last-address-gone']);
  assert.deepEqual(gone('target', 't1'), []);
  assert.deepEqual(gone('target', 't1', 't2'), ['web last-target-gone']);
});

test('harm: draining the last target, and failing the last address, count like removing them', () => {
  const view = serving();
  assert.deepEqual(reasons(view, [put(view, 'target', 't1', draining), remove(view, 'target', 't2')]), [
    'web last-target-gone',
  ]);
  const failed = { ...placement('node-1'), state: { kind: 'failed', reason: 'x' } } as const;
  assert.deepEqual(reasons(view, [put(view, 'placement', 'p1', failed), remove(view, 'placement', 'p2')]), [
    'web last-address-gone',
  ]);
});

test('harm: an address that leaves is relied on until another serves, wherever the others are known', () => {
  const view = serving();
  const leaving = { ...placement('node-1'), state: { kind: 'leaving', sinceMs: 1 } } as const;
  const pending = { ...placement('node-2'), state: { kind: 'pending' } } as const;
  view.apply(2, [put(view, 'placement', 'p2', pending)], 0);
  assert.deepEqual(reasons(view, [put(view, 'placement', 'p1', leaving)]), []);
  assert.deepEqual(reasons(view, [put(view, 'placement', 'p1', leaving), remove(view, 'placement', 'p2')]), [
    'web last-address-gone',
  ]);
  view.apply(3, [put(view, 'placement', 'p1', leaving)], 0);
  assert.deepEqual(reasons(view, [remove(view, 'placement', 'p1')]), ['web last-address-gone']);
  view.apply(4, [put(view, 'placement', 'p2', placement('node-2'))], 0);
  assert.deepEqual(reasons(view, [remove(view, 'placement', 'p1')]), []);
  assert.deepEqual(reasons(view, [remove(view, 'placement', 'p2')]), ['web last-address-gone']);
});

test('harm: what serves nobody is not harmed, and removing a drained target harms nobody', () => {
  const view = serving();
  view.apply(2, [put(view, 'target', 't1', draining)], 0);
  assert.deepEqual(reasons(view, [remove(view, 'target', 't1')]), []);
  view.apply(3, [remove(view, 'listener', 'l1'), remove(view, 'listener', 'l2')], 0);
  assert.deepEqual(reasons(view, [remove(view, 'load-balancer', 'lb')]), []);
});

test('guard: an owner may delete, a workflow and a maintenance process may not harm', () => {
  const view = serving();
  const changes = [remove(view, 'load-balancer', 'lb')];
  const cause = (channel: 'api' | 'restore' | 'workflow' | 'maintenance') =>
    ({ principal: 'someone', channel, action: 'Clean', requestId: 'r' }) as const;
  assert.equal(judge(view, changes, cause('api')).kind, 'admit');
  assert.equal(judge(view, changes, cause('restore')).kind, 'admit');
  for (const channel of ['workflow', 'maintenance'] as const) {
    const verdict = judge(view, changes, cause(channel));
    assert(verdict.kind === 'refuse');
    assert.equal(
      verdict.reason,
      `${channel} Clean is refused: 1 load balancer would stop serving: 000000000000/web (deleted)`,
    );
    assert.equal(judge(view, [remove(view, 'listener', 'l1')], cause(channel)).kind, 'admit');
  }
});

test('guard: a description names the first three and counts the others', () => {
  const one = { loadBalancerId: 'x', account: '1', name: 'n', reason: 'deleted' } as const;
  assert.match(describeHarm([one, one, one, one, one]), /^5 load balancers would stop serving: .* and 2 more$/);
});
