/**
 * Takes back what happened to one document and keeps what came later: a three-way merge. `base` is the document before
 * what is taken back, `theirs` as that left it, `ours` as it is now; null: there is none.
 *
 * The members are merged one by one. Where ours is still theirs, base comes back; where ours has changed since, that is
 * a conflict, and ours stays unless it is decided otherwise.
 */
import type { Documents, Kind } from '#model/documents.ts';
import type { KeepChoice } from '#model/history.ts';
import { membersOf, sameValue, withMembers } from '#model/members.ts';

export interface Sides<K extends Kind = Kind> {
  readonly base: Documents[K] | null;
  readonly theirs: Documents[K] | null;
  readonly ours: Documents[K] | null;
}

export interface Merged<K extends Kind = Kind> {
  /** Exactly `ours` when there is nothing to change. */
  readonly document: Documents[K] | null;
  /** The members that conflict, none when the documents do as a whole; undefined: no conflict. */
  readonly conflict?: readonly string[];
}

/** Merges one document. `keep` decides what conflicts; undecided, ours stays and the conflict is reported. */
export function mergeDocument<K extends Kind>(kind: K, sides: Sides<K>, keep?: KeepChoice): Merged<K> {
  const { base, theirs, ours } = sides;
  if (isSame(kind, theirs, base) || isSame(kind, ours, base)) return { document: ours };
  if (isSame(kind, ours, theirs)) return { document: fresh(kind, base, ours) };
  if (base === null || theirs === null || ours === null) {
    if (keep === undefined) return { document: ours, conflict: [] };
    return { document: keep === 'ours' ? ours : fresh(kind, sides[keep], ours) };
  }
  return mergeMembers(kind, { base, theirs, ours }, keep);
}

/**
 * Whether two documents stand for the same. A target that drains is on its way out, so it is as good as gone, and how
 * long one is registered does not matter; the state of a placement is what a node observes, and nobody's decision.
 */
function isSame(kind: Kind, one: Documents[Kind] | null, other: Documents[Kind] | null): boolean {
  if (one === other) return true;
  if (kind === 'target') {
    const [isIn, isOtherIn] = [isRegistered(one), isRegistered(other)];
    if (isIn !== isOtherIn || !isIn) return isIn === isOtherIn;
  }
  if (one === null || other === null) return false;
  return sameValue(comparable(kind, one), comparable(kind, other));
}

/** A document that comes back: a placement serves when its node says so again. */
function fresh<K extends Kind>(kind: K, document: Documents[K] | null, ours: Documents[K] | null): Documents[K] | null {
  if (kind !== 'placement' || document === null) return document;
  const [placement, now] = [document as Documents['placement'], ours as Documents['placement'] | null];
  const state = now?.address === placement.address ? now.state : ({ kind: 'pending' } as const);
  return { ...placement, state } as unknown as Documents[K];
}

function mergeMembers<K extends Kind>(
  kind: K,
  { base, theirs, ours }: { readonly [Side in keyof Sides]: Documents[K] },
  keep: KeepChoice | undefined,
): Merged<K> {
  const sides = { base: membersOf(base), theirs: membersOf(theirs), ours: membersOf(ours) };
  const values = new Map<string, unknown>();
  const conflict: string[] = [];
  for (const member of new Set([...sides.base.keys(), ...sides.theirs.keys()])) {
    const [was, became, is] = [sides.base.get(member), sides.theirs.get(member), sides.ours.get(member)];
    if (isObserved(kind, member) || sameValue(became, was) || sameValue(is, was)) continue;
    if (sameValue(is, became)) values.set(member, was);
    else if (keep === undefined) conflict.push(member);
    else if (keep !== 'ours') values.set(member, sides[keep].get(member));
  }
  const document = values.size === 0 ? ours : fresh(kind, withMembers(ours, values), ours);
  return conflict.length === 0 ? { document } : { document, conflict };
}

function comparable(kind: Kind, document: Documents[Kind]): unknown {
  if (kind !== 'target' && kind !== 'placement') return document;
  return { ...document, state: undefined };
}

function isObserved(kind: Kind, member: string): boolean {
  return member === 'state' && (kind === 'target' || kind === 'placement');
}

function isRegistered(document: Documents[Kind] | null): boolean {
  return (document as Documents['target'] | null)?.state.kind === 'registered';
}
