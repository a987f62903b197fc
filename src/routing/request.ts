/** What rules look at in a request, whatever protocol it came in. A part may be worked out when it is asked for. */
export interface RequestFacts {
  readonly method: string;
  /** In lower case, without the port; empty when there is none. */
  readonly host: string;
  /** As it was sent, without the query. */
  readonly path: string;
  /** As it was sent, without its question mark; empty when there is none. */
  readonly query: string;
  /** The client's address, as the connection has it. */
  readonly source: string;
  /** The values of the fields with this name, in lower case, in their order. */
  values(name: string): readonly string[];
}
