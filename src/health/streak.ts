/**
 * From single probes to a verdict: a target changes its state only after so many equal outcomes in a row. Pure.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
 *
 *   initial ──first success──▶ healthy ──unhealthy threshold──▶ unhealthy
 *      └──────unhealthy threshold──────────────────────────────▶   │
 *                              healthy ◀──healthy threshold────────┘
 */
import type { HealthVerdict } from '#model/health.ts';

export type ProbeOutcome =
  | { readonly kind: 'success'; readonly statusCode?: number }
  | {
      readonly kind: 'failure';
      readonly verdict: Extract<HealthVerdict, { kind: 'unhealthy' }>;
      readonly statusCode?: number;
    };

export interface Thresholds {
  readonly healthyThresholdCount: number;
  readonly unhealthyThresholdCount: number;
}

export interface Streak {
  readonly verdict: HealthVerdict;
  /** Outcomes in a row that speak against the verdict. */
  readonly against: number;
}

/** Where a target begins: nothing is known of it, or what was known before a restart. */
export function startStreak(known?: HealthVerdict): Streak {
  return { verdict: known ?? registrationInProgress, against: 0 };
}

export const registrationInProgress: HealthVerdict = {
  kind: 'initial',
  reason: 'Elb.RegistrationInProgress',
  description: 'Target registration is in progress',
};

export const initialHealthChecking: HealthVerdict = {
  kind: 'initial',
  reason: 'Elb.InitialHealthChecking',
  description: 'Initial health checks in progress',
};

/** The streak once a probe is under way: a target that was only registered so far is now being checked. */
export function beginProbe(streak: Streak): Streak {
  return streak.verdict.kind === 'initial' ? { ...streak, verdict: initialHealthChecking } : streak;
}

/** The streak after one more probe. */
export function advanceStreak(streak: Streak, outcome: ProbeOutcome, thresholds: Thresholds): Streak {
  const { verdict, against } = streak;
  if (outcome.kind === 'success') {
    if (verdict.kind === 'healthy') return { verdict, against: 0 };
    // A new target needs one success only; one that was found unhealthy has to earn its place again.
    const needed = verdict.kind === 'initial' ? 1 : thresholds.healthyThresholdCount;
    return against + 1 >= needed ? { verdict: { kind: 'healthy' }, against: 0 } : { verdict, against: against + 1 };
  }
  // Still unhealthy: the reason is the latest one.
  if (verdict.kind === 'unhealthy') return { verdict: outcome.verdict, against: 0 };
  if (against + 1 >= thresholds.unhealthyThresholdCount) return { verdict: outcome.verdict, against: 0 };
  return { verdict, against: against + 1 };
}
