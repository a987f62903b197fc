/**
 * How much of everything there may be. AWS's fixed limits are kept as they are; where AWS raises a limit on request, a
 * service that its users run themselves starts at the generous end, and the comment gives AWS's default.
 * Source: "Quotas for your Application Load Balancers" and the ELB API reference.
 */
export const quotas = {
  /** AWS: 50, raised on request. */
  loadBalancersPerAccount: 100_000,
  /** AWS: 3,000, raised on request. */
  targetGroupsPerAccount: 100_000,
  /** AWS: 50, raised on request. */
  listenersPerLoadBalancer: 50,
  /** AWS: 100 besides the default rules, raised on request. */
  rulesPerLoadBalancer: 1_000,
  /** AWS: 3, fixed. */
  valuesPerCondition: 3,
  /** AWS: 5, fixed. */
  conditionValuesPerRule: 5,
  /** AWS: 6, fixed. */
  conditionWildcardsPerRule: 6,
  /** AWS: 100, fixed. */
  targetGroupsPerLoadBalancer: 100,
  /** AWS: 5, fixed. */
  targetGroupsPerAction: 5,
  /** AWS: 1,000, raised on request. */
  targetsPerTargetGroup: 10_000,
  /** AWS: 1,000, raised on request. */
  targetsPerLoadBalancer: 10_000,
  /** Our own: a call is one transaction, and other calls wait for it. */
  targetsPerCall: 1_000,
  /** AWS: 25 for each load balancer, raised on request; the default one does not count. */
  certificatesPerListener: 100,
  /** AWS: 5, fixed. */
  securityGroupsPerLoadBalancer: 5,
  /** AWS: 15,000, raised on request. */
  capacityUnitsPerLoadBalancer: 15_000,
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
