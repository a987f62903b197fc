/**
 * `ballast recover --from vault`: makes the state store again of its copy in the vault, with the same identity,
 * revisions and hashes, so that whoever followed the lost one follows this one. What was read under its hashes is
 * written as it is, under another name, and gets its own only once the whole of it was read back.
 */
import { accept, type Result, refuse } from '#base/result.ts';
import type { ProgressState } from '#cli/progress.ts';
import { writeFileWhole } from '#io/files.ts';
import { sleep } from '#io/timers.ts';
import { linesOf, type SealedTransaction } from '#journal/chain.ts';
import { isoTime } from '#journal/history.ts';
import { type Bridged, bridgeToFollowers } from '#journal/rebuild.ts';
import { openKeyRing } from '#journal/seal.ts';
import { openSqliteStore } from '#journal/sqlite-store.ts';
import type { Head, Store } from '#journal/store.ts';
import { listVault, type VaultBreak, type VaultedStore, VaultReader } from '#journal/vault-reader.ts';
import { sealedAgain, type VaultTransaction } from '#journal/vault-text.ts';
import { verifyStore } from '#journal/verify.ts';
import type { TransactionHeader } from '#model/change.ts';
import type { Documents } from '#model/documents.ts';
import type { Moment } from '#model/moment.ts';
import { paths } from './paths.ts';
import { type Follower, findFollowers, recoverCause } from './recover-nodes.ts';
import { putInPlace, removeStore, takeEmptyStore } from './store-place.ts';

/** So much is written as one commit. */
const batchMax = { transactions: 1_000, characters: 8 * 1024 * 1024 };
/** Between them others get their turn, and progress is shown. */
const turnMs = 50;

export interface VaultPlan {
  readonly vaulted: VaultedStore;
  /** What was read of the vault. */
  readonly sizeBytes: number;
  /** What its end holds of a transaction that was never said to be in the vault. */
  readonly tornBytes: number;
  /** From there on it cannot be read; undefined when nothing is missing, or nothing was read beyond `to`. */
  readonly broken: VaultBreak | undefined;
  readonly first: Head;
  /** The last transaction that is put back. */
  readonly last: Head;
  readonly transactions: number;
  /** The moment up to which is put back; undefined: all that there is. */
  readonly to: Moment | undefined;
  /** Load balancers at `last` by their account. */
  readonly owners: ReadonlyMap<string, number>;
  /** Why the secrets in the store would not open; undefined when the key file is there. */
  readonly sealKeyFault: string | undefined;
  /** Nodes, or the DNS server, that have seen more than is put back; the most advanced first. */
  readonly ahead: readonly Follower[];
  /** Those that follow another store and will take nothing from this one. */
  readonly strangers: readonly Follower[];
  /** Files of followers that cannot be read, one line each. */
  readonly unreadable: readonly string[];
}

export interface VaultRecovered {
  readonly revision: number;
  readonly hash: string;
  /** Set when revisions were missing that nodes have seen, and were bridged. */
  readonly bridged: Bridged | undefined;
}

type Report = (state: ProgressState) => void;

