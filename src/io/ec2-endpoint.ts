/**
 * Asks an EC2 endpoint about the network: subnets, security groups, VPCs and instances by their ids. What it has said
 * is believed for a short time, what it says is not there counts, and that it cannot be asked is a failure.
 */
import type {
  DescribeInstancesResult,
  DescribeSecurityGroupsResult,
  DescribeSubnetsResult,
  DescribeVpcsResult,
  EC2Client,
} from '@aws-sdk/client-ec2';
import { accept, type Result, refuse } from '#base/result.ts';

export interface FoundSubnet {
  readonly id: string;
  readonly zone: string;
  readonly vpcId: string;
  readonly cidrBlock: string | undefined;
}

export interface FoundInstance {
  readonly id: string;
  readonly vpcId: string;
  readonly subnetId: string;
  readonly zone: string;
  readonly privateAddress: string;
  readonly state: string;
}

/** Of what was asked for, what is there. */
export interface FoundNetwork {
  readonly subnets: readonly FoundSubnet[];
  readonly vpcs: readonly { readonly id: string; readonly cidrBlock: string }[];
  readonly securityGroups: readonly { readonly id: string; readonly name: string; readonly vpcId: string }[];
  readonly instances: readonly FoundInstance[];
}

export interface AskedNetwork {
  readonly subnets: readonly string[];
  readonly vpcs: readonly string[];
  readonly securityGroups: readonly string[];
  readonly instances: readonly string[];
}

const timeoutMs = 10_000;
const believedMs = 30_000;
const believedMax = 10_000;

export class Ec2Endpoint {
  readonly #endpoint: string;
  readonly #region: string;
  readonly #nowMs: () => number;
  readonly #answers = new Map<string, { readonly atMs: number; readonly found: unknown }>();
  #client: Promise<EC2Client> | undefined;

  constructor(endpoint: string, region: string, nowMs: () => number) {
    this.#endpoint = endpoint;
    this.#region = region;
    this.#nowMs = nowMs;
  }

  /** Refuses, in a sentence, when it cannot be asked. */
  async find(asked: AskedNetwork): Promise<Result<FoundNetwork, string>> {
    try {
      const [subnets, vpcs, securityGroups, instances] = await Promise.all([
        this.#each(asked.subnets, (id) => this.#subnet(id)),
        this.#each(asked.vpcs, (id) => this.#vpc(id)),
        this.#each(asked.securityGroups, (id) => this.#securityGroup(id)),
        this.#each(asked.instances, (id) => this.#instance(id)),
      ]);
      return accept({ subnets, vpcs, securityGroups, instances });
    } catch (error) {
      const { name, message } = error as Error;
      return refuse(`the EC2 endpoint ${this.#endpoint} does not answer: ${message || name}`);
    }
  }

  /** One call for each id: a call for several fails as a whole when one of them is not there. */
  async #each<Item>(ids: readonly string[], ask: (id: string) => Promise<Item | undefined>): Promise<Item[]> {
    const found = await Promise.all([...new Set(ids)].map((id) => this.#believed(id, ask)));
    return found.filter((item) => item !== undefined);
  }

  async #believed<Item>(id: string, ask: (id: string) => Promise<Item | undefined>): Promise<Item | undefined> {
    const nowMs = this.#nowMs();
    const known = this.#answers.get(id);
    if (known !== undefined && nowMs - known.atMs < believedMs) return known.found as Item | undefined;
    const found = await ask(id).catch((error: Error) => {
      if (/\.(NotFound|Malformed)$/.test(error.name)) return undefined;
      throw error;
    });
    if (this.#answers.size >= believedMax) this.#answers.clear();
    this.#answers.set(id, { atMs: nowMs, found });
    return found;
  }

  async #subnet(id: string): Promise<FoundSubnet | undefined> {
    const { DescribeSubnetsCommand } = await import('@aws-sdk/client-ec2');
    const { Subnets = [] } = await this.#send<DescribeSubnetsResult>(new DescribeSubnetsCommand({ SubnetIds: [id] }));
    const [found] = Subnets;
    if (found?.AvailabilityZone === undefined || found.VpcId === undefined) return undefined;
    return { id, zone: found.AvailabilityZone, vpcId: found.VpcId, cidrBlock: found.CidrBlock };
  }

  async #vpc(id: string) {
    const { DescribeVpcsCommand } = await import('@aws-sdk/client-ec2');
    const { Vpcs = [] } = await this.#send<DescribeVpcsResult>(new DescribeVpcsCommand({ VpcIds: [id] }));
    return Vpcs[0] && { id, cidrBlock: Vpcs[0].CidrBlock ?? '' };
  }

  async #securityGroup(id: string) {
    const { DescribeSecurityGroupsCommand } = await import('@aws-sdk/client-ec2');
    const { SecurityGroups = [] } = await this.#send<DescribeSecurityGroupsResult>(
      new DescribeSecurityGroupsCommand({ GroupIds: [id] }),
    );
    const [found] = SecurityGroups;
    return found && { id, name: found.GroupName ?? id, vpcId: found.VpcId ?? '' };
  }

  async #instance(id: string): Promise<FoundInstance | undefined> {
    const { DescribeInstancesCommand } = await import('@aws-sdk/client-ec2');
    const { Reservations = [] } = await this.#send<DescribeInstancesResult>(
      new DescribeInstancesCommand({ InstanceIds: [id] }),
    );
    const found = Reservations[0]?.Instances?.[0];
    if (found === undefined) return undefined;
    return {
      id,
      vpcId: found.VpcId ?? '',
      subnetId: found.SubnetId ?? '',
      zone: found.Placement?.AvailabilityZone ?? '',
      privateAddress: found.PrivateIpAddress ?? '',
      state: found.State?.Name ?? 'pending',
    };
  }

  async #send<Output extends object>(command: object): Promise<Output> {
    this.#client ??= this.#open();
    const client = (await this.#client) as unknown as Sender;
    return (await client.send(command, { abortSignal: AbortSignal.timeout(timeoutMs) })) as Output;
  }

  async #open(): Promise<EC2Client> {
    const { EC2Client } = await import('@aws-sdk/client-ec2');
    return new EC2Client({ endpoint: this.#endpoint, region: this.#region, maxAttempts: 2 });
  }
}

interface Sender {
  send(command: object, options: object): Promise<object>;
}
