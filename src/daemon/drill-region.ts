/**
 * The region that a drill is played in: a Ballast of its own in a temporary folder, on loopback, with load balancers of
 * several owners in front of an origin of live video. It is made once, with the official client, and copied for each
 * scenario, so that every one begins with the same morning.
 */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { Resolver } from 'node:dns/promises';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateTargetGroupCommand,
  ElasticLoadBalancingV2Client,
  RegisterTargetsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { signatureHeaders } from '#cli/operator-key.ts';
import type { ProgressState } from '#cli/progress.ts';
import { type Program, startProgram } from '#io/programs.ts';
import { sleep } from '#io/timers.ts';
import type { Statement } from '#model/approval.ts';
import type { Status } from '#model/status.ts';
import { drillEnvironment, type Layer } from './messages.ts';
import type { Report } from './report.ts';

export const drillPort = 80;
const launcher = new URL('./main.ts', import.meta.url).pathname;
/** Calls of the official client at one time. */
const callsMax = 16;
const readyMs = 120_000;
const pollMs = 20;
/** Of those who own load balancers. The first streams. */
export const owners = ['222222222222', '333333333333', '444444444444', '555555555555', '666666666666'] as const;

/** Removes load balancers by a share and a seed, as a clean-up that was meant for another environment. */
const cleanUpProcess = `export default {
  name: 'clean-up',
  summary: 'remove load balancers that are not needed any more',
  parameters: { ids: { help: 'a file with their ids' } },
  plan: (view, { parameters }) => {
    const gone = ({ kind, id, revision }) => ({ kind, id, before: revision, after: null });
    const ids = JSON.parse(process.getBuiltinModule('node:fs').readFileSync(parameters.ids, 'utf8'));
    return ids.map((id) => [
      ...[...view.find('listenersOfLoadBalancer', id)].flatMap((listener) => [
        ...[...view.find('rulesOfListener', listener.id)].map((rule) => gone({ kind: 'rule', ...rule })),
        gone({ kind: 'listener', ...listener }),
      ]),
      ...[...view.find('placementsOfLoadBalancer', id)].map((it) => gone({ kind: 'placement', ...it })),
      { kind: 'load-balancer', id, before: view.revisionOf('load-balancer', id), after: null },
    ]);
  },
};
`;

export interface DrillLoadBalancer {
  readonly name: string;
  readonly id: string;
  readonly arn: string;
  readonly account: string;
  readonly dnsName: string;
  readonly isStreaming: boolean;
}

export interface RegionOptions {
  readonly loadBalancers: number;
  readonly streaming: number;
  readonly nodes: number;
  readonly originPort: number;
  /** As `127.96.0.0/12`. */
  readonly addresses: string;
  readonly alarmWebhook: string;
  readonly report: (state: ProgressState) => void;
}

/** A person of the drill, with a key that never leaves this process. */
export class DrillOperator {
  readonly name: string;
  readonly publicKey: string;
  readonly #key: KeyObject;

  constructor(name: string) {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    this.name = name;
    this.#key = privateKey;
    this.publicKey = publicKey.export({ type: 'spki', format: 'der' }).toString('base64url');
  }

  sign(text: string): string {
    return sign(null, Buffer.from(text), this.#key).toString('base64url');
  }

  approve(statement: Statement): { readonly statement: string; readonly signature: string } {
    const text = JSON.stringify(statement);
    return { statement: text, signature: this.sign(text) };
  }
}

/** What the operator API answered. */
export interface Answered {
  readonly status: number;
  /** Each line, when there are several. */
  readonly lines: readonly Record<string, unknown>[];
}

export class DrillRegion {
  readonly data: string;
  readonly #readyFile: string;
  readonly #program: Program;

  private constructor(data: string, readyFile: string, program: Program) {
    this.data = data;
    this.#readyFile = readyFile;
    this.#program = program;
  }

