/**
 * The connection log of one listener: an entry for each client connection, in the format of an Application Load
 * Balancer. A listener in the clear has nothing to say about TLS.
 * Source: "Connection log entries" in its documentation.
 */
import type { Clock } from '#io/clock.ts';
import type { LogBook } from '#io/log-spool.ts';
import type { Client } from '#proxy/http1/request-rewrite.ts';
import type { RoutingTable } from '#routing/table.ts';
import type { ConnectionIdentity } from './access-log.ts';
import { EntryBytes } from './entry-bytes.ts';

/** tls_protocol to tls_verify_status. */
const withoutTls = '- - - - - - -';

export class ConnectionLog {
  readonly #book: LogBook;
  readonly #clock: Clock;
  readonly #port: number;
  readonly #rest: string;
  readonly #entry = new EntryBytes();

  constructor(book: LogBook, { address, port, loadBalancer }: RoutingTable, clock: Clock) {
    this.#book = book;
    this.#clock = clock;
    this.#port = port;
    this.#rest = `- app/${loadBalancer.name}/${loadBalancer.id} ${address}`;
  }

  opened({ id }: ConnectionIdentity, { clientAddress, clientPort }: Client): void {
    const atMs = this.#clock.wallMs();
    const entry = this.#entry;
    entry.clear();
    entry
      .moment(atMs)
      .text(' ')
      .text(clientAddress === '' ? '- -' : `${clientAddress} ${clientPort}`)
      .text(' ');
    entry.number(this.#port).text(' ').text(withoutTls).text(' ').text(id).text(' ').text(this.#rest);
    this.#book.add(entry.bytes, entry.length, atMs);
  }
}
