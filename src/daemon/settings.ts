/**
 * The settings of `ballast up`: one table, from which the flags, the environment variables, the keys of the
 * configuration file, the help and the reference page all come. A flag goes before the environment, that before the
 * configuration file, that before the default; what is not understood is refused wherever it stands.
 */
import { join, resolve } from 'node:path';
import { accept, type Result, refuse } from '#base/result.ts';
import type { Flag, ReadFile } from '#cli/command.ts';
import { defaultDataFolder } from '#cli/find-ballast.ts';
import { type FoundFlags, readFlags, textOf } from '#cli/flags.ts';
import { didYouMean } from '#cli/nearest.ts';
import { drillEnvironment, type Endpoint, type Layer, layers } from './messages.ts';
import { paths } from './paths.ts';
import { hostPort } from './report.ts';
import {
  type ParseSetting,
  parseAccount,
  parseDomain,
  parseEndpoint,
  parseEnvironment,
  parseLayers,
  parsePath,
  parsePrefixText,
  parseRegion,
  parseWebhook,
  parseWholeNumber,
  parseZones,
} from './setting-values.ts';

export interface Settings {
  /** Absolute. */
  readonly data: string;
  readonly api: Endpoint;
  readonly operator: Endpoint;
  readonly dns: Endpoint;
  /** The prefix that load balancers get their addresses from. */
  readonly addresses: string;
  readonly nodes: number;
  /** Of each node. */
  readonly workers: number;
  readonly account: string;
  readonly region: string;
  readonly zones: readonly string[];
  readonly domain: string;
  readonly environment: string;
  readonly holdAddressesDays: number;
  /** Absolute. */
  readonly vault: string;
  /** Told of every alarm, with POST. */
  readonly alarmWebhook: string | undefined;
  /** Absolute. */
  readonly maintenance: string | undefined;
  /** Absolute: networks, instances, functions and limits, as JSON. */
  readonly inventory: string | undefined;
  /** Asked about what the inventory does not have. */
  readonly ec2Endpoint: string | undefined;
  /** Absolute: stands for S3, a folder for each bucket. */
  readonly s3Folder: string | undefined;
  readonly s3Endpoint: string | undefined;
  readonly logIntervalSeconds: number;
  readonly metricsIntervalSeconds: number;
  /** Of AWS's own request rates; 0 for none. */
  readonly requestRatePercent: number;
  /** Only in a drill. */
  readonly without: readonly Layer[] | undefined;
  /** Absolute. */
  readonly readyFile: string | undefined;
}

/** What the defaults and the file lookups depend on. */
export interface Machine {
  readonly homeFolder: string;
  readonly workingFolder: string;
  readonly coresCount: number;
  readonly readFile: ReadFile;
}

/** The settings that defaults of others depend on. */
type Known = Pick<Settings, 'data' | 'region'>;

interface Setting<Value> {
  readonly flag: string;
  readonly argument: string;
  readonly variable: string;
  /** The data folder has none: the configuration file is looked for in it. */
  readonly key?: string;
  /** As help and reference show it; where it is worked out, `makeDefault` gives the text. */
  readonly shownDefault?: string;
  readonly makeDefault?: (machine: Machine, known: Known) => string;
  readonly help: string;
  readonly parse: ParseSetting<Value>;
}

