/**
 * Where a load balancer lives: one address on each of up to two nodes. Rendezvous hashing spreads load balancers so
 * that two tenants rarely share all their nodes; an address is given out once, and what is placed stays where it is,
 * until its zone is taken from the load balancer: then others come first, and it leaves when they serve.
 */
import { hashNumber } from '#base/hash.ts';
import { accept, type Result, refuse } from '#base/result.ts';
import { formatAddress, parsePrefix } from '#model/address.ts';
import { type Change, put, remove } from '#model/change.ts';
import type { Entry, HexId, PlacementDocument } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import { placementKey } from '#model/keys.ts';
import { isEmpty, type View } from '#model/view.ts';

/** One node may fail, and one may be taken out, without the load balancer losing its last address. */
export const nodesPerLoadBalancer = 2;
/** Which addresses are worth more than others. */
const usefulness: readonly PlacementDocument['state']['kind'][] = ['serving', 'leaving', 'pending', 'failed'];
/** Bounds one transaction; whoever places the unplaced calls again until nothing is left to place. */
const loadBalancersPerTransactionMax = 1_000;
/** Bounds how long a decision looks for an address in a prefix of which nearly all are kept for somebody. */
const keptAddressesSeenMax = 5_000;

export interface PlacementWish {
  readonly loadBalancerId: HexId;
  /** The zones that the load balancer is enabled for. */
  readonly zones: readonly string[];
}

/** An address that was given back is kept for the load balancer that had it, so that undeleting finds it free. */
export interface AddressTerms {
  readonly nowMs: number;
  readonly holdAddressesMs: number;
}

/** Takes a node in, or notes its new zone or prefix; nothing when it is known as it is. */
export function admitNode(
  view: View,
  node: { readonly nodeId: string; readonly zone: string; readonly prefix: string },
): readonly Change[] {
  const { nodeId, zone, prefix } = node;
  const present = view.get('node', nodeId);
  return present?.zone === zone && present.prefix === prefix ? [] : [put(view, 'node', nodeId, { zone, prefix })];
}

/**
 * The placements that the load balancer lacks, on none of the addresses `taken`. None while the region has no node:
 * `placeUnplaced` makes up for it later. Refuses when it would be left without any, as no node has an address free.
 */
export function place(
  view: View,
  wish: PlacementWish,
  terms: AddressTerms,
  taken: ReadonlySet<string> = new Set(),
): Result<readonly Change[], Fault> {
  const placements = choosePlacements(view, wish, terms, {
    taken,
    present: presentOf(view, wish),
    nodes: rankNodes(view, wish),
  });
  if (placements.length > 0 || view.count('node') === 0 || !isUnplaced(view, wish.loadBalancerId)) {
    return accept(placements.map((placement) => putPlacement(view, placement)));
  }
  const message =
    'No node of the region has an address left for another load balancer; those of deleted ones are kept for a while';
  return refuse(fault('TooManyLoadBalancers', message));
}

/** Places load balancers that are on fewer nodes than they could be, as after a node was admitted. */
export function placeUnplaced(view: View, terms: AddressTerms): readonly Change[] {
  const changes: Change[] = [];
  const taken = new Set<string>();
  let placedCount = 0;
  for (const { id, document } of view.all('load-balancer')) {
    const wish = { loadBalancerId: id, zones: document.zones.map(({ zone }) => zone) };
    const present = presentOf(view, wish);
    if (present.length >= nodesPerLoadBalancer) continue;
    const placements = choosePlacements(view, wish, terms, { taken, present, nodes: rankNodes(view, wish) });
    for (const placement of placements) {
      taken.add(placement.address);
      changes.push(putPlacement(view, placement));
    }
    placedCount += placements.length > 0 ? 1 : 0;
    if (placedCount === loadBalancersPerTransactionMax) break;
  }
  return changes;
}

/**
 * What follows when the zones of a load balancer have changed. Addresses in its zones stay, those that serve first, and
 * one that was leaving serves again. The others begin to leave, each for one on a node of the zones, so that there are
 * never fewer; one for which no node of the zones has an address is better than none, and stays.
 */
export function follow(view: View, wish: PlacementWish, terms: AddressTerms): readonly Change[] {
  const all = [...view.find('placementsOfLoadBalancer', wish.loadBalancerId)];
  all.sort((a, b) => usefulness.indexOf(a.document.state.kind) - usefulness.indexOf(b.document.state.kind));
  const staying = all
    .filter(({ document }) => wish.zones.includes(document.zone))
    .slice(0, nodesPerLoadBalancer)
    .map(({ document }) => document);
  const chosen = choosePlacements(view, wish, terms, {
    taken: new Set(),
    present: staying,
    nodes: rankNodes(view, wish).filter(({ document }) => wish.zones.includes(document.zone)),
  });
  const others = all.filter(({ document }) => !staying.includes(document) && document.state.kind !== 'leaving');
  const neededCount = nodesPerLoadBalancer - staying.length - chosen.length;
  return [
    ...staying.filter(({ state }) => state.kind === 'leaving').map((placement) => serveAgain(view, placement, terms)),
    ...chosen.map((placement) => putPlacement(view, placement)),
    ...others.slice(neededCount).map(({ id, document }) => {
      // What never served has no clients to wait for.
      if (document.state.kind !== 'serving') return remove(view, 'placement', id);
      return putPlacement(view, { ...document, state: { kind: 'leaving', sinceMs: terms.nowMs } });
    }),
  ];
}

