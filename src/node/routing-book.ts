/**
 * Every listener's routing table, kept in step with the documents and the health that it was compiled from. It finds
 * out which listeners a change concerns, so that one target's news does not recompile everything.
 */
import type { Applied } from '#journal/replica.ts';
import type { Entry, HexId } from '#model/documents.ts';
import type { HealthLookup } from '#model/health.ts';
import type { View } from '#model/view.ts';
import { compileListener, type TargetLookups } from '#routing/compile.ts';
import type { RoutingGroup, RoutingTable } from '#routing/table.ts';

export interface TableNews {
  readonly tables: readonly RoutingTable[];
  /** Listeners that had a table and have none any more. */
  readonly removed: readonly HexId[];
}

export class RoutingBook {
  readonly #view: View;
  readonly #health: HealthLookup;
  readonly #node: { readonly nodeId: string; readonly region: string };
  readonly #lookups: TargetLookups;
  readonly #tables = new Map<HexId, RoutingTable>();

  constructor(
    view: View,
    health: HealthLookup,
    node: { readonly nodeId: string; readonly region: string },
    lookups: TargetLookups = {},
  ) {
    this.#lookups = lookups;
    this.#view = view;
    this.#health = health;
    this.#node = node;
  }

  get tables(): ReadonlyMap<HexId, RoutingTable> {
    return this.#tables;
  }

  compileAll(): TableNews {
    return this.compile(new Set([...this.#view.all('listener')].map(({ id }) => id)));
  }

  /** Compiles these listeners anew and says what became of their tables. */
  compile(listeners: ReadonlySet<HexId>): TableNews {
    const tables: RoutingTable[] = [];
    const removed: HexId[] = [];
    for (const id of listeners) {
      const place = { listenerId: id, ...this.#node };
      const table = compileListener(this.#view, this.#health, place, this.#lookups);
      if (table !== undefined) {
        this.#tables.set(id, table);
        tables.push(table);
      } else if (this.#tables.delete(id)) {
        removed.push(id);
      }
    }
    return { tables, removed };
  }

  /** The listeners whose tables depend on what was applied. */
  concerned(applied: readonly Applied[]): Set<HexId> {
    const listeners = new Set<HexId>();
    const groups = new Set<HexId>();
    for (const { before, after } of applied) {
      for (const entry of [before, after]) {
        if (entry !== undefined) this.#concernedBy(entry, listeners, groups);
      }
    }
    for (const group of groups) for (const listener of this.listenersUsing(group)) listeners.add(listener);
    return listeners;
  }

  listenersUsing(targetGroupId: HexId): HexId[] {
    return [...this.#view.find('rulesUsingTargetGroup', targetGroupId)].map(({ document }) => document.listenerId);
  }

  /** The group as the node routes to it, by any listener; undefined while none does. */
  group(targetGroupId: HexId): RoutingGroup | undefined {
    for (const listener of this.listenersUsing(targetGroupId)) {
      const group = this.#tables.get(listener)?.groups.find(({ id }) => id === targetGroupId);
      if (group !== undefined) return group;
    }
    return undefined;
  }

  #concernedBy(entry: Entry, listeners: Set<HexId>, groups: Set<HexId>): void {
    switch (entry.kind) {
      case 'listener':
        listeners.add(entry.id);
        return;
      case 'rule':
        listeners.add(entry.document.listenerId);
        return;
      case 'target-group':
        groups.add(entry.id);
        return;
      case 'target':
        groups.add(entry.document.targetGroupId);
        return;
      case 'load-balancer':
      case 'placement': {
        const id = entry.kind === 'placement' ? entry.document.loadBalancerId : entry.id;
        for (const listener of this.#view.find('listenersOfLoadBalancer', id)) listeners.add(listener.id);
        return;
      }
      case 'node':
      case 'certificate':
      case 'trust-store':
      case 'revocation':
      case 'principal':
      case 'access-key':
      case 'fold':
      case 'operator':
      case 'limit':
      case 'hold':
      case 'approval':
      case 'request':
      case 'freeze':
        return;
    }
  }
}
