/**
 * What going back comes to, worked out on a view: each wanted document is merged with what there is now, and whatever
 * would break a law of the state is left as it is. Pure, and linear in what is wanted.
 */

import { type AddressTerms, place } from '#control/workflows/placement.ts';
import { mergeDocument } from '#journal/merge.ts';
import type { Change } from '#model/change.ts';
import type { Documents, HexId, Kind } from '#model/documents.ts';
import type { KeepChoice, PlanCounts } from '#model/history.ts';
import { type Key, KeyMap } from '#model/key-map.ts';
import { type Breach, breachOf, breachWithout, tiesOf } from '#model/laws.ts';
import { type Laid, Overlay } from '#model/overlay.ts';
import { isEmpty, type View } from '#model/view.ts';

/** A document to go back to (`base`), and how it was left by what is taken back (`theirs`); null: there is none. */
export interface Wanted extends Key {
  readonly base: Documents[Kind] | null;
  /** Undefined: as it is now, so that nothing conflicts. */
  readonly theirs: Documents[Kind] | null | undefined;
}

export interface Wish {
  /** Each key once. */
  readonly wanted: Iterable<Wanted>;
  /** Decides conflicts. */
  readonly keep?: KeepChoice;
  /** The same for single documents, by `KIND/ID`. */
  readonly keepByKey?: ReadonlyMap<string, KeepChoice>;
}

/** A document that does not go back, or not in all its members. */
export interface Obstacle {
  readonly wanted: Wanted;
  readonly ours: Documents[Kind] | null;
  /** The revision that `ours` is of; 0 when there is none. */
  readonly oursRevision: number;
  readonly cause: { readonly changedMembers: readonly string[] } | { readonly breach: Breach };
}

export interface Plan {
  readonly changes: readonly Change[];
  /** What each change replaces. */
  readonly replaced: readonly (Documents[Kind] | null)[];
  readonly counts: Readonly<Partial<Record<Kind, PlanCounts>>>;
  readonly obstacles: readonly Obstacle[];
  /** Load balancers that came back and got other addresses than they had. */
  readonly placedAnew: readonly HexId[];
  /** Load balancers that came back and have no address, since no node has one to give. */
  readonly unplaced: readonly HexId[];
}

/**
 * The kinds that go back. Nodes come and go by themselves, and who may do what is not brought back by accident: a
 * revoked key would open the door again.
 */
const returning: ReadonlySet<Kind> = new Set([
  'load-balancer',
  'listener',
  'rule',
  'target-group',
  'target',
  'placement',
] satisfies Kind[]);

export function returns(kind: Kind): boolean {
  return returning.has(kind);
}

/** A change that is being considered. */
interface Step extends Laid {
  readonly wanted: Wanted;
  readonly ours: Documents[Kind] | null;
}

export function makePlan(view: View, wish: Wish, terms: AddressTerms): Plan {
  const { keep, keepByKey } = wish;
  const obstacles: Obstacle[] = [];
  const hinder = ({ wanted, ours }: Pick<Step, 'wanted' | 'ours'>, cause: Obstacle['cause']) => {
    obstacles.push({ wanted, ours, oursRevision: view.revisionOf(wanted.kind, wanted.id), cause });
  };
  const steps = new KeyMap<Step>();
  for (const wanted of wish.wanted) {
    const { kind, id, base } = wanted;
    const ours = view.get(kind, id) ?? null;
    const theirs = wanted.theirs === undefined ? ours : wanted.theirs;
    const decided = keepByKey === undefined ? keep : (keepByKey.get(`${kind}/${id}`) ?? keep);
    const { document, conflict } = mergeDocument(kind, { base, theirs, ours }, decided);
    if (conflict !== undefined) hinder({ wanted, ours }, { changedMembers: conflict });
    if (document !== ours) steps.add({ kind, id, ours, after: document, wanted });
  }
  addDraining(view, steps);
  const overlay = new Overlay(view, steps);
  for (const [step, breach] of dropUnlawful(overlay, steps)) hinder(step, { breach });

  const changes: Change[] = [];
  const replaced: (Documents[Kind] | null)[] = [];
  for (const { kind, id, ours, after } of steps.values()) {
    // Mostly there is nothing, and a million looks are spared.
    const before = ours === null ? 0 : view.revisionOf(kind, id);
    changes.push({ kind, id, before, after } as Change);
    replaced.push(ours);
  }
  const placed = placeAgain(view, overlay, steps, terms);
  for (const change of placed.changes) {
    changes.push(change);
    replaced.push(null);
  }
  return { ...placed, changes, replaced, counts: countByKind(changes, replaced), obstacles };
}

