/**
 * What an API operation is: a pure function of the view, the input and the context. It performs no I/O and reads no
 * clock; a write gives back the changes it wants and the answer that goes out once they are durable.
 */
import type { Result } from '#base/result.ts';
import type { AnomalyVerdict } from '#model/anomaly.ts';
import type { Change } from '#model/change.ts';
import type { HexId } from '#model/documents.ts';
import type { Fault } from '#model/fault.ts';
import type { HealthVerdict } from '#model/health.ts';
import type { MetricsReader } from '#model/metrics.ts';
import type { View } from '#model/view.ts';
import type { AccountLimits } from './limits.ts';
import type { Network } from './network.ts';
import type { World } from './world.ts';

/** The region that decisions are made in: the same for every request. */
export interface RegionSettings {
  readonly region: string;
  /** Names of the availability zones, sorted. */
  readonly zones: readonly string[];
  /** The subnets that a caller gets who names none: one for each zone. */
  readonly defaultSubnets: readonly { readonly id: string; readonly zone: string }[];
  readonly vpcId: string;
  /** Load balancers are named `NAME-ID.REGION.elb.DOMAIN`. */
  readonly domain: string;
  /** How long the addresses of a deleted load balancer are given to no other. */
  readonly holdAddressesMs: number;
}

export interface OperationContext {
  readonly settings: RegionSettings;
  /** The caller's account, twelve digits. */
  readonly account: string;
  /** Who calls: `ACCOUNT/NAME`. */
  readonly principal: string;
  readonly nowMs: number;
  /** A new id that nobody can guess. */
  readonly newId: () => HexId;
  /** Seals a secret for the document with this id: it is opened only for what needs it. */
  readonly seal: (secret: string, documentId: string) => string;
  readonly network: Network;
  /** How much the caller's account may have. */
  readonly limits: AccountLimits;
  /** Makes the text downloadable for some minutes; gives the URL. */
  readonly download: (text: string) => string;
  /** What `gather` has read for this call. */
  readonly objects?: readonly Uint8Array[];
  readonly health: (targetKey: string) => TargetCondition | undefined;
  /** Undefined: nothing is measured. */
  readonly metrics?: MetricsReader;
  /** Undefined where nobody can say: of the past. */
  readonly anomaly: ((targetKey: string) => AnomalyVerdict) | undefined;
}

/** What was gathered for one call. */
export type Gathered = Partial<Pick<OperationContext, 'network' | 'objects'>>;

/** How a target is, as the nodes have found out; of the past nobody can say. */
export type TargetCondition = HealthVerdict | { readonly kind: 'unavailable'; readonly description: string };

export type Answer<Output> = Result<Output, Fault>;
export type Decision<Output> = Result<{ readonly changes: readonly Change[]; readonly output: Output }, Fault>;

export type Operation<Input, Output> =
  | { readonly kind: 'read'; readonly answer: (view: View, input: Input, context: OperationContext) => Answer<Output> }
  | {
      readonly kind: 'write';
      /** Asks the world what the decision depends on. */
      readonly gather?: (input: Input, world: World) => Promise<Result<Gathered, Fault>>;
      readonly decide: (view: View, input: Input, context: OperationContext) => Decision<Output>;
    };

/** An operation whose input has been decoded by its schema; the table of operations forgets the exact types. */
// biome-ignore lint/suspicious/noExplicitAny: one table holds operations of every input and output type.
export type AnyOperation = Operation<any, any>;
