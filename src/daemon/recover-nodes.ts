/**
 * `ballast recover --from nodes`: makes a new state store of what the nodes and the DNS server serve, from their last
 * good states alone. Those are only read, also while their owners run. What the plan says is exactly what is written.
 */
import { existsSync, readdirSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { assert } from '#base/assert.ts';
import { accept, type Result, refuse } from '#base/result.ts';
import { firstPrincipalName } from '#control/keys.ts';
import { systemRandom } from '#io/random.ts';
import { type Gathered, gather } from '#journal/gather.ts';
import { appendGathered, type FollowerCopy } from '#journal/rebuild.ts';
import { readReplica } from '#journal/replica.ts';
import { openKeyRing } from '#journal/seal.ts';
import { openSqliteStore } from '#journal/sqlite-store.ts';
import type { StoreIdentity } from '#journal/store.ts';
import { Subset } from '#link/subset.ts';
import type { Cause } from '#model/change.ts';
import { type Entry, kinds } from '#model/documents.ts';
import { principalKey } from '#model/keys.ts';
import type { View } from '#model/view.ts';
import { readCredentials } from './credentials.ts';
import { paths } from './paths.ts';
import { putInPlace, removeStore, takeEmptyStore } from './store-place.ts';

/** A last good state that was found and can be read. */
export interface Follower extends FollowerCopy {
  /** A node's id, or `dns`. */
  readonly id: string;
  readonly path: string;
}

export interface FoundFollowers {
  readonly followers: readonly Follower[];
  /** Files that cannot be read, one line each. */
  readonly unreadable: readonly string[];
}

export interface NodesPlan {
  readonly identity: Pick<StoreIdentity, 'storeId' | 'environment' | 'region' | 'origin'>;
  readonly account: string;
  /** The most advanced first. */
  readonly followers: readonly Pick<Follower, 'id' | 'path' | 'revision'>[];
  /** Files that cannot be read, one line each. */
  readonly unreadable: readonly string[];
  readonly gathered: Gathered;
  /** Documents that only a follower holds which is behind another that should hold them too. */
  readonly doubtful: readonly Entry[];
  /** The access key that is put back; undefined when there is none to put back, and why. */
  readonly accessKey: Result<string, string>;
}

export const recoverCause = (action: 'RecoverFromNodes' | 'RecoverFromVault', reason: string): Cause => ({
  principal: 'operator',
  channel: 'restore',
  action,
  requestId: systemRandom.hex(32),
  reason,
});

/** Reads every last good state in the folders; one that never followed a journal holds nothing and is passed over. */
export function findFollowers(folders: readonly string[]): FoundFollowers {
  const followers: Follower[] = [];
  const unreadable: string[] = [];
  for (const folder of folders) {
    for (const name of filesIn(folder, unreadable)) {
      const path = `${folder}/${name}`;
      const read = readReplica(path);
      if (!read.ok) unreadable.push(read.fault);
      else if (read.value.position.revision > 0) {
        const { position, entries } = read.value;
        followers.push({ id: name.slice(0, -'.db'.length), path, position, revision: position.revision, entries });
      }
    }
  }
  followers.sort((a, b) => b.revision - a.revision || a.path.localeCompare(b.path));
  return { followers, unreadable };
}

/** Works out what can be put back. Refuses, in one sentence, when there is nothing or it is not clear what. */
export function planFromNodes(options: {
  readonly data: string;
  /** Folders with last good states beside the data folder's own. */
  readonly otherFolders: readonly string[];
  readonly environment: string;
  /** Undefined: as the load balancers' names say. */
  readonly region: string | undefined;
  readonly account: string;
}): Result<NodesPlan, string> {
  const { data, otherFolders, environment, account } = options;
  const found = findFollowers([paths.lastGoodFolder(data), ...otherFolders]);
  const [first] = found.followers;
  if (first === undefined) {
    const unreadable = found.unreadable.map((line) => `; ${line}`).join('');
    return refuse(`no last good state of a node is in ${paths.lastGoodFolder(data)}${unreadable}`);
  }
  const other = found.followers.find(({ position }) => position.storeId !== first.position.storeId);
  if (other !== undefined) {
    return refuse(
      `${first.path} and ${other.path} belong to two different state stores; move those of one out of the way`,
    );
  }
  const place = takeEmptyStore(data);
  if (!place.ok) return place;
  place.value.release();
  const gathered = gather(found.followers);
  const region = regionOf(gathered.documents, options.region);
  if (!region.ok) return region;
  const { storeId, revision, hash } = first.position;
  return accept({
    identity: { storeId, environment, region: region.value, origin: { revision, hash } },
    account,
    followers: found.followers.map(({ id, path, revision: at }) => ({ id, path, revision: at })),
    unreadable: found.unreadable,
    gathered,
    doubtful: doubtfulOf(found.followers, gathered),
    accessKey: findAccessKey(data),
  });
}

/**
 * Writes the store under another name, reads it back, and only then gives it its name. Refuses, in one sentence, what
 * stands in the way by now. Throws when the disk does not let it, and has then changed nothing that anybody reads.
 */
export async function applyNodesPlan(
  plan: NodesPlan,
  options: { readonly data: string; readonly nowMs: number },
): Promise<Result<{ readonly revision: number; readonly documents: number }, string>> {
  const { data, nowMs } = options;
  const place = takeEmptyStore(data);
  if (!place.ok) return place;
  try {
    const others = firstPrincipal(plan, options);
    if (!others.ok) return others;
    const path = paths.recovering(data);
    const identity = { ...plan.identity, createdAtMs: nowMs };
    removeStore(path);
    const store = openSqliteStore(path, identity);
    const from = plan.followers.map(({ id, revision }) => `${id} at ${revision}`).join(', ');
    const cause = recoverCause('RecoverFromNodes', `from ${from}`);
    try {
      await appendGathered(store, { gathered: plan.gathered, others: others.value, cause, nowMs });
    } finally {
      store.close();
    }
    const documents = readBack(path, identity, plan.gathered, others.value);
    putInPlace(data);
    return accept({ revision: identity.origin.revision + 1, documents });
  } finally {
    place.value.release();
  }
}

function filesIn(folder: string, unreadable: string[]): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.db'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') unreadable.push(`${folder} cannot be read: ${code}`);
    return [];
  }
}