/** Reads the whole vault and works out what can be put back. Refuses, in one sentence, when nothing can be. */
export async function planFromVault(options: {
  readonly data: string;
  readonly vault: string;
  /** Needed when the vault holds several stores. */
  readonly storeId: string | undefined;
  readonly to: Moment | undefined;
  /** Folders with last good states beside the data folder's own. */
  readonly otherFolders: readonly string[];
  readonly report: Report;
}): Promise<Result<VaultPlan, string>> {
  const { data, vault, storeId, to, otherFolders, report } = options;
  const vaulted = await findStore(vault, storeId);
  if (!vaulted.ok) return vaulted;
  const place = takeEmptyStore(data);
  if (!place.ok) return place;
  place.value.release();
  const reader = new VaultReader(vaulted.value);
  const owners = new Owners();
  let [first, last, next]: (TransactionHeader | undefined)[] = [];
  let transactions = 0;
  for await (const transaction of reader.transactions()) {
    if (to !== undefined && !isUpTo(transaction.header, to)) {
      next = transaction.header;
      break;
    }
    owners.take(transaction);
    last = transaction.header;
    first ??= last;
    transactions += 1;
    report({ done: transactions, unit: 'transactions read' });
  }
  const { broken, sizeBytes, tornBytes } = reader;
  if (first === undefined || last === undefined) return refuse(whyNothing(vaulted.value, broken, next));
  if (to?.kind === 'revision' && to.revision > last.revision) {
    return refuse(`the vault holds nothing of revision ${to.revision}: it can be read up to ${last.revision}`);
  }
  const { revision } = last;
  const { followers, unreadable } = findFollowers([paths.lastGoodFolder(data), ...otherFolders]);
  const isOurs = ({ position }: Follower) => position.storeId === vaulted.value.identity.storeId;
  const ring = openKeyRing(paths.sealKey(data), false);
  return accept({
    vaulted: vaulted.value,
    sizeBytes,
    tornBytes,
    broken,
    first: headOf(first),
    last: headOf(last),
    transactions,
    to,
    owners: owners.counts(),
    sealKeyFault: ring.ok ? undefined : ring.fault,
    ahead: followers.filter((follower) => isOurs(follower) && follower.revision > revision),
    strangers: followers.filter((follower) => !isOurs(follower)),
    unreadable,
  });
}

/**
 * Writes the store. Refuses, in one sentence, what stands in the way by now. Throws when the disk does not let it, and
 * has then changed nothing that anybody reads.
 */
export async function applyVaultPlan(
  plan: VaultPlan,
  { data, nowMs, report }: { readonly data: string; readonly nowMs: number; readonly report: Report },
): Promise<Result<VaultRecovered, string>> {
  const place = takeEmptyStore(data);
  if (!place.ok) return place;
  const path = paths.recovering(data);
  try {
    const written = await writeFromVault(plan, { path, nowMs, report });
    if (!written.ok) return written;
    // A start would else take what is missing on purpose for lost.
    const { revision, hash } = written.value;
    if (plan.to !== undefined) {
      writeFileWhole(
        paths.recoveredTo(data),
        JSON.stringify({ storeId: plan.vaulted.identity.storeId, revision, hash }),
      );
    }
    putInPlace(data);
    return written;
  } finally {
    removeStore(path);
    place.value.release();
  }
}

/**
 * Writes the store to `path`, over whatever is there, and reads it back. Refuses, in a sentence, when it does not come
 * out as it should. `latest` is what came after the end of the vault.
 */
export async function writeFromVault(
  plan: Pick<VaultPlan, 'vaulted' | 'last' | 'to' | 'ahead' | 'transactions'>,
  options: {
    readonly path: string;
    readonly nowMs: number;
    readonly report: Report;
    readonly latest?: readonly SealedTransaction[];
  },
): Promise<Result<VaultRecovered, string>> {
  const { path, nowMs, report, latest = [] } = options;
  removeStore(path);
  const store = openSqliteStore(path, plan.vaulted.identity);
  let bridged: Bridged | undefined;
  let head: Head;
  try {
    await copyTransactions(plan, store, report);
    if (store.head().hash !== plan.last.hash) {
      return refuse('the vault was changed meanwhile; nothing was put in place');
    }
    await store.append(latest);
    // Who wants less than there is wants nothing of what nodes have seen later.
    if (plan.to === undefined) {
      const cause = recoverCause('RecoverFromVault', `the vault ends at revision ${plan.last.revision}`);
      bridged = await bridgeToFollowers(store, { followers: plan.ahead, cause, nowMs });
    }
    await store.past();
    head = store.head();
  } finally {
    store.close();
  }
  const wrong = await readBack(path, head, report);
  if (wrong !== undefined) return refuse(`what was written does not read back, and was not put in place: ${wrong}`);
  return accept({ revision: head.revision, hash: head.hash, bridged });
}

