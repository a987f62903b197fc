/** What the operator API tells of operators, limits, and what waits for somebody's word. Times are ISO 8601, UTC. */
import type { Place } from './approval.ts';
import type { HarmedLoadBalancer, OperatorRight } from './documents.ts';

export interface OperatorEntry {
  readonly type: 'operator';
  readonly name: string;
  readonly publicKey: string;
  readonly rights: readonly OperatorRight[];
  readonly createdAt: string;
}

export interface LimitEntry {
  readonly type: 'limit';
  readonly id: string;
  readonly percentMax: number;
  readonly countMin: number;
  readonly windowSeconds: number;
  readonly isDefault: boolean;
}

/** The first line: where an approval must hold, and what time it is there. */
export interface PlaceEntry extends Place {
  readonly type: 'place';
  readonly nowMs: number;
}

/** Something that waits for somebody's word. */
export interface WaitingEntry {
  readonly type: 'waiting';
  readonly what: 'change' | 'maintenance' | 'node';
  /** What `ballast approvals approve` takes. */
  readonly id: string;
  readonly digest: string;
  readonly title: string;
  readonly askedBy: string;
  readonly why: string;
  readonly right: OperatorRight;
  readonly harmedCount: number;
  readonly harmed: readonly HarmedLoadBalancer[];
  readonly approvedBy: readonly string[];
  readonly approvalsNeeded: number;
  readonly since: string;
  /** What nodes hold back has none. */
  readonly expires?: string;
}

export interface ApprovalEntry {
  readonly type: 'approval';
  readonly id: string;
  readonly approver: string;
  /** In words: `changes 1f2e…`, or `what 111111111111/* does through api`. */
  readonly covers: string;
  readonly loadBalancersMax: number;
  readonly usedBy: number;
  readonly expires: string;
  readonly reason?: string;
}

export type ApprovalsLine = PlaceEntry | WaitingEntry | ApprovalEntry;

/** What became of an approval. */
export interface Approved {
  readonly id: string;
  readonly approver: string;
  readonly approvalsHave: number;
  readonly approvalsNeeded: number;
  /** In which the changes were made; undefined while they wait, and where whoever asked has to ask again. */
  readonly revision?: number;
  /** A sentence. */
  readonly message: string;
}
