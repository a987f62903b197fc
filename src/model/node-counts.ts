/**
 * What a node says of target groups besides the traffic that its workers count. Like health, these are observations and
 * not state: they travel when somebody asks for them, and are never journaled.
 */

/** The targets of a target group, as the node sees them. */
export interface HostCounts {
  readonly loadBalancerId: string;
  readonly targetGroupId: string;
  readonly healthy: number;
  readonly unhealthy: number;
  /** Those that are registered and do not drain, whatever their health. */
  readonly registered: number;
  /** Too few are healthy, so that all get requests. */
  readonly isFailingOpen: boolean;
  readonly isOfFunctions: boolean;
  /** Targets that are found anomalous, and those that get fewer requests for it. */
  readonly anomalous: number;
  readonly mitigated: number;
}

/** What was counted of the functions of a target group. */
export interface FunctionCounts {
  readonly targetGroupId: string;
  /** Requests that failed for what the function did, and for what kept it from being asked. */
  readonly userErrors: number;
  readonly internalErrors: number;
  /** Of events and of answers. */
  readonly bytes: number;
}
