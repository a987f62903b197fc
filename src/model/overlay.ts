/**
 * A state with changes laid over it, for reading: what there would be once they were made. Costs as much as there are
 * changes, never as much as there is state.
 */
import type { Documents, Kind } from './documents.ts';
import type { Key, KeyMap } from './key-map.ts';
import { type IndexName, indexes, type KindOfIndex, keyRule, type View } from './view.ts';

/** As much of a view as the laws ask for. */
export interface State {
  get<K extends Kind>(kind: K, id: string): Documents[K] | undefined;
  find<I extends IndexName>(index: I, key: string): Iterable<Found<KindOfIndex<I>>>;
}

export interface Found<K extends Kind = Kind> {
  readonly id: string;
  readonly document: Documents[K];
}

/** What a change leaves under a key; null: nothing. */
export interface Laid extends Key {
  readonly after: Documents[Kind] | null;
}

export class Overlay implements State {
  readonly #view: Pick<View, 'get' | 'find'>;
  readonly #laid: KeyMap<Laid>;
  readonly #lifted = new Set<Laid>();
  /** For each index that was asked for: key → what was laid under it, lifted or not. */
  readonly #found = new Map<IndexName, ReadonlyMap<string, Laid | readonly Laid[]>>();

  /** The changes become the overlay's own: what is lifted is gone from them. */
  constructor(view: Pick<View, 'get' | 'find'>, changes: KeyMap<Laid>) {
    this.#view = view;
    this.#laid = changes;
  }

  get<K extends Kind>(kind: K, id: string): Documents[K] | undefined {
    const laid = this.#laid.get(kind, id);
    if (laid === undefined) return this.#view.get(kind, id);
    return (laid.after ?? undefined) as Documents[K] | undefined;
  }

  find<I extends IndexName>(index: I, key: string): readonly Found<KindOfIndex<I>>[] {
    const { kind } = indexes[index];
    const found: Found<KindOfIndex<I>>[] = [];
    for (const entry of this.#view.find(index, key)) if (!this.#laid.has(kind, entry.id)) found.push(entry);
    const laidHere = this.#laidUnder(index).get(key);
    if (laidHere === undefined) return found;
    for (const laid of 'id' in laidHere ? [laidHere] : laidHere) {
      if (!this.#lifted.has(laid)) found.push({ id: laid.id, document: laid.after as Documents[KindOfIndex<I>] });
    }
    return found;
  }

  /** Takes a change away again: the document is as it is in the view. */
  lift(key: Key): void {
    const laid = this.#laid.get(key.kind, key.id);
    if (laid === undefined) return;
    this.#lifted.add(laid);
    this.#laid.delete(key);
  }

  #laidUnder(index: IndexName): ReadonlyMap<string, Laid | readonly Laid[]> {
    const known = this.#found.get(index);
    if (known !== undefined) return known;
    const found = new Map<string, Laid | Laid[]>();
    const rule = keyRule(index);
    for (const laid of this.#laid.valuesOf(indexes[index].kind)) {
      if (laid.after === null) continue;
      if ('key' in rule) add(found, rule.key(laid.after), laid);
      else for (const key of rule.keys(laid.after)) add(found, key, laid);
    }
    this.#found.set(index, found);
    return found;
  }
}

/** Most keys find one, which is then kept without a list of its own. */
function add(found: Map<string, Laid | Laid[]>, key: string, laid: Laid): void {
  const others = found.get(key);
  if (others === undefined) found.set(key, laid);
  else if ('id' in others) found.set(key, [others, laid]);
  else others.push(laid);
}
