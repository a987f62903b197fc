/**
 * How much of everything there may be in one call or one thing. What AWS raises on request is in `limits.ts`.
 * Source: "Quotas for your Application Load Balancers" and the ELB API reference.
 */
export const quotas = {
  /** AWS: 3, fixed. */
  valuesPerCondition: 3,
  /** AWS: 5, fixed. */
  conditionValuesPerRule: 5,
  /** AWS: 6, fixed. */
  conditionWildcardsPerRule: 6,
  /** AWS: 5, fixed. */
  targetGroupsPerAction: 5,
  /** Our own: a call is one transaction, and other calls wait for it. */
  targetsPerCall: 1_000,
  /** Our own. */
  revocationListsPerCall: 100,
  /** Our own. */
  certificatesPerCall: 100,
  /** AWS: 5, fixed. */
  securityGroupsPerLoadBalancer: 5,
  /** AWS: 2, fixed. */
  capacityDecreasesPerDay: 2,
  /** AWS: 50, fixed. */
  tagsPerResource: 50,
  /** AWS: 20, fixed, for the calls that take the ARNs of load balancers or of resources of any kind. */
  resourcesPerCall: 20,
  /** AWS: 20, fixed. */
  attributesPerCall: 20,
  /** AWS: 400, fixed, and what a caller gets who asks for no size. */
  resultsPerPage: 400,
} as const;
