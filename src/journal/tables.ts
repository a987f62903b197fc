/**
 * The documents of one revision in memory, by kind and id, with every index that the model declares. Applying a change
 * cannot fail: whoever applies has decided before.
 */
import { assert } from '#base/assert.ts';
import type { Change } from '#model/change.ts';
import type { Documents, Entry, Kind } from '#model/documents.ts';
import { kinds } from '#model/documents.ts';
import type { Former, IndexName, KindOfIndex, View } from '#model/view.ts';
import { indexes, isEmpty, type KeyRule, keyRule } from '#model/view.ts';

type EntriesById = Map<string, Entry>;

/** Most keys find one document: those are kept without a map of their own, which would weigh more than they do. */
type Found = Map<string, Entry | EntriesById>;

interface IndexTable {
  readonly rule: KeyRule;
  readonly found: Found;
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
  readonly #tables = new Map<Kind, EntriesById | GroupedTable>(kinds.map((kind) => [kind, new Map()]));
  readonly #indexes = new Map<IndexName, IndexTable>();
  readonly #indexesOfKind = new Map<Kind, IndexTable[]>(kinds.map((kind) => [kind, []]));

  constructor(formerPlacements: FormerPlacements = noFormerPlacements) {
    this.#formerPlacements = formerPlacements;
    for (const name of Object.keys(indexes) as IndexName[]) {
      const { kind, past } = indexes[name];
      const table: IndexTable = { rule: keyRule(name), found: new Map() };
      this.#indexes.set(name, table);
      // What is found by the beginning of its id is kept by that, and the index is where it is kept.
      if (past === 'id-prefix') this.#tables.set(kind, new GroupedTable(table.found));
      else this.#indexesOfKind.get(kind)!.push(table);
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

  countFound(index: IndexName, key: string): number {
    const found = this.#indexes.get(index)!.found.get(key);
    return found === undefined ? 0 : found instanceof Map ? found.size : 1;
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
    this.#replace(entry.kind, entry.id, this.entry(entry.kind, entry.id), entry);
  }

  /** Takes a document out; nothing happens when it is not there. */
  unload(kind: Kind, id: string): void {
    this.#replace(kind, id, this.entry(kind, id), undefined);
  }

  /** Applies the changes of one transaction, and gives back, for each, the entry that stood there before. */
  apply(revision: number, changes: readonly Change[], timeMs: number): (Entry | undefined)[] {
    assert(revision > this.revision, 'revisions rise');
    const replaced: (Entry | undefined)[] = [];
    for (const { kind, id, before: revisionBefore, after: document } of changes) {
      if (revisionBefore === 0 && document !== null) {
        this.#add({ kind, id, revision, document } as Entry);
        replaced.push(undefined);
        continue;
      }
      const before = this.entry(kind, id);
      assert((before?.revision ?? 0) === revisionBefore, 'a change replaces the revision that it was decided against');
      replaced.push(before);
      if (before?.kind === 'placement' && document === null) {
        this.#former.set(before.document.address, { id, endedAtMs: timeMs, revision });
      }
      const entry = document === null ? undefined : ({ kind, id, revision, document } as Entry);
      this.#replace(kind, id, before, entry);
    }
    this.revision = revision;
    this.#forgetFormer();
    return replaced;
  }

  /**
   * Takes back what `apply` did with the changes, given what it gave back. The order of first writing is not restored
   * for documents that were removed.
   */
  undo(revisionBefore: number, changes: readonly Change[], replaced: readonly (Entry | undefined)[]): void {
    for (let position = changes.length - 1; position >= 0; position -= 1) {
      const { kind, id } = changes[position]!;
      this.#replace(kind, id, this.entry(kind, id), replaced[position]);
    }
    this.revision = revisionBefore;
  }

  /** As `#replace` of what is not there, with one look less into a table of perhaps a million. */
  #add(entry: Entry): void {
    const table = this.#tables.get(entry.kind)!;
    const size = table.size;
    table.set(entry.id, entry);
    assert(table.size > size, 'a change replaces the revision that it was decided against');
    for (const { rule, found } of this.#indexesOfKind.get(entry.kind)!) {
      if ('key' in rule) add(found, rule.key(entry.document), entry);
      else for (const key of rule.keys(entry.document)) add(found, key, entry);
    }
  }

  #replace(kind: Kind, id: string, before: Entry | undefined, after: Entry | undefined): void {
    if (after !== undefined) this.#tables.get(kind)!.set(id, after);
    else if (before !== undefined) this.#tables.get(kind)!.delete(id);
    for (const { rule, found } of this.#indexesOfKind.get(kind)!) {
      if ('key' in rule) {
        const wasUnder = before && rule.key(before.document);
        const isUnder = after && rule.key(after.document);
        if (wasUnder !== undefined && wasUnder !== isUnder) drop(found, wasUnder, id);
        if (isUnder !== undefined) add(found, isUnder, after!);
      } else {
        const isUnder = after === undefined ? [] : rule.keys(after.document);
        if (before !== undefined) {
          for (const key of rule.keys(before.document)) if (!isUnder.includes(key)) drop(found, key, id);
        }
        for (const key of isUnder) add(found, key, after!);
      }
    }
  }

  #forgetFormer(): void {
    if (this.#former.size <= formerMax) return;
    for (const [address, former] of this.#former) {
      if (former.revision <= this.#formerPlacements.revision) this.#former.delete(address);
    }
  }
}

/**
 * Documents whose ids begin with that of what they belong to, each with its like: the targets of a group are looked up
 * together, and one map of a million would stand still for a tenth of a second whenever it grows.
 */
class GroupedTable {
  size = 0;
  readonly #found: Found;

  constructor(found: Found) {
    this.#found = found;
  }

  get(id: string): Entry | undefined {
    const found = this.#found.get(beginningOf(id));
    if (found instanceof Map) return found.get(id);
    return found?.id === id ? found : undefined;
  }

  set(id: string, entry: Entry): void {
    if (add(this.#found, beginningOf(id), entry)) this.size += 1;
  }

  delete(id: string): void {
    if (drop(this.#found, beginningOf(id), id)) this.size -= 1;
  }

  *values(): Iterable<Entry> {
    for (const found of this.#found.values()) {
      if (found instanceof Map) yield* found.values();
      else yield found;
    }
  }
}

/** As `targetGroupId` of `targetGroupId/address:port`; nothing, where an id does not say what it belongs to. */
function beginningOf(id: string): string {
  return id.slice(0, Math.max(0, id.indexOf('/')));
}

/** Puts the entry in the place of what stands there with the same id; false when something did. */
function add(into: Found, key: string, entry: Entry): boolean {
  const found = into.get(key);
  if (found instanceof Map) {
    const { size } = found;
    return found.set(entry.id, entry).size > size;
  }
  if (found === undefined || found.id === entry.id) into.set(key, entry);
  else into.set(key, new Map([found, entry].map((each) => [each.id, each])));
  return found?.id !== entry.id;
}

/** False when nothing with this id stands there. */
function drop(from: Found, key: string, id: string): boolean {
  const found = from.get(key);
  if (found instanceof Map) {
    const isThere = found.delete(id);
    if (found.size === 0) from.delete(key);
    return isThere;
  }
  return found?.id === id && from.delete(key);
}
