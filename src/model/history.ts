/**
 * What the operator API answers about the past, one JSON object a line (`application/x-ndjson`), and the command line
 * shows. Times are ISO 8601 in UTC; a `moment` is a revision or a time, as people write them (see `moment.ts`).
 */
import type { Channel } from './change.ts';
import type { Kind } from './documents.ts';

/** One transaction in `ballast log`. */
export interface LogEntry {
  readonly type: 'transaction';
  readonly revision: number;
  readonly time: string;
  /** `ACCOUNT/NAME`, `ballast` for the service's own workflows, or `operator`. */
  readonly principal: string;
  readonly channel: Channel;
  readonly action: string;
  readonly requestId: string;
  readonly reason?: string;
  /** What it did, in one line: `load balancer 000000000000/web added, with 1 listener, 1 rule and 2 placements`. */
  readonly summary: string;
  /** How many load balancers stopped serving through it. */
  readonly harmed: number;
  readonly changes: number;
}

/** What a change is about, in words that people know it by. */
export interface ResourceName {
  readonly kind: Kind;
  /** The document's key. */
  readonly id: string;
  /** `ACCOUNT/NAME` of a load balancer or target group; `web :80` of a listener; `10.0.0.1:80 in ACCOUNT/GROUP` … */
  readonly label: string;
  /** Only for what has one. */
  readonly arn?: string;
}

/** One member of a document that differs: its path (`port`, `attributes.idle_timeout.timeout_seconds`, `tags.team`). */
export interface MemberChange {
  readonly member: string;
  /** Absent when the member was not there. Sealed secrets are never shown. */
  readonly before?: unknown;
  /** Absent when the member is not there any more. */
  readonly after?: unknown;
}

/** One resource in `ballast show` and `ballast diff`. */
export interface ResourceChange extends ResourceName {
  readonly type: 'change';
  readonly did: 'added' | 'removed' | 'changed';
  readonly members: readonly MemberChange[];
}

/** First line of `diff`: what is compared. */
export interface DiffHeader {
  readonly type: 'diff';
  readonly from: { readonly revision: number; readonly time: string };
  readonly to: { readonly revision: number; readonly time: string };
}

/** First line of `blame`; the members follow, one line each. */
export interface BlameHeader extends ResourceName {
  readonly type: 'blame';
  /** False when the resource was deleted: its members are those it had last. */
  readonly present: boolean;
  readonly deletedBy?: LogEntry;
}

/** Which transaction gave a member the value it has. */
export interface BlameLine {
  readonly type: 'member';
  readonly member: string;
  readonly value: unknown;
  readonly setBy: Pick<LogEntry, 'revision' | 'time' | 'principal' | 'channel' | 'action'>;
}

/** A document that a revert cannot simply put back. `ours` is kept unless it is decided otherwise. */
export interface Conflict extends ResourceName {
  readonly type: 'conflict';
  /** `changed-since`: three values, to be decided. The others cannot be decided: putting it back would break a law. */
  readonly why:
    | 'changed-since'
    | 'name-taken'
    | 'address-taken'
    | 'port-taken'
    | 'priority-taken'
    | 'parent-missing'
    | 'part-missing'
    | 'still-used';
  /** One sentence for people. */
  readonly explanation: string;
  /** For `--keep KEY=…`: `KIND/ID`. */
  readonly key: string;
  /** The members that conflict; empty when the documents as a whole do (one of them is not there). */
  readonly members: readonly string[];
  /** The values of the document before, after what is reverted, and now; null: there is none. */
  readonly base: unknown;
  readonly theirs: unknown;
  readonly ours: unknown;
}

/** Last line of `revert`, `restore` and `undelete`. */
export interface PlanResult {
  readonly type: 'plan';
  /** False for a dry run, for one that conflicts stopped, and when there was nothing to do. */
  readonly done: boolean;
  /** Of the transaction that was written; absent when none was. */
  readonly revision?: number;
  /** By kind: how many documents are put back, taken out, changed. */
  readonly counts: Readonly<Partial<Record<Kind, PlanCounts>>>;
  readonly conflicts: number;
  /** How many load balancers would stop serving through it, or did. */
  readonly harmed: number;
  /** What people should know besides, one sentence each. */
  readonly notes: readonly string[];
}

export interface PlanCounts {
  readonly putBack: number;
  readonly takenOut: number;
  readonly changed: number;
}

/** A line that answers `revert`, `restore` or `undelete`: changes (on a dry run) and conflicts, then the result. */
export type PlanLine = ResourceChange | Conflict | PlanResult;

/** How a conflict is decided. */
export const keepChoices = ['ours', 'theirs', 'base'] as const;
export type KeepChoice = (typeof keepChoices)[number];

/** A range of history from which retention folds, or has folded, changes of registrations. */
export interface FoldEntry {
  readonly type: 'fold';
  /** Revisions, both included; `to` names the fold. */
  readonly from: number;
  readonly to: number;
  /** Days (UTC), as 2026-11-23, both included. */
  readonly firstDay: string;
  readonly lastDay: string;
  /** How many changes go, or have gone. */
  readonly changes: number;
  /** `unfinished`: it was interrupted, when it was made or when it was undone. */
  readonly state: 'planned' | 'done' | 'unfinished';
}

/** How far retention is. */
export interface RetentionProgress {
  readonly type: 'progress';
  readonly done: number;
  readonly total: number;
  /** What is counted, in the plural. */
  readonly unit: string;
}

/** Last line of `retention`. */
export interface RetentionResult {
  readonly type: 'result';
  /** False for a dry run, and when there was nothing to do. */
  readonly done: boolean;
  /** Of the transactions that were written. */
  readonly revisions: readonly number[];
}

/** A line that answers `retention`: the folds, how far it is, and the result. */
export type RetentionLine = FoldEntry | RetentionProgress | RetentionResult;

/** A refusal in the middle of a stream, when the status has gone out already. */
export interface StreamError {
  readonly type: 'error';
  readonly error: string;
}
