/**
 * `ballast up`: the supervisor. It starts the control plane, the DNS server and the nodes as processes of their own,
 * starts again what ends, and stops everything when it is told to. It decides nothing else, and nothing that serves
 * needs it.
 */
import { accessSync, constants } from 'node:fs';
import { systemClock } from '#io/clock.ts';
import { makeFolder, readOrMakeSecretFile, removeFile, writeFileWhole } from '#io/files.ts';
import { type Lock, takeLock } from '#io/lock.ts';
import { processLog } from '#io/log.ts';
import { onStopSignal, ownPid } from '#io/process.ts';
import { systemRandom } from '#io/random.ts';
import { announceSuccessor } from '#io/succession.ts';
import { after } from '#io/timers.ts';
import type { ControlPlaneSettings, DnsSettings, Endpoint, NodeSettings } from './messages.ts';
import { paths } from './paths.ts';
import { type Report, reportOf } from './report.ts';
import type { Settings } from './settings.ts';
import { type NodePlan, nodePlans } from './slices.ts';
import { type FirstStart, Supervised } from './supervised.ts';

/** Changes of what runs are written and told together. */
const tellAfterMs = 20;

/** Signals within this time are one wish to stop. */
const sameSignalMs = 1_000;

/** Where the person or script that started Ballast is told things. */
export interface UpOutput {
  /** Everything serves. Called once. */
  ready(report: Report): void;
  /** It cannot start: one sentence. */
  refused(reason: string): void;
  stopping(): void;
}

/** Runs until it is told to stop. Resolves with the exit code. */
export async function up(settings: Settings, output: UpOutput): Promise<number> {
  const lock = takeFolder(settings.data);
  if ('refused' in lock) {
    output.refused(lock.refused);
    return 1;
  }
  const plans = nodePlans(settings);
  if ('refused' in plans) {
    output.refused(plans.refused);
    return 1;
  }
  const supervisor = new Supervisor(settings, plans.nodes);
  const stopAsked = new Promise<void>((resolve) => {
    let askedMs: number | undefined;
    onStopSignal(() => {
      const nowMs = systemClock.monotonicMs();
      if (askedMs === undefined) output.stopping();
      // One Ctrl-C may come twice: from the terminal, and from a launcher that passes it on.
      else if (nowMs - askedMs > sameSignalMs) supervisor.kill();
      askedMs ??= nowMs;
      resolve();
    });
  });
  const refused = await Promise.race([supervisor.start(), stopAsked]);
  if (refused !== undefined) {
    output.refused(refused);
    await supervisor.stop();
    return 1;
  }
  output.ready(supervisor.report());
  await stopAsked;
  await supervisor.stop();
  lock.release();
  return 0;
}

class Supervisor {
  readonly #settings: Settings;
  readonly #log = processLog('supervisor');
  readonly #controlPlane: Supervised;
  readonly #dns: Supervised;
  readonly #nodes: readonly (NodePlan & { readonly supervised: Supervised })[];
  #isReady = false;
  #telling = false;

