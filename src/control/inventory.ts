/**
 * What an operator writes down about the world around load balancers, as JSON: networks, instances, functions, and how
 * much each account may have. Read strictly: what is not understood is refused with its place, so that a slip of the
 * pen is no surprise later.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { accept, type Result, refuse } from '#base/result.ts';
import { parsePrefix } from '#model/address.ts';
import { type Limits, limitNames } from './limits.ts';
import {
  type Instance,
  instancePattern,
  type Network,
  type SecurityGroup,
  type SecurityRule,
  type Subnet,
  type Vpc,
} from './network.ts';

export interface Inventory {
  readonly network: Network;
  /** What callers get who name no subnet; none: the region's own. */
  readonly defaultSubnets: readonly Subnet[];
  readonly limits: Limits;
}

const instanceStates = ['pending', 'running', 'stopping', 'stopped', 'shutting-down', 'terminated'] as const;
const protocols = ['tcp', 'udp', 'icmp', 'all'] as const;

/** Reads an inventory for the zones; the fault says where what was found, and what is allowed. */
export function parseInventory(text: string, zones: readonly string[]): Result<Inventory, string> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return refuse(`it is not JSON: ${(error as Error).message}`);
  }
  try {
    return accept(readInventory(value, zones));
  } catch (error) {
    if (error instanceof Misread) return refuse(error.message);
    throw error;
  }
}

class Misread extends Error {}

function readInventory(value: unknown, zones: readonly string[]): Inventory {
  const root = members(value, '', [
    'complete',
    'vpcs',
    'subnets',
    'securityGroups',
    'instances',
    'functions',
    'limits',
  ]);
  const vpcs = keyed(root.vpcs, 'vpcs', readVpc);
  const subnets = keyed(root.subnets, 'subnets', (each, path) => readSubnet(each, path, vpcs, zones));
  const securityGroups = keyed(root.securityGroups, 'securityGroups', (each, path) => readGroup(each, path, vpcs));
  const instances = keyed(root.instances, 'instances', (each, path) => readInstance(each, path, subnets));
  const functions = new Map<string, string>();
  for (const [arn, url] of Object.entries(members(root.functions ?? {}, 'functions'))) {
    functions.set(arn, readUrl(url, `functions.${arn}`));
  }
  return {
    network: {
      isComplete: readBoolean(root.complete ?? false, 'complete'),
      vpcs,
      subnets,
      securityGroups,
      instances,
      functions,
    },
    defaultSubnets: [...subnets.values()].filter(({ isDefault }) => isDefault),
    limits: readLimits(root.limits),
  };
}

function readVpc(value: unknown, path: string): Vpc {
  const { id, cidr } = members(value, path, ['id', 'cidr']);
  return { id: readId(id, `${path}.id`, 'vpc'), cidrBlock: readCidr(cidr, `${path}.cidr`) };
}

function readSubnet(
  value: unknown,
  path: string,
  vpcs: ReadonlyMap<string, Vpc>,
  zones: readonly string[],
): Subnet & { readonly isDefault: boolean } {
  const {
    id,
    zone,
    vpc,
    cidr,
    ipv6Cidr,
    default: isDefault,
  } = members(value, path, ['id', 'zone', 'vpc', 'cidr', 'ipv6Cidr', 'default']);
  return {
    id: readId(id, `${path}.id`, 'subnet'),
    zone: readChoice(zone, `${path}.zone`, zones),
    vpcId: readReference(vpc, `${path}.vpc`, vpcs),
    ...(cidr !== undefined && { cidrBlock: readCidr(cidr, `${path}.cidr`) }),
    ...(ipv6Cidr !== undefined && { ipv6CidrBlock: readCidr(ipv6Cidr, `${path}.ipv6Cidr`) }),
    isDefault: readBoolean(isDefault ?? false, `${path}.default`),
  };
}

function readGroup(value: unknown, path: string, vpcs: ReadonlyMap<string, Vpc>): SecurityGroup {
  const { id, name, description, vpc, ingress } = members(value, path, ['id', 'name', 'description', 'vpc', 'ingress']);
  return {
    id: readId(id, `${path}.id`, 'sg'),
    name: readText(name ?? id, `${path}.name`),
    description: readText(description ?? name ?? id, `${path}.description`),
    vpcId: readReference(vpc, `${path}.vpc`, vpcs),
    ingress:
      ingress === undefined
        ? undefined
        : list(ingress, `${path}.ingress`).map((each, index) => readRule(each, `${path}.ingress[${index}]`)),
  };
}

function readRule(value: unknown, path: string): SecurityRule {
  const { protocol, fromPort, toPort, cidrs } = members(value, path, ['protocol', 'fromPort', 'toPort', 'cidrs']);
  const known = readChoice(protocol ?? 'tcp', `${path}.protocol`, protocols);
  const hasPorts = known === 'tcp' || known === 'udp';
  const from = hasPorts ? readPort(fromPort, `${path}.fromPort`) : 0;
  const to = hasPorts ? readPort(toPort ?? fromPort, `${path}.toPort`) : 65_535;
  if (from > to) throw new Misread(`${path}: fromPort is ${from}, above toPort ${to}`);
  const ranges = list(cidrs, `${path}.cidrs`).map((each, index) => readCidr(each, `${path}.cidrs[${index}]`));
  return { protocol: known, fromPort: from, toPort: to, cidrs: ranges };
}

