/** Values by the keys of documents. A million of them need no text put together for each look. */
import type { Kind } from './documents.ts';

/** Under which a document stands. */
export interface Key {
  readonly kind: Kind;
  readonly id: string;
}

/** Values of one kind: a list until the first is looked for by its id, which for many is never. */
interface Shelf<Value> {
  list: Value[];
  byId: Map<string, Value> | undefined;
}

export class KeyMap<Value extends Key> {
  readonly #shelves = new Map<Kind, Shelf<Value>>();

  get size(): number {
    let size = 0;
    for (const { list, byId } of this.#shelves.values()) size += byId?.size ?? list.length;
    return size;
  }

  /** Adds a value whose key is not there yet. */
  add(value: Value): void {
    const shelf = this.#shelves.get(value.kind);
    if (shelf === undefined) this.#shelves.set(value.kind, { list: [value], byId: undefined });
    else if (shelf.byId === undefined) shelf.list.push(value);
    else shelf.byId.set(value.id, value);
  }

  /** Puts the value in the place of what stands under its key. */
  set(value: Value): void {
    const byId = this.#byId(value.kind);
    if (byId === undefined) this.add(value);
    else byId.set(value.id, value);
  }

  get(kind: Kind, id: string): Value | undefined {
    return this.#byId(kind)?.get(id);
  }

  has(kind: Kind, id: string): boolean {
    return this.#byId(kind)?.has(id) === true;
  }

  delete({ kind, id }: Key): void {
    this.#byId(kind)?.delete(id);
  }

  /** By kind in the order in which the first of each came, then in the order of coming. */
  *values(): Iterable<Value> {
    for (const kind of this.#shelves.keys()) yield* this.valuesOf(kind);
  }

  /** Those of one kind, in the order of coming. */
  valuesOf(kind: Kind): Iterable<Value> {
    const shelf = this.#shelves.get(kind);
    return shelf?.byId?.values() ?? shelf?.list ?? [];
  }

  #byId(kind: Kind): Map<string, Value> | undefined {
    const shelf = this.#shelves.get(kind);
    if (shelf === undefined) return undefined;
    if (shelf.byId === undefined) {
      shelf.byId = new Map(shelf.list.map((value) => [value.id, value]));
      shelf.list = [];
    }
    return shelf.byId;
  }
}

/** The values by their own keys; of several under one key, the last. */
export function keyMapOf<Value extends Key>(values: Iterable<Value>): KeyMap<Value> {
  const map = new KeyMap<Value>();
  for (const value of values) map.set(value);
  return map;
}
