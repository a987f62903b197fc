/**
 * The documents of one revision in memory, by kind and id, with every index that the model declares. Applying a change
 * cannot fail: whoever applies has decided before.
 */
import { assert } from '#base/assert.ts';
import type { Change } from '#model/change.ts';
import type { Documents, Entry, Kind } from '#model/documents.ts';
import { kinds } from '#model/documents.ts';
import type { Former, IndexName, KindOfIndex, View } from '#model/view.ts';
import { indexes, isEmpty } from '#model/view.ts';

type EntriesById = Map<string, Entry>;

/** Most keys find one document: those are kept without a map of their own, which would weigh more than they do. */
interface IndexTable {
  readonly keys: (document: never) => readonly string[];
  readonly found: Map<string, Entry | EntriesById>;
}

/** Placements that went before these tables began, or so long ago that they were forgotten here. */
export interface FormerPlacements {
  /** It knows everything up to this revision. */
  readonly revision: number;
  at(address: string): Former | undefined;
}

/** Placements that went and are remembered here; more are, until `FormerPlacements` knows them. */
const formerMax = 10_000;

const noFormerPlacements: FormerPlacements = { revision: 0, at: () => undefined };

export class Tables implements View {
  revision = 0;
  readonly #former = new Map<string, Former & { readonly revision: number }>();
  readonly #formerPlacements: FormerPlacements;
  readonly #tables = new Map<Kind, EntriesById>(kinds.map((kind) => [kind, new Map()]));
  readonly #indexes = new Map<IndexName, IndexTable>();
  readonly #indexesOfKind = new Map<Kind, IndexTable[]>(kinds.map((kind) => [kind, []]));

  constructor(formerPlacements: FormerPlacements = noFormerPlacements) {
    this.#formerPlacements = formerPlacements;
    for (const name of Object.keys(indexes) as IndexName[]) {
      const table: IndexTable = { keys: indexes[name].keys, found: new Map() };
      this.#indexes.set(name, table);
      this.#indexesOfKind.get(indexes[name].kind)!.push(table);
    }
  }

  get<K extends Kind>(kind: K, id: string): Documents[K] | undefined {
    return this.#tables.get(kind)!.get(id)?.document as Documents[K] | undefined;
  }

  revisionOf(kind: Kind, id: string): number {
    return this.#tables.get(kind)!.get(id)?.revision ?? 0;
  }

  count(kind: Kind): number {
    return this.#tables.get(kind)!.size;
  }

  all<K extends Kind>(kind: K): Iterable<Entry<K>> {
    return this.#tables.get(kind)!.values() as Iterable<Entry<K>>;
  }

  find<I extends IndexName>(index: I, key: string): Iterable<Entry<KindOfIndex<I>>> {
    const found = this.#indexes.get(index)!.found.get(key);
    const entries = found === undefined ? [] : found instanceof Map ? found.values() : [found];
    return entries as Iterable<Entry<KindOfIndex<I>>>;
  }

  formerlyAt(address: string): Former | undefined {
    if (!isEmpty(this.find('placementByAddress', address))) return undefined;
    const former = this.#former.get(address);
    if (former === undefined) return this.#formerPlacements.at(address);
    return { id: former.id, endedAtMs: former.endedAtMs };
  }

  entry(kind: Kind, id: string): Entry | undefined {
    return this.#tables.get(kind)!.get(id);
  }

  /** Puts a document in place, whatever stood there: for loading. */
  load(entry: Entry): void {
    const table = this.#tables.get(entry.kind)!;
    const before = table.get(entry.id);
    table.set(entry.id, entry);
    for (const index of this.#indexesOfKind.get(entry.kind)!) {
      const keys = index.keys(entry.document as never);
      if (before !== undefined) {
        for (const key of index.keys(before.document as never)) if (!keys.includes(key)) drop(index, key, entry.id);
      }
      for (const key of keys) {
        const found = index.found.get(key);
        if (found instanceof Map) found.set(entry.id, entry);
        else if (found === undefined || found.id === entry.id) index.found.set(key, entry);
        else
          index.found.set(
            key,
            new Map([
              [found.id, found],
              [entry.id, entry],
            ]),
          );
      }
    }
  }

  /** Takes a document out; nothing happens when it is not there. */
  unload(kind: Kind, id: string): void {
    const table = this.#tables.get(kind)!;
    const before = table.get(id);
    if (before === undefined) return;
    table.delete(id);
    for (const index of this.#indexesOfKind.get(kind)!) {
      for (const key of index.keys(before.document as never)) drop(index, key, id);
    }
  }

  /** Applies the changes of one transaction, and gives back the entries that stood there before, for undoing. */
  apply(revision: number, changes: readonly Change[], timeMs: number): Replaced[] {
    assert(revision > this.revision, 'revisions rise');
    const replaced: Replaced[] = [];
    for (const change of changes) {
      const before = this.entry(change.kind, change.id);
      assert((before?.revision ?? 0) === change.before, 'a change replaces the revision that it was decided against');
      replaced.push({ kind: change.kind, id: change.id, before });
      if (before?.kind === 'placement' && change.after === null) {
        this.#former.set(before.document.address, { id: before.id, endedAtMs: timeMs, revision });
      }
      if (change.after === null) this.unload(change.kind, change.id);
      else this.load({ kind: change.kind, id: change.id, revision, document: change.after } as Entry);
    }
    this.revision = revision;
    if (this.#former.size > formerMax) {
      for (const [address, former] of this.#former) {
        if (former.revision <= this.#formerPlacements.revision) this.#former.delete(address);
      }
    }
    return replaced;
  }

  /** Puts back what `apply` replaced. The order of first writing is not restored for documents that were removed. */
  undo(revisionBefore: number, replaced: readonly Replaced[]): void {
    for (const { kind, id, before } of replaced.toReversed()) {
      if (before === undefined) this.unload(kind, id);
      else this.load(before);
    }
    this.revision = revisionBefore;
  }
}

export interface Replaced {
  readonly kind: Kind;
  readonly id: string;
  readonly before: Entry | undefined;
}

function drop(index: IndexTable, key: string, id: string): void {
  const found = index.found.get(key);
  if (found instanceof Map) {
    found.delete(id);
    if (found.size === 0) index.found.delete(key);
  } else if (found?.id === id) {
    index.found.delete(key);
  }
}
