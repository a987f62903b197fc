/**
 * What a node has found out about a target. It is an observation, not state: it lives in the nodes, travels as deltas
 * and is never journaled. Reason codes are those of the API's `TargetHealth`.
 */

export type HealthVerdict =
  | {
      readonly kind: 'initial';
      readonly reason: 'Elb.RegistrationInProgress' | 'Elb.InitialHealthChecking';
      readonly description: string;
    }
  | {
      readonly kind: 'healthy';
      /** When its slow start began, if it had one; milliseconds since 1970-01-01 UTC. */
      readonly slowStartAtMs?: number;
    }
  | {
      readonly kind: 'unhealthy';
      readonly reason: 'Target.ResponseCodeMismatch' | 'Target.Timeout' | 'Target.FailedHealthChecks';
      readonly description: string;
    };

/** What answers "how is this target?" by target key; undefined when nobody has looked yet. */
export type HealthLookup = (targetKey: string) => HealthVerdict | undefined;
