/**
 * The end of an address whose zone was taken from its load balancer: it goes for good once another serves and names
 * have had the time to be asked again. Until then it serves whoever comes.
 */
import { type Change, remove } from '#model/change.ts';
import type { Entry, PlacementDocument } from '#model/documents.ts';
import type { View } from '#model/view.ts';
import { nodesPerLoadBalancer, serveAgain } from './placement.ts';

/** Twice what a client may keep an answer of ours for (see `addressTtlSeconds` of the DNS server). */
const addressGraceMs = 120_000;
/** Bounds one transaction; whoever lets addresses go calls again until nothing is left. */
const placementsPerTransactionMax = 1_000;

/**
 * Removes the addresses whose time has passed; takes back into service those that need not leave any more, because the
 * change that took their zone was undone, or nothing is left that could come after them.
 */
export function letGo(view: View, nowMs: number): readonly Change[] {
  const changes: Change[] = [];
  for (const entry of view.find('leavingPlacements', '')) {
    const change = endOf(view, entry, nowMs);
    if (change !== undefined) changes.push(change);
    if (changes.length === placementsPerTransactionMax) break;
  }
  return changes;
}

function endOf(view: View, { id, document }: Entry<'placement'>, nowMs: number): Change | undefined {
  if (document.state.kind !== 'leaving') return undefined;
  const zones = view.get('load-balancer', document.loadBalancerId)?.zones.map(({ zone }) => zone) ?? [];
  const successors = [...view.find('placementsOfLoadBalancer', document.loadBalancerId)]
    .map((placement) => placement.document)
    .filter(({ state }) => state.kind !== 'leaving');
  const isMissed =
    zones.includes(document.zone) &&
    successors.filter(({ zone }) => zones.includes(zone)).length < nodesPerLoadBalancer;
  if (isMissed || successors.length === 0) return serveAgain(view, document, { nowMs });
  // Names lead elsewhere only from when another serves.
  const sinceMs = Math.max(document.state.sinceMs, Math.min(...successors.map(({ state }) => servingSinceMs(state))));
  return sinceMs + addressGraceMs <= nowMs ? remove(view, 'placement', id) : undefined;
}

function servingSinceMs(state: PlacementDocument['state']): number {
  return state.kind === 'serving' ? state.sinceMs : Number.POSITIVE_INFINITY;
}