  /** Starts `ballast up` on the folder; rejects with what it printed when it does not come up. */
  static async start(data: string, options: RegionOptions, without: readonly Layer[]): Promise<DrillRegion> {
    const readyFile = join(data, 'ready.json');
    rmSync(readyFile, { force: true });
    const free = ['--api', '127.0.0.1:0', '--operator', '127.0.0.1:0', '--dns', '127.0.0.1:0'];
    const program = startProgram({ path: launcher }, [
      'up',
      ...['--data', data, '--environment', drillEnvironment, '--region', 'us-east-1'],
      ...free,
      ...['--nodes', `${options.nodes}`, '--workers', '1', '--addresses', options.addresses],
      ...['--inventory', inventoryOf(data), '--request-rate-percent', '0'],
      ...['--ready-file', readyFile, '--alarm-webhook', options.alarmWebhook, '--maintenance', processesOf(data)],
      ...(without.length === 0 ? [] : ['--without', without.join(',')]),
    ]);
    let hasEnded = false;
    void program.ended.then(() => {
      hasEnded = true;
    });
    for (let waitedMs = 0; !existsSync(readyFile); waitedMs += pollMs) {
      if (hasEnded || waitedMs > readyMs) throw new Error(`the region did not come up:\n${program.printed()}`);
      await sleep(pollMs);
    }
    return new DrillRegion(data, readyFile, program);
  }

