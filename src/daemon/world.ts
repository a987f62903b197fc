/**
 * The world around a control plane: the operator's inventory, read anew when its file changes, an EC2 endpoint for what
 * the inventory does not have, and the object store.
 */
import { accept, type Result, refuse } from '#base/result.ts';
import { type Inventory, parseInventory } from '#control/inventory.ts';
import { noLimits } from '#control/limits.ts';
import { type Instance, type Network, unknownNetwork } from '#control/network.ts';
import type { NetworkIds, World } from '#control/world.ts';
import type { Clock } from '#io/clock.ts';
import { Ec2Endpoint, type FoundNetwork } from '#io/ec2-endpoint.ts';
import { fileStamp, readFileIfThere } from '#io/files.ts';
import type { Log } from '#io/log.ts';
import { type ObjectStoreOptions, objectReader, objectWriter } from '#io/object-store.ts';
import { every, type Timer } from '#io/timers.ts';
import { fault } from '#model/fault.ts';

const lookPeriodMs = 1_000;
const noStore = async () =>
  refuse('no object store is configured; the settings --s3-folder and --s3-endpoint name one');
const emptyInventory: Inventory = { network: unknownNetwork, defaultSubnets: [], limits: noLimits };

export interface WorldOptions extends ObjectStoreOptions {
  readonly zones: readonly string[];
  readonly inventory: string | undefined;
  readonly ec2Endpoint: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** Refuses, in a sentence, an inventory that cannot be read. */
export function openWorld(options: WorldOptions): Result<OpenWorld, string> {
  const { inventory, zones } = options;
  if (inventory === undefined) return accept(new OpenWorld(options, emptyInventory));
  const read = readInventory(inventory, zones);
  return read.ok ? accept(new OpenWorld(options, read.value)) : read;
}

export class OpenWorld implements World {
  readonly readObject: World['readObject'];
  readonly writeObject: World['writeObject'];
  readonly #options: WorldOptions;
  readonly #endpoint: Ec2Endpoint | undefined;
  #inventory: Inventory;
  #timer: Timer | undefined;
  #stamp = '';

  constructor(options: WorldOptions, inventory: Inventory) {
    const { inventory: path, ec2Endpoint, region, clock } = options;
    this.#options = options;
    this.#inventory = inventory;
    this.#endpoint =
      ec2Endpoint === undefined ? undefined : new Ec2Endpoint(ec2Endpoint, region, () => clock.monotonicMs());
    this.readObject = objectReader(options) ?? noStore;
    this.writeObject = objectWriter(options) ?? noStore;
    if (path === undefined) return;
    this.#stamp = fileStamp(path);
    this.#timer = every(lookPeriodMs, () => this.#look(path));
  }

  get inventory(): Inventory {
    return this.#inventory;
  }

  get known(): Network {
    return this.#inventory.network;
  }

  get limits(): World['limits'] {
    return this.#inventory.limits;
  }

  async network(ids: NetworkIds): ReturnType<World['network']> {
    const { network } = this.#inventory;
    if (this.#endpoint === undefined) return accept(network);
    const { subnets = [], vpcs = [], securityGroups = [], instances = [] } = ids;
    const found = await this.#endpoint.find({
      subnets: subnets.filter((id) => !network.subnets.has(id)),
      vpcs: vpcs.filter((id) => !network.vpcs.has(id)),
      securityGroups: securityGroups.filter((id) => !network.securityGroups.has(id)),
      instances: instances.filter((id) => !network.instances.has(id)),
    });
    return found.ok ? accept(joined(network, found.value)) : refuse(fault('ServiceUnavailable', found.fault));
  }

  close(): void {
    this.#timer?.stop();
  }

  #look(path: string): void {
    const stamp = fileStamp(path);
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    const { log, zones } = this.#options;
    const read = readInventory(path, zones);
    if (!read.ok) {
      log.error(`the inventory is left as it was: ${read.fault}`);
      return;
    }
    this.#inventory = read.value;
    log.info(`the inventory ${path} was read anew`);
  }
}

function readInventory(path: string, zones: readonly string[]): Result<Inventory, string> {
  let text: string | undefined;
  try {
    text = readFileIfThere(path);
  } catch (error) {
    return refuse(`the inventory ${path} cannot be read: ${(error as Error).message}`);
  }
  if (text === undefined) return refuse(`the inventory ${path} is not there`);
  const read = parseInventory(text, zones);
  return read.ok ? read : refuse(`the inventory ${path}: ${read.fault}`);
}

/** What an endpoint says is not there, is not there: of what was asked for nothing is left open. */
function joined(network: Network, found: FoundNetwork): Network {
  const byId = <Item extends { readonly id: string }>(known: ReadonlyMap<string, Item>, more: readonly Item[]) =>
    new Map([...known, ...more.map((each) => [each.id, each] as const)]);
  return {
    ...network,
    isComplete: true,
    vpcs: byId(network.vpcs, found.vpcs),
    subnets: byId(
      network.subnets,
      found.subnets.map(({ cidrBlock, ...each }) => ({ ...each, ...(cidrBlock !== undefined && { cidrBlock }) })),
    ),
    securityGroups: byId(
      network.securityGroups,
      found.securityGroups.map((each) => ({ ...each, description: each.name, ingress: undefined })),
    ),
    instances: byId(
      network.instances,
      found.instances.map((each) => ({ ...each, state: each.state as Instance['state'], tags: {} })),
    ),
  };
}
