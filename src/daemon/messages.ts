/** What the supervisor and its processes tell each other. Settings travel here, never on a command line. */
import type { ProcessStatus } from '#model/status.ts';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** What keeps a mistake from doing harm. A drill may leave some out, to show what they are worth. */
export const layers = ['guard', 'brake', 'sentinel', 'vault'] as const;
export type Layer = (typeof layers)[number];

/** The one environment in which layers may be left out. */
export const drillEnvironment = 'drill';

export interface ControlPlaneSettings {
  readonly role: 'control-plane';
  readonly data: string;
  readonly api: Endpoint;
  readonly operator: Endpoint;
  /** For `status`: where the others were told to listen. */
  readonly dns: Endpoint;
  readonly account: string;
  readonly region: string;
  readonly zones: readonly string[];
  readonly domain: string;
  readonly environment: string;
  readonly holdAddressesDays: number;
  readonly vault: string;
  readonly alarmWebhook: string | undefined;
  readonly inventory: string | undefined;
  readonly ec2Endpoint: string | undefined;
  readonly s3Folder: string | undefined;
  readonly s3Endpoint: string | undefined;
  readonly requestRatePercent: number;
  readonly metricsIntervalSeconds: number;
  /** Folder with the operator's own maintenance processes. */
  readonly maintenance: string | undefined;
  readonly without: readonly Layer[];
  readonly operatorKey: string;
  readonly linkToken: string;
}

export interface DnsSettings {
  readonly role: 'dns';
  readonly data: string;
  readonly dns: Endpoint;
  readonly region: string;
  readonly domain: string;
  readonly environment: string;
  readonly without: readonly Layer[];
  readonly linkUrl: string;
  readonly linkToken: string;
}

export interface NodeSettings {
  readonly role: 'node';
  readonly data: string;
  readonly s3Folder: string | undefined;
  readonly s3Endpoint: string | undefined;
  readonly logIntervalSeconds: number;
  readonly id: string;
  readonly zone: string;
  readonly prefix: string;
  readonly workers: number;
  readonly region: string;
  readonly environment: string;
  readonly without: readonly Layer[];
  readonly linkUrl: string;
  readonly linkToken: string;
}

export type RoleSettings = ControlPlaneSettings | DnsSettings | NodeSettings;

/** A process as its supervisor sees it; how long it is up is worked out when somebody asks. */
export type ProcessNews = Omit<ProcessStatus, 'uptimeSeconds'> & { readonly startedAtMs: number };

/** What runs at the moment, for the control plane to show. */
export interface ProcessesNews {
  readonly processes: readonly ProcessNews[];
  readonly dns: Endpoint;
}

export type ToProcess =
  /** `supervisor` names the one that is in charge, to tell it from a successor. */
  | { readonly type: 'start'; readonly name: string; readonly supervisor: string; readonly settings: RoleSettings }
  | { readonly type: 'processes'; readonly news: ProcessesNews }
  /** Finish what runs, then end. */
  | { readonly type: 'stop' }
  /** End now, with everything that was started. */
  | { readonly type: 'kill' };

/** What a process says of itself once it serves. */
export interface Info {
  /** The ports that were picked, where 0 was asked for. */
  readonly apiPort?: number;
  readonly operatorPort?: number;
  readonly dnsPort?: number;
  readonly accessKeyId?: string;
  /** True on the start that made the credentials. */
  readonly madeCredentials?: boolean;
  readonly workerPids?: readonly number[];
}

export type FromProcess =
  | { readonly type: 'ready'; readonly info: Info }
  | { readonly type: 'info'; readonly info: Info }
  /** It cannot start, and trying again as things are will not help. One sentence. */
  | { readonly type: 'refused'; readonly reason: string; readonly storeDamaged: boolean };