function readInstance(value: unknown, path: string, subnets: ReadonlyMap<string, Subnet>): Instance {
  const { id, address, subnet, state, tags } = members(value, path, ['id', 'address', 'subnet', 'state', 'tags']);
  const subnetId = readReference(subnet, `${path}.subnet`, subnets);
  const { zone, vpcId } = subnets.get(subnetId)!;
  const privateAddress = readText(address, `${path}.address`);
  if (!isIPv4(privateAddress))
    throw new Misread(`${path}.address: found '${privateAddress}'; allowed: an IPv4 address`);
  return {
    id: readInstanceId(id, `${path}.id`),
    privateAddress,
    subnetId,
    zone,
    vpcId,
    state: readChoice(state ?? 'running', `${path}.state`, instanceStates),
    tags: Object.fromEntries(
      Object.entries(members(tags ?? {}, `${path}.tags`)).map(([key, each]) => [
        key,
        readText(each, `${path}.tags.${key}`),
      ]),
    ),
  };
}

function readLimits(value: unknown): Limits {
  const { default: byDefault, accounts } = members(value ?? {}, 'limits', ['default', 'accounts']);
  const each = (given: unknown, path: string): Readonly<Record<string, number>> =>
    Object.fromEntries(
      Object.entries(members(given ?? {}, path, limitNames)).map(([name, number]) => {
        if (typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= 10_000_000) {
          return [name, number];
        }
        throw new Misread(`${path}.${name}: found ${shown(number)}; allowed: a whole number from 0 to 10000000`);
      }),
    );
  const ofAccounts = Object.entries(members(accounts ?? {}, 'limits.accounts')).map(([account, given]) => {
    if (!/^\d{12}$/.test(account)) throw new Misread(`limits.accounts: found '${account}'; allowed: twelve digits`);
    return [account, each(given, `limits.accounts.${account}`)] as const;
  });
  return { byDefault: each(byDefault, 'limits.default'), ofAccounts: new Map(ofAccounts) };
}

// The parts of JSON, each with the place where it stands.

function members(value: unknown, path: string, allowed?: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Misread(`${path || 'the file'}: found ${shown(value)}; allowed: an object`);
  }
  const stranger = allowed && Object.keys(value).find((key) => !allowed.includes(key));
  if (stranger !== undefined) {
    throw new Misread(`${path === '' ? '' : `${path}: `}unknown key '${stranger}'; allowed: ${allowed!.join(', ')}`);
  }
  return value as Readonly<Record<string, unknown>>;
}

function list(value: unknown, path: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new Misread(`${path}: found ${shown(value)}; allowed: a list`);
}

function keyed<Item extends { readonly id: string }>(
  value: unknown,
  path: string,
  read: (each: unknown, path: string) => Item,
): ReadonlyMap<string, Item> {
  const found = new Map<string, Item>();
  for (const [index, each] of list(value ?? [], path).entries()) {
    const item = read(each, `${path}[${index}]`);
    if (found.has(item.id)) throw new Misread(`${path}[${index}].id: '${item.id}' is there twice`);
    found.set(item.id, item);
  }
  return found;
}

function readText(value: unknown, path: string): string {
  if (typeof value === 'string' && value.length >= 1 && value.length <= 256) return value;
  throw new Misread(`${path}: found ${shown(value)}; allowed: a text of 1 to 256 characters`);
}

function readBoolean(value: unknown, path: string): boolean {
  if (typeof value === 'boolean') return value;
  throw new Misread(`${path}: found ${shown(value)}; allowed: true or false`);
}

function readChoice<Choice extends string>(value: unknown, path: string, choices: readonly Choice[]): Choice {
  const found = choices.find((each) => each === value);
  if (found !== undefined) return found;
  throw new Misread(`${path}: found ${shown(value)}; allowed: ${choices.join(', ')}`);
}

function readId(value: unknown, path: string, prefix: string): string {
  if (typeof value === 'string' && new RegExp(`^${prefix}-[0-9a-z]{1,32}$`).test(value)) return value;
  throw new Misread(`${path}: found ${shown(value)}; allowed: '${prefix}-' and 1 to 32 lower-case letters or digits`);
}

function readInstanceId(value: unknown, path: string): string {
  if (typeof value === 'string' && instancePattern.test(value)) return value;
  throw new Misread(`${path}: found ${shown(value)}; allowed: 'i-' and 8 to 17 of 0-9 and a-f`);
}

function readReference(value: unknown, path: string, known: ReadonlyMap<string, unknown>): string {
  if (typeof value === 'string' && known.has(value)) return value;
  throw new Misread(`${path}: found ${shown(value)}; allowed: an id that the inventory has`);
}

function readCidr(value: unknown, path: string): string {
  const [address = '', bits = ''] = typeof value === 'string' ? value.split('/') : [];
  const isIpv6Range = isIPv6(address) && /^\d{1,3}$/.test(bits) && Number(bits) <= 128;
  if (typeof value === 'string' && (isIpv6Range || parsePrefix(value) !== undefined)) return value;
  throw new Misread(`${path}: found ${shown(value)}; allowed: a range as 10.0.0.0/16 or 2001:db8::/56`);
}

function readPort(value: unknown, path: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 65_535) return value;
  throw new Misread(`${path}: found ${shown(value)}; allowed: a port from 0 to 65535`);
}

function readUrl(value: unknown, path: string): string {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  if (url !== null && ['http:', 'https:'].includes(url.protocol)) return value as string;
  throw new Misread(`${path}: found ${shown(value)}; allowed: an URL as http://127.0.0.1:9000/`);
}

function shown(value: unknown): string {
  return value === undefined ? 'nothing' : (JSON.stringify(value) ?? String(value)).slice(0, 100);
}
