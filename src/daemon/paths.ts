/** Where things lie in the data folder. */
import { join } from 'node:path';

export const paths = {
  lock: (data: string) => join(data, 'lock'),
  journal: (data: string) => join(data, 'journal.db'),
  /** Names the store that belongs here, for when its file does not say it any more. */
  storeId: (data: string) => join(data, 'store-id'),
  /** A store that is being made again, until it is whole. */
  recovering: (data: string) => join(data, 'recovering.db'),
  /** Says that a store was put back on purpose to a moment before the end of its vault. */
  recoveredTo: (data: string) => join(data, 'recovered-to.json'),
  /** Where the vault is unless it is set. */
  vault: (data: string) => join(data, 'vault'),
  sealKey: (data: string) => join(data, 'seal.key'),
  operatorKey: (data: string) => join(data, 'operator.key'),
  linkKey: (data: string) => join(data, 'link.key'),
  credentials: (data: string) => join(data, 'credentials'),
  /** What runs where: read by every other command. */
  running: (data: string) => join(data, 'run', 'ballast.json'),
  /** Held by the one process of that name. */
  processLock: (data: string, process: string) => join(data, 'run', `${process}.lock`),
  /** Names the supervisor that is in charge. */
  supervisor: (data: string) => join(data, 'run', 'supervisor'),
  /** Names the node process whose workers are in charge. */
  nodeInstance: (data: string, node: string) => join(data, 'run', node),
  incidents: (data: string) => join(data, 'incidents'),
  /** Of a node: logs of load balancers on their way to where they are kept. */
  logs: (data: string, node: string) => join(data, 'logs', node),
  lastGoodFolder: (data: string) => join(data, 'last-good'),
  lastGood: (data: string, follower: string) => join(data, 'last-good', `${follower}.db`),
} as const;
