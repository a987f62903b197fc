import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { silentLog } from '#io/log.ts';
import { openReplica, type Replica } from '#journal/replica.ts';
import type { Change, Channel } from '#model/change.ts';
import type { Entry } from '#model/documents.ts';
import { applyNews } from './brake.ts';

const at = (revision: number) => ({ storeId: 's', revision, hash: `${revision}` });
const placement = { loadBalancerId: 'lb', nodeId: 'node-1', zone: 'a', address: '127.80.0.1' } as const;
const serving: readonly Entry[] = [
  { kind: 'load-balancer', id: 'lb', revision: 1, document: { name: 'web', account: '0' } as never },
  {
    kind: 'placement',
    id: 'lb/node-1',
    revision: 1,
    document: { ...placement, state: { kind: 'serving', sinceMs: 0 } },
  },
  {
    kind: 'listener',
    id: 'l',
    revision: 1,
    document: { loadBalancerId: 'lb', protocol: 'HTTP', port: 80, createdAtMs: 0, tags: [] },
  },
];

/** A node's replica that serves one load balancer. */
function replica(context: TestContext): Replica {
  const folder = mkdtempSync(join(tmpdir(), 'ballast-brake-'));
  const opened = openReplica(join(folder, 'last-good.db'), silentLog);
  context.after(() => {
    opened.close();
    rmSync(folder, { recursive: true, force: true });
  });
  opened.apply({ entries: serving, changes: [], position: at(1) });
  return opened;
}

const deletion = (channel: Channel, revision: number) => ({
  revision,
  timeMs: 0,
  cause: { principal: 'someone', channel, action: 'Clean', requestId: '' },
  changes: [{ kind: 'load-balancer', id: 'lb', before: 1, after: null }] as const,
});

test('brake: what the owner deleted goes', (context) => {
  const held = replica(context);
  const result = applyNews(held, { entries: [], transactions: [deletion('api', 2)], position: at(2) });
  assert.deepEqual(result.held, []);
  assert.equal(held.view.get('load-balancer', 'lb'), undefined);
  assert.deepEqual(held.position, at(2));
});

test('brake: a workflow takes away an address only when the owner had it leave', (context) => {
  const held = replica(context);
  const id = 'lb/node-1';
  const news = (channel: Channel, revision: number, change: object) => ({
    entries: [],
    transactions: [{ ...deletion(channel, revision), changes: [{ kind: 'placement', id, ...change } as Change] }],
    position: at(revision),
  });
  const leaving = { ...placement, state: { kind: 'leaving', sinceMs: 1 } };
  assert.equal(applyNews(held, news('workflow', 2, { before: 1, after: null })).held.length, 1);
  assert.equal(applyNews(held, news('workflow', 3, { before: 1, after: leaving })).held.length, 1);
  assert.deepEqual(applyNews(held, news('api', 4, { before: 1, after: leaving })).held, []);
  assert.deepEqual(applyNews(held, news('workflow', 5, { before: 4, after: null })).held, []);
  assert.equal(held.view.get('placement', id), undefined);
});

test('brake: a workflow or a maintenance process that would harm is held back, and the node goes on from there', (context) => {
  const held = replica(context);
  for (const [index, channel] of (['workflow', 'maintenance'] as const).entries()) {
    const revision = 2 + index;
    const result = applyNews(held, {
      entries: [],
      transactions: [deletion(channel, revision)],
      position: at(revision),
    });
    assert.equal(result.held.length, 1);
    assert.match(result.held[0]!.reason, /would stop serving: 0\/web \(deleted\)/);
    assert.deepEqual(result.applied, []);
    assert.notEqual(held.view.get('load-balancer', 'lb'), undefined);
    assert.deepEqual(held.position, at(revision));
  }
});

test('brake: whole documents may bring what is new, and may not put out of service what serves', (context) => {
  const held = replica(context);
  const failed: Entry = {
    kind: 'placement',
    id: 'lb/node-1',
    revision: 9,
    document: { ...placement, state: { kind: 'failed', reason: 'said so' } },
  };
  const fresh: Entry = { kind: 'node', id: 'node-1', revision: 9, document: { zone: 'a', prefix: 'p' } };
  const result = applyNews(held, { entries: [failed, fresh], transactions: [], position: at(9) });
  assert.equal(result.held.length, 1);
  assert.equal(held.view.get('placement', 'lb/node-1')?.state.kind, 'serving');
  assert.deepEqual(held.view.get('node', 'node-1'), { zone: 'a', prefix: 'p' });
});
