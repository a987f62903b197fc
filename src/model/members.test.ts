import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Documents, Tag } from './documents.ts';
import { memberChanges, membersOf, sameValue, shownDocument, withMembers } from './members.ts';
import { sampleLoadBalancer, sampleTargetGroup } from './test-documents.ts';

const group: Documents['target-group'] = {
  ...sampleTargetGroup,
  name: 'web',
  attributes: { 'deregistration_delay.timeout_seconds': '5' },
  tags: [
    { key: 'team', value: 'video' },
    { key: 'stage', value: 'live' },
  ],
};

test('members: attributes and tags are one each, other values are whole', () => {
  const members = membersOf(group);
  assert.equal(members.get('attributes.deregistration_delay.timeout_seconds'), '5');
  assert.equal(members.get('tags.stage'), 'live');
  assert.equal(members.get('healthCheck'), group.healthCheck);
  assert(!members.has('tags') && !members.has('attributes'));
});

test('members: new values take their place, and the order of tags stays', () => {
  const changed = withMembers(
    group,
    new Map<string, unknown>([
      ['port', 81],
      ['attributes.deregistration_delay.timeout_seconds', undefined],
      ['attributes.slow_start.duration_seconds', '40'],
      ['tags.team', 'audio'],
      ['tags.owner', 'ada'],
      ['tags.stage', undefined],
    ]),
  );
  assert.deepEqual(changed, {
    ...group,
    port: 81,
    attributes: { 'slow_start.duration_seconds': '40' },
    tags: [
      { key: 'team', value: 'audio' },
      { key: 'owner', value: 'ada' },
    ],
  });
  assert.equal(group.tags.length, 2, 'the document itself is left alone');
});

test('members: an attribute finds its place in a document that had none', () => {
  const listener: Documents['listener'] = { loadBalancerId: 'a', protocol: 'HTTP', port: 80, createdAtMs: 0, tags: [] };
  const key = 'routing.http.response.server.enabled';
  const changed = withMembers(listener, new Map([[`attributes.${key}`, 'false']]));
  assert.deepEqual(changed.attributes, { [key]: 'false' });
  assert.deepEqual(memberChanges(listener, changed), [{ member: `attributes.${key}`, after: 'false' }]);
});

test('members: what differs is shown by its path', () => {
  const after = { ...group, healthCheck: { ...group.healthCheck, path: '/up' }, tags: [], name: 'web' };
  assert.deepEqual(memberChanges(group, after), [
    { member: 'healthCheck.path', before: '/', after: '/up' },
    { member: 'tags.team', before: 'video' },
    { member: 'tags.stage', before: 'live' },
  ]);
  assert.deepEqual(memberChanges(group, structuredClone(group)), []);
  assert.deepEqual(
    memberChanges(null, group)
      .map(({ member }) => member)
      .filter((member) => /health|tags/.test(member)).length,
    11,
  );
  assert(memberChanges(group, null).every((change) => !('after' in change)));
});

test('members: a secret is never shown', () => {
  const key = { principalId: '000000000000/ada', sealedSecret: 'k1.abc', createdAtMs: 1 };
  assert.deepEqual(memberChanges(key, { ...key, sealedSecret: 'k2.def' }), [
    { member: 'sealedSecret', before: '(sealed)', after: '(sealed)' },
  ]);
  assert.deepEqual(shownDocument(key), { ...key, sealedSecret: '(sealed)' });
});

test('members: a member that is undefined is one that is not there', () => {
  assert(sameValue({ a: 1, b: undefined }, { a: 1 }) && sameValue({ a: 1 }, { b: undefined, a: 1 }));
  assert(!sameValue({ a: 1 }, { a: 1, b: null }) && !sameValue([1], { 0: 1 }) && !sameValue([1], [1, 2]));
});

test('members: values are the same exactly when their JSON is, but for the order of members', () => {
  const reordered = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(reordered);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .map(([name, inner]) => [name, reordered(inner)])
        .toReversed(),
    );
  };
  const json = fc.jsonValue({ maxDepth: 3 });
  fc.assert(
    fc.property(json, json, (one, other) => {
      assert(sameValue(one, reordered(one)));
      assert.equal(sameValue(one, other), canonical(one) === canonical(other));
    }),
  );
});

test('members: a document taken apart and put together over another is the same document', () => {
  const text = fc.string({ maxLength: 5 });
  const documents = fc
    .record({ port: fc.nat(), attributes: fc.dictionary(text, text), tags: fc.dictionary(text, text) })
    .map(({ port, attributes, tags }) => ({
      ...sampleLoadBalancer,
      port,
      attributes: { ...attributes },
      tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
    }));
  fc.assert(
    fc.property(documents, documents, (one, other) => {
      const values = new Map<string, unknown>([...membersOf(other).keys()].map((member) => [member, undefined]));
      for (const [member, value] of membersOf(one)) values.set(member, value);
      const inOrder = (tags: readonly Tag[]) => tags.toSorted((a, b) => (a.key < b.key ? -1 : 1));
      const made = withMembers(other, values);
      assert.deepEqual({ ...made, tags: inOrder(made.tags) }, { ...one, tags: inOrder(one.tags) });
    }),
  );
});

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
