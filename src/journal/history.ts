/**
 * The journal's memory, for reading: by revision, by time, by key, and as a view of any moment. Nothing here changes
 * anything, and what it says about a revision stays true for ever.
 */
import { assert } from '#base/assert.ts';
import { accept, type Result, refuse } from '#base/result.ts';
import type { Change, TransactionHeader } from '#model/change.ts';
import type { Documents, Entry, Kind } from '#model/documents.ts';
import { type Key, KeyMap } from '#model/key-map.ts';
import type { Moment } from '#model/moment.ts';
import type { IndexName, View } from '#model/view.ts';
import { PastView } from './past-view.ts';
import type { Head, Past, Store, Version } from './store.ts';

/** Bounds what is held in memory of a transaction that is being read, unless the reader holds all of it anyway. */
const basesAtOnceMax = 100_000;

/** What a change replaced and what it left, in the words of a merge; null: nothing. */
export interface Replacement extends Key {
  readonly base: Documents[Kind] | null;
  readonly theirs: Documents[Kind] | null;
  /** What was replaced was folded away: `base` is what is known from before it. */
  readonly isBaseFolded?: true;
}

type Unfinished = { -readonly [Member in keyof Replacement]: Replacement[Member] | undefined } & Key;

/** Changes of a transaction that is still at hand, with what they replaced, so that undoing it need not read a disk. */
export type Recent = (revision: number) => Iterable<Replacement> | undefined;

export class History implements Past {
  readonly #store: Store;
  readonly #past: Past;
  readonly #recent: Recent;

  constructor(store: Store, past: Past, recent: Recent) {
    this.#store = store;
    this.#past = past;
    this.#recent = recent;
  }

  get head(): Head {
    return this.#store.head();
  }

  /** The revision before the first that is known: 0, unless the store was rebuilt from what nodes served. */
  get origin(): number {
    return this.#store.identity.origin.revision;
  }

  header(revision: number): TransactionHeader | undefined {
    return this.#store.header(revision);
  }

  headersFrom(revision: number): Iterable<TransactionHeader> {
    return this.#store.headersFrom(revision);
  }

  headersBackFrom(revision: number): Iterable<TransactionHeader> {
    return this.#store.headersBackFrom(revision);
  }

  changesOf(revision: number): Iterable<Change> {
    return this.#store.changesOf(revision);
  }

  /**
   * The changes of one transaction in order, each with the document that it replaced. Of so many `atOnce` those that
   * were written together are read together.
   */
  *basesOf(revision: number, atOnce: number = basesAtOnceMax): Iterable<Replacement> {
    const recent = this.#recent(revision);
    if (recent !== undefined) return yield* recent;
    let changes: Change[] = [];
    for (const change of this.#store.changesOf(revision)) {
      changes.push(change);
      if (changes.length < atOnce) continue;
      yield* this.#withBases(changes);
      changes = [];
    }
    yield* this.#withBases(changes);
    return undefined;
  }

  /** The revision that a moment means: for a time, the last one not after it. Refuses, in one line, what is unknown. */
  revisionAt(moment: Moment): Result<number, string> {
    const { revision: last } = this.head;
    if (moment.kind === 'revision') {
      if (moment.revision >= this.origin && moment.revision <= last) return accept(moment.revision);
      const first = this.origin === 0 ? '' : `; what happened before revision ${this.origin} is not known`;
      return refuse(`there is no revision ${moment.revision}: the last is ${last}${first}`);
    }
    const revision = this.#lastNotAfter(moment.timeMs);
    if (revision > this.origin) return accept(revision);
    const first = this.header(this.origin + 1);
    const begins = first === undefined ? 'nothing has happened yet' : `it begins at ${isoTime(first.timeMs)}`;
    return refuse(`${isoTime(moment.timeMs)} is before the first revision: ${begins}`);
  }

  /** The state as it was once the revision was written. Read as it is asked for, so making one costs nothing. */
  viewAt(revision: number): View {
    assert(revision >= this.origin && revision <= this.head.revision, 'a view is of a revision that is known');
    return new PastView(this.#past, revision);
  }

  documentAt<K extends Kind>(kind: K, id: string, revision: number): Entry<K> | undefined {
    return this.#past.documentAt(kind, id, revision);
  }

  versionsOf<K extends Kind>(kind: K, id: string): Iterable<Version<K>> {
    return this.#past.versionsOf(kind, id);
  }

  everFound(index: IndexName, key: string): Iterable<string> {
    return this.#past.everFound(index, key);
  }

  everKept(kind: Kind): Iterable<string> {
    return this.#past.everKept(kind);
  }

  *#withBases(changes: readonly Change[]): Iterable<Replacement> {
    const unfinished: Unfinished[] = changes.map(({ kind, id, after }) => ({
      kind,
      id,
      theirs: after,
      base: undefined,
    }));
    this.#readTogether(changes, unfinished);
    for (const [position, replacement] of unfinished.entries()) {
      replacement.base ??= this.#baseOf(changes[position]!, replacement) ?? null;
      yield replacement as Replacement;
    }
  }

  #baseOf({ kind, id, before }: Change, replacement: Unfinished): Documents[Kind] | undefined {
    if (before === 0) return undefined;
    const found = this.#past.documentAt(kind, id, before);
    if (found?.revision !== before) replacement.isBaseFolded = true;
    return found?.document;
  }

  /**
   * Fills in the bases that many of the changes have from one transaction: that is read once as a whole, which takes a
   * third of the time that looking up each of them does. The others are left out.
   */
  #readTogether(changes: readonly Change[], unfinished: readonly Unfinished[]): void {
    const wanted = new Map<number, KeyMap<Unfinished>>();
    for (const [position, { before }] of changes.entries()) {
      let ofRevision = wanted.get(before);
      if (ofRevision === undefined) {
        ofRevision = new KeyMap();
        wanted.set(before, ofRevision);
      }
      ofRevision.add(unfinished[position]!);
    }
    for (const [revision, replacements] of wanted) {
      const changesCount = this.#store.header(revision)?.changesCount ?? Number.POSITIVE_INFINITY;
      if (revision === 0 || replacements.size < changesCount / 4) continue;
      for (const { kind, id, after } of this.#store.changesOf(revision)) {
        const replacement = replacements.get(kind, id);
        if (replacement !== undefined) replacement.base = after;
      }
    }
  }

  /** Times never go back from one revision to the next, so the one wanted is found by halving. */
  #lastNotAfter(timeMs: number): number {
    let low = this.origin;
    let high = this.head.revision;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.header(middle)!.timeMs <= timeMs) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** As the operator API writes times; a time that no calendar has is written as a number. */
export function isoTime(timeMs: number): string {
  return Math.abs(timeMs) <= 8.64e15 ? new Date(timeMs).toISOString() : `${timeMs} ms`;
}
