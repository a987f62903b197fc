import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { HealthVerdict } from '#model/health.ts';
import { advanceStreak, beginProbe, type ProbeOutcome, startStreak } from './streak.ts';

function failure(description: string): Extract<ProbeOutcome, { kind: 'failure' }> {
  return { kind: 'failure', verdict: { kind: 'unhealthy', reason: 'Target.FailedHealthChecks', description } };
}

const reasonOf = (verdict: HealthVerdict) => (verdict.kind === 'initial' ? verdict.reason : verdict.kind);

test('streak: it follows the thresholds exactly as a count of the last outcomes does', () => {
  fc.assert(
    fc.property(
      fc.array(fc.boolean(), { maxLength: 60 }),
      fc.integer({ min: 2, max: 10 }),
      fc.integer({ min: 2, max: 10 }),
      (outcomes, up, down) => {
        let streak = startStreak();
        let expected: 'initial' | 'healthy' | 'unhealthy' = 'initial';
        const seen: boolean[] = [];
        for (const success of outcomes) {
          seen.push(success);
          const thresholds = { healthyThresholdCount: up, unhealthyThresholdCount: down };
          const outcome = success ? ({ kind: 'success' } as const) : failure('x');
          streak = advanceStreak(beginProbe(streak), outcome, thresholds);
          const last = (count: number, value: boolean) =>
            seen.length >= count && seen.slice(-count).every((each) => each === value);
          if (expected === 'initial' && success) expected = 'healthy';
          else if (expected === 'unhealthy' && last(up, true)) expected = 'healthy';
          else if (expected !== 'unhealthy' && last(down, false)) expected = 'unhealthy';
          assert.equal(streak.verdict.kind, expected);
        }
      },
    ),
  );
});

test('streak: an initial target says what it waits for: its first probe, then enough of them', () => {
  const thresholds = { healthyThresholdCount: 2, unhealthyThresholdCount: 3 };
  const begun = startStreak();
  assert.equal(reasonOf(begun.verdict), 'Elb.RegistrationInProgress');
  const probing = beginProbe(begun);
  assert.equal(reasonOf(probing.verdict), 'Elb.InitialHealthChecking');
  assert.equal(reasonOf(advanceStreak(probing, failure('x'), thresholds).verdict), 'Elb.InitialHealthChecking');
  const read: HealthVerdict = JSON.parse(JSON.stringify(begun.verdict));
  assert.equal(reasonOf(beginProbe(startStreak(read)).verdict), 'Elb.InitialHealthChecking');
});

test('streak: a probe that is under way changes nothing for a target that has been judged', () => {
  for (const known of [{ kind: 'healthy' }, failure('x').verdict] as const)
    assert.deepEqual(beginProbe(startStreak(known)), startStreak(known));
});

test('streak: an unhealthy target gives the reason of its latest failure', () => {
  const thresholds = { healthyThresholdCount: 2, unhealthyThresholdCount: 2 };
  const streak = advanceStreak(startStreak(failure('first').verdict), failure('latest'), thresholds);
  assert.deepEqual(streak.verdict, failure('latest').verdict);
});
