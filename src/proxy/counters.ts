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
  /** Answers made by the load balancer itself, by status code. */
  readonly elbResponses = new Map<number, number>();

  countElbResponse(status: number): void {
    this.elbResponses.set(status, (this.elbResponses.get(status) ?? 0) + 1);
  }
}

/** What one load balancer saw of one target group. */
export class GroupCounters {
  requests = 0;
  /** Answers of targets by the first digit of their status, 1 to 5. */
  readonly responses = [0, 0, 0, 0, 0, 0];
  connectionErrors = 0;
  retries = 0;
  /** Requests that were not tried again because too many were. */
  retriesRefused = 0;
  /** From the request's head to the answer's. */
  readonly responseTime = new Histogram();
}
