/**
 * What the control plane asks others before it decides. Decisions perform no I/O: what they need of the world is
 * gathered first, and is an argument like everything else.
 */
import type { Result } from '#base/result.ts';
import type { Fault } from '#model/fault.ts';
import { type Limits, noLimits } from './limits.ts';
import { type Network, unknownNetwork } from './network.ts';

/** Where something lies in the object store. */
export interface ObjectPlace {
  readonly bucket: string;
  readonly key: string;
  /** The latest one when undefined. */
  readonly version: string | undefined;
}

export interface NetworkIds {
  readonly subnets?: readonly string[];
  readonly securityGroups?: readonly string[];
  readonly vpcs?: readonly string[];
  readonly instances?: readonly string[];
}

export interface World {
  /** The network as it is known without asking anybody. */
  readonly known: Network;
  /** How much accounts may have. */
  readonly limits: Limits;
  /** The network as it is known; what is asked elsewhere is asked for these ids. Refuses when that cannot be asked. */
  network(ids: NetworkIds): Promise<Result<Network, Fault>>;
  /** The bytes of an object, at most `sizeBytesMax`; refuses, in a sentence, when it cannot be had. */
  readObject(place: ObjectPlace, sizeBytesMax: number): Promise<Result<Uint8Array, string>>;
  /** Writes an object; refuses, in a sentence, when that cannot be done. */
  writeObject(place: Omit<ObjectPlace, 'version'>, bytes: Uint8Array): Promise<Result<void, string>>;
}

/** Knows nothing of a network, and has no object store. */
export const noWorld: World = {
  known: unknownNetwork,
  limits: noLimits,
  network: async () => ({ ok: true, value: unknownNetwork }),
  readObject: async () => ({ ok: false, fault: 'no object store is configured' }),
  writeObject: async () => ({ ok: false, fault: 'no object store is configured' }),
};
