/**
 * Which documents concern which follower. A node gets the load balancers placed on it and everything they refer to; the
 * DNS server gets load balancers with their listeners and placements. Both get what their brakes judge by: operators,
 * limits and approvals. Everything else goes to nobody.
 */
import type { Change } from '#model/change.ts';
import { type Entry, type HexId, isOfEveryFollower, isOfNoFollower, type Kind, kinds } from '#model/documents.ts';
import { placementKey } from '#model/keys.ts';
import { isEmpty, type View } from '#model/view.ts';
import type { FollowerRole } from './frames.ts';

/**
 * The part of the state that one follower is kept in step with. It remembers what the follower holds, so that a
 * document which becomes relevant long after it was written is sent whole when it does.
 */
export class Subset {
  readonly #role: FollowerRole;
  readonly #loadBalancers: Set<HexId>;
  readonly #targetGroups: Set<HexId>;

  constructor(
    role: FollowerRole,
    holds: { readonly loadBalancers: readonly HexId[]; readonly targetGroups: readonly HexId[] },
  ) {
    this.#role = role;
    this.#loadBalancers = new Set(holds.loadBalancers);
    this.#targetGroups = new Set(holds.targetGroups);
  }

  /** Everything that concerns the follower in `view` and that it does not hold yet; from now on it counts as held. */
  missing(view: View): Entry[] {
    const joined: Entry[] = [];
    for (const kind of kinds) if (isOfEveryFollower(kind)) joined.push(...view.all(kind));
    if (this.#role.kind === 'dns') {
      for (const { id } of view.all('load-balancer')) this.#joinLoadBalancer(view, id, joined);
      return joined;
    }
    pushEntry(view, 'node', this.#role.id, joined);
    for (const { document } of view.find('placementsOfNode', this.#role.id)) {
      this.#joinLoadBalancer(view, document.loadBalancerId, joined);
    }
    // A load balancer that the follower holds may have begun to use another target group while the link was cut.
    for (const id of this.#loadBalancers) this.#joinGroupsOf(view, id, joined);
    return joined;
  }

  /**
   * The changes that concern the follower, and the documents that they draw in. Every tombstone concerns everybody:
   * what is gone can no longer be traced to its load balancer, and to one who never held it a tombstone means nothing.
   */
  select(view: View, changes: readonly Change[]): { readonly changes: Change[]; readonly joined: Entry[] } {
    const joined: Entry[] = [];
    const selected = changes.filter((change) => {
      if (change.after === null) {
        this.#loadBalancers.delete(change.id);
        this.#targetGroups.delete(change.id);
        return !isOfNoFollower(change.kind);
      }
      return this.#concerns(view, change, joined);
    });
    return { changes: selected, joined };
  }

  #concerns(view: View, change: Change, joined: Entry[]): boolean {
    if (change.after === null) return true;
    const isNode = this.#role.kind === 'node';
    switch (change.kind) {
      case 'principal':
      case 'access-key':
      case 'certificate':
      case 'trust-store':
      case 'revocation':
      case 'fold':
      case 'hold':
      case 'request':
      case 'freeze':
        return false;
      case 'operator':
      case 'limit':
      case 'approval':
        return true;
      case 'node':
        return change.id === this.#role.id;
      case 'load-balancer':
        return this.#loadBalancers.has(change.id) || this.#joinIfPlaced(view, change.id, joined);
      case 'placement':
        if (isNode && change.after.nodeId !== this.#role.id) return false;
        this.#joinLoadBalancer(view, change.after.loadBalancerId, joined);
        return true;
      case 'listener':
        return this.#loadBalancers.has(change.after.loadBalancerId);
      case 'rule': {
        const listener = view.get('listener', change.after.listenerId);
        if (!isNode || listener === undefined || !this.#loadBalancers.has(listener.loadBalancerId)) return false;
        this.#joinGroupsOf(view, listener.loadBalancerId, joined);
        return true;
      }
      case 'target-group':
        return this.#targetGroups.has(change.id);
      case 'target':
        return this.#targetGroups.has(change.after.targetGroupId);
    }
  }

  #joinIfPlaced(view: View, id: HexId, joined: Entry[]): boolean {
    const placed =
      this.#role.kind === 'dns' ||
      view.get('placement', placementKey({ loadBalancerId: id, nodeId: this.#role.id })) !== undefined;
    if (placed) this.#joinLoadBalancer(view, id, joined);
    return placed;
  }

  #joinLoadBalancer(view: View, id: HexId, joined: Entry[]): void {
    if (this.#loadBalancers.has(id) || view.get('load-balancer', id) === undefined) return;
    this.#loadBalancers.add(id);
    pushEntry(view, 'load-balancer', id, joined);
    const isNode = this.#role.kind === 'node';
    for (const placement of view.find('placementsOfLoadBalancer', id)) {
      if (!isNode || placement.document.nodeId === this.#role.id) joined.push(placement);
    }
    for (const listener of view.find('listenersOfLoadBalancer', id)) {
      joined.push(listener);
      if (isNode) joined.push(...view.find('rulesOfListener', listener.id));
    }
    if (!isNode) return;
    this.#joinGroupsOf(view, id, joined);
  }

  #joinGroupsOf(view: View, loadBalancerId: HexId, joined: Entry[]): void {
    for (const listener of view.find('listenersOfLoadBalancer', loadBalancerId)) {
      for (const { document: rule } of view.find('rulesOfListener', listener.id)) {
        for (const action of rule.actions) {
          if (action.kind !== 'forward') continue;
          for (const { targetGroupId } of action.groups) this.#joinGroup(view, targetGroupId, joined);
        }
      }
    }
  }

  #joinGroup(view: View, id: HexId, joined: Entry[]): void {
    if (this.#targetGroups.has(id) || view.get('target-group', id) === undefined) return;
    this.#targetGroups.add(id);
    pushEntry(view, 'target-group', id, joined);
    for (const target of view.find('targetsOfTargetGroup', id)) joined.push(target);
  }
}

function pushEntry(view: View, kind: Kind, id: string, joined: Entry[]): void {
  const document = view.get(kind, id);
  if (document !== undefined) joined.push({ kind, id, revision: view.revisionOf(kind, id), document } as Entry);
}

/**
 * Documents that a node holds and that nothing it serves refers to any more, judged from its own view alone: load
 * balancers without a placement, and target groups that no rule uses, with all that hangs on them.
 */
export function unreferenced(view: View): { readonly kind: Kind; readonly id: string }[] {
  const keys: { kind: Kind; id: string }[] = [];
  for (const loadBalancer of view.all('load-balancer')) {
    if (!isEmpty(view.find('placementsOfLoadBalancer', loadBalancer.id))) continue;
    keys.push(loadBalancer);
    for (const listener of view.find('listenersOfLoadBalancer', loadBalancer.id)) {
      keys.push(listener, ...view.find('rulesOfListener', listener.id));
    }
  }
  for (const group of view.all('target-group')) {
    if (isEmpty(view.find('rulesUsingTargetGroup', group.id)))
      keys.push(group, ...view.find('targetsOfTargetGroup', group.id));
  }
  return keys;
}