/** In the order of the help. What a default depends on stands before it. */
const table: { readonly [Name in keyof Settings]-?: Setting<NonNullable<Settings[Name]>> } = {
  data: {
    flag: 'data',
    argument: 'DIR',
    variable: 'BALLAST_DATA',
    shownDefault: '~/.ballast',
    makeDefault: (machine) => defaultDataFolder(machine.homeFolder),
    help: 'Folder for state, keys and credentials',
    parse: parsePath,
  },
  api: {
    flag: 'api',
    argument: 'HOST:PORT',
    variable: 'BALLAST_API',
    key: 'api',
    shownDefault: '127.0.0.1:8400',
    help: 'Where the AWS API listens',
    parse: parseEndpoint,
  },
  operator: {
    flag: 'operator',
    argument: 'HOST:PORT',
    variable: 'BALLAST_OPERATOR',
    key: 'operator',
    shownDefault: '127.0.0.1:8401',
    help: 'Where the operator API listens',
    parse: parseEndpoint,
  },
  dns: {
    flag: 'dns',
    argument: 'HOST:PORT',
    variable: 'BALLAST_DNS',
    key: 'dns',
    shownDefault: '127.0.0.1:5380',
    help: 'Where the DNS server listens, UDP and TCP',
    parse: parseEndpoint,
  },
  addresses: {
    flag: 'addresses',
    argument: 'CIDR',
    variable: 'BALLAST_ADDRESSES',
    key: 'addresses',
    shownDefault: '127.80.0.0/12',
    help: 'Load balancers get their addresses from this prefix',
    parse: parsePrefixText,
  },
  nodes: {
    flag: 'nodes',
    argument: 'N',
    variable: 'BALLAST_NODES',
    key: 'nodes',
    shownDefault: '1',
    help: 'How many load balancer nodes run',
    parse: parseWholeNumber({ min: 1, max: 64 }),
  },
  workers: {
    flag: 'workers',
    argument: 'N',
    variable: 'BALLAST_WORKERS',
    key: 'workers',
    shownDefault: 'one per core',
    makeDefault: (machine) => `${Math.min(machine.coresCount, 128)}`,
    help: 'How many worker processes each node has',
    parse: parseWholeNumber({ min: 1, max: 128 }),
  },
  account: {
    flag: 'account',
    argument: 'ID',
    variable: 'BALLAST_ACCOUNT',
    key: 'account',
    shownDefault: '000000000000',
    help: 'Account of the first access key, twelve digits',
    parse: parseAccount,
  },
  region: {
    flag: 'region',
    argument: 'NAME',
    variable: 'BALLAST_REGION',
    key: 'region',
    shownDefault: 'us-east-1',
    help: 'Name of the region',
    parse: parseRegion,
  },
  zones: {
    flag: 'zones',
    argument: 'LIST',
    variable: 'BALLAST_ZONES',
    key: 'zones',
    shownDefault: 'REGIONa,REGIONb,REGIONc',
    makeDefault: (_, { region }) => `${region}a,${region}b,${region}c`,
    help: 'Availability zones, with commas between them',
    parse: parseZones,
  },
  domain: {
    flag: 'domain',
    argument: 'NAME',
    variable: 'BALLAST_DOMAIN',
    key: 'domain',
    shownDefault: 'ballast.internal',
    help: 'Load balancers are named NAME-ID.REGION.elb.DOMAIN',
    parse: parseDomain,
  },
  environment: {
    flag: 'environment',
    argument: 'NAME',
    variable: 'BALLAST_ENVIRONMENT',
    key: 'environment',
    shownDefault: 'development',
    help: 'What the state is for; a store keeps it',
    parse: parseEnvironment,
  },
  holdAddressesDays: {
    flag: 'hold-addresses-days',
    argument: 'N',
    variable: 'BALLAST_HOLD_ADDRESSES_DAYS',
    key: 'holdAddressesDays',
    shownDefault: '30',
    help: 'For how many days the addresses of a deleted load balancer are kept for it',
    parse: parseWholeNumber({ min: 0, max: 36_500 }),
  },
  vault: {
    flag: 'vault',
    argument: 'DIR',
    variable: 'BALLAST_VAULT',
    key: 'vault',
    shownDefault: 'DATA/vault',
    makeDefault: (_, { data }) => paths.vault(data),
    help: 'Folder for the second copy of the journal: another disk, or a mounted share',
    parse: parsePath,
  },
  alarmWebhook: {
    flag: 'alarm-webhook',
    argument: 'URL',
    variable: 'BALLAST_ALARM_WEBHOOK',
    key: 'alarmWebhook',
    help: 'Gets every alarm of the sentinel, as JSON with POST',
    parse: parseWebhook,
  },
  maintenance: {
    flag: 'maintenance',
    argument: 'DIR',
    variable: 'BALLAST_MAINTENANCE',
    key: 'maintenance',
    help: 'Folder with maintenance processes of your own, a module each',
    parse: parsePath,
  },
  inventory: {
    flag: 'inventory',
    argument: 'FILE',
    variable: 'BALLAST_INVENTORY',
    key: 'inventory',
    help: 'Networks, instances, functions and account limits, as JSON; read anew when it changes',
    parse: parsePath,
  },
  ec2Endpoint: {
    flag: 'ec2-endpoint',
    argument: 'URL',
    variable: 'BALLAST_EC2_ENDPOINT',
    key: 'ec2Endpoint',
    help: 'Asked about subnets, security groups, VPCs and instances that the inventory does not have',
    parse: parseWebhook,
  },
  s3Folder: {
    flag: 's3-folder',
    argument: 'DIR',
    variable: 'BALLAST_S3_FOLDER',
    key: 's3Folder',
    help: 'Folder that stands for S3, with a folder for each bucket',
    parse: parsePath,
  },
  s3Endpoint: {
    flag: 's3-endpoint',
    argument: 'URL',
    variable: 'BALLAST_S3_ENDPOINT',
    key: 's3Endpoint',
    help: 'S3 endpoint that objects are read from, and logs written to, when no folder stands for it',
    parse: parseWebhook,
  },
  logIntervalSeconds: {
    flag: 'log-interval-seconds',
    argument: 'N',
    variable: 'BALLAST_LOG_INTERVAL_SECONDS',
    key: 'logIntervalSeconds',
    shownDefault: '300',
    help: 'How much time one file of the logs of a load balancer covers',
    parse: parseWholeNumber({ min: 1, max: 3_600 }),
  },
  metricsIntervalSeconds: {
    flag: 'metrics-interval-seconds',
    argument: 'N',
    variable: 'BALLAST_METRICS_INTERVAL_SECONDS',
    key: 'metricsIntervalSeconds',
    shownDefault: '20',
    help: "How often the nodes' counters are looked at for CloudWatch's metrics, each minute anew",
    parse: parseWholeNumber({ min: 1, max: 60 }),
  },
  requestRatePercent: {
    flag: 'request-rate-percent',
    argument: 'N',
    variable: 'BALLAST_REQUEST_RATE_PERCENT',
    key: 'requestRatePercent',
    shownDefault: '100',
    help: 'How many requests each principal may make, in percent of the usual rates; 0 for any number',
    parse: parseWholeNumber({ min: 0, max: 999_999 }),
  },
  without: {
    flag: 'without',
    argument: 'LIST',
    variable: 'BALLAST_WITHOUT',
    key: 'without',
    help: `Layers of safety to leave out, to see what each is worth: ${layers.join(', ')}; only in environment ${drillEnvironment}`,
    parse: parseLayers,
  },
  readyFile: {
    flag: 'ready-file',
    argument: 'FILE',
    variable: 'BALLAST_READY_FILE',
    key: 'readyFile',
    help: 'Written, as JSON, once everything serves',
    parse: parsePath,
  },
};

