import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { RetryBudget } from './retry-budget.ts';

function taken(budget: RetryBudget, attempts: number, requests: number, nowMs: number): number {
  let count = 0;
  for (let attempt = 0; attempt < attempts; attempt += 1) if (budget.take(requests, nowMs)) count += 1;
  return count;
}

test('retry budget: a quiet group may have a few retries in each ten seconds', () => {
  const budget = new RetryBudget();
  assert.equal(taken(budget, 100, 0, 0), 10);
  assert.equal(taken(budget, 100, 0, 9_999), 0);
  assert.equal(taken(budget, 100, 0, 10_000), 10);
});

test('retry budget: a busy group may have a fifth of its requests tried again, from the first failure on', () => {
  const budget = new RetryBudget();
  assert(budget.take(0, 0));
  // A thousand requests a second for a minute, and only then the first failure.
  assert.equal(taken(budget, 10_000, 60_000, 60_000), 10 + 2_000);
  assert.equal(taken(budget, 10_000, 65_000, 65_000), 0, 'the window has had its share');
  assert.equal(taken(budget, 10_000, 70_000, 70_000), 10 + 2_000);
});

test('retry budget: over any time, retries are at most a fifth of the requests and the few of each window', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(2_000), fc.nat(3_000), fc.nat(500))), (steps) => {
      const budget = new RetryBudget();
      let [nowMs, requests, retries] = [0, 0, 0];
      for (const [passedMs, more, failures] of steps) {
        nowMs += passedMs;
        requests += more;
        retries += taken(budget, failures, requests, nowMs);
      }
      // A window may use what the one before had, so requests can count twice, and never more often.
      assert(retries <= 0.4 * requests + 10 * (nowMs / 10_000 + 1));
    }),
  );
});
