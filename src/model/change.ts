/** What happens to documents: a `Change` is decided once and travels unaltered from the API to the routing table. */
import { createHash } from 'node:crypto';
import { assert } from '#base/assert.ts';
import type { Certificate } from './approval.ts';
import type { Documents, Kind } from './documents.ts';
import type { View } from './view.ts';

/** `before` is the revision that the change replaces, 0 when there was none; `after` null is a tombstone. */
export type Change<K extends Kind = Kind> = {
  readonly [Each in K]: {
    readonly kind: Each;
    readonly id: string;
    readonly before: number;
    readonly after: Documents[Each] | null;
  };
}[K];

/** Through what a change came about; the guard's limits differ by channel. */
export const channels = ['api', 'maintenance', 'workflow', 'restore'] as const;
export type Channel = (typeof channels)[number];

/** Who wanted it, through what, and why. No change is without one. */
export interface Cause {
  /** `ACCOUNT/NAME` of a principal, or `ballast` for the service's own workflows. */
  readonly principal: string;
  readonly channel: Channel;
  /** The API operation or the workflow's name. */
  readonly action: string;
  readonly requestId: string;
  readonly reason?: string;
  /** The words of those who approved it, as they signed them. */
  readonly certificates?: readonly Certificate[];
  /** The request for maintenance that it carries out. */
  readonly grant?: string;
}

/** Everything about a transaction but its changes, of which there can be a million. */
export interface TransactionHeader {
  /** 1, 2, 3 … without gaps. */
  readonly revision: number;
  /** Never before that of the revision before. */
  readonly timeMs: number;
  readonly cause: Cause;
  /** How many load balancers stopped serving through it. */
  readonly harmed: number;
  readonly changesCount: number;
  /** SHA-256 (hex) over the changes. */
  readonly digest: string;
  /** SHA-256 (hex) of the transaction before; 64 zeros for the first. */
  readonly previousHash: string;
  /** SHA-256 (hex) over the previous hash and everything above. */
  readonly hash: string;
}

export interface Transaction extends TransactionHeader {
  readonly changes: readonly Change[];
}

/** The change that puts `document` under the key, whatever stands there in `view`. */
export function put<K extends Kind>(view: View, kind: K, id: string, document: Documents[K]): Change {
  return { kind, id, before: view.revisionOf(kind, id), after: document } as Change;
}

/** The change that puts `document` under a key that nothing stands under. */
export function add<K extends Kind>(kind: K, id: string, document: Documents[K]): Change {
  return { kind, id, before: 0, after: document } as Change;
}

/** The tombstone for the key. */
export function remove(view: View, kind: Kind, id: string): Change {
  return { kind, id, before: view.revisionOf(kind, id), after: null } as Change;
}

/** A change as the text that is hashed and kept: `KIND TAB ID TAB BEFORE TAB AFTER LF`, where a tombstone is empty. */
export function lineOf({ kind, id, before, after }: Change): string {
  assert(!/[\t\n]/.test(id), 'an id holds neither tabs nor line ends');
  return `${kind}\t${id}\t${before}\t${after === null ? '' : JSON.stringify(after)}\n`;
}

/** SHA-256 (hex) over the lines of the changes, in order. */
export function digestOfChanges(changes: readonly Change[]): string {
  const digest = createHash('sha256');
  for (const change of changes) digest.update(lineOf(change));
  return digest.digest('hex');
}
