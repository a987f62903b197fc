/** Where things lie in the data folder. */
import { join } from 'node:path';

export const paths = {
  lock: (data: string) => join(data, 'lock'),
  journal: (data: string) => join(data, 'journal.db'),
  /** A store that is being made again, until it is whole. */
  recovering: (data: string) => join(data, 'recovering.db'),
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
  lastGoodFolder: (data: string) => join(data, 'last-good'),
  lastGood: (data: string, follower: string) => join(data, 'last-good', `${follower}.db`),
} as const;
