import assert from 'node:assert/strict';
import test from 'node:test';
import { Tables } from '#journal/tables.ts';
import type { HealthVerdict } from '#model/health.ts';
import { targetKey } from '#model/keys.ts';
import { sampleTargetGroup } from '#model/test-documents.ts';
import { withSlowStart } from './slow-start.ts';

const targetGroupId = '00000000000000c1';
const healthy: HealthVerdict = { kind: 'healthy' };
const unhealthy: HealthVerdict = { kind: 'unhealthy', reason: 'Target.Timeout', description: '' };
const nowMs = 1_000_000;

function world(attributes: Readonly<Record<string, string>> = { 'slow_start.duration_seconds': '30' }) {
  const view = new Tables();
  view.load({ kind: 'target-group', id: targetGroupId, revision: 1, document: { ...sampleTargetGroup, attributes } });
  const known = new Map<string, HealthVerdict>();
  const add = (port: number, sinceMs: number, verdict?: HealthVerdict): string => {
    const document = { targetGroupId, address: '127.0.0.1', port, state: { kind: 'registered', sinceMs } } as const;
    const id = targetKey(document);
    view.load({ kind: 'target', id, revision: 1, document });
    if (verdict !== undefined) known.set(id, verdict);
    return id;
  };
  const begins = (key: string, verdict: HealthVerdict = healthy) => {
    const kept = withSlowStart(key, verdict, { view, known, nowMs });
    return kept.kind === 'healthy' ? kept.slowStartAtMs : undefined;
  };
  return { add, begins };
}

test('slow start: a target that joins healthy ones goes through it, whoever is first or registered with them does not', () => {
  const { add, begins } = world();
  const first = add(1, 5);
  assert.equal(begins(first), undefined, 'nobody else is there');
  add(2, 5, healthy);
  assert.equal(begins(first), undefined, 'registered with the one that is healthy');
  assert.equal(begins(add(3, 6)), nowMs);
  assert.equal(begins(add(4, 6), unhealthy), undefined);
});

test('slow start: who recovers goes through it, and those that still do are nobody to join', () => {
  const { add, begins } = world();
  const recovering = add(1, 5, unhealthy);
  add(2, 5, { kind: 'healthy', slowStartAtMs: nowMs - 29_999 });
  assert.equal(begins(recovering), undefined);
  add(3, 5, { kind: 'healthy', slowStartAtMs: nowMs - 30_000 });
  assert.equal(begins(recovering), nowMs);
});

test('slow start: there is none unless the group asks for it, and only with round robin', () => {
  const without: readonly Readonly<Record<string, string>>[] = [
    {},
    { 'slow_start.duration_seconds': '30', 'load_balancing.algorithm.type': 'least_outstanding_requests' },
  ];
  for (const attributes of without) {
    const { add, begins } = world(attributes);
    add(1, 1, healthy);
    assert.equal(begins(add(2, 2)), undefined);
  }
});