/** Names the configuration file. It is no setting itself: it cannot stand in one. */
const configFile = {
  flag: 'config',
  argument: 'FILE',
  variable: 'BALLAST_CONFIG',
  shownDefault: 'DATA/config.json',
  help: 'Configuration file, as JSON',
} as const;

const rows: readonly Omit<Setting<unknown>, 'parse'>[] = [table.data, configFile, ...Object.values(table).slice(1)];

/** The flags of `ballast up`. */
export const settingFlags: readonly Flag[] = rows.map(({ flag, argument, help, variable, shownDefault }) => ({
  name: flag,
  argument,
  help: `${help} [${variable}${shownDefault === undefined ? '' : `; default ${shownDefault}`}]`,
}));

/** Reads the settings of `ballast up`, or says in one line what was found, where, and what is allowed. */
export function readSettings(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  machine: Machine,
): Result<Settings, string> {
  const flags = readFlags(args, settingFlags);
  if (!flags.ok) return flags;
  const data = readSetting(table.data, {
    flags: flags.value,
    environment,
    config: noConfig,
    machine,
    known: noneKnown,
  });
  if (!data.ok) return data;
  const config = readConfig(data.value!, flags.value, environment, machine);
  if (!config.ok) return config;
  return readTable({ flags: flags.value, environment, config: config.value, machine });
}

/** The reference page `docs/settings.md`. */
export function settingsPage(): string {
  const code = (text: string | undefined) => (text === undefined ? '' : `\`${text}\``);
  const lines = rows.map(
    ({ flag, argument, variable, key, shownDefault, help }) =>
      `| ${code(`--${flag} ${argument}`)} | ${code(variable)} | ${code(key)} | ${code(shownDefault)} | ${help} |`,
  );
  return `# Settings of \`ballast up\`

A flag goes before its environment variable, that before its key in the configuration file, that before the default. An
environment variable that is empty counts as not set. What is not understood is refused, wherever it stands, before
anything starts.

| flag | environment variable | key in the file | default | meaning |
|---|---|---|---|---|
${lines.join('\n')}

The configuration file is one JSON object with the keys above. Values are texts; numbers may be written as numbers and
\`zones\` as a list. Keys that are not in the table are refused. The default file may be
missing, one that is named may not. Relative paths start at the folder in which the command was started.

\`\`\`json
{ "region": "eu-central-1", "zones": ["eu-central-1a", "eu-central-1b"], "nodes": 2, "environment": "staging" }
\`\`\`
`;
}

