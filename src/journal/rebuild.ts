/**
 * Writes into a store what was gathered from the nodes. Whatever is written here is an ordinary transaction on top of
 * what the store holds, so its chain verifies like any other; what nobody knows any more is not made up, its place is
 * kept open.
 */
import { assert } from '#base/assert.ts';
import type { Cause, Change } from '#model/change.ts';
import { type Entry, isOfNoFollower, kinds } from '#model/documents.ts';
import { sealTransaction } from './chain.ts';
import { type Copy, type Gathered, gather } from './gather.ts';
import type { Position } from './replica.ts';
import type { Store } from './store.ts';
import { Tables } from './tables.ts';

const lostPerBatch = 1_000;

/** What a node holds, or the DNS server. */
export interface FollowerCopy extends Copy {
  readonly position: Position;
}

export interface Bridged {
  /** Revisions that are in no copy: answered once, and what they changed is known only as far as nodes hold it. */
  readonly lost: { readonly from: number; readonly to: number };
  /** The revision that holds what the nodes hold. */
  readonly revision: number;
  /** Documents that nodes hold in a version which the store did not know. */
  readonly learned: readonly Entry[];
  /** Documents of the store that a later one has displaced. */
  readonly displaced: readonly Entry[];
}

/** Writes all gathered documents as the next transaction of the store. */
export function appendGathered(
  store: Store,
  options: {
    readonly gathered: Gathered;
    /** Documents beside those, as the first principal. */
    readonly others?: readonly Entry[];
    readonly known?: Tables;
    readonly cause: Cause;
    readonly nowMs: number;
  },
): Promise<void> | void {
  const { gathered, others = [], known = new Tables(), cause, nowMs } = options;
  const { revision, hash, timeMs } = store.head();
  const putAll: Change[] = [];
  const put = ({ kind, id, document }: Entry) =>
    putAll.push({ kind, id, before: known.revisionOf(kind, id), after: document } as Change);
  for (const entry of others) put(entry);
  for (const kind of kinds) for (const entry of gathered.documents.all(kind)) put(entry);
  for (const { kind, id } of gathered.displaced) {
    const before = known.revisionOf(kind, id);
    if (before !== 0) putAll.push({ kind, id, before, after: null });
  }
  const next = { revision: revision + 1, timeMs: Math.max(nowMs, timeMs), cause, harmed: 0, previousHash: hash };
  return store.append([sealTransaction({ ...next, changes: putAll })]);
}

/**
 * Brings a store that lacks its last revisions past every follower that has seen them. Each lost revision keeps its
 * number as a transaction without changes; the one after them holds every document that followers can hold, in the
 * latest version that the store or any of them has, so that all of them and the store agree from there on. Gives back
 * undefined, and writes nothing, when no follower is ahead.
 */
export async function bridgeToFollowers(
  store: Store,
  options: { readonly followers: readonly FollowerCopy[]; readonly cause: Cause; readonly nowMs: number },
): Promise<Bridged | undefined> {
  const { followers, cause, nowMs } = options;
  const { revision: end, timeMs } = store.head();
  const ahead = followers.filter(
    ({ position }) => position.storeId === store.identity.storeId && position.revision > end,
  );
  if (ahead.length === 0) return undefined;
  const last = Math.max(...ahead.map(({ position }) => position.revision));
  await store.past();
  const known = new Tables();
  for (const entry of store.documents()) known.load(entry);
  // What is not newer than the store's end and not in the store was removed there, whoever still holds it.
  const news = ({ kind, id, revision }: Entry) => revision > end || known.revisionOf(kind, id) !== 0;
  const copies = ahead.map(({ revision, entries }) => ({ revision, entries: [...entries].filter(news) }));
  const gathered = gather([{ revision: end, entries: followable(known) }, ...copies]);
  const learned = [...followable(gathered.documents)].filter(({ revision }) => revision > end);

  await appendLost(store, { last, revision: last + 1, cause, timeMs: Math.max(nowMs, timeMs) });
  await appendGathered(store, { gathered, known, cause, nowMs });
  return { lost: { from: end + 1, to: last }, revision: last + 1, learned, displaced: gathered.displaced };
}

async function appendLost(
  store: Store,
  options: { readonly last: number; readonly revision: number; readonly cause: Cause; readonly timeMs: number },
): Promise<void> {
  const { last, cause, timeMs } = options;
  const reason = `what it changed is lost; what nodes hold of it is in revision ${options.revision}`;
  while (store.head().revision < last) {
    let { revision, hash } = store.head();
    const batch = [];
    for (let count = 0; count < lostPerBatch && revision < last; count += 1) {
      revision += 1;
      const lost = { revision, timeMs, cause: { ...cause, reason }, harmed: 0, changes: [], previousHash: hash };
      batch.push(sealTransaction(lost));
      hash = batch.at(-1)!.transaction.hash;
    }
    await store.append(batch);
  }
  assert(store.head().revision === last, 'no revision is left out');
}

/** The documents that followers can hold. */
function* followable(tables: Tables): Iterable<Entry> {
  for (const kind of kinds) if (!isOfNoFollower(kind)) yield* tables.all(kind);
}
