/**
 * The access log of one listener: what its entries share, and where they go. An entry is begun with a request, filled
 * in on its way, and added when the client has its answer or has gone. Records are used again.
 */
import type { Clock } from '#io/clock.ts';
import type { LogBook } from '#io/log-spool.ts';
import type { TraceIds } from '#proxy/http1/trace-id.ts';
import type { RoutingTable } from '#routing/table.ts';
import { AccessRecord } from './access-record.ts';
import { EntryBytes } from './entry-bytes.ts';

const keptRecordsMax = 256;

/** What logs say of a client's connection. */
export interface ConnectionIdentity {
  /** `TID_…`, which connects the entries of one connection. */
  readonly id: string;
  /** `ADDRESS:PORT` of the client; `-` when it is gone already. */
  readonly label: string;
}

export class AccessLog {
  readonly clock: Clock;
  readonly traceIds: TraceIds;
  /** `:PORT`, for hosts that name none. */
  readonly port: string;
  /** Of the load balancer on this node. */
  readonly address: string;
  /** `app/NAME/ID`. */
  readonly balancer: string;
  readonly #book: LogBook;
  /** Target group id → ARN. */
  readonly #groupArns: ReadonlyMap<string, string>;
  readonly #entry = new EntryBytes();
  readonly #kept: AccessRecord[] = [];

  constructor(
    book: LogBook,
    { address, port, loadBalancer, groups }: RoutingTable,
    region: string,
    { clock, traceIds }: { readonly clock: Clock; readonly traceIds: TraceIds },
  ) {
    this.clock = clock;
    this.traceIds = traceIds;
    this.port = `:${port}`;
    this.address = address;
    this.balancer = `app/${loadBalancer.name}/${loadBalancer.id}`;
    this.#book = book;
    const prefix = `arn:aws:elasticloadbalancing:${region}:${loadBalancer.account}:targetgroup`;
    this.#groupArns = new Map(groups.map(({ id, name }) => [id, `${prefix}/${name}/${id}`]));
  }

  begin(connection: ConnectionIdentity): AccessRecord {
    const record = this.#kept.pop() ?? new AccessRecord(this);
    record.begin(connection);
    return record;
  }

  groupArn(id: string): string {
    return this.#groupArns.get(id) ?? '-';
  }

  /** Adds the entry; the record is not touched again until it is begun anew. */
  end(record: AccessRecord): void {
    const atMs = this.clock.wallMs();
    this.#entry.clear();
    record.writeTo(this.#entry, atMs);
    this.#book.add(this.#entry.bytes, this.#entry.length, atMs);
    if (this.#kept.length < keptRecordsMax) this.#kept.push(record);
  }
}