interface Config {
  readonly path: string;
  readonly values: Readonly<Record<string, unknown>>;
}

interface Sources {
  readonly flags: FoundFlags;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly config: Config;
  readonly machine: Machine;
}

const noConfig: Config = { path: '', values: {} };
const noneKnown: Known = { data: '', region: '' };

function readTable(sources: Sources): Result<Settings, string> {
  const values: Partial<Record<keyof Settings, unknown>> = {};
  for (const name of Object.keys(table) as (keyof Settings)[]) {
    const known = { ...noneKnown, ...values } as Known;
    const value = readSetting<unknown>(table[name], { ...sources, known });
    if (!value.ok) return value;
    values[name] = value.value;
  }
  const settings = values as unknown as Settings;
  const { api, operator } = settings;
  if (api.port !== 0 && api.port === operator.port && api.host === operator.host) {
    return refuse(`--operator: found '${hostPort(operator)}', which --api has; allowed: another port`);
  }
  if ((settings.without ?? []).length > 0 && settings.environment !== drillEnvironment) {
    return refuse(
      `--without: found '${settings.without?.join(',')}' in environment '${settings.environment}'; allowed only in '${drillEnvironment}'`,
    );
  }
  return accept(settings);
}

/** The value from the first place that gives one; undefined when none does and there is no default. */
function readSetting<Value>(
  setting: Setting<Value>,
  { flags, environment, config, machine, known }: Sources & { readonly known: Known },
): Result<Value | undefined, string> {
  const parse = (text: string, place: string): Result<Value, string> => {
    const value = setting.parse(text, machine.workingFolder);
    return value.ok ? value : refuse(`${place}: found '${text}'; allowed: ${value.fault}`);
  };
  const flag = textOf(flags, setting.flag);
  if (flag !== undefined) return parse(flag, `--${setting.flag}`);
  const variable = environment[setting.variable];
  if (variable !== undefined && variable !== '') return parse(variable, setting.variable);
  if (setting.key !== undefined && Object.hasOwn(config.values, setting.key)) {
    const place = `${setting.key} in ${config.path}`;
    const found = config.values[setting.key];
    const text = configText(found);
    return text === undefined
      ? refuse(`${place}: found ${JSON.stringify(found)}; allowed: a text`)
      : parse(text, place);
  }
  const text = setting.makeDefault?.(machine, known) ?? setting.shownDefault;
  return text === undefined ? accept(undefined) : parse(text, `--${setting.flag}`);
}

/** A value of the file as a person would write it on the command line. */
function configText(value: unknown): string | undefined {
  if (typeof value === 'string' && value !== '') return value;
  if (typeof value === 'number') return String(value);
  const isList = Array.isArray(value) && value.every((each) => typeof each === 'string');
  return isList ? value.join(',') : undefined;
}

function readConfig(
  data: string,
  flags: FoundFlags,
  environment: Readonly<Record<string, string | undefined>>,
  machine: Machine,
): Result<Config, string> {
  const named = textOf(flags, configFile.flag) ?? (environment[configFile.variable] || undefined);
  const path = named === undefined ? join(data, 'config.json') : resolve(machine.workingFolder, named);
  const file = machine.readFile(path);
  if (!file.ok) return refuse(file.fault);
  if (file.value === undefined) {
    return named === undefined ? accept(noConfig) : refuse(`the configuration file ${path} is not there`);
  }
  return parseConfig(path, file.value);
}

function parseConfig(path: string, text: string): Result<Config, string> {
  let values: unknown;
  try {
    values = JSON.parse(text);
  } catch (error) {
    return refuse(`${path} is not JSON: ${(error as Error).message}`);
  }
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    return refuse(`${path} holds something other than one JSON object`);
  }
  const keys = rows.flatMap(({ key }) => (key === undefined ? [] : [key]));
  const unknown = Object.keys(values).find((key) => !keys.includes(key));
  return unknown === undefined
    ? accept({ path, values: values as Record<string, unknown> })
    : refuse(`${path}: unknown key '${unknown}'${didYouMean(unknown, keys)}; allowed: ${keys.join(', ')}`);
}
