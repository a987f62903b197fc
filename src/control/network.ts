/**
 * The network that load balancers are made in, as far as anybody has said what it is: VPCs, subnets, security groups
 * and instances. Where it is not complete, an id that it does not have is taken for one that exists elsewhere.
 */

export interface Vpc {
  readonly id: string;
  readonly cidrBlock: string;
}

export interface Subnet {
  readonly id: string;
  readonly zone: string;
  readonly vpcId: string;
  readonly cidrBlock?: string;
  readonly ipv6CidrBlock?: string;
}

export interface SecurityGroup {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly vpcId: string;
  /** Who may connect; undefined: nobody has said. */
  readonly ingress: readonly SecurityRule[] | undefined;
}

export interface SecurityRule {
  readonly protocol: 'tcp' | 'udp' | 'icmp' | 'all';
  readonly fromPort: number;
  readonly toPort: number;
  readonly cidrs: readonly string[];
}

export const instancePattern = /^i-[0-9a-f]{8,17}$/;

export interface Instance {
  readonly id: string;
  readonly vpcId: string;
  readonly subnetId: string;
  readonly zone: string;
  /** Where targets that name it are reached. */
  readonly privateAddress: string;
  readonly state: 'pending' | 'running' | 'stopping' | 'stopped' | 'shutting-down' | 'terminated';
  readonly tags: Readonly<Record<string, string>>;
}

export interface Network {
  /** Whether what is not in it does not exist. */
  readonly isComplete: boolean;
  readonly vpcs: ReadonlyMap<string, Vpc>;
  readonly subnets: ReadonlyMap<string, Subnet>;
  readonly securityGroups: ReadonlyMap<string, SecurityGroup>;
  readonly instances: ReadonlyMap<string, Instance>;
  /** Where functions are invoked: an URL, by the function's ARN. */
  readonly functions: ReadonlyMap<string, string>;
}

export const unknownNetwork: Network = {
  isComplete: false,
  vpcs: new Map(),
  subnets: new Map(),
  securityGroups: new Map(),
  instances: new Map(),
  functions: new Map(),
};
