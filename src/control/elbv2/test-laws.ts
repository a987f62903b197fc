/** The laws of the state, checked by searching through all of it: what the tables of laws and indexes are held to. */
import assert from 'node:assert/strict';
import { type IndexName, indexes, keysOf, type View } from '#model/view.ts';

/** Asserts every law of the state, each in the plainest way. */
export function checkLaws(tables: View): void {
  for (const { document } of tables.all('listener')) {
    assert(tables.get('load-balancer', document.loadBalancerId), 'every listener has its load balancer');
  }
  for (const { id } of tables.all('listener')) {
    const rules = [...tables.find('rulesOfListener', id)];
    assert.equal(rules.filter(({ document }) => document.priority === 'default').length, 1, 'one default rule each');
    const priorities = new Set(rules.map(({ document }) => document.priority));
    assert.equal(priorities.size, rules.length, 'one rule of each priority');
    for (const { document } of rules) {
      assert.equal(
        document.conditions.length === 0,
        document.priority === 'default',
        'the default rule alone has no conditions',
      );
    }
  }
  const loadBalancerOfGroup = new Map<string, string>();
  for (const { document } of tables.all('rule')) {
    const listener = tables.get('listener', document.listenerId);
    assert(listener, 'every rule has its listener');
    for (const action of document.actions) {
      for (const { targetGroupId } of action.kind === 'forward' ? action.groups : []) {
        const group = tables.get('target-group', targetGroupId);
        assert(group, 'every group that is forwarded to is there');
        assert.equal(group.account, tables.get('load-balancer', listener.loadBalancerId)!.account);
        const user: string = loadBalancerOfGroup.get(targetGroupId) ?? listener.loadBalancerId;
        assert.equal(user, listener.loadBalancerId, 'a group has one load balancer');
        loadBalancerOfGroup.set(targetGroupId, user);
      }
    }
  }
  for (const { document } of tables.all('target')) {
    assert(tables.get('target-group', document.targetGroupId), 'every target has its group');
  }
  for (const { document } of tables.all('placement')) {
    assert(tables.get('load-balancer', document.loadBalancerId), 'every placement has its load balancer');
    assert(tables.get('node', document.nodeId), 'every placement has its node');
  }
  const unique = (what: string, keys: readonly string[]) => assert.equal(new Set(keys).size, keys.length, what);
  unique(
    'an address is given out once',
    [...tables.all('placement')].map(({ document }) => document.address),
  );
  unique(
    'a port is listened on once',
    [...tables.all('listener')].map(({ document }) => `${document.loadBalancerId}:${document.port}`),
  );
  for (const kind of ['load-balancer', 'target-group'] as const) {
    unique(
      'names are unique in an account',
      [...tables.all(kind)].map(({ document }) => `${document.account}/${document.name}`),
    );
  }
  checkIndexes(tables);
}

/** Every index finds exactly what a search through the whole table finds. */
function checkIndexes(tables: View): void {
  for (const index of Object.keys(indexes) as IndexName[]) {
    const { kind } = indexes[index];
    const wanted = new Map<string, string[]>();
    for (const { id, document } of tables.all(kind)) {
      for (const key of keysOf(index, document)) {
        wanted.set(key, [...(wanted.get(key) ?? []), id]);
      }
    }
    for (const [key, ids] of wanted) {
      assert.deepEqual([...tables.find(index, key)].map(({ id }) => id).toSorted(), ids.toSorted(), index);
    }
  }
}
