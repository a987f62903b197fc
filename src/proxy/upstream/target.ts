/**
 * One target of a target group, as this worker sees it: its idle connections, its requests in flight, its counters. A
 * target keeps its identity by key while any routing table names it, so a swap of tables loses nothing.
 */
import { TargetCounters, type TargetOwner } from '#proxy/counters.ts';
import type { RoutingTarget } from '#routing/table.ts';

/** A connection that can wait in a pool for the next request. */
export interface Poolable {
  destroy(): void;
}

/** How many idle connections a worker keeps, over all targets. */
export interface IdleBudget {
  readonly perTargetMax: number;
  readonly totalMax: number;
  count: number;
}

/** `ADDRESS:PORT`, an IPv6 address in brackets. */
export function labelOf(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

export class Target<Connection extends Poolable> {
  readonly key: string;
  readonly address: string;
  readonly port: number;
  /** `ADDRESS:PORT`. */
  readonly label: string;
  readonly owner: TargetOwner;
  /** Requests that it was given, retries among them. */
  requests = 0;
  /** Requests that it was given and has not answered yet. */
  outstanding = 0;
  /** Undefined: it was given no request yet. */
  counters: TargetCounters | undefined;
  /** What became of its requests, as it was told last (`Registry.takeOutcomes`). */
  told = { ended: 0, failed: 0 };
  /** It refused a connection: until this monotonic time others get requests first. 0: it did not. */
  avoidedUntilMs = 0;
  /** How many places in routing tables name it; at 0 it gets nothing new and keeps nothing open. */
  usesCount = 0;
  /** It gets no new requests, and keeps no idle connections. */
  isDraining = false;
  readonly #budget: IdleBudget;
  readonly #idle: Connection[] = [];

  constructor(target: RoutingTarget, owner: TargetOwner, budget: IdleBudget) {
    this.key = target.key;
    this.address = target.address;
    this.port = target.port;
    this.label = labelOf(target.address, target.port);
    this.owner = owner;
    this.#budget = budget;
  }

  /** A request is about to be given to it. */
  countRequest(): TargetCounters {
    this.requests += 1;
    this.counters ??= new TargetCounters();
    return this.counters;
  }

  /** The connection that was used last, because it is the least likely to have been closed meanwhile. */
  take(): Connection | undefined {
    const connection = this.#idle.pop();
    if (connection !== undefined) this.#budget.count -= 1;
    return connection;
  }

  /** Keeps an idle connection; false when there is no room for it or the target is on its way out. */
  keep(connection: Connection): boolean {
    const budget = this.#budget;
    if (
      this.usesCount === 0 ||
      this.isDraining ||
      this.#idle.length >= budget.perTargetMax ||
      budget.count >= budget.totalMax
    )
      return false;
    this.#idle.push(connection);
    budget.count += 1;
    return true;
  }

  /** Forgets an idle connection that is gone. */
  forget(connection: Connection): void {
    const index = this.#idle.lastIndexOf(connection);
    if (index === -1) return;
    this.#idle.splice(index, 1);
    this.#budget.count -= 1;
  }

  closeIdle(): void {
    for (let connection = this.take(); connection !== undefined; connection = this.take()) connection.destroy();
  }
}
