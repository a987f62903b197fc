/**
 * Puts the state store back as it was: of the vault, of what came after it and is still in memory, and of what nodes
 * have seen. What was found damaged is moved aside, never written over, and what takes its place was read back first.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { accept, type Result, refuse } from '#base/result.ts';
import type { Mended, StoreMender } from '#control/sentinel/mender.ts';
import { isFileThere, makeFolder, moveFile, readFileIfThere } from '#io/files.ts';
import type { Log } from '#io/log.ts';
import type { SealedTransaction } from '#journal/chain.ts';
import { findLost } from '#journal/find-lost.ts';
import { isoTime } from '#journal/history.ts';
import type { Journal } from '#journal/journal.ts';
import type { MendableStore } from '#journal/mendable-store.ts';
import { indexPathOf } from '#journal/sqlite-schema.ts';
import { openSqliteStore } from '#journal/sqlite-store.ts';
import type { Head, StoreIdentity } from '#journal/store.ts';
import { endOfVault, listVault, type VaultedStore, VaultReader } from '#journal/vault-reader.ts';
import type { VaultTransaction } from '#journal/vault-text.ts';
import { paths } from './paths.ts';
import { findFollowers } from './recover-nodes.ts';
import { writeFromVault } from './recover-vault.ts';
import { putInPlace } from './store-place.ts';

export interface MendingOptions {
  readonly data: string;
  /** The vault's folder; undefined in a drill without one. */
  readonly vault: string | undefined;
  readonly store: MendableStore;
  readonly journal: Journal;
  readonly nowMs: () => number;
  readonly log: Log;
}

/** What a start found instead of the store, and put back. */
export interface HealedAtStart extends Mended {
  /** What was there, a sentence. */
  readonly found: string;
  readonly foundAtMs: number;
}

const silent = () => {};

/** Compares and mends the store that a running control plane uses. */
export function storeMender(options: MendingOptions): StoreMender {
  const { data, vault, store, journal, nowMs, log } = options;
  const { storeId } = journal.identity;
  return {
    findLost: () => findLost(paths.journal(data), copyOf(vault, journal), () => journal.head.revision),
    mend: async () => {
      const path = paths.recovering(data);
      const vaulted = vault === undefined ? undefined : await vaultedStore(vault, storeId);
      const copy = await readEnd(vaulted, journal.identity.origin);
      const latest = journal.latest(copy.last.revision);
      if (latest === undefined || (latest[0]?.transaction.previousHash ?? copy.last.hash) !== copy.last.hash) {
        return refuse(
          `the vault can be read up to revision ${copy.last.revision}, and memory does not go back that far; ballast recover can tell more`,
        );
      }
      const plan = { ...copy, vaulted: vaulted ?? { folder: '', identity: journal.identity, segments: 0 } };
      const written = await writeFromVault(
        { ...plan, to: undefined, ahead: [] },
        { path, nowMs: nowMs(), report: silent, latest },
      );
      if (!written.ok) return written;
      const aside = asideFolder(data, nowMs());
      await journal.alone(() => {
        const more = journal.latest(written.value.revision);
        if (more === undefined) throw new Error('what was written meanwhile is not at hand');
        append(path, journal.identity, more);
        store.replace(() => {
          moveAside(data, aside);
          putInPlace(data);
        });
      });
      log.info(
        `the state store was put back as it was at revision ${journal.head.revision}; the damaged one is in ${aside}`,
      );
      return accept({ revision: journal.head.revision, aside });
    },
  };
}

/**
 * Looks at the store before it is opened, and puts it back when it is gone, cannot be read, or ends before the vault
 * does. Gives undefined when there is nothing to mend; refuses, in a sentence, when it cannot be.
 */
export async function healAtStart(options: {
  readonly data: string;
  readonly vault: string;
  readonly environment: string;
  readonly region: string;
  readonly nowMs: number;
  /** Why the store could not be opened, when that was tried. */
  readonly damage?: string;
  /** Told what was found, a sentence, before anything is done about it. */
  readonly onFound: (what: string) => void;
}): Promise<Result<HealedAtStart | undefined, string>> {
  const { data, vault, environment, region, nowMs, damage, onFound } = options;
  const stores = (await listVault(vault)).filter(
    ({ identity }) => identity.environment === environment && identity.region === region,
  );
  if (stores.length === 0) return accept(undefined);
  const { followers } = findFollowers([paths.lastGoodFolder(data)]);
  const found = await lookAt(data, stores, followers, damage);
  if (found === undefined) return accept(undefined);
  onFound(found.what);
  const { vaulted } = found;
  const copy = await readEnd(vaulted, vaulted.identity.origin);
  if (copy.transactions === 0) return accept(undefined);
  const { storeId } = vaulted.identity;
  const ahead = followers.filter(
    ({ position, revision }) => position.storeId === storeId && revision > copy.last.revision,
  );
  const path = paths.recovering(data);
  const written = await writeFromVault({ ...copy, vaulted, to: undefined, ahead }, { path, nowMs, report: silent });
  if (!written.ok) return written;
  const aside = asideFolder(data, nowMs);
  moveAside(data, aside);
  putInPlace(data);
  return accept({ revision: written.value.revision, aside, found: found.what, foundAtMs: nowMs });
}

