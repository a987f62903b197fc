/**
 * The frames of the link, one JSON text each. What comes in is checked by the parsers below before anything acts on it:
 * both ends are ours, but one of them may be older, broken, or not ours at all.
 */
import type { AnomalyVerdict } from '#model/anomaly.ts';
import type { Cause, Change, Channel } from '#model/change.ts';
import { channels } from '#model/change.ts';
import type { Entry } from '#model/documents.ts';
import { isKind, type Kind } from '#model/documents.ts';
import type { HealthVerdict } from '#model/health.ts';

export const linkProtocol = 3;

/** A frame larger than this is not read: the sender cuts its news into several. */
export const frameBytesMax = 16 * 1024 * 1024;
/** At most three bytes each in UTF-8, so a frame of so many and one change more stays below that. */
export const frameCharactersMax = 4 * 1024 * 1024;
/** Observations in one frame. */
export const verdictsPerFrameMax = 5_000;
/** Documents in one frame of an inventory. */
export const inventoryPerFrameMax = 20_000;

/** Which part of the state a follower wants: what is placed on it, or what names and addresses need. */
export type FollowerRole =
  | { readonly kind: 'node'; readonly id: string; readonly zone: string; readonly prefix: string }
  | { readonly kind: 'dns'; readonly id: string };

/** Where the follower is in the journal. */
export interface LinkPosition {
  readonly storeId: string;
  readonly revision: number;
  readonly hash: string;
}

/** A transaction as a follower sees it: only the changes that concern it. */
export interface LinkTransaction {
  readonly revision: number;
  readonly timeMs: number;
  readonly cause: Cause;
  /** SHA-256 (hex) of all its changes, not only of these. */
  readonly digest: string;
  readonly changes: readonly Change[];
}

/** A transaction that the follower's guard holds back; `harmed` names the load balancers that it keeps serving. */
export interface HeldReport {
  readonly revision: number;
  readonly reason: string;
  readonly principal: string;
  readonly channel: Channel;
  readonly digest: string;
  readonly harmed: readonly string[];
}

export interface ServingReport {
  readonly loadBalancerId: string;
  /** Undefined while all its listeners serve; otherwise why one of them does not. */
  readonly failure?: string;
}

/** From a follower to the control plane. */
export type UpFrame =
  | {
      readonly type: 'hello';
      readonly protocol: number;
      readonly role: FollowerRole;
      readonly position: LinkPosition;
      /** Ids of what it holds already, so that only what is missing is sent whole. */
      readonly holds: { readonly loadBalancers: readonly string[]; readonly targetGroups: readonly string[] };
    }
  /** Everything up to `revision` is on the follower's disk and in service. */
  | { readonly type: 'applied'; readonly revision: number }
  | { readonly type: 'serving'; readonly reports: readonly ServingReport[] }
  | {
      readonly type: 'health';
      readonly verdicts: readonly (readonly [targetKey: string, verdict: HealthVerdict | null])[];
      /** A control plane that is older does not look for them. */
      readonly anomalies?: readonly (readonly [targetKey: string, verdict: AnomalyVerdict])[];
    }
  /** All that the follower's guard holds back at the moment; it serves on. */
  | { readonly type: 'held'; readonly held: readonly HeldReport[] }
  /** Of what it works with at the revision, in step and with nothing held back (see `workedWith`). */
  | { readonly type: 'digest'; readonly revision: number; readonly digest: string; readonly count: number }
  /** All of that by key and revision, as it was asked for; `rest` says how many are still to come. */
  | {
      readonly type: 'inventory';
      readonly revision: number;
      readonly held: readonly (readonly [kind: Kind, id: string, revision: number])[];
      readonly rest: number;
    }
  /** The follower wants to judge once more what it holds back. */
  | { readonly type: 'again'; readonly revision: number }
  | { readonly type: 'stats'; readonly id: number; readonly stats: unknown };

/** From the control plane to a follower. */
export type DownFrame =
  /** The follower's history is not ours: it keeps what it has, and we send it nothing. */
  | { readonly type: 'diverged'; readonly reason: string }
  /** Documents that the follower does not hold; they count from the next `advance` on. */
  | { readonly type: 'documents'; readonly entries: readonly Entry[] }
  /** The first changes of a transaction that is too large for one frame; the others come in its `advance`. */
  | { readonly type: 'changes'; readonly revision: number; readonly changes: readonly Change[] }
  /** Moves the follower from one position to the next; what it is not told about stays as it is. */
  | {
      readonly type: 'advance';
      readonly from: number;
      readonly transactions: readonly LinkTransaction[];
      readonly position: LinkPosition;
    }
  /** The digest is not what it should be: what does the follower hold? */
  | { readonly type: 'inventory' }
  /** One that was told before, because the follower asked for it; it does not move. */
  | { readonly type: 'again'; readonly transaction: LinkTransaction }
  /** Names the nodes that are connected now, for the DNS server. */
  | { readonly type: 'nodes'; readonly alive: readonly string[] }
  /** What have you counted? With the targets of these groups; without a word, of none. */
  | { readonly type: 'stats'; readonly id: number; readonly targets?: StatsTargets };

export type StatsTargets = 'all' | readonly string[];

type Json = Readonly<Record<string, unknown>>;

