import assert from 'node:assert/strict';
import test from 'node:test';
import { GroupCounters } from '#proxy/counters.ts';
import { Target } from './target.ts';

class Connection {
  isDestroyed = false;
  destroy(): void {
    this.isDestroyed = true;
  }
}

const owner = { loadBalancerId: 'balancer', targetGroupId: 'g', counters: new GroupCounters() };
const place = (port: number) => ({ key: `g/127.0.0.1:${port}`, address: '127.0.0.1', port, state: 'healthy' as const });

function used(port: number, budget: { perTargetMax: number; totalMax: number; count: number }): Target<Connection> {
  const target = new Target<Connection>(place(port), owner, budget);
  target.usesCount = 1;
  return target;
}

test('target: the connection kept last is taken first', () => {
  const target = used(1, { perTargetMax: 3, totalMax: 3, count: 0 });
  const [first, second] = [new Connection(), new Connection()];
  assert(target.keep(first) && target.keep(second));
  assert.equal(target.take(), second);
  assert.equal(target.take(), first);
  assert.equal(target.take(), undefined);
});

test('target: idle connections are bounded for each target and over all of them', () => {
  const budget = { perTargetMax: 2, totalMax: 3, count: 0 };
  const [one, other] = [used(1, budget), used(2, budget)];
  assert(one.keep(new Connection()) && one.keep(new Connection()));
  assert.equal(one.keep(new Connection()), false);
  assert(other.keep(new Connection()));
  assert.equal(other.keep(new Connection()), false);
  one.take();
  assert(other.keep(new Connection()));
  assert.equal(budget.count, 3);
});

test('target: one that no table names keeps nothing, and closes what it has', () => {
  const budget = { perTargetMax: 2, totalMax: 3, count: 0 };
  const target = used(1, budget);
  const [kept, gone] = [new Connection(), new Connection()];
  target.keep(kept);
  target.keep(gone);
  target.forget(gone);
  target.usesCount = 0;
  assert.equal(target.keep(new Connection()), false);
  target.closeIdle();
  assert.equal(kept.isDestroyed, true);
  assert.equal(gone.isDestroyed, false);
  assert.equal(budget.count, 0);
});
