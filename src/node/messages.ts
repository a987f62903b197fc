/** What a node and its workers tell each other. Both are the same program, started by each other. */
import type { ProxyStats, TargetOutcomes, TargetsWanted } from '#proxy/stats.ts';
import type { RoutingTable } from '#routing/table.ts';

/** Where the logs of load balancers wait to be delivered, and how much time one of their files covers. */
export interface LogFiles {
  readonly folder: string;
  readonly intervalMs: number;
}

export type ToWorker =
  | {
      readonly type: 'start';
      readonly name: string;
      readonly successionPath: string;
      readonly parentInstance: string;
      /** 64 hexadecimal digits. */
      readonly cookieKey: string;
      readonly logFiles: LogFiles | undefined;
    }
  /** Puts these tables into service and takes out those of the removed listeners; everything else stays. */
  | {
      readonly type: 'tables';
      readonly version: number;
      readonly tables: readonly RoutingTable[];
      readonly removed: readonly string[];
    }
  | { readonly type: 'stats'; readonly id: number; readonly targets: TargetsWanted }
  /** What became of requests since it was last asked. */
  | { readonly type: 'outcomes'; readonly id: number }
  | { readonly type: 'drain'; readonly timeoutMs: number };

export type FromWorker =
  /** Each listener of the version, with the reason when it cannot be served. */
  | {
      readonly type: 'applied';
      readonly version: number;
      readonly failures: readonly (readonly [listenerId: string, reason: string])[];
    }
  | { readonly type: 'stats'; readonly id: number; readonly stats: ProxyStats }
  | { readonly type: 'outcomes'; readonly id: number; readonly outcomes: readonly TargetOutcomes[] };