  constructor(settings: Settings, nodes: readonly NodePlan[]) {
    this.#settings = settings;
    const { data, account, region, zones, domain, environment, holdAddressesDays, vault, workers } = settings;
    const { alarmWebhook, maintenance, metricsIntervalSeconds, without = [] } = settings;
    const { inventory, ec2Endpoint, s3Folder, s3Endpoint, logIntervalSeconds, requestRatePercent } = settings;
    const operatorKey = readOrMakeSecretFile(paths.operatorKey(data), () => systemRandom.hex(64));
    const linkToken = readOrMakeSecretFile(paths.linkKey(data), () => systemRandom.hex(64));
    const supervisor = systemRandom.hex(16);
    // From here on, processes that an earlier supervisor left behind make way.
    announceSuccessor(paths.supervisor(data), supervisor);
    const care = (name: string, roleSettings: () => ControlPlaneSettings | DnsSettings | NodeSettings) =>
      new Supervised({
        name,
        supervisor,
        clock: systemClock,
        log: this.#log,
        settings: roleSettings,
        onChange: () => this.#changed(),
      });
    this.#controlPlane = care('control-plane', () => ({
      role: 'control-plane',
      data,
      api: this.#api,
      operator: this.#operator,
      dns: this.#dnsEndpoint,
      account,
      region,
      zones,
      domain,
      environment,
      holdAddressesDays,
      vault,
      alarmWebhook,
      inventory,
      ec2Endpoint,
      s3Folder,
      s3Endpoint,
      requestRatePercent,
      metricsIntervalSeconds,
      maintenance,
      without,
      operatorKey,
      linkToken,
    }));
    this.#dns = care('dns', () => ({
      role: 'dns',
      data,
      dns: this.#dnsEndpoint,
      region,
      domain,
      environment,
      without,
      linkUrl: this.#linkUrl,
      linkToken,
    }));
    this.#nodes = nodes.map((plan) => ({
      ...plan,
      supervised: care(plan.id, () => ({
        role: 'node',
        data,
        s3Folder,
        s3Endpoint,
        logIntervalSeconds,
        ...plan,
        workers,
        region,
        environment,
        without,
        linkUrl: this.#linkUrl,
        linkToken,
      })),
    }));
  }

  /** Resolves when everything serves; gives the reason when something cannot. */
  async start(): Promise<string | undefined> {
    const first = await this.#controlPlane.start();
    const cannot = refusal(first);
    if (cannot !== undefined) {
      const mayServe = first.kind === 'refused' && first.storeDamaged && this.#operator.port !== 0;
      if (!mayServe) return cannot;
      this.#log.error('the control plane does not run; nodes and DNS serve what they served last');
    }
    const others = await Promise.all(this.#all.slice(1).map((each) => each.start()));
    for (const other of others) {
      const reason = refusal(other);
      if (reason !== undefined) return reason;
    }
    this.#isReady = true;
    this.#write();
    return undefined;
  }

  report(): Report {
    return reportOf({
      settings: this.#settings,
      supervisorPid: ownPid,
      controlPlane: this.#controlPlane,
      dns: this.#dns,
      nodes: this.#nodes,
      endpoints: { api: this.#api, operator: this.#operator, dns: this.#dnsEndpoint },
    });
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all.map((each) => each.stop()));
    removeFile(paths.running(this.#settings.data));
  }

  kill(): void {
    for (const each of this.#all) each.kill();
  }

  get #all(): readonly Supervised[] {
    return [this.#controlPlane, this.#dns, ...this.#nodes.map(({ supervised }) => supervised)];
  }

  /** With the port that was picked, once it was. */
  get #api(): Endpoint {
    return withPort(this.#settings.api, this.#controlPlane?.info.apiPort);
  }

  get #operator(): Endpoint {
    return withPort(this.#settings.operator, this.#controlPlane?.info.operatorPort);
  }

  get #dnsEndpoint(): Endpoint {
    return withPort(this.#settings.dns, this.#dns?.info.dnsPort);
  }

  get #linkUrl(): string {
    const { host, port } = this.#operator;
    return `ws://${host.includes(':') ? `[${host}]` : host}:${port}/link`;
  }

  #changed(): void {
    if (this.#telling) return;
    this.#telling = true;
    after(tellAfterMs, () => {
      this.#telling = false;
      this.#controlPlane.tell({
        type: 'processes',
        news: { processes: this.#all.map((each) => each.status), dns: this.#dnsEndpoint },
      });
      if (this.#isReady) this.#write();
    });
  }

  /** The files by which other commands and scripts find what runs; process ids in them follow restarts. */
  #write(): void {
    const text = `${JSON.stringify(this.report(), null, 2)}\n`;
    try {
      writeFileWhole(paths.running(this.#settings.data), text, 0o600);
      if (this.#settings.readyFile !== undefined) writeFileWhole(this.#settings.readyFile, text);
    } catch (error) {
      this.#log.error(`what runs cannot be written down: ${(error as Error).message}`);
    }
  }
}

function refusal(first: FirstStart): string | undefined {
  return first.kind === 'refused' ? first.reason : undefined;
}

function withPort(endpoint: Endpoint, port: number | undefined): Endpoint {
  return port === undefined ? endpoint : { host: endpoint.host, port };
}

/** Makes the data folder ready and takes it for this supervisor. */
function takeFolder(data: string): Lock | { readonly refused: string } {
  try {
    makeFolder(data);
    accessSync(data, constants.W_OK | constants.X_OK);
    return (
      takeLock(paths.lock(data)) ?? {
        refused: `another Ballast runs on ${data}; stop it, or choose another folder with --data`,
      }
    );
  } catch (error) {
    return {
      refused: `the data folder ${data} cannot be written: ${(error as Error).message}; choose another with --data`,
    };
  }
}
