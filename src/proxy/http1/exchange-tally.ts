/**
 * What is counted and logged of the request that is under way on a client's connection. The connection tells what
 * happens as it happens; nothing of this decides anything.
 */
import type { ConnectionIdentity } from '#proxy/log/access-log.ts';
import type { AccessRecord } from '#proxy/log/access-record.ts';
import type { RouteGroup } from '#proxy/routes.ts';
import { labelOf } from '#proxy/upstream/target.ts';
import type { WorkerContext } from '#proxy/worker-context.ts';
import type { RoutingRule } from '#routing/table.ts';
import type { Transformed } from '#routing/transform.ts';
import type { ClientHome } from './client-home.ts';
import { oddityOf } from './desync.ts';
import type { LocalResponse } from './local-response.ts';
import type { RequestHead } from './request-head.ts';
import type { Client } from './request-rewrite.ts';
import type { HttpTarget, TargetConnection } from './target-connection.ts';

/** The statuses of who did not wait for an answer ("HTTP 460"), and of who left before its request was whole. */
const clientGoneStatus = 460;
const requestCutStatus = 400;

export class ExchangeTally {
  readonly #home: ClientHome;
  readonly #context: WorkerContext;
  readonly #client: Client;
  #identity: ConnectionIdentity | undefined;
  /** Where requests are logged. */
  #record: AccessRecord | undefined;
  #sentMs = 0;
  /** Who was given the request. */
  #target: HttpTarget | undefined;

  constructor(home: ClientHome, context: WorkerContext, client: Client) {
    this.#home = home;
    this.#context = context;
    this.#client = client;
  }

  /** What logs say of the connection; made when one first asks. */
  get identity(): ConnectionIdentity {
    if (this.#identity === undefined) {
      const { traceIds } = this.#context;
      const { clientAddress, clientPort } = this.#client;
      const label = clientAddress === '' ? '-' : labelOf(clientAddress, clientPort);
      this.#identity = { id: `TID_${traceIds.word()}${traceIds.word()}`, label };
    }
    return this.#identity;
  }

  arrived(length: number): void {
    this.#home.counters.bytesIn += length;
  }

  /** `evaluations`: of how many rules it took to find its own. */
  begun(head: RequestHead, bytes: Buffer, base: number, evaluations: number): void {
    const { accessLog, counters } = this.#home;
    counters.requests += 1;
    counters.ruleEvaluations += evaluations;
    if (accessLog === undefined) return;
    const oddity = oddityOf(head, bytes, base, true);
    this.#record = accessLog.begin(this.identity).ofRequest(head, bytes, base, oddity);
  }

  matched(rule: RoutingRule, changed: Transformed | 'failed' | undefined): void {
    this.#record?.matched(rule, changed);
  }

  /** A target was given the request; `isWaiting`: it has not taken it yet. */
  sent(connection: TargetConnection, group: RouteGroup, isWaiting: boolean): void {
    this.#sentMs = this.#context.clock.monotonicMs();
    this.#target = connection.target;
    this.#record?.sent(connection, group, isWaiting);
  }

  /** The request has header fields with unusual names; they are dropped or forwarded. */
  unusualFields(areDropped: boolean): void {
    const { counters } = this.#home;
    if (areDropped) counters.droppedInvalidHeaders += 1;
    else counters.forwardedInvalidHeaders += 1;
  }

  /** Another attempt, after one that failed. */
  sentAgain(connection: TargetConnection, group: RouteGroup, isWaiting: boolean): void {
    this.#target = connection.target;
    this.#record?.sent(connection, group, isWaiting);
  }

  /** Bytes of a request's body, or of a tunnel, were passed on. */
  passedOn(length: number): void {
    if (this.#record !== undefined) this.#record.receivedBytes += length;
  }

  /** The target has everything that it was given. */
  taken(): void {
    this.#record?.taken();
  }

  answered(status: number, { counters }: RouteGroup, nowMs: number): void {
    const firstDigit = (status / 100) | 0;
    const responseTimeMs = nowMs - this.#sentMs;
    counters.responses[firstDigit]! += 1;
    counters.responseTime.recordMs(responseTimeMs);
    const ofTarget = this.#target!.counters!;
    ofTarget.responses[firstDigit]! += 1;
    ofTarget.responseTimeMs += responseTimeMs;
    this.#record?.answered(status, nowMs);
  }

  /** The load balancer answers in place of a function. */
  functionFailed(status: number, reason: string): void {
    this.#home.counters.countElbResponse(status);
    this.#record?.functionFailed(status, reason);
  }

  answeredHere(response: LocalResponse): void {
    const { counters } = this.#home;
    counters.countElbResponse(response.status);
    switch (response.action) {
      case 'fixed-response':
        counters.fixedResponses += 1;
        break;
      case 'redirect':
        counters.redirects += 1;
        break;
      case 'redirect-too-long':
        counters.redirectsTooLong += 1;
        break;
    }
    this.#record?.answeredHere(response);
  }

  /** What came in [start, end) is no request, or never became a whole one. */
  unread(bytes: Buffer | undefined, start: number, end: number): void {
    const record = this.#home.accessLog?.begin(this.identity);
    this.#record = record?.ofUnread(bytes?.toString('latin1', start, end) ?? '');
  }

  delivered(length: number): void {
    this.#home.counters.bytesOut += length;
    if (this.#record !== undefined) this.#record.sentBytes += length;
  }

  /** The client left; `isAwaiting`: before anything of its answer. */
  clientGone(isAwaiting: boolean, isWhole: boolean): void {
    this.#home.counters.clientGone += 1;
    if (isAwaiting) this.#settle(isWhole ? clientGoneStatus : requestCutStatus);
  }

  /** An answer that had begun will not be whole; the client has its status, and is cut off. */
  brokenOff(status: 502 | 504): void {
    this.#settle(status);
  }

  /** What counters and logs say of a request that is answered with nothing. */
  #settle(status: number): void {
    this.#home.counters.countElbResponse(status);
    if (this.#record !== undefined) this.#record.status = status;
  }

  end(): void {
    this.#record?.end();
    this.#record = undefined;
  }
}
