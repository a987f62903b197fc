/**
 * The state at one revision of the past, as a `View`. It holds nothing: every document is looked up when it is asked
 * for, so a view costs the same whether it is of yesterday or of years ago.
 */
import { assert } from '#base/assert.ts';
import type { Documents, Entry, Kind } from '#model/documents.ts';
import { type Former, type IndexName, indexes, type KindOfIndex, keysOf, type View } from '#model/view.ts';
import type { Past } from './store.ts';

export class PastView implements View {
  readonly revision: number;
  readonly #past: Past;

  constructor(past: Past, revision: number) {
    this.#past = past;
    this.revision = revision;
  }

  get<K extends Kind>(kind: K, id: string): Documents[K] | undefined {
    return this.#past.documentAt(kind, id, this.revision)?.document as Documents[K] | undefined;
  }

  revisionOf(kind: Kind, id: string): number {
    return this.#past.documentAt(kind, id, this.revision)?.revision ?? 0;
  }

  count(kind: Kind): number {
    let count = 0;
    for (const _ of this.all(kind)) count += 1;
    return count;
  }

  *all<K extends Kind>(kind: K): Iterable<Entry<K>> {
    for (const id of this.#past.everKept(kind)) {
      const entry = this.#past.documentAt(kind, id, this.revision);
      if (entry !== undefined) yield entry;
    }
  }

  *find<I extends IndexName>(index: I, key: string): Iterable<Entry<KindOfIndex<I>>> {
    const { kind, past } = indexes[index];
    assert(past !== 'none', 'the past is asked only for what it can be asked for');
    for (const id of this.#past.everFound(index, key)) {
      const entry = this.#past.documentAt(kind, id, this.revision);
      if (entry !== undefined && keysOf(index, entry.document).includes(key)) yield entry as Entry<KindOfIndex<I>>;
    }
  }

  countFound(index: IndexName, key: string): number {
    let count = 0;
    for (const _ of this.find(index, key)) count += 1;
    return count;
  }

  /** Only decisions ask what was there before, and nothing is decided in the past. */
  formerlyAt(): Former | undefined {
    return undefined;
  }
}