/** Reads a follower's frame; undefined when it is none. */
export function parseUpFrame(text: string): UpFrame | undefined {
  const frame = parseObject(text);
  switch (frame?.type) {
    case 'hello':
      return isCount(frame.protocol) && isRole(frame.role) && isPosition(frame.position) && isHolds(frame.holds)
        ? (frame as unknown as UpFrame)
        : undefined;
    case 'applied':
      return isCount(frame.revision) ? (frame as unknown as UpFrame) : undefined;
    case 'serving':
      return isList(frame.reports, isReport) ? (frame as unknown as UpFrame) : undefined;
    case 'health':
      return isList(frame.verdicts, isVerdictPair) && isList(frame.anomalies ?? [], isAnomalyPair)
        ? (frame as unknown as UpFrame)
        : undefined;
    case 'held':
      return isList(frame.held, isHeld) ? (frame as unknown as UpFrame) : undefined;
    case 'digest':
      return isCount(frame.revision) && isText(frame.digest) && isCount(frame.count)
        ? (frame as unknown as UpFrame)
        : undefined;
    case 'inventory':
      return isCount(frame.revision) && isCount(frame.rest) && isList(frame.held, isHeldKey)
        ? (frame as unknown as UpFrame)
        : undefined;
    case 'again':
      return isCount(frame.revision) ? (frame as unknown as UpFrame) : undefined;
    case 'stats':
      return isCount(frame.id) && isObject(frame.stats) ? (frame as unknown as UpFrame) : undefined;
    default:
      return undefined;
  }
}

/** Reads the control plane's frame; undefined when it is none. */
export function parseDownFrame(text: string): DownFrame | undefined {
  const frame = parseObject(text);
  switch (frame?.type) {
    case 'diverged':
      return isText(frame.reason) ? (frame as unknown as DownFrame) : undefined;
    case 'documents':
      return isList(frame.entries, isEntry) ? (frame as unknown as DownFrame) : undefined;
    case 'changes':
      return isCount(frame.revision) && isList(frame.changes, isChange) ? (frame as unknown as DownFrame) : undefined;
    case 'advance':
      return isCount(frame.from) && isList(frame.transactions, isTransaction) && isPosition(frame.position)
        ? (frame as unknown as DownFrame)
        : undefined;
    case 'inventory':
      return frame as unknown as DownFrame;
    case 'again':
      return isTransaction(frame.transaction) ? (frame as unknown as DownFrame) : undefined;
    case 'nodes':
      return isList(frame.alive, isText) ? (frame as unknown as DownFrame) : undefined;
    case 'stats':
      return isCount(frame.id) && isStatsTargets(frame.targets) ? (frame as unknown as DownFrame) : undefined;
    default:
      return undefined;
  }
}

function parseObject(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isStatsTargets(value: unknown): boolean {
  return value === undefined || value === 'all' || isList(value, isText);
}

function isList(value: unknown, isMember: (member: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isMember);
}

function isRole(value: unknown): boolean {
  if (!isObject(value) || !isText(value.id)) return false;
  return value.kind === 'dns' || (value.kind === 'node' && isText(value.zone) && isText(value.prefix));
}

function isPosition(value: unknown): boolean {
  return isObject(value) && isText(value.storeId) && isCount(value.revision) && isText(value.hash);
}

function isHolds(value: unknown): boolean {
  return isObject(value) && isList(value.loadBalancers, isText) && isList(value.targetGroups, isText);
}

function isReport(value: unknown): boolean {
  return isObject(value) && isText(value.loadBalancerId) && (value.failure === undefined || isText(value.failure));
}

function isVerdictPair(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 2 || !isText(value[0])) return false;
  const verdict: unknown = value[1];
  if (verdict === null) return true;
  if (!isObject(verdict)) return false;
  if (verdict.kind === 'healthy') return ['number', 'undefined'].includes(typeof verdict.slowStartAtMs);
  return (
    (verdict.kind === 'initial' || verdict.kind === 'unhealthy') &&
    isText(verdict.reason) &&
    isText(verdict.description)
  );
}

function isAnomalyPair(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 2 || !isText(value[0])) return false;
  const verdict: unknown = value[1];
  return isObject(verdict) && typeof verdict.isAnomalous === 'boolean' && typeof verdict.isMitigated === 'boolean';
}

function isEntry(value: unknown): boolean {
  return (
    isObject(value) && isKind(value.kind) && isText(value.id) && isCount(value.revision) && isObject(value.document)
  );
}

function isTransaction(value: unknown): boolean {
  return (
    isObject(value) &&
    isCount(value.revision) &&
    isObject(value.cause) &&
    channels.includes(value.cause.channel as never) &&
    isText(value.cause.action) &&
    isText(value.cause.principal) &&
    isCertificates(value.cause.certificates) &&
    isText(value.digest) &&
    isList(value.changes, isChange)
  );
}

function isCertificates(value: unknown): boolean {
  return (
    value === undefined || isList(value, (each) => isObject(each) && isText(each.statement) && isText(each.signature))
  );
}

function isHeldKey(value: unknown): boolean {
  return Array.isArray(value) && value.length === 3 && isKind(value[0]) && isText(value[1]) && isCount(value[2]);
}

function isHeld(value: unknown): boolean {
  return (
    isObject(value) &&
    isCount(value.revision) &&
    isText(value.reason) &&
    isText(value.principal) &&
    channels.includes(value.channel as never) &&
    isText(value.digest) &&
    isList(value.harmed, isText)
  );
}

function isChange(value: unknown): boolean {
  return (
    isObject(value) &&
    isKind(value.kind) &&
    isText(value.id) &&
    isCount(value.before) &&
    (value.after === null || isObject(value.after))
  );
}