/** Names are `NAME-ID.REGION.elb.DOMAIN`. */
function regionOf(view: View, wanted: string | undefined): Result<string, string> {
  const regions = new Set<string>();
  for (const { document } of view.all('load-balancer')) {
    const region = /^[^.]+\.([a-z0-9-]+)\.elb\./.exec(document.dnsName)?.[1];
    if (region !== undefined) regions.add(region);
  }
  const [named] = regions;
  if (regions.size > 1) return refuse(`the load balancers' names are of several regions: ${[...regions].join(', ')}`);
  if (named !== undefined && wanted !== undefined && named !== wanted) {
    return refuse(`the load balancers' names are of region ${named}, not ${wanted}; leave --region out`);
  }
  const region = named ?? wanted;
  return region === undefined ? refuse('no load balancer tells the region: give --region NAME') : accept(region);
}

/** What a follower lacks that it should hold, while one that is behind it holds it: deleted since, or not. */
function doubtfulOf(followers: readonly Follower[], gathered: Gathered): Entry[] {
  const doubtful = new Map<string, Entry>();
  for (const { id, revision } of followers) {
    const role = id === 'dns' ? ({ kind: 'dns', id } as const) : ({ kind: 'node', id, zone: '', prefix: '' } as const);
    for (const entry of new Subset(role, { loadBalancers: [], targetGroups: [] }).missing(gathered.documents)) {
      const isBehind = gathered.heldAt(entry.kind, entry.id) < revision;
      if (isBehind) doubtful.set(`${entry.kind}/${entry.id}`, entry);
    }
  }
  return [...doubtful.values()];
}

/** Followers hold no principals and keys; the first ones can be made again from the files beside the store. */
function findAccessKey(data: string): Result<string, string> {
  const credentials = readCredentials(paths.credentials(data));
  if (credentials === undefined) return refuse(`${paths.credentials(data)} does not hold it`);
  const keyPath = paths.sealKey(data);
  const ring = openKeyRing(keyPath, false);
  // A key file that is missing is made when the store is written: nothing else in it will be sealed with an older one.
  return ring.ok || !existsSync(keyPath) ? accept(credentials.accessKeyId) : ring;
}

function firstPrincipal(
  { accessKey, account }: NodesPlan,
  { data, nowMs }: { readonly data: string; readonly nowMs: number },
): Result<Entry[], string> {
  if (!accessKey.ok) return accept([]);
  const credentials = readCredentials(paths.credentials(data));
  const ring = openKeyRing(paths.sealKey(data), true);
  if (!ring.ok) return ring;
  if (credentials?.accessKeyId !== accessKey.value) return refuse(`${paths.credentials(data)} was changed meanwhile`);
  const { accessKeyId, secretAccessKey } = credentials;
  const name = firstPrincipalName;
  const principalId = principalKey({ account, name });
  const sealedSecret = ring.value.seal(secretAccessKey, accessKeyId);
  return accept([
    { kind: 'principal', id: principalId, revision: 0, document: { account, name, createdAtMs: nowMs } },
    {
      kind: 'access-key',
      id: accessKeyId,
      revision: 0,
      document: { principalId, sealedSecret, createdAtMs: nowMs },
    },
  ]);
}

/** The store as the next start will find it: its chain verifies, and it holds what was planned and nothing else. */
function readBack(path: string, identity: StoreIdentity, gathered: Gathered, others: readonly Entry[]): number {
  const store = openSqliteStore(path, identity);
  try {
    let count = 0;
    for (const { kind, id, document } of store.documents()) {
      const other = others.find((each) => each.kind === kind && each.id === id);
      assert(
        isDeepStrictEqual(document, other?.document ?? gathered.documents.get(kind, id)),
        'a document is as planned',
      );
      count += 1;
    }
    const planned = kinds.reduce((sum, kind) => sum + gathered.documents.count(kind), others.length);
    assert(count === planned, 'every planned document is there');
    return count;
  } finally {
    store.close();
  }
}
