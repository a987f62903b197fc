/**
 * How much an account may have of what AWS raises on request. Where nobody says otherwise it is what AWS begins with;
 * the operator's inventory raises it, for everybody or for one account.
 * Source: "Quotas for your Application Load Balancers", "Quotas for your Network Load Balancers".
 */

/** By the names that DescribeAccountLimits gives them, and for the rest by names like these. */
export const defaultLimits = {
  'application-load-balancers': 50,
  'network-load-balancers': 50,
  'target-groups': 3_000,
  'target-groups-per-application-load-balancer': 100,
  'listeners-per-application-load-balancer': 50,
  'listeners-per-network-load-balancer': 50,
  'rules-per-application-load-balancer': 100,
  'targets-per-application-load-balancer': 1_000,
  'targets-per-network-load-balancer': 3_000,
  'targets-per-target-group': 1_000,
  'certificates-per-load-balancer': 25,
  'capacity-units-per-load-balancer': 15_000,
  'trust-stores': 20,
  'ca-certificates-per-trust-store': 25,
  'revocation-lists-per-trust-store': 30,
  'revocation-entries-per-trust-store': 500_000,
  certificates: 2_500,
  'server-certificates': 20,
} as const;

export type LimitName = keyof typeof defaultLimits;
export type AccountLimits = Readonly<Record<LimitName, number>>;
export const limitNames = Object.keys(defaultLimits) as LimitName[];

/** What the operator has set. */
export interface Limits {
  readonly byDefault: Partial<AccountLimits>;
  readonly ofAccounts: ReadonlyMap<string, Partial<AccountLimits>>;
}

export const noLimits: Limits = { byDefault: {}, ofAccounts: new Map() };

export function limitsOf({ byDefault, ofAccounts }: Limits, account: string): AccountLimits {
  return { ...defaultLimits, ...byDefault, ...ofAccounts.get(account) };
}
