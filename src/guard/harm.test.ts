import assert from 'node:assert/strict';
import test from 'node:test';
import type { Tables } from '#journal/tables.ts';
import { type Change, put, remove } from '#model/change.ts';
import { describeHarm, harm } from './harm.ts';
import { placement, serving, target } from './test-serving.ts';

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
  assert.deepEqual(gone('placement', 'lb/p2'), []);
  assert.deepEqual(gone('placement', 'lb/p1', 'lb/p2'), ['web last-address-gone']);
  assert.deepEqual(gone('target', 'tg/t1'), []);
  assert.deepEqual(gone('target', 'tg/t1', 'tg/t2'), ['web last-target-gone']);
});

test('harm: security groups harm when they let in nobody any more, and not when they let in others', () => {
  const view = serving();
  const letsIn = (fromPort: number, toPort: number, ...cidrs: string[]) => {
    const before = view.get('load-balancer', 'lb')!;
    return put(view, 'load-balancer', 'lb', { ...before, ingress: [{ fromPort, toPort, cidrs }] });
  };
  const closed = ['web closed-to-everybody'];
  assert.deepEqual(reasons(view, [letsIn(81, 90, '10.0.0.0/8')]), []);
  assert.deepEqual(reasons(view, [letsIn(82, 90, '10.0.0.0/8')]), closed);
  assert.deepEqual(reasons(view, [letsIn(0, 65_535)]), closed);
  view.apply(2, [letsIn(0, 65_535)], 0);
  assert.deepEqual(reasons(view, [letsIn(82, 90, '10.0.0.0/8')]), [], 'it was closed before');
});

test('harm: draining the last target, and failing the last address, count like removing them', () => {
  const view = serving();
  assert.deepEqual(reasons(view, [put(view, 'target', 'tg/t1', draining), remove(view, 'target', 'tg/t2')]), [
    'web last-target-gone',
  ]);
  const failed = { ...placement('node-1'), state: { kind: 'failed', reason: 'x' } } as const;
  assert.deepEqual(reasons(view, [put(view, 'placement', 'lb/p1', failed), remove(view, 'placement', 'lb/p2')]), [
    'web last-address-gone',
  ]);
});

test('harm: an address that leaves is relied on until another serves, wherever the others are known', () => {
  const view = serving();
  const leaving = { ...placement('node-1'), state: { kind: 'leaving', sinceMs: 1 } } as const;
  const pending = { ...placement('node-2'), state: { kind: 'pending' } } as const;
  view.apply(2, [put(view, 'placement', 'lb/p2', pending)], 0);
  assert.deepEqual(reasons(view, [put(view, 'placement', 'lb/p1', leaving)]), []);
  assert.deepEqual(reasons(view, [put(view, 'placement', 'lb/p1', leaving), remove(view, 'placement', 'lb/p2')]), [
    'web last-address-gone',
  ]);
  view.apply(3, [put(view, 'placement', 'lb/p1', leaving)], 0);
  assert.deepEqual(reasons(view, [remove(view, 'placement', 'lb/p1')]), ['web last-address-gone']);
  view.apply(4, [put(view, 'placement', 'lb/p2', placement('node-2'))], 0);
  assert.deepEqual(reasons(view, [remove(view, 'placement', 'lb/p1')]), []);
  assert.deepEqual(reasons(view, [remove(view, 'placement', 'lb/p2')]), ['web last-address-gone']);
});

test('harm: what serves nobody is not harmed, and removing a drained target harms nobody', () => {
  const view = serving();
  view.apply(2, [put(view, 'target', 'tg/t1', draining)], 0);
  assert.deepEqual(reasons(view, [remove(view, 'target', 'tg/t1')]), []);
  view.apply(3, [remove(view, 'listener', 'l1'), remove(view, 'listener', 'l2')], 0);
  assert.deepEqual(reasons(view, [remove(view, 'load-balancer', 'lb')]), []);
});

test('harm: a description names the first three and counts the others', () => {
  const one = { loadBalancerId: 'x', account: '1', name: 'n', reason: 'deleted' } as const;
  assert.match(describeHarm([one, one, one, one, one]), /^5 load balancers would stop serving: .* and 2 more$/);
});