/** A target group takes along what drains: that is on its way out anyway, and holds nothing back. */
function addDraining(view: View, steps: KeyMap<Step>): void {
  for (const group of steps.valuesOf('target-group')) {
    if (group.after !== null) continue;
    for (const { id, document: ours } of view.find('targetsOfTargetGroup', group.id)) {
      if (ours.state.kind !== 'draining' || steps.has('target', id)) continue;
      const wanted = { kind: 'target', id, base: null, theirs: undefined } as const;
      steps.add({ kind: 'target', id, ours, after: null, wanted });
    }
  }
}

/**
 * Lifts from the overlay, and so from the steps under it, what breaks a law, then what breaks one because of that, and
 * so on. Gives back what was lifted and the law that each broke.
 */
function dropUnlawful(overlay: Overlay, steps: KeyMap<Step>): ReadonlyMap<Step, Breach> {
  const dropped = new Map<Step, Breach>();
  let tied: ReadonlyMap<string, readonly Step[]> | undefined;
  let unsure: Iterable<Step> = steps.values();
  while (true) {
    const droppedNow: Step[] = [];
    for (const step of unsure) {
      if (dropped.has(step)) continue;
      const breach = breachOfStep(overlay, step);
      if (breach === undefined) continue;
      overlay.lift(step);
      dropped.set(step, breach);
      droppedNow.push(step);
    }
    if (droppedNow.length === 0) return dropped;
    tied ??= stepsByTie(overlay, steps);
    const next = new Set<Step>();
    for (const step of droppedNow) {
      for (const tie of tiesOfStep(overlay, step)) for (const other of tied.get(tie) ?? []) next.add(other);
    }
    unsure = next;
  }
}

function breachOfStep(overlay: Overlay, { kind, id, ours, after }: Step): Breach | undefined {
  if (after !== null) return breachOf(overlay, kind, id, after);
  // An address goes with its load balancer: one that stays would only be placed again.
  if (kind === 'placement') {
    const other = { kind: 'load-balancer', id: (ours as Documents['placement']).loadBalancerId } as const;
    return overlay.get(other.kind, other.id) === undefined ? undefined : { law: 'referrer', other };
  }
  return breachWithout<Kind>(overlay, kind, id, ours!);
}

function stepsByTie(overlay: Overlay, steps: KeyMap<Step>): ReadonlyMap<string, readonly Step[]> {
  const tied = new Map<string, Step[]>();
  for (const step of steps.values()) {
    for (const tie of tiesOfStep(overlay, step)) {
      const others = tied.get(tie);
      if (others === undefined) tied.set(tie, [step]);
      else others.push(step);
    }
  }
  return tied;
}

function tiesOfStep(overlay: Overlay, { kind, id, ours, after }: Step): Set<string> {
  const ties = new Set<string>();
  for (const document of [ours, after]) {
    if (document !== null) for (const tie of tiesOf(overlay, kind, id, document)) ties.add(tie);
  }
  return ties;
}

/** Load balancers that come back without any of their addresses get new ones. */
function placeAgain(
  view: View,
  overlay: Overlay,
  steps: KeyMap<Step>,
  terms: AddressTerms,
): Pick<Plan, 'placedAnew' | 'unplaced'> & { readonly changes: readonly Change[] } {
  const changes: Change[] = [];
  const placedAnew: HexId[] = [];
  const unplaced: HexId[] = [];
  let taken: Set<string> | undefined;
  for (const { id, ours, after } of steps.valuesOf('load-balancer')) {
    if (ours !== null || after === null) continue;
    if (!isEmpty(overlay.find('placementsOfLoadBalancer', id))) continue;
    taken ??= addressesOf(steps);
    const zones = (after as Documents['load-balancer']).zones.map(({ zone }) => zone);
    const placed = place(view, { loadBalancerId: id, zones }, terms, taken);
    const found = placed.ok ? placed.value : [];
    for (const change of found) {
      changes.push(change);
      taken.add((change.after as Documents['placement']).address);
    }
    (found.length === 0 ? unplaced : placedAnew).push(id);
  }
  return { changes, placedAnew, unplaced };
}

function addressesOf(steps: KeyMap<Step>): Set<string> {
  const addresses = new Set<string>();
  for (const { after } of steps.valuesOf('placement')) {
    if (after !== null) addresses.add((after as Documents['placement']).address);
  }
  return addresses;
}

function countByKind(changes: readonly Change[], replaced: readonly (Documents[Kind] | null)[]): Plan['counts'] {
  const counts: Partial<Record<Kind, { putBack: number; takenOut: number; changed: number }>> = {};
  for (const [position, { kind, after }] of changes.entries()) {
    counts[kind] ??= { putBack: 0, takenOut: 0, changed: 0 };
    const count = counts[kind];
    if (after === null) count.takenOut += 1;
    else if (replaced[position] === null) count.putBack += 1;
    else count.changed += 1;
  }
  return counts;
}
