/** What runs where: the ready file, the file by which other commands find a running Ballast, and what `up` prints. */
import type { Endpoint } from './messages.ts';
import { paths } from './paths.ts';
import { defaultSubnetId } from './region.ts';
import type { Settings } from './settings.ts';
import type { NodePlan } from './slices.ts';
import type { Supervised } from './supervised.ts';

/** The ready file's JSON. */
export interface Report {
  readonly apiEndpoint: string;
  readonly operatorEndpoint: string;
  /** `HOST:PORT`, UDP and TCP. */
  readonly dnsServer: string;
  readonly credentialsFile: string;
  readonly accessKeyId: string;
  readonly region: string;
  readonly account: string;
  readonly domain: string;
  readonly environment: string;
  readonly data: string;
  readonly pids: {
    readonly supervisor: number;
    readonly controlPlane: number;
    readonly dns: number;
    readonly nodes: readonly {
      readonly id: string;
      readonly zone: string;
      /** The addresses that its load balancers get, as CIDR. */
      readonly prefix: string;
      readonly pid: number;
      readonly workers: readonly number[];
    }[];
  };
  /** True on the start that made the credentials. */
  readonly madeCredentials: boolean;
}

export function reportOf(running: {
  readonly settings: Settings;
  readonly supervisorPid: number;
  readonly controlPlane: Supervised;
  readonly dns: Supervised;
  readonly nodes: readonly (NodePlan & { readonly supervised: Supervised })[];
  readonly endpoints: { readonly api: Endpoint; readonly operator: Endpoint; readonly dns: Endpoint };
}): Report {
  const { settings, supervisorPid, controlPlane, dns, nodes, endpoints } = running;
  return {
    apiEndpoint: `http://${hostPort(endpoints.api)}`,
    operatorEndpoint: `http://${hostPort(endpoints.operator)}`,
    dnsServer: hostPort(endpoints.dns),
    credentialsFile: paths.credentials(settings.data),
    accessKeyId: controlPlane.info.accessKeyId ?? '',
    region: settings.region,
    account: settings.account,
    domain: settings.domain,
    environment: settings.environment,
    data: settings.data,
    pids: {
      supervisor: supervisorPid,
      controlPlane: controlPlane.pid,
      dns: dns.pid,
      nodes: nodes.map(({ supervised, ...plan }) => ({
        ...plan,
        pid: supervised.pid,
        workers: supervised.info.workerPids ?? [],
      })),
    },
    madeCredentials: controlPlane.info.madeCredentials === true,
  };
}

/** What runs where, for a person: one line for each process. */
export function describeRunning({ apiEndpoint, operatorEndpoint, dnsServer, pids, region, domain }: Report): string[] {
  const rows: [name: string, what: string, pid: number][] = [
    ['control plane', `AWS API ${apiEndpoint}, operator API ${operatorEndpoint}`, pids.controlPlane],
    ['dns', `${dnsServer} over UDP and TCP, for ${region}.elb.${domain}`, pids.dns],
    ...pids.nodes.map(({ id, zone, prefix, workers, pid }): [string, string, number] => [
      id,
      `addresses ${prefix} in ${zone}, ${workers.length} ${workers.length === 1 ? 'worker' : 'workers'}`,
      pid,
    ]),
  ];
  return rows.map(([name, what, pid]) => `${name.padEnd(13)}  ${what} (pid ${pid})`);
}

/** Three lines to paste that make a load balancer with the AWS CLI. */
export function firstCommands(report: Report): readonly string[] {
  return [
    `export AWS_SHARED_CREDENTIALS_FILE=${report.credentialsFile}`,
    `export AWS_ENDPOINT_URL=${report.apiEndpoint} AWS_DEFAULT_REGION=${report.region}`,
    `aws elbv2 create-load-balancer --name web --subnets ${defaultSubnetId(0)} ${defaultSubnetId(1)}`,
  ];
}

export function hostPort({ host, port }: Endpoint): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