async function findStore(vault: string, storeId: string | undefined): Promise<Result<VaultedStore, string>> {
  const stores = await listVault(vault);
  const names = stores.map(
    ({ identity: { storeId: id, region, environment, createdAtMs } }) =>
      `${id} (region ${region}, environment ${environment}, made ${isoTime(createdAtMs)})`,
  );
  if (storeId !== undefined) {
    const found = stores.find(({ identity }) => identity.storeId === storeId);
    if (found !== undefined) return accept(found);
    return refuse(`the vault ${vault} does not hold store ${storeId}; it holds: ${names.join('; ') || 'none'}`);
  }
  const [only, ...others] = stores;
  if (only === undefined) return refuse(`there is no vault in ${vault}, or no segment in it can be read`);
  if (others.length === 0) return accept(only);
  return refuse(`the vault ${vault} holds several stores; choose one with --store ID: ${names.join('; ')}`);
}

function whyNothing(
  { identity, folder }: VaultedStore,
  broken: VaultBreak | undefined,
  next: TransactionHeader | undefined,
): string {
  if (next !== undefined) {
    return `nothing is as old as that: store ${identity.storeId} begins with revision ${next.revision} of ${isoTime(next.timeMs)}`;
  }
  const why = broken === undefined ? '' : `: ${broken.segment}, frame ${broken.frame}: ${broken.why}`;
  return `${folder} holds no transaction that can be read${why}`;
}

async function copyTransactions(
  plan: Pick<VaultPlan, 'vaulted' | 'last' | 'transactions'>,
  store: Store,
  report: Report,
): Promise<void> {
  let batch: SealedTransaction[] = [];
  let characters = 0;
  let done = 0;
  const write = async () => {
    await store.append(batch);
    done += batch.length;
    report({ done, total: plan.transactions, unit: 'transactions written' });
    batch = [];
    characters = 0;
  };
  // A vault that holds nothing yet has nothing to copy.
  if (plan.transactions === 0) return;
  for await (const transaction of new VaultReader(plan.vaulted).transactions()) {
    batch.push(sealedAgain(transaction));
    for (const part of transaction.parts) characters += part.length;
    if (transaction.header.revision === plan.last.revision) break;
    if (batch.length >= batchMax.transactions || characters >= batchMax.characters) await write();
  }
  await write();
}

/** The store as the next start will find it, every line and key of it; gives back what is wrong. */
async function readBack(path: string, head: Head, report: Report): Promise<string | undefined> {
  const pass = verifyStore({ path });
  for (let endMs = performance.now() + turnMs; ; ) {
    const step = pass.next();
    if (step.done === true) {
      const { broken, through } = step.value;
      return broken?.what ?? (through === head.revision ? undefined : `it ends at revision ${through}`);
    }
    if (performance.now() < endMs) continue;
    const { done, total, phase } = step.value;
    report({ done, total, unit: phase === 'log' ? 'transactions read back' : 'keys read back' });
    await sleep(0);
    endMs = performance.now() + turnMs;
  }
}

function headOf({ revision, hash, timeMs }: TransactionHeader): Head {
  return { revision, hash, timeMs };
}

function isUpTo({ revision, timeMs }: TransactionHeader, to: Moment): boolean {
  return to.kind === 'revision' ? revision <= to.revision : timeMs <= to.timeMs;
}

/** Whose load balancers there are, from the lines alone. */
class Owners {
  readonly #accounts = new Map<string, string>();

  take({ parts }: VaultTransaction): void {
    for (const part of parts) {
      for (const { kind, id, afterText } of linesOf(part)) {
        if (kind !== 'load-balancer') continue;
        if (afterText === '') this.#accounts.delete(id);
        else this.#accounts.set(id, (JSON.parse(afterText) as Documents['load-balancer']).account);
      }
    }
  }

  counts(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const account of this.#accounts.values()) counts.set(account, (counts.get(account) ?? 0) + 1);
    return new Map([...counts].sort(([one], [other]) => one.localeCompare(other)));
  }
}