  get report(): Report {
    return JSON.parse(readFileSync(this.#readyFile, 'utf8')) as Report;
  }

  /** What all of its processes have said lately. */
  get printed(): string {
    return this.#program.printed();
  }

  async stop(): Promise<void> {
    this.#program.signal('SIGINT');
    await this.#program.ended;
  }

  /** Asks the operator API; with an operator, by name. */
  async ask(path: string, body?: object, by?: DrillOperator): Promise<Answered> {
    const key = readFileSync(join(this.data, 'operator.key'), 'utf8').trim();
    const text = body === undefined ? '' : JSON.stringify(body);
    const method = body === undefined ? 'GET' : 'POST';
    const signed =
      by === undefined
        ? {}
        : signatureHeaders(
            { name: by.name, publicKey: by.publicKey, sign: (words) => by.sign(words) },
            { method, url: path, body: text },
            Date.now(),
          );
    const answer = await fetch(`${this.report.operatorEndpoint}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...signed },
      ...(body === undefined ? {} : { body: text }),
    });
    const lines = (await answer.text()).split('\n').filter((line) => line !== '');
    return { status: answer.status, lines: lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
  }

  async status(): Promise<Status> {
    const { lines } = await this.ask('/v1/status');
    return lines[0] as unknown as Status;
  }

  /** Waits until every node and the vault have all that there is. */
  async settled(hasVault: boolean): Promise<void> {
    for (let waitedMs = 0; waitedMs < readyMs; waitedMs += pollMs) {
      const { nodes, revision } = await this.status();
      const page = await (await fetch(`${this.report.operatorEndpoint}/metrics`)).text();
      const isVaulted = !hasVault || /^ballast_vault_lag_revisions 0$/m.test(page);
      if (isVaulted && nodes.every((node) => node.connected && node.revision >= revision)) return;
      await sleep(pollMs);
    }
    throw new Error('the nodes do not get in step');
  }

  client(credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
  }): ElasticLoadBalancingV2Client {
    const { apiEndpoint, region } = this.report;
    return new ElasticLoadBalancingV2Client({ endpoint: apiEndpoint, region, credentials, maxAttempts: 1 });
  }

  async newCredentials(account: string): Promise<{ readonly accessKeyId: string; readonly secretAccessKey: string }> {
    const principal = `${account}/owner`;
    await this.ask('/v1/principals', { principal });
    const { lines } = await this.ask('/v1/keys', { principal });
    const [{ accessKeyId, secretAccessKey }] = lines as unknown as [{ accessKeyId: string; secretAccessKey: string }];
    return { accessKeyId, secretAccessKey };
  }

  resolver(): Resolver {
    const resolver = new Resolver({ timeout: 2_000, tries: 5 });
    resolver.setServers([this.report.dnsServer]);
    return resolver;
  }
}

export interface Morning {
  /** The folder that every scenario is played on a copy of. */
  readonly data: string;
  readonly loadBalancers: readonly DrillLoadBalancer[];
  readonly operators: { readonly asker: DrillOperator; readonly approver: DrillOperator };
  /** Of the owner who changes something while the day goes on. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** Makes the region with all its load balancers in service, and stops it again. */
export async function makeMorning(options: RegionOptions): Promise<Morning> {
  const data = mkdtempSync(join(tmpdir(), 'ballast-drill-'));
  mkdirSync(processesOf(data), { mode: 0o700 });
  writeFileSync(join(processesOf(data), 'clean-up.mjs'), cleanUpProcess);
  const region = await DrillRegion.start(data, options, []);
  const operators = { asker: new DrillOperator('asker'), approver: new DrillOperator('approver') };
  await region.ask('/v1/operators', { name: 'asker', publicKey: operators.asker.publicKey });
  await region.ask('/v1/operators', { name: 'approver', publicKey: operators.approver.publicKey }, operators.asker);
  const credentials = await Promise.all(owners.map((account) => region.newCredentials(account)));
  const clients = credentials.map((each) => region.client(each));
  const made: DrillLoadBalancer[] = [];
  let next = 0;
  const maker = async () => {
    while (next < options.loadBalancers) {
      const number = next;
      next += 1;
      made.push(await makeLoadBalancer(clients, number, options));
      options.report({ done: made.length, total: options.loadBalancers, unit: 'load balancers' });
    }
  };
  await Promise.all(Array.from({ length: callsMax }, maker));
  await region.settled(true);
  for (const client of clients) client.destroy();
  await region.stop();
  made.sort((one, other) => (one.name < other.name ? -1 : 1));
  return { data, loadBalancers: made, operators, credentials: credentials[1]! };
}

/** A folder of its own for one scenario. */
export function copyMorning({ data }: Morning): string {
  const copy = mkdtempSync(join(tmpdir(), 'ballast-drill-'));
  cpSync(data, copy, { recursive: true });
  return copy;
}

/** The owners of a drill may have as much as it takes. */
function inventoryOf(data: string): string {
  const path = join(data, 'inventory.json');
  const many = 1_000_000;
  const limits = { default: { 'application-load-balancers': many, 'target-groups': many } };
  writeFileSync(path, JSON.stringify({ limits }));
  return path;
}

function processesOf(data: string): string {
  return join(data, 'processes');
}

async function makeLoadBalancer(
  clients: readonly ElasticLoadBalancingV2Client[],
  number: number,
  { streaming, originPort }: RegionOptions,
): Promise<DrillLoadBalancer> {
  const isStreaming = number < streaming;
  const owner = isStreaming ? 0 : 1 + (number % (owners.length - 1));
  const client = clients[owner]!;
  const name = `${isStreaming ? 'stream' : 'web'}-${`${number}`.padStart(4, '0')}`;
  const made = await client.send(
    new CreateTargetGroupCommand({
      Name: name,
      Protocol: 'HTTP',
      Port: originPort,
      VpcId: 'vpc-00000001',
      TargetType: 'ip',
      HealthCheckPath: '/health',
    }),
  );
  const TargetGroupArn = made.TargetGroups![0]!.TargetGroupArn!;
  await client.send(new RegisterTargetsCommand({ TargetGroupArn, Targets: [{ Id: '127.0.0.1', Port: originPort }] }));
  const subnets = ['subnet-0000000a', 'subnet-0000000b', 'subnet-0000000c'];
  const balancer = await client.send(new CreateLoadBalancerCommand({ Name: name, Subnets: subnets }));
  const { LoadBalancerArn: arn, DNSName: dnsName } = balancer.LoadBalancers![0]!;
  await client.send(
    new CreateListenerCommand({
      LoadBalancerArn: arn!,
      Protocol: 'HTTP',
      Port: drillPort,
      DefaultActions: [{ Type: 'forward', TargetGroupArn }],
    }),
  );
  return {
    name,
    id: arn!.slice(arn!.lastIndexOf('/') + 1),
    arn: arn!,
    account: owners[owner]!,
    dnsName: dnsName!,
    isStreaming,
  };
}
