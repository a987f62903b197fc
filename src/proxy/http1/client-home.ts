/** What a client's connection knows of the listener that it came in by. */
import type { LoadBalancerCounters } from '#proxy/counters.ts';
import type { AccessLog } from '#proxy/log/access-log.ts';
import type { Routes } from '#proxy/routes.ts';
import type { ClientConnection } from './client-connection.ts';

/** Its routes are replaced while connections live. */
export interface ClientHome {
  readonly routes: Routes;
  readonly counters: LoadBalancerCounters;
  /** Undefined: requests are not logged. */
  readonly accessLog: AccessLog | undefined;
  /** Whether answers that have not begun are to be the last on their connections. */
  readonly isHandingOver: boolean;
  /** Whether connections are to end as soon as they are between requests. */
  readonly isClosed: boolean;
  onClientGone(connection: ClientConnection): void;
}