/** Takes back into service an address that was leaving: its node serves it still. */
export function serveAgain(view: View, placement: PlacementDocument, { nowMs }: { readonly nowMs: number }): Change {
  return putPlacement(view, { ...placement, state: { kind: 'serving', sinceMs: nowMs } });
}

/** The placements that count: one that leaves has its successor already, or gets one. */
function presentOf(view: View, wish: PlacementWish): readonly PlacementDocument[] {
  const placements = [...view.find('placementsOfLoadBalancer', wish.loadBalancerId)].map(({ document }) => document);
  return placements.filter(({ state }) => state.kind !== 'leaving');
}

interface Choice {
  /** Addresses that are given out in the same transaction. */
  readonly taken: ReadonlySet<string>;
  /** What the load balancer has already. */
  readonly present: readonly PlacementDocument[];
  /** Those that may be chosen, the best first. */
  readonly nodes: readonly Entry<'node'>[];
}

/**
 * Each next node is the best that can give an address: in a zone where the load balancer is not yet, then in one that
 * it is enabled for, then by rendezvous. A zone nobody asked for comes last but is better than one node alone.
 */
function choosePlacements(
  view: View,
  wish: PlacementWish,
  terms: AddressTerms,
  { taken, present, nodes }: Choice,
): PlacementDocument[] {
  const placements = [...view.find('placementsOfLoadBalancer', wish.loadBalancerId)];
  const usedNodes = new Set(placements.map(({ document }) => document.nodeId));
  const usedZones = new Set(present.map(({ zone }) => zone));
  const chosen: PlacementDocument[] = [];
  while (present.length + chosen.length < nodesPerLoadBalancer) {
    const candidates = nodes.filter(({ id }) => !usedNodes.has(id));
    const node = candidates.find(({ document }) => !usedZones.has(document.zone)) ?? candidates[0];
    if (node === undefined) break;
    usedNodes.add(node.id);
    const isFree = (text: string) => !taken.has(text) && chosen.every((placement) => placement.address !== text);
    const address = freeAddress(view, node, wish.loadBalancerId, terms, isFree);
    if (address === undefined) continue;
    const { zone } = node.document;
    usedZones.add(zone);
    chosen.push({
      loadBalancerId: wish.loadBalancerId,
      nodeId: node.id,
      zone,
      address: formatAddress(address),
      state: { kind: 'pending' },
    });
  }
  return chosen;
}

/** All nodes, those in the wished zones first, each part in its rendezvous order. */
function rankNodes(view: View, wish: PlacementWish): Entry<'node'>[] {
  const ranked = [...view.all('node')].map((node) => ({
    node,
    wished: wish.zones.includes(node.document.zone),
    weight: hashNumber(`${wish.loadBalancerId}/${node.id}`),
  }));
  ranked.sort((a, b) => Number(b.wished) - Number(a.wished) || b.weight - a.weight);
  return ranked.map(({ node }) => node);
}

/**
 * Looks through the node's whole prefix, from a place that the load balancer's id decides. A node whose prefix cannot
 * be read has no address to give, and is no reason to fail.
 */
function freeAddress(
  view: View,
  node: Entry<'node'>,
  loadBalancerId: HexId,
  terms: AddressTerms,
  isFree: (address: string) => boolean,
): number | undefined {
  const prefix = parsePrefix(node.document.prefix);
  if (prefix === undefined) return undefined;
  const start = hashNumber(loadBalancerId) % prefix.size;
  const own = placementKey({ loadBalancerId, nodeId: node.id });
  let keptCount = 0;
  for (let step = 0; step < prefix.size; step += 1) {
    const offset = (start + step) % prefix.size;
    const address = prefix.first + offset;
    // The first address is the node's own, by which it claims the prefix; 0 and 255 look like networks and broadcasts.
    if (offset === 0 || address % 256 === 0 || address % 256 === 255) continue;
    const text = formatAddress(address);
    if (!isFree(text) || !isEmpty(view.find('placementByAddress', text))) continue;
    const former = view.formerlyAt(text);
    if (former === undefined || former.id === own) return address;
    if (former.endedAtMs + terms.holdAddressesMs <= terms.nowMs) return address;
    keptCount += 1;
    if (keptCount === keptAddressesSeenMax) return undefined;
  }
  return undefined;
}

function putPlacement(view: View, placement: PlacementDocument): Change {
  return put(view, 'placement', placementKey(placement), placement);
}

function isUnplaced(view: View, loadBalancerId: HexId): boolean {
  return isEmpty(view.find('placementsOfLoadBalancer', loadBalancerId));
}
