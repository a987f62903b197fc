/** The region that a Ballast makes up for its tenants: zones, one default subnet in each, one network. */
import type { RegionSettings } from '#control/operation.ts';

const dayMs = 86_400_000;

/** Default subnets are numbered from here, so that the first one is `subnet-0000000a`. */
const firstSubnetNumber = 0xa;

export function regionSettings(settings: {
  readonly region: string;
  readonly zones: readonly string[];
  readonly domain: string;
  readonly holdAddressesDays: number;
  /** Of the inventory; none: made up. */
  readonly subnets?: readonly { readonly id: string; readonly zone: string; readonly vpcId: string }[];
}): RegionSettings {
  const { region, domain, subnets = [] } = settings;
  const zones = [...settings.zones].sort();
  return {
    region,
    domain,
    zones,
    vpcId: subnets[0]?.vpcId ?? 'vpc-00000001',
    holdAddressesMs: settings.holdAddressesDays * dayMs,
    defaultSubnets:
      subnets.length > 0
        ? subnets.map(({ id, zone }) => ({ id, zone }))
        : zones.map((zone, index) => ({ id: defaultSubnetId(index), zone })),
  };
}

export function defaultSubnetId(index: number): string {
  return `subnet-${(firstSubnetNumber + index).toString(16).padStart(8, '0')}`;
}
