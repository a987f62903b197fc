/**
 * One listener of a worker: its door, its present routes, and the client connections that came in. Routes are replaced
 * whole; a closed listener lets its connections finish.
 */
import { Bag } from '#base/bag.ts';
import type { Log } from '#io/log.ts';
import { soon } from '#io/timers.ts';
import type { RoutingTable } from '#routing/table.ts';
import type { LoadBalancerCounters } from './counters.ts';
import { ClientConnection } from './http1/client-connection.ts';
import type { ClientHome } from './http1/client-home.ts';
import type { HttpTarget } from './http1/target-connection.ts';
import { AccessLog } from './log/access-log.ts';
import { ConnectionLog } from './log/connection-log.ts';
import { familyOf, type LoadBalancerState, type Registry } from './registry.ts';
import type { Routes } from './routes.ts';
import type { Door } from './socket/accept.ts';
import { listen } from './socket/accept.ts';
import type { Channel, ChannelOwner } from './socket/channel.ts';
import { Sources } from './sources.ts';
import type { WorkerContext } from './worker-context.ts';

export type ApplyOutcome =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'failed'; readonly reason: string };

export class Listener implements ClientHome {
  routes: Routes;
  readonly counters: LoadBalancerCounters;
  accessLog: AccessLog | undefined;
  isHandingOver = false;
  isClosed = false;
  /** Settles once, when it listens or cannot. */
  readonly opened: Promise<ApplyOutcome>;
  readonly #context: WorkerContext;
  readonly #registry: Registry;
  readonly #loadBalancer: LoadBalancerState;
  readonly #onEmpty: (listener: Listener) => void;
  readonly #connections = new Bag<ClientConnection>();
  #door: Door | undefined;
  #isShut = false;
  #sources: Sources | undefined;
  #connectionLog: ConnectionLog | undefined;

  /** `onEmpty` is called once, when it is closed and its last connection has gone. */
  constructor(
    context: WorkerContext,
    registry: Registry,
    log: Log,
    table: RoutingTable,
    onEmpty: (listener: Listener) => void,
  ) {
    this.#context = context;
    this.#registry = registry;
    this.#onEmpty = onEmpty;
    this.#loadBalancer = registry.takeLoadBalancer(table.loadBalancer.id);
    this.counters = this.#loadBalancer.families[familyOf(table)].counters;
    this.routes = registry.takeRoutes(table, this.#loadBalancer);
    this.#useTable(table);
    this.opened = this.#open(log, table);
  }

  /** Whether the table is for the place where this listener listens. */
  isAt(table: RoutingTable): boolean {
    const present = this.routes.table;
    return (
      present.address === table.address &&
      present.port === table.port &&
      present.loadBalancer.id === table.loadBalancer.id
    );
  }

  /**
   * Puts another table in the place of the present one. Requests under way keep the target that they have, unless its
   * time to finish them is over.
   */
  swap(table: RoutingTable): void {
    const before = this.routes;
    this.routes = this.#registry.takeRoutes(table, this.#loadBalancer);
    this.#useTable(table);
    const gone = drainedTargets(before, this.routes);
    this.#registry.giveRoutes(before);
    if (gone.size > 0) for (const connection of this.#connections.all()) connection.onTargetsGone(gone);
  }

  /**
   * Accepts no more. What the kernel has already connected is still accepted: to these clients a closed door would be a
   * reset.
   */
  shut(): void {
    if (this.#isShut) return;
    this.#isShut = true;
    if (this.#door === undefined) this.#settle();
    else soon(() => this.#closeDoor());
  }

  /** Accepts no more, and has every connection end with its next answer: nobody's request meets a closed connection. */
  handOver(): void {
    this.isHandingOver = true;
    this.shut();
  }

  /** Accepts no more, closes connections that wait for a request, and lets the others finish theirs. */
  close(): void {
    this.isClosed = true;
    this.handOver();
    for (const connection of this.#connections.all()) connection.retire();
  }

  /** Cuts off every connection that is left. */
  cut(): void {
    for (const connection of this.#connections.all()) connection.cut();
  }

  onClientGone(connection: ClientConnection): void {
    this.#connections.remove(connection);
    this.counters.activeConnections -= 1;
    this.#context.activeConnectionsCount -= 1;
    this.#settle();
  }

  #useTable(table: RoutingTable): void {
    const { sources, logs } = table;
    const context = this.#context;
    const book = (heading: string | undefined) =>
      heading === undefined ? undefined : context.options.logSink?.book(heading);
    const [access, connection] = [book(logs?.access), book(logs?.connection)];
    this.#sources = sources && new Sources(sources);
    this.accessLog = access && new AccessLog(access, table, logs!.region, context);
    this.#connectionLog = connection && new ConnectionLog(connection, table, context.clock);
  }

  #closeDoor(): void {
    this.#door?.close();
    this.#door = undefined;
    this.#settle();
  }

  async #open(log: Log, table: RoutingTable): Promise<ApplyOutcome> {
    const door = await listen({
      address: table.address,
      port: table.port,
      path: this.#context.options.socketPath,
      readBuffer: this.#context.readBuffer,
      accept: (open, peer) => this.#accept(open, peer),
      onError: (reason) => log.error(`listener ${table.listenerId} cannot accept a connection: ${reason}`),
    });
    if (typeof door === 'string') return { kind: 'failed', reason: door };
    // It may have been shut while the door was being opened.
    if (this.#isShut) door.close();
    else this.#door = door;
    return { kind: 'listening', port: door.port };
  }

  #accept(open: (owner: ChannelOwner) => Channel, peer: () => string): ChannelOwner | undefined {
    const { counters } = this;
    if (this.#sources?.letsIn(peer()) === false) {
      counters.blockedConnections += 1;
      return undefined;
    }
    if (this.isClosed || this.#context.activeConnectionsCount >= this.#context.options.clientConnectionsMax) {
      counters.rejectedConnections += 1;
      return undefined;
    }
    counters.newConnections += 1;
    counters.activeConnections += 1;
    this.#context.activeConnectionsCount += 1;
    const connection = new ClientConnection(this.#context, this, open);
    this.#connections.add(connection);
    this.#connectionLog?.opened(connection.identity, connection.client);
    return connection;
  }

  #settle(): void {
    if (!this.#isShut || this.#door !== undefined || this.#connections.size > 0) return;
    this.#registry.giveRoutes(this.routes);
    this.#registry.giveLoadBalancer(this.#loadBalancer);
    this.#onEmpty(this);
  }
}

/** Targets that were draining and that their groups have no more. A group that no rule uses any more says nothing. */
function drainedTargets(before: Routes, now: Routes): ReadonlySet<HttpTarget> {
  const gone = new Set<HttpTarget>();
  for (const [groupIndex, group] of before.table.groups.entries()) {
    const draining = group.targets.flatMap(({ state }, index) => (state === 'draining' ? [index] : []));
    if (draining.length === 0) continue;
    const left = now.groups.find(({ id }) => id === group.id);
    if (left === undefined) continue;
    for (const index of draining) {
      const target = before.groups[groupIndex]!.targets[index]!;
      if (!left.targets.includes(target)) gone.add(target);
    }
  }
  return gone;
}
