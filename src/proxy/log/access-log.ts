/**
 * The access log of one listener: what its entries share, and where they go. An entry is begun with a request, filled
 * in on its way, and added when the client has its answer or has gone.
 */
import type { Clock } from '#io/clock.ts';
import type { LogBook } from '#io/log-spool.ts';
import type { Client } from '#proxy/http1/request-rewrite.ts';
import type { TraceIds } from '#proxy/http1/trace-id.ts';
import type { RoutingTable } from '#routing/table.ts';
import { AccessRecord } from './access-record.ts';

export class AccessLog {
  readonly clock: Clock;
  readonly traceIds: TraceIds;
  readonly port: number;
  /** Of the load balancer on this node. */
  readonly address: string;
  /** `app/NAME/ID`. */
  readonly balancer: string;
  readonly #book: LogBook;
  /** Target group id → ARN. */
  readonly #groupArns: ReadonlyMap<string, string>;

  constructor(
    book: LogBook,
    { address, port, loadBalancer, groups }: RoutingTable,
    region: string,
    { clock, traceIds }: { readonly clock: Clock; readonly traceIds: TraceIds },
  ) {
    this.clock = clock;
    this.traceIds = traceIds;
    this.port = port;
    this.address = address;
    this.balancer = `app/${loadBalancer.name}/${loadBalancer.id}`;
    this.#book = book;
    const prefix = `arn:aws:elasticloadbalancing:${region}:${loadBalancer.account}:targetgroup`;
    this.#groupArns = new Map(groups.map(({ id, name }) => [id, `${prefix}/${name}/${id}`]));
  }

  begin(client: Client, connectionId: string): AccessRecord {
    return new AccessRecord(this, client, connectionId);
  }

  groupArn(id: string): string {
    return this.#groupArns.get(id) ?? '-';
  }

  add(entry: string, atMs: number): void {
    this.#book.add(entry, atMs);
  }
}
