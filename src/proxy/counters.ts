/**
 * What a worker counts: plain numbers that are always on. They only rise (but for the connections open now), so whoever
 * reads them takes differences, and the sums of several workers mean something.
 */
import { Histogram } from '#base/histogram.ts';

export class LoadBalancerCounters {
  /** Requests whose head was read whole and well formed. */
  requests = 0;
  newConnections = 0;
  activeConnections = 0;
  /** Connections refused because the worker had its most. */
  rejectedConnections = 0;
  /** Connections refused because the security groups do not let the client in. */
  blockedConnections = 0;
  bytesIn = 0;
  bytesOut = 0;
  /** Requests whose client went away before it had the whole answer. */
  clientGone = 0;
  /** Rules that stood before the one that held, and that one; the default rule is not counted. */
  ruleEvaluations = 0;
  fixedResponses = 0;
  redirects = 0;
  /** Redirects whose Location would have been longer than clients take. */
  redirectsTooLong = 0;
  /** Requests that desync mitigation found odd, and what was no request by the letter of RFC 9112. */
  nonCompliantRequests = 0;
  /** Requests to targets that lost header fields for their names, and those that kept such fields. */
  droppedInvalidHeaders = 0;
  forwardedInvalidHeaders = 0;
  /** Answers made by the load balancer itself, by status code. */
  readonly elbResponses = new Map<number, number>();

  countElbResponse(status: number): void {
    this.elbResponses.set(status, (this.elbResponses.get(status) ?? 0) + 1);
  }
}

/** What one load balancer saw of one target group. */
export class GroupCounters {
  requests = 0;
  /** Of these, requests for which no target could be chosen. */
  withoutTarget = 0;
  /** Requests that got another target than a session's, where sessions are kept. */
  nonSticky = 0;
  /** Requests given to a group that had too few healthy targets, so that all of its targets get some. */
  unhealthyRouting = 0;
  /** Answers of targets by the first digit of their status, 1 to 5. */
  readonly responses = [0, 0, 0, 0, 0, 0];
  /** Attempts that came to nothing, whatever the reason. */
  connectionErrors = 0;
  /** Of these, connections that could not be established. */
  connectErrors = 0;
  /** Connections to targets that were established, and those that are open or being opened now. */
  newConnections = 0;
  activeConnections = 0;
  retries = 0;
  /** Requests that were not tried again because too many were. */
  retriesRefused = 0;
  /** From the request's head to the answer's. */
  readonly responseTime = new Histogram();
}

/** What one target did, besides the requests that it was given. Made when it gets its first. */
export class TargetCounters {
  /** Answers by the first digit of their status, 1 to 5. */
  readonly responses = [0, 0, 0, 0, 0, 0];
  /** Requests that had no answer, or no connection. */
  unanswered = 0;
  /** Connections that could not be established. */
  connectErrors = 0;
  /** The sum over all answers, from the request's head to the answer's. */
  responseTimeMs = 0;
  /** To and from the target, heads included. */
  bytesOut = 0;
  bytesIn = 0;

  /** What became of its requests so far; who could not serve one says so by the status. */
  outcomes(): { readonly ended: number; readonly failed: number } {
    const answered = this.responses.reduce((sum, count) => sum + count);
    return { ended: answered + this.unanswered, failed: this.responses[5]! + this.unanswered };
  }
}

/** Whose target it is. */
export interface TargetOwner {
  readonly loadBalancerId: string;
  readonly targetGroupId: string;
  readonly counters: GroupCounters;
}
