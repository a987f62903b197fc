/** A map whose keys are those of documents. A million of them need no text put together for each look. */
import type { Kind } from './documents.ts';

/** Under which a document stands. */
export interface Key {
  readonly kind: Kind;
  readonly id: string;
}

export class KeyMap<Value> {
  readonly #kinds = new Map<Kind, Map<string, Value>>();

  get size(): number {
    let size = 0;
    for (const values of this.#kinds.values()) size += values.size;
    return size;
  }

  get(kind: Kind, id: string): Value | undefined {
    return this.#kinds.get(kind)?.get(id);
  }

  has(kind: Kind, id: string): boolean {
    return this.#kinds.get(kind)?.has(id) === true;
  }

  set(kind: Kind, id: string, value: Value): void {
    let values = this.#kinds.get(kind);
    if (values === undefined) {
      values = new Map();
      this.#kinds.set(kind, values);
    }
    values.set(id, value);
  }

  delete(kind: Kind, id: string): void {
    this.#kinds.get(kind)?.delete(id);
  }

  /** By kind in the order in which the first of each came, then in the order of coming. */
  *values(): Iterable<Value> {
    for (const values of this.#kinds.values()) yield* values.values();
  }

  /** Those of one kind. */
  valuesOf(kind: Kind): Iterable<Value> {
    return this.#kinds.get(kind)?.values() ?? [];
  }
}
