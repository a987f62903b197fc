/**
 * Where the logs of a load balancer go: bucket and names as an Application Load Balancer has them, from its attributes.
 * A place travels as one line of text, the heading of the files in which entries wait to be delivered.
 * Source: "Access log files", "Connection log files" and "Health check log files" in its documentation.
 */
import { type LoadBalancerAttributeKey, loadBalancerAttribute } from './attributes.ts';
import type { Entry } from './documents.ts';

export type LogKind = 'access' | 'connection' | 'health-check';

export interface LogPlace {
  readonly bucket: string;
  /** What the keys of its objects begin with: everything before the date. */
  readonly folder: string;
  /** What their last part begins with: everything before the end of the interval. */
  readonly name: string;
  /** Of the load balancer on the node. */
  readonly address: string;
}

/** Which attributes of a load balancer say whether it keeps logs, and where. */
export const logAttributes = {
  access: {
    enabled: 'access_logs.s3.enabled',
    bucket: 'access_logs.s3.bucket',
    prefix: 'access_logs.s3.prefix',
  },
  connection: {
    enabled: 'connection_logs.s3.enabled',
    bucket: 'connection_logs.s3.bucket',
    prefix: 'connection_logs.s3.prefix',
  },
  'health-check': {
    enabled: 'health_check_logs.s3.enabled',
    bucket: 'health_check_logs.s3.bucket',
    prefix: 'health_check_logs.s3.prefix',
  },
} as const satisfies Record<LogKind, Record<'enabled' | 'bucket' | 'prefix', LoadBalancerAttributeKey>>;

export const logKinds = ['access', 'connection', 'health-check'] as const satisfies readonly LogKind[];

const namePrefix: Readonly<Record<LogKind, string>> = {
  access: '',
  connection: 'conn_log_',
  'health-check': 'health_check_log_',
};

/** Written when logs are turned on, to see whether they can be ("Verify bucket permissions"). */
const testFile: Readonly<Record<LogKind, string>> = {
  access: 'ELBAccessLogTestFile',
  connection: 'ELBConnectionLogTestFile',
  'health-check': 'ELBHealthCheckLogTestFile',
};

/** Undefined while the load balancer keeps no such logs. */
export function logPlace(
  kind: LogKind,
  { id, document }: Pick<Entry<'load-balancer'>, 'id' | 'document'>,
  { region, address }: { readonly region: string; readonly address: string },
): LogPlace | undefined {
  const attributes = logAttributes[kind];
  if (document.type !== 'application' || loadBalancerAttribute(document, attributes.enabled) !== 'true')
    return undefined;
  const { account, name } = document;
  const folder = logFolder(loadBalancerAttribute(document, attributes.prefix), account);
  return {
    bucket: loadBalancerAttribute(document, attributes.bucket),
    folder: `${folder}/elasticloadbalancing/${region}`,
    name: `${namePrefix[kind]}${account}_elasticloadbalancing_${region}_app.${name}.${id}`,
    address,
  };
}

/** The key of the object that shows whether a bucket takes an account's logs. */
export function testObjectKey(kind: LogKind, prefix: string, account: string): string {
  return `${logFolder(prefix, account)}/${testFile[kind]}`;
}

/** The key of an object with entries up to `endMs`; `suffix` tells several of one interval apart. */
export function logObjectKey({ folder, name, address }: LogPlace, endMs: number, suffix: string): string {
  const [date, time] = new Date(endMs).toISOString().split(/[TZ]/) as [string, string];
  const end = `${date.replaceAll('-', '')}T${time.slice(0, 5).replace(':', '')}Z`;
  // Colons of an IPv6 address would not be welcome everywhere.
  return `${folder}/${date.replaceAll('-', '/')}/${name}_${end}_${address.replaceAll(':', '.')}_${suffix}.log.gz`;
}

export function formatLogHeading({ bucket, folder, name, address }: LogPlace): string {
  return JSON.stringify({ bucket, folder, name, address });
}

/** Undefined when the text is no heading. */
export function parseLogHeading(text: string): LogPlace | undefined {
  try {
    const { bucket, folder, name, address } = Object(JSON.parse(text)) as Record<string, unknown>;
    const isWhole = [bucket, folder, name, address].every((part) => typeof part === 'string');
    return isWhole ? ({ bucket, folder, name, address } as LogPlace) : undefined;
  } catch {
    return undefined;
  }
}

function logFolder(prefix: string, account: string): string {
  return `${prefix === '' ? '' : `${prefix}/`}AWSLogs/${account}`;
}
