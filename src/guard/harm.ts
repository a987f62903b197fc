/**
 * Harm: a load balancer that serves now and would stop. Pure, and the same code before the journal writes and in every
 * node before it applies: a guard that stands at one door only is not a guard.
 */
import type { Change } from '#model/change.ts';
import type { HexId, LoadBalancerDocument, PlacementDocument } from '#model/documents.ts';
import { KeyMap } from '#model/key-map.ts';
import { Overlay, type State } from '#model/overlay.ts';
import type { View } from '#model/view.ts';

export type HarmReason =
  | 'deleted'
  | 'last-listener-gone'
  | 'closed-to-everybody'
  | 'last-address-gone'
  | 'last-target-gone';

export interface Harm {
  readonly loadBalancerId: HexId;
  readonly account: string;
  readonly name: string;
  readonly reason: HarmReason;
}

/** The load balancers that serve in `view` and would not once `changes` were applied, each with the first reason. */
export function harm(view: View, changes: readonly Change[]): readonly Harm[] {
  // What only adds changes nothing about what serves now.
  const taking = new KeyMap<Change>();
  for (const change of changes) if (takes(view, change)) taking.set(change);
  const after = new Overlay(view, taking);
  const found: Harm[] = [];
  for (const id of touchedLoadBalancers(view, taking.values())) {
    const reason = stopsServing(view, after, id);
    const loadBalancer = view.get('load-balancer', id);
    if (reason === undefined || loadBalancer === undefined) continue;
    found.push({ loadBalancerId: id, account: loadBalancer.account, name: loadBalancer.name, reason });
  }
  return found;
}

/** Says in one sentence whom the changes would harm: the first few by name, the others by number. */
export function describeHarm(harmed: readonly Harm[]): string {
  const named = harmed.slice(0, 3).map(({ account, name, reason }) => `${account}/${name} (${reason})`);
  const others = harmed.length > named.length ? ` and ${harmed.length - named.length} more` : '';
  return `${harmed.length} load balancer${harmed.length === 1 ? '' : 's'} would stop serving: ${named.join(', ')}${others}`;
}

/** Only what takes away can harm: tombstones, targets that begin to drain, placements that do not serve any more. */
function takes(view: View, change: Change): boolean {
  if (change.after === null) return true;
  if (change.kind === 'target' && change.after.state.kind === 'registered') return false;
  if (change.kind === 'placement' && change.after.state.kind === 'serving') return false;
  // What was not there served nobody. The view is asked, and not what the change says it replaces.
  return view.get(change.kind, change.id) !== undefined;
}

/** The load balancers that the changes are about, those included whose parts are new. */
export function touchedLoadBalancers(view: View, changes: Iterable<Change>): Set<HexId> {
  const touched = new Set<HexId>();
  const groups = new Set<HexId>();
  const ofListener = (id: HexId) => view.get('listener', id)?.loadBalancerId ?? '';
  for (const { kind, id, after } of changes) {
    if (kind === 'load-balancer') touched.add(id);
    else if (kind === 'listener') touched.add((view.get(kind, id) ?? after)?.loadBalancerId ?? '');
    else if (kind === 'placement') touched.add((view.get(kind, id) ?? after)?.loadBalancerId ?? '');
    else if (kind === 'rule') touched.add(ofListener((view.get(kind, id) ?? after)?.listenerId ?? ''));
    else if (kind === 'target') groups.add((view.get(kind, id) ?? after)?.targetGroupId ?? '');
    else if (kind === 'target-group') groups.add(id);
  }
  for (const group of groups) {
    for (const { document: rule } of view.find('rulesUsingTargetGroup', group)) {
      touched.add(view.get('listener', rule.listenerId)?.loadBalancerId ?? '');
    }
  }
  touched.delete('');
  return touched;
}

function stopsServing(view: View, after: State, id: HexId): HarmReason | undefined {
  const listeners = [...view.find('listenersOfLoadBalancer', id)];
  const addresses = answering(view, id);
  // Without a listener or an address it serves nobody, and nobody can be harmed.
  if (listeners.length === 0 || addresses.size === 0) return undefined;
  if (after.get('load-balancer', id) === undefined) return 'deleted';
  if (listeners.every((listener) => after.get('listener', listener.id) === undefined)) return 'last-listener-gone';
  const isOpen = (state: State) =>
    listeners.some(({ document: { port } }) => letsIn(state.get('load-balancer', id), port));
  if (isOpen(view) && !isOpen(after)) return 'closed-to-everybody';
  if (addresses.isDisjointFrom(answering(after, id))) return 'last-address-gone';
  for (const listener of listeners) {
    for (const rule of view.find('rulesOfListener', listener.id)) {
      for (const action of rule.document.actions) {
        if (
          action.kind === 'forward' &&
          action.groups.some(({ targetGroupId }) => losesLastTarget(view, after, targetGroupId))
        ) {
          return 'last-target-gone';
        }
      }
    }
  }
  return undefined;
}

/** Whether there is anybody whom the security groups let connect. */
function letsIn(loadBalancer: LoadBalancerDocument | undefined, port: number): boolean {
  const { ingress } = loadBalancer ?? {};
  if (ingress === undefined) return true;
  return ingress.some(({ fromPort, toPort, cidrs }) => fromPort <= port && port <= toPort && cidrs.length > 0);
}

/**
 * The addresses that clients can rely on: those that serve, and those that leave while there are others to come after
 * them. So where all addresses are known, the last that leaves cannot go before another serves; a node, which knows
 * only its own, lets it go.
 */
function answering(state: State, loadBalancerId: HexId): ReadonlySet<string> {
  const placements = [...state.find('placementsOfLoadBalancer', loadBalancerId)];
  const hasSuccessor = placements.some(({ document }) => document.state.kind !== 'leaving');
  const answers = ({ kind }: PlacementDocument['state']) => kind === 'serving' || (kind === 'leaving' && hasSuccessor);
  return new Set(placements.filter(({ document }) => answers(document.state)).map(({ id }) => id));
}

function losesLastTarget(view: View, after: State, targetGroupId: HexId): boolean {
  let hadOne = false;
  for (const { id, document } of view.find('targetsOfTargetGroup', targetGroupId)) {
    if (document.state.kind !== 'registered') continue;
    if (after.get('target', id)?.state.kind === 'registered') return false;
    hadOne = true;
  }
  return hadOne;
}
