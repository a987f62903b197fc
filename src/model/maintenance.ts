/** What the operator API tells of maintenance processes and their plans. */
import type { ResourceChange } from './history.ts';

export interface ProcessEntry {
  readonly type: 'process';
  readonly name: string;
  readonly summary: string;
  readonly parameters: readonly { readonly name: string; readonly help: string; readonly default?: string }[];
  /** False for those of the operator's own. */
  readonly isBuiltIn: boolean;
}

/** A load balancer that would stop serving. */
export interface PlannedHarm {
  readonly type: 'harm';
  readonly account: string;
  readonly name: string;
  readonly arn: string;
  readonly reason: string;
  /** Over all nodes; less when the control plane does not run for that long. */
  readonly requestsLastHour: number;
}

/** The last line of a plan. */
export interface PlanSummary {
  readonly type: 'maintenance-plan';
  readonly process: string;
  readonly environment: string;
  readonly digest: string;
  readonly changes: number;
  readonly harmed: number;
  /** What it would do besides changes, a sentence each. */
  readonly effects: readonly string[];
}

/** How far it is. */
export interface MaintenanceProgress {
  readonly type: 'progress';
  readonly done: number;
  readonly total: number;
  readonly unit: string;
}

/** The last line of a run. */
export interface MaintenanceResult {
  readonly type: 'maintenance-result';
  readonly done: boolean;
  /** What of it was made: the first and the last revision. */
  readonly from?: number;
  readonly to?: number;
  readonly changes: number;
  /** Sentences: why it stopped, how it is undone. */
  readonly notes: readonly string[];
}

export type PlanLine = ResourceChange | PlannedHarm | PlanSummary | MaintenanceProgress;
export type RunLine = MaintenanceProgress | MaintenanceResult;
