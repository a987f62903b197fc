/** How a running Ballast is: what the operator API answers to `GET /v1/status`, and the command line shows. */

export interface Status {
  readonly version: string;
  readonly environment: string;
  readonly region: string;
  readonly account: string;
  /** Of the journal: the last one that is durable. */
  readonly revision: number;
  readonly apiEndpoint: string;
  readonly operatorEndpoint: string;
  /** `HOST:PORT`, UDP and TCP. */
  readonly dnsServer: string;
  readonly uptimeSeconds: number;
  readonly processes: readonly ProcessStatus[];
  readonly nodes: readonly NodeStatus[];
  /** Ids, the oldest first. */
  readonly openIncidents: readonly string[];
  /** Who froze the workflows, and why; undefined while they run. */
  readonly frozen?: string;
  readonly counts: StatusCounts;
}

export interface ProcessStatus {
  readonly name: string;
  /** 0 while there is none. */
  readonly pid: number;
  readonly state: 'running' | 'restarting';
  readonly restarts: number;
  readonly uptimeSeconds: number;
}

export interface NodeStatus {
  readonly id: string;
  readonly zone: string;
  /** Its addresses, as `127.80.0.0/15`. */
  readonly prefix: string;
  readonly connected: boolean;
  /** The last revision that its workers serve. */
  readonly revision: number;
  /** How many revisions it is behind; 0 while it keeps up. */
  readonly lag: number;
  /** What it serves is not what the journal says, though it has the revision. */
  readonly diverged: boolean;
  /** Transactions that its brake holds back. */
  readonly held: number;
  readonly loadBalancers: number;
}

export interface StatusCounts {
  readonly loadBalancers: number;
  readonly listeners: number;
  readonly targetGroups: number;
  readonly targets: number;
}
