/**
 * How many requests each principal may make: a bucket of tokens for each class of actions, that fills again at a steady
 * rate, and one as large as several of them for the account, so that nobody can starve anybody else. Pure but for what
 * the buckets remember; time is an argument.
 * Source: "Throttling" in "Common errors" of the ELB API reference; the form is that of EC2's request throttling.
 */
import { type Fault, fault } from '#model/fault.ts';

export type ActionClass = 'read' | 'write' | 'registration';

interface Rate {
  /** So many at once. */
  readonly burst: number;
  readonly perSecond: number;
}

/** Above what Terraform, controllers and scripts ask for, and below what would keep others waiting. */
export const rates: Readonly<Record<ActionClass, Rate>> = {
  read: { burst: 1_000, perSecond: 200 },
  write: { burst: 500, perSecond: 50 },
  registration: { burst: 1_000, perSecond: 200 },
};

/** An account may ask for as much as so many principals. */
const accountFactor = 4;
const bucketsMax = 10_000;

interface Bucket {
  tokens: number;
  atMs: number;
}

export function classOf(action: string): ActionClass {
  if (/^(?:De)?[Rr]egister(?:Targets|InstancesWithLoadBalancer|InstancesFromLoadBalancer)$/.test(action)) {
    return 'registration';
  }
  return /^(?:Describe|Get|List)/.test(action) ? 'read' : 'write';
}

export class Throttle {
  /** Least recently used first. */
  readonly #buckets = new Map<string, Bucket>();
  readonly #factor: number;

  /** `percent` of the usual rates; 0 lets everything through. */
  constructor(percent: number) {
    this.#factor = percent / 100;
  }

  /** Takes a token for one request; the fault says which rate it would exceed. */
  take(
    caller: { readonly principal: string; readonly account: string },
    action: string,
    nowMs: number,
  ): Fault | undefined {
    if (this.#factor === 0) return undefined;
    const actions = classOf(action);
    const rate = rates[actions];
    const own = this.#bucket(`${actions} ${caller.principal}`, rate, this.#factor, nowMs);
    const common = this.#bucket(`${actions} ${caller.account}`, rate, this.#factor * accountFactor, nowMs);
    const empty = own.tokens < 1 ? 'the principal' : common.tokens < 1 ? 'the account' : undefined;
    if (empty !== undefined) {
      const perSecond = rate.perSecond * this.#factor * (empty === 'the account' ? accountFactor : 1);
      const message = `Rate exceeded: ${empty} may make ${perSecond} requests of the class ${actions} a second`;
      return fault('Throttling', message);
    }
    own.tokens -= 1;
    common.tokens -= 1;
    return undefined;
  }

  #bucket(name: string, { burst, perSecond }: Rate, factor: number, nowMs: number): Bucket {
    // A rate so small that it holds no token would let nothing through at all.
    const full = Math.max(1, burst * factor);
    const known = this.#buckets.get(name);
    const bucket = known ?? { tokens: full, atMs: nowMs };
    const elapsedSeconds = Math.max(0, nowMs - bucket.atMs) / 1_000;
    bucket.tokens = Math.min(full, bucket.tokens + elapsedSeconds * perSecond * factor);
    bucket.atMs = Math.max(nowMs, bucket.atMs);
    if (known !== undefined) this.#buckets.delete(name);
    else if (this.#buckets.size >= bucketsMax) this.#buckets.delete(this.#buckets.keys().next().value!);
    this.#buckets.set(name, bucket);
    return bucket;
  }
}
