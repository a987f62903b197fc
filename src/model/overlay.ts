/**
 * A state with changes laid over it, for reading: what there would be once they were made. Costs as much as there are
 * changes, never as much as there is state.
 */
import type { Documents, Kind } from './documents.ts';
import { type Key, KeyMap } from './key-map.ts';
import { type IndexName, indexes, type KindOfIndex, type View } from './view.ts';

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
  readonly #laid = new KeyMap<Laid>();
  /** For each index that was asked for: key → ids of what was laid there. Some may have been lifted since. */
  readonly #found = new Map<IndexName, ReadonlyMap<string, readonly string[]>>();

  constructor(view: Pick<View, 'get' | 'find'>, changes: Iterable<Laid>) {
    this.#view = view;
    for (const change of changes) this.#laid.set(change.kind, change.id, change);
  }

  get<K extends Kind>(kind: K, id: string): Documents[K] | undefined {
    const laid = this.#laid.get(kind, id);
    if (laid === undefined) return this.#view.get(kind, id);
    return (laid.after ?? undefined) as Documents[K] | undefined;
  }

  *find<I extends IndexName>(index: I, key: string): Iterable<Found<KindOfIndex<I>>> {
    const { kind } = indexes[index];
    for (const entry of this.#view.find(index, key)) if (!this.#laid.has(kind, entry.id)) yield entry;
    for (const id of this.#laidUnder(index).get(key) ?? []) {
      const after = this.#laid.get(kind, id)?.after;
      if (after) yield { id, document: after as Documents[KindOfIndex<I>] };
    }
  }

  /** Takes a change away again: the document is as it is in the view. */
  lift({ kind, id }: Key): void {
    this.#laid.delete(kind, id);
  }

  #laidUnder(index: IndexName): ReadonlyMap<string, readonly string[]> {
    const known = this.#found.get(index);
    if (known !== undefined) return known;
    const found = new Map<string, string[]>();
    const keysOf = indexes[index].keys as (document: unknown) => readonly string[];
    for (const { id, after } of this.#laid.valuesOf(indexes[index].kind)) {
      if (after === null) continue;
      for (const key of keysOf(after)) {
        const ids = found.get(key);
        if (ids === undefined) found.set(key, [id]);
        else ids.push(id);
      }
    }
    this.#found.set(index, found);
    return found;
  }
}
