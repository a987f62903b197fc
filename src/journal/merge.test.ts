import assert from 'node:assert/strict';
import test from 'node:test';
import type { Documents } from '#model/documents.ts';
import { sampleLoadBalancer, sampleTargetGroup } from '#model/test-documents.ts';
import { mergeDocument } from './merge.ts';

const lb = sampleLoadBalancer;
const other = { ...lb, tags: [{ key: 'team', value: 'audio' }] };
const third = { ...lb, tags: [{ key: 'team', value: 'news' }] };

test('merge: what happened is taken back where nothing came later', () => {
  const cases: [Documents['load-balancer'] | null, Documents['load-balancer'] | null][] = [
    [lb, other],
    [lb, null],
    [null, lb],
  ];
  for (const [base, theirs] of cases) {
    const ours = structuredClone(theirs);
    assert.deepEqual(mergeDocument('load-balancer', { base, theirs, ours }), { document: base });
  }
});

test('merge: what was put right since stays as it is, exactly', () => {
  for (const [base, theirs, ours] of [
    [lb, other, structuredClone(lb)],
    [lb, null, structuredClone(lb)],
    [lb, structuredClone(lb), other],
    [null, lb, null],
  ]) {
    const merged = mergeDocument('load-balancer', { base: base!, theirs: theirs!, ours: ours! });
    assert.equal(merged.document, ours);
    assert.equal(merged.conflict, undefined);
  }
});

test('merge: later changes of other members stay', () => {
  const base = { ...sampleTargetGroup, attributes: { a: '1', b: '1' } };
  const theirs = { ...base, attributes: { a: '2', c: '2' }, tags: [{ key: 'k', value: 'theirs' }] };
  const ours = { ...theirs, attributes: { a: '2', c: '2', d: '3' }, healthCheck: { ...base.healthCheck, path: '/up' } };
  assert.deepEqual(mergeDocument('target-group', { base, theirs, ours }), {
    document: { ...base, attributes: { a: '1', b: '1', d: '3' }, healthCheck: ours.healthCheck },
  });
});

test('merge: a member that both changed is a conflict, and decided for one side', () => {
  const sides = {
    base: { ...lb, scheme: 'internal' as const },
    theirs: { ...other, scheme: 'internet-facing' as const },
    ours: { ...third, scheme: 'internet-facing' as const },
  };
  sides.base = { ...sides.base, tags: [{ key: 'team', value: 'video' }] };
  const undecided = mergeDocument('load-balancer', sides);
  assert.deepEqual(undecided, { document: { ...sides.ours, scheme: 'internal' }, conflict: ['tags.team'] });
  const decided = (keep: 'ours' | 'theirs' | 'base') => {
    const { document, conflict } = mergeDocument('load-balancer', sides, keep);
    assert.equal(conflict, undefined);
    assert.equal(document!.scheme, 'internal');
    return document!.tags[0]!.value;
  };
  assert.deepEqual([decided('ours'), decided('theirs'), decided('base')], ['news', 'audio', 'video']);
});

test('merge: a document that is not there on one side conflicts as a whole', () => {
  for (const [base, theirs, ours] of [
    [lb, null, other],
    [null, lb, other],
    [lb, other, null],
  ] as const) {
    const sides = { base, theirs, ours };
    assert.deepEqual(mergeDocument('load-balancer', sides), { document: ours, conflict: [] });
    for (const keep of ['ours', 'theirs', 'base'] as const) {
      assert.deepEqual(mergeDocument('load-balancer', sides, keep), { document: sides[keep] });
    }
  }
});

const target = (state: Documents['target']['state']): Documents['target'] => ({
  targetGroupId: 'g',
  address: '10.0.0.1',
  port: 80,
  state,
});
const registered = target({ kind: 'registered', sinceMs: 1 });
const draining = target({ kind: 'draining', sinceMs: 5, untilMs: 9 });

test('merge: a target that drains is as good as gone', () => {
  const merge = (base: typeof registered | null, theirs: typeof registered | null, ours: typeof registered | null) =>
    mergeDocument('target', { base, theirs, ours });
  for (const ours of [draining, null]) {
    assert.deepEqual(merge(registered, draining, ours), { document: registered }, 'the deregistration is taken back');
  }
  assert.deepEqual(merge(null, registered, draining), { document: draining }, 'it is on its way out already');
  assert.deepEqual(merge(draining, null, null), { document: null }, 'the end of draining changed nothing');
  const again = target({ kind: 'registered', sinceMs: 7 });
  assert.equal(merge(registered, draining, again).document, again, 'somebody has registered it again');
  assert.deepEqual(merge(null, registered, again), { document: null }, 'when it was registered does not matter');
});

const placement = (address: string, state: Documents['placement']['state']): Documents['placement'] => ({
  loadBalancerId: 'l',
  nodeId: 'n',
  zone: 'a',
  address,
  state,
});

test('merge: whether a placement serves is for its node to say', () => {
  const serving = { kind: 'serving', sinceMs: 1 } as const;
  const failed = { kind: 'failed', reason: 'port in use' } as const;
  const here = placement('127.0.0.1', serving);
  const brokeLater = placement('127.0.0.1', failed);
  assert.equal(
    mergeDocument('placement', { base: here, theirs: placement('127.0.0.1', failed), ours: brokeLater }).document,
    brokeLater,
  );
  assert.deepEqual(mergeDocument('placement', { base: here, theirs: null, ours: null }), {
    document: placement('127.0.0.1', { kind: 'pending' }),
  });
  assert.deepEqual(mergeDocument('placement', { base: null, theirs: here, ours: brokeLater }), { document: null });
  const moved = placement('127.0.0.2', serving);
  assert.deepEqual(mergeDocument('placement', { base: here, theirs: moved, ours: moved }), {
    document: placement('127.0.0.1', { kind: 'pending' }),
  });
});
