/**
 * The routing table of one listener: plain, immutable data that says for every request which targets may have it. It is
 * compiled from documents and health, crosses a process border as it is, and is swapped whole.
 */

import type { RuleCondition, RuleTransform } from '#model/documents.ts';

export type { RuleCondition, RuleTransform } from '#model/documents.ts';

export interface RoutingTable {
  readonly listenerId: string;
  readonly address: string;
  readonly port: number;
  readonly protocol: 'HTTP';
  /** The ranges from which clients may connect; undefined: from everywhere. */
  readonly sources?: readonly string[];
  readonly loadBalancer: RoutingLoadBalancer;
  /** Undefined: nothing is logged. */
  readonly logs?: RoutingLogs;
  /** Undefined: answers stay as they are. */
  readonly responseFields?: RoutingResponseFields;
  /** In the order in which they are tried; the last one is the default rule and matches everything. */
  readonly rules: readonly RoutingRule[];
  readonly groups: readonly RoutingGroup[];
}

export interface RoutingLoadBalancer {
  readonly id: string;
  readonly account: string;
  readonly name: string;
  /** Closes a client or target connection on which nothing was sent for so long. */
  readonly idleTimeoutMs: number;
  /** How long a client connection may be kept for further requests. */
  readonly clientKeepAliveMs: number;
  readonly requestFields: RoutingRequestFields;
}

/** Where entries about requests and connections go: the headings of their books; undefined: nowhere. */
export interface RoutingLogs {
  readonly region: string;
  readonly access?: string;
  readonly connection?: string;
}

/** What becomes of a request's header fields on their way to a target. */
export interface RoutingRequestFields {
  /** X-Forwarded-For: the client's address behind what came, what came as it is, or nothing. */
  readonly forwardedFor: 'append' | 'preserve' | 'remove';
  /** Whether the client's address is given with its port. */
  readonly hasClientPort: boolean;
  /** Whether fields are dropped whose names hold other characters than letters, digits and hyphens. */
  readonly dropsInvalid: boolean;
  /** Whether the Host goes on as it came; else it gets the listener's port where that is not the protocol's own. */
  readonly preservesHost: boolean;
  readonly desyncMode: 'monitor' | 'defensive' | 'strictest';
}

/** What becomes of the header fields of an answer on their way to the client. */
export interface RoutingResponseFields {
  readonly set: readonly { readonly name: string; readonly value: string }[];
  /** Whether nobody learns what software answers. */
  readonly hidesServer: boolean;
}

export interface RoutingRule {
  readonly id: string;
  /** Undefined: the default rule. */
  readonly priority?: number;
  /** All of them must hold; the default rule has none. */
  readonly conditions: readonly RuleCondition[];
  readonly action: RoutingAction;
  readonly transforms: readonly RuleTransform[];
}

export type RoutingAction =
  /** `group` is an index into the table's groups; `share` its part of all weights, adding up to 1. */
  | {
      readonly kind: 'forward';
      readonly choices: readonly { readonly group: number; readonly share: number }[];
      /** A client stays with the group that it got first. */
      readonly stickiness?: RoutingStickiness;
    }
  | {
      readonly kind: 'redirect';
      readonly protocol: string;
      readonly host: string;
      readonly port: string;
      readonly path: string;
      readonly query: string;
      readonly statusCode: 301 | 302;
    }
  | {
      readonly kind: 'fixed-response';
      readonly statusCode: number;
      readonly contentType: string;
      readonly body: string;
    };

/** A client that comes back within this time gets what it got before. */
export interface RoutingStickiness {
  readonly durationSeconds: number;
}

export interface RoutingTargetStickiness extends RoutingStickiness {
  /** A session begins when a target sets this cookie, and lasts while the client sends it; undefined: with each. */
  readonly applicationCookie?: string;
}

/** The names are those of the target group attribute. */
export type RoutingAlgorithm = 'round_robin' | 'least_outstanding_requests' | 'weighted_random';

export interface RoutingGroup {
  readonly id: string;
  readonly name: string;
  readonly algorithm: RoutingAlgorithm;
  /** Its targets take HTTP/2 or gRPC alone; requests in HTTP/1.1 are answered with 464. */
  readonly refusesHttp1?: true;
  /** Its targets are functions, which have no address that anybody knows. */
  readonly isOfFunctions?: true;
  /** A client stays with the target that it got first, while that may have requests. */
  readonly stickiness?: RoutingTargetStickiness;
  /** Every target of the group, in a stable order, whatever its state. */
  readonly targets: readonly RoutingTarget[];
  /** Too few of its targets are healthy, so all of them get requests. */
  readonly isFailingOpen?: true;
  /** Indexes of the targets that may get new requests now; health and fail-open are already decided. */
  readonly eligible: readonly number[];
}

export interface RoutingTarget {
  /** The target's identity across swaps: connections, counters and turns belong to it. */
  readonly key: string;
  readonly address: string;
  readonly port: number;
  readonly state: 'healthy' | 'initial' | 'unhealthy' | 'draining';
  /** Undefined: it takes its whole share. */
  readonly slowStart?: RoutingSlowStart;
  /** With `weighted_random`, its part of a whole share, above 0 and below 1; undefined: all of it. */
  readonly weight?: number;
}

/** A target's share of requests grows evenly for this time, from the moment at which it became healthy. */
export interface RoutingSlowStart {
  /** Milliseconds since 1970-01-01 UTC: node and workers share the machine's clock. */
  readonly beganAtMs: number;
  readonly durationMs: number;
}
