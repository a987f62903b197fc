import assert from 'node:assert/strict';
import test from 'node:test';
import type { Documents, Entry, Kind } from '#model/documents.ts';
import { sampleTargetGroup } from '#model/test-documents.ts';
import { type Gathered, gather } from './gather.ts';

const entry = <K extends Kind>(kind: K, id: string, revision: number, document: Documents[K]): Entry =>
  ({ kind, id, revision, document }) as Entry;
const group = (id: string, revision: number, name: string) =>
  entry('target-group', id, revision, { ...sampleTargetGroup, name });
const listener = (id: string, revision: number, port: number) =>
  entry('listener', id, revision, { loadBalancerId: 'lb', protocol: 'HTTP', port, createdAtMs: 0, tags: [] });
const rule = (id: string, revision: number, listenerId: string, priority: 'default' | number) =>
  entry('rule', id, revision, { listenerId, priority, conditions: [], actions: [], transforms: [], tags: [] });
const placement = (id: string, revision: number, address: string) =>
  entry('placement', id, revision, {
    loadBalancerId: id.split('/')[0]!,
    nodeId: 'node-1',
    zone: 'a',
    address,
    state: { kind: 'pending' },
  });
const ids = ({ documents }: Gathered, kind: Kind) => [...documents.all(kind)].map(({ id }) => id).sort();
const gone = ({ displaced }: Gathered) => displaced.map(({ id }) => id).sort();

test('gather: the latest version wins whichever copy has it, and what one copy alone holds is kept', () => {
  const copies = [
    { revision: 9, entries: [group('a', 9, 'a9'), group('b', 2, 'b2')] },
    { revision: 5, entries: [group('a', 4, 'a4'), group('b', 5, 'b5'), group('c', 1, 'c1')] },
  ];
  for (const order of [copies, copies.toReversed()]) {
    const gathered = gather(order);
    const names = [...gathered.documents.all('target-group')].map(({ document }) => document.name);
    assert.deepEqual(names.sort(), ['a9', 'b5', 'c1']);
    assert.deepEqual(
      ['a', 'b', 'c', 'd'].map((id) => gathered.heldAt('target-group', id)),
      [9, 9, 5, 0],
    );
    assert.deepEqual(gathered.displaced, []);
  }
});

test('gather: what a later document has taken the place of is left out with what belonged to it', () => {
  const copies = [
    {
      revision: 9,
      entries: [
        listener('l2', 8, 80),
        rule('r2', 8, 'l2', 'default'),
        rule('r3', 7, 'l3', 10),
        placement('y/1', 9, 'A'),
      ],
    },
    {
      revision: 5,
      entries: [
        listener('l1', 4, 80),
        rule('r1', 4, 'l1', 'default'),
        listener('l3', 1, 81),
        rule('r4', 5, 'l3', 10),
        rule('r5', 5, 'l3', 11),
        placement('x/1', 2, 'A'),
        placement('z/1', 2, 'B'),
      ],
    },
  ];
  for (const order of [copies, copies.toReversed()]) {
    const gathered = gather(order);
    assert.deepEqual(ids(gathered, 'listener'), ['l2', 'l3']);
    assert.deepEqual(ids(gathered, 'rule'), ['r2', 'r3', 'r5']);
    assert.deepEqual(ids(gathered, 'placement'), ['y/1', 'z/1']);
    assert.deepEqual(gone(gathered), ['l1', 'r1', 'r4', 'x/1']);
  }
});
