import assert from 'node:assert/strict';
import test from 'node:test';
import { idOf, TestRegion } from '#control/elbv2/test-region.ts';

/** A region with one load balancer on one node. */
function prepare() {
  const region = new TestRegion();
  region.admit('node-1', 'eu-test-1a', '127.80.0.0/16');
  const loadBalancerId = idOf(region.loadBalancer('web'));
  const state = () => region.placements()[0]!.document.state;
  return { region, loadBalancerId, state };
}

test('recordServing: a pending address serves or fails, and a failed one serves once the node says so', () => {
  const { region, loadBalancerId, state } = prepare();
  assert.deepEqual(state(), { kind: 'pending' });
  region.report('node-1', { loadBalancerId, failure: 'EADDRINUSE' });
  assert.deepEqual(state(), { kind: 'failed', reason: 'EADDRINUSE' });
  region.report('node-1', { loadBalancerId, failure: 'EACCES' });
  assert.deepEqual(state(), { kind: 'failed', reason: 'EACCES' });
  region.report('node-1', { loadBalancerId });
  assert.deepEqual(state(), { kind: 'serving', sinceMs: region.nowMs });
});

test('recordServing: an address in service stays in service, and only notes what is wrong with it', () => {
  const { region, loadBalancerId, state } = prepare();
  const sinceMs = region.nowMs;
  region.report('node-1', { loadBalancerId });
  region.nowMs += 1000;
  region.report('node-1', { loadBalancerId, failure: 'port 81: EADDRINUSE' });
  assert.deepEqual(state(), { kind: 'serving', sinceMs, impairment: 'port 81: EADDRINUSE' });
  region.report('node-1', { loadBalancerId });
  assert.deepEqual(state(), { kind: 'serving', sinceMs });
});

test('recordServing: what is known already, or placed elsewhere, changes nothing', () => {
  const { region, loadBalancerId } = prepare();
  region.report('node-1', { loadBalancerId });
  region.nowMs += 1000;
  region.unchanged(() => region.report('node-1', { loadBalancerId }));
  region.unchanged(() => region.report('node-2', { loadBalancerId, failure: 'EACCES' }));
  region.unchanged(() => region.report('node-1', { loadBalancerId: 'f'.repeat(16) }));
  region.unchanged(() => region.report('node-1', { loadBalancerId, failure: 'a' }, { loadBalancerId }));
});

test('recordServing: of a long reason only so much is kept', () => {
  const { region, loadBalancerId, state } = prepare();
  const long = { loadBalancerId, failure: 'a'.repeat(10_000) };
  region.report('node-1', long);
  assert.deepEqual(state(), { kind: 'failed', reason: 'a'.repeat(500) });
  region.unchanged(() => region.report('node-1', long));
});