/** The vault, then what memory holds beyond its end. */
async function* copyOf(vault: string | undefined, journal: Journal): AsyncGenerator<VaultTransaction> {
  const vaulted = vault === undefined ? undefined : await vaultedStore(vault, journal.identity.storeId);
  let { revision } = journal.identity.origin;
  if (vaulted !== undefined) {
    for await (const transaction of new VaultReader(vaulted).transactions()) {
      revision = transaction.header.revision;
      yield transaction;
    }
  }
  for (const { transaction, causeText, parts } of journal.latest(revision) ?? []) {
    const { changes: _, ...header } = transaction;
    yield { header, causeText, parts };
  }
}

async function vaultedStore(vault: string, storeId: string): Promise<VaultedStore | undefined> {
  return (await listVault(vault)).find(({ identity }) => identity.storeId === storeId);
}

/** Reads all that the vault has of a store which begins after `origin`, and says where that ends. */
async function readEnd(
  vaulted: VaultedStore | undefined,
  origin: StoreIdentity['origin'],
): Promise<{ readonly last: Head; readonly transactions: number }> {
  let last: Head = { ...origin, timeMs: 0 };
  let transactions = 0;
  if (vaulted === undefined) return { last, transactions };
  for await (const { header } of new VaultReader(vaulted).transactions()) {
    last = { revision: header.revision, hash: header.hash, timeMs: header.timeMs };
    transactions += 1;
  }
  return { last, transactions };
}

/** What is wrong with the file, when something is, and the copy of what belongs there. */
async function lookAt(
  data: string,
  stores: readonly VaultedStore[],
  followers: readonly Followed[],
  damage: string | undefined,
): Promise<{ readonly what: string; readonly vaulted: VaultedStore } | undefined> {
  const path = paths.journal(data);
  // In a folder in which there never was a store, none is missing: others may keep theirs in the same vault.
  const expected = expectedOf(data, stores, followers);
  const missing = (what: string) => expected && { what, vaulted: expected };
  if (!isFileThere(path)) return missing('the state store was gone');
  let identity: string;
  let revision: number;
  let isOnPurpose: boolean;
  try {
    const database = new DatabaseSync(path, { readOnly: true, timeout: 2_000 });
    try {
      const tables = database.prepare("SELECT count(*) AS count FROM sqlite_schema WHERE type = 'table'").get()!;
      if (tables.count === 0) return missing('the state store was empty');
      identity = String(database.prepare('SELECT store_id FROM identity').get()?.store_id ?? '');
      const row = database.prepare('SELECT max(revision) AS revision FROM transaction_log').get()!;
      revision = Number(row.revision ?? 0);
      isOnPurpose = wasRecoveredTo(data, identity, database);
    } finally {
      database.close();
    }
  } catch (error) {
    return missing(`the state store could not be read: ${(error as Error).message}`);
  }
  const vaulted = stores.find((each) => each.identity.storeId === identity);
  if (vaulted === undefined) {
    // Another store without a single transaction is nobody's work.
    return revision === 0 ? missing('the state store was a new one, without anything in it') : undefined;
  }
  if (damage !== undefined) return { what: `the state store was damaged: ${damage}`, vaulted };
  if (isOnPurpose) return undefined;
  const end = await endOfVault(vaulted);
  if (end.revision <= revision) return undefined;
  const what = `the state store ended at revision ${revision}, and its copy in the vault at ${end.revision}`;
  return { what, vaulted };
}

/** Whether somebody put this very store back to an earlier moment, and has since gone on from there. */
function wasRecoveredTo(data: string, storeId: string, database: DatabaseSync): boolean {
  const text = readFileIfThere(paths.recoveredTo(data));
  if (text === undefined) return false;
  try {
    const said = JSON.parse(text) as {
      readonly storeId?: unknown;
      readonly revision?: unknown;
      readonly hash?: unknown;
    };
    const row = database.prepare('SELECT hash FROM transaction_log WHERE revision = ?').get(Number(said.revision));
    return said.storeId === storeId && row !== undefined && row.hash === said.hash;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

type Followed = { readonly position: { readonly storeId: string } };

/** The copy of the store that belongs into the folder, by what the folder says, or else by what its nodes follow. */
function expectedOf(
  data: string,
  stores: readonly VaultedStore[],
  followers: readonly Followed[],
): VaultedStore | undefined {
  const noted = readFileIfThere(paths.storeId(data))?.trim();
  const known = new Set(noted === undefined ? followers.map(({ position }) => position.storeId) : [noted]);
  const found = stores.filter(({ identity }) => known.has(identity.storeId));
  return found.length === 1 ? found[0] : undefined;
}

function append(path: string, identity: StoreIdentity, more: readonly SealedTransaction[]): void {
  if (more.length === 0) return;
  const store = openSqliteStore(path, identity);
  try {
    void store.append(more);
  } finally {
    store.close();
  }
}

function asideFolder(data: string, nowMs: number): string {
  return join(data, 'aside', isoTime(nowMs).replaceAll(':', '-'));
}

function moveAside(data: string, folder: string): void {
  makeFolder(folder);
  const path = paths.journal(data);
  for (const file of [path, indexPathOf(path)]) {
    for (const suffix of ['', '-wal', '-shm']) {
      moveFile(`${file}${suffix}`, join(folder, `${file.slice(data.length + 1)}${suffix}`));
    }
  }
}
