/**
 * An incident: something was lost, or nearly, and here is all that is known of it. It is kept outside of the store that
 * it may be about, and is what the report is made of.
 */
import type { HexId } from './documents.ts';

export interface Incident {
  /** `inc-YYYYMMDD-HHMMSS-xxxx`, UTC. */
  readonly id: string;
  readonly environment: string;
  readonly region: string;
  readonly storeId: string;
  /** One line. */
  readonly title: string;
  /** `sentinel`, or the principal who opened it by hand. */
  readonly openedBy: string;
  /** `mended`: everything that was lost is back; `closed`: a person has said that it is over. */
  readonly state: 'open' | 'mended' | 'closed';
  /** The earliest time at which it can have happened, as far as that is known. */
  readonly happenedAtMs?: number;
  readonly noticedAtMs: number;
  readonly mendedAtMs?: number;
  readonly closedAtMs?: number;
  readonly findings: readonly IncidentFinding[];
  readonly affected: readonly AffectedLoadBalancer[];
  /** In the order of time. */
  readonly timeline: readonly IncidentEvent[];
  /** What a person still has to do, a sentence each. */
  readonly open: readonly string[];
}

export interface IncidentFinding {
  /** The check that found it, as `rows` or `references`. */
  readonly check: string;
  /** One sentence: what was lost. */
  readonly what: string;
  /** What did it, as far as the store can tell. */
  readonly by?: string;
  readonly foundAtMs: number;
}

export interface AffectedLoadBalancer {
  readonly id: HexId;
  /** Its owner. */
  readonly account: string;
  readonly name: string;
  readonly arn: string;
  /** What became of it, as `its listener 443 was gone from the store`. */
  readonly how: string;
  readonly protectedAtMs?: number;
  readonly unprotectedAtMs?: number;
  /** Since it happened; undefined while no node has said. */
  readonly requests?: number;
  /** Of these, those that the load balancer itself answered with an error (5xx) or could not answer. */
  readonly failedRequests?: number;
}

export interface IncidentEvent {
  readonly atMs: number;
  readonly source: 'journal' | 'sentinel' | 'node' | 'operator' | 'metrics';
  /** Who did it: a principal, a node, `sentinel`. */
  readonly who: string;
  /** One sentence. */
  readonly text: string;
}
