/**
 * A load balancer node. It follows the journal through the link, keeps its last good state on its own disk, probes its
 * targets and tells its workers what to serve. It starts from the last good state, needs no control plane to serve it,
 * and stops serving a load balancer only when a tombstone says so.
 */
import { hkdfSync } from 'node:crypto';
import { type CheckedTarget, Checker } from '#health/checker.ts';
import type { Clock } from '#io/clock.ts';
import type { Log } from '#io/log.ts';
import { LogSpool } from '#io/log-spool.ts';
import { announceSuccessor } from '#io/succession.ts';
import { every, soon, type Timer } from '#io/timers.ts';
import { openReplica, type Replica, ReplicaFailure } from '#journal/replica.ts';
import { LinkClient } from '#link/client.ts';
import { type ServingReport, verdictsPerFrameMax } from '#link/frames.ts';
import { unreferenced } from '#link/subset.ts';
import type { AnomalyCounts } from '#model/anomaly.ts';
import { formatArn } from '#model/arn.ts';
import { targetGroupAttribute } from '#model/attributes.ts';
import type { Entry, HexId } from '#model/documents.ts';
import type { HealthVerdict } from '#model/health.ts';
import { placementKey, targetKey } from '#model/keys.ts';
import type { FunctionCounts, HostCounts } from '#model/node-counts.ts';
import type { ProxyStats, TargetsWanted } from '#proxy/stats.ts';
import { type AnomalyNews, AnomalyWatch, type WatchedGroup } from './anomaly-watch.ts';
import { type Braked, heldReports, ReplicaBrake } from './brake.ts';
import { type Claim, claimAddresses } from './claim.ts';
import { FunctionBridges, type FunctionTarget } from './function-bridges.ts';
import { HealthLog } from './health-log.ts';
import { Holdings, holdingsPeriodMs } from './holdings.ts';
import { hostStats } from './hosts.ts';
import type { LogFiles } from './messages.ts';
import { RoutingBook, type TableNews } from './routing-book.ts';
import { withSlowStart } from './slow-start.ts';
import { StatsLedger } from './stats-ledger.ts';
import { type Failures, Workers } from './workers.ts';

/** The counters of a node; those of its logs are not there where nobody delivers them. */
export interface NodeStats extends ProxyStats {
  readonly zone: string;
  /** Another one: the node began to count anew, at `startedAtMs`. */
  readonly instance: string;
  readonly startedAtMs: number;
  readonly hosts: readonly HostCounts[];
  readonly functions: readonly FunctionCounts[];
  /** Of the target groups in which somebody is anomalous, or gets less because of it. */
  readonly anomalies: readonly AnomalyCounts[];
  readonly logs?: LogDelivery;
}

/** What became of the files of logs. */
export interface LogDelivery {
  readonly delivered: number;
  readonly failures: number;
  readonly waitingBytes: number;
}

/** A listener whose port could not be bound is tried again this often. */
const retryFailuresMs = 5_000;
const statsTimeoutMs = 1_000;
/** "Anomaly mitigation" in the documentation of target group attributes. */
const anomalyPeriodMs = 5_000;
const loopback = '127.0.0.1';

export interface NodeOptions {
  readonly id: string;
  readonly zone: string;
  readonly prefix: string;
  /** The file of the last good state. */
  readonly lastGoodPath: string;
  readonly environment: string;
  readonly region: string;
  /** True in a drill that shows what it is like without: the brake holds nothing back. */
  readonly isBrakeOff: boolean;
  readonly linkUrl: string;
  readonly linkToken: string;
  readonly workersCount: number;
  readonly workerEntry: URL;
  readonly successionPath: string;
  readonly instance: string;
  /** Undefined: logs are kept nowhere. */
  readonly logFiles: LogFiles | undefined;
  /** Undefined: nobody delivers them. */
  readonly logDelivery: (() => LogDelivery) | undefined;
  /** How often it looks for anomalous targets; by default every five seconds, as AWS does. */
  readonly anomalyPeriodMs?: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Told the process ids of the workers whenever one was started. */
  readonly onWorkers: (pids: readonly number[]) => void;
}

export class BalancerNode {
  readonly #options: NodeOptions;
  readonly #replica: Replica;
  readonly #brake: ReplicaBrake;
  readonly #verdicts: Map<string, HealthVerdict>;
  readonly #holdings: Holdings;
  readonly #book: RoutingBook;
  readonly #workers: Workers;
  readonly #functions: FunctionBridges;
  readonly #spool: LogSpool | undefined;
  readonly #checker;
  readonly #anomalies: AnomalyWatch;
  readonly #reported = new Map<HexId, string>();
  #failures = new Map<HexId, string>();
  #claim: Claim | undefined;
  readonly #ledger = new StatsLedger();
  readonly #startedAtMs: number;
  #link: LinkClient | undefined;
  #retry: Timer | undefined;
  #telling: Timer | undefined;
  #untoldVerdicts = new Map<string, HealthVerdict | null>();
  #unhealthyListeners = new Set<HexId>();
  /** Settles when the latest news is in service. */
  #served: Promise<void> = Promise.resolve();
  #firstNews = Promise.withResolvers<void>();

  constructor(options: NodeOptions) {
    this.#options = options;
    this.#startedAtMs = options.clock.wallMs();
    this.#replica = openReplica(options.lastGoodPath, options.log);
    const { environment, region, clock, isBrakeOff } = options;
    this.#brake = new ReplicaBrake({ replica: this.#replica, environment, region, clock, isOff: isBrakeOff });
    this.#holdings = new Holdings({
      replica: this.#replica,
      role: { kind: 'node', id: options.id, zone: options.zone, prefix: options.prefix },
      send: (frame) => void this.#link?.send(frame),
      clock,
    });
    this.#verdicts = new Map(this.#replica.health);
    this.#functions = new FunctionBridges((key) => this.#functionReady(key), options.log);
    const health = (key: string) => this.#verdicts.get(key);
    const node = { nodeId: options.id, region };
    this.#book = new RoutingBook(this.#replica.view, health, node, {
      functionPort: (key) => this.#functions.port(key),
      weight: (key) => this.#anomalies.weight(key),
    });
    const { logFiles, instance } = options;
    const writer = `${options.id}-${instance.slice(0, 8)}`;
    this.#spool = logFiles && new LogSpool({ ...logFiles, writer, clock });
    const healthLog = this.#spool && new HealthLog(this.#spool, this.#replica.view, node);
    this.#workers = new Workers({
      count: options.workersCount,
      name: options.id,
      entry: options.workerEntry,
      successionPath: options.successionPath,
      instance,
      logFiles,
      cookieKey: cookieKeyOf(options.linkToken),
      log: options.log,
      onStarted: () => options.onWorkers(this.#workers.pids),
    });
    const onVerdict = (key: string, verdict: HealthVerdict) => this.#verdict(key, verdict);
    this.#anomalies = new AnomalyWatch({
      periodMs: options.anomalyPeriodMs ?? anomalyPeriodMs,
      takeOutcomes: () => this.#workers.takeOutcomes(statsTimeoutMs),
      group: (id) => this.#watched(id),
      onNews: (news) => this.#noteAnomalies(news),
    });
    this.#checker = new Checker(onVerdict, (probed) => healthLog?.probed(probed), clock);
  }

  /** Resolves once the workers serve the last good state; gives the reason when the node cannot start. */
  async start(): Promise<{ readonly refused: string } | undefined> {
    const { id, prefix, linkUrl, linkToken, zone, log, successionPath, instance } = this.#options;
    const claim = await claimAddresses(prefix);
    if ('refused' in claim) return claim;
    this.#claim = claim;
    const { tables } = this.#book.compileAll();
    this.#noteFailures(await this.#workers.start(tables), { tables, removed: [] });
    announceSuccessor(successionPath, instance);
    this.#watchTargets();
    if (tables.length > 0)
      log.info(
        `serves ${tables.length} listeners from the last good state, revision ${this.#replica.position.revision}`,
      );
    this.#link = new LinkClient({
      url: linkUrl,
      token: linkToken,
      role: { kind: 'node', id, zone, prefix },
      log,
      state: () => {
        // What nothing refers to is let go while no link could be told otherwise.
        this.#replica.forget(unreferenced(this.#replica.view));
        return { position: this.#replica.position, holds: this.#holds() };
      },
      onNews: (news) => this.#take(() => this.#apply(this.#brake.take(news), news.position.revision)),
      onAgain: (transaction) => this.#take(() => this.#apply(this.#brake.takeAgain(transaction))),
      onInventory: () => this.#holdings.tellAll(),
      onConnected: () => void this.#served.then(() => this.#tellEverything()),
      onDiverged: (reason) =>
        log.error(
          `the control plane's store does not have this node's past, so nothing is taken from it and serving goes on: ${reason}`,
        ),
      stats: (targets) => this.stats(targets),
    });
    this.#telling = every(holdingsPeriodMs, () => this.#holdings.tell());
    this.#retry = every(retryFailuresMs, () => {
      this.#askAgain();
      void this.#retryFailures();
    });
    return undefined;
  }

  /** Resolves when the control plane has brought the node in step for the first time. */
  get inStep(): Promise<void> {
    return this.#firstNews.promise;
  }

  get workerPids(): number[] {
    return this.#workers.pids;
  }

  /** The counters of all workers, added up, with the targets of these groups. */
  async stats(targets: TargetsWanted): Promise<NodeStats> {
    const stats = this.#ledger.add(await this.#workers.stats(statsTimeoutMs, targets));
    const logs = this.#options.logDelivery?.();
    const anomalies = this.#anomalies.counts;
    const droppedLogLines = stats.droppedLogLines + (this.#spool?.droppedLines ?? 0);
    return {
      ...stats,
      droppedLogLines,
      zone: this.#options.zone,
      instance: this.#options.instance,
      startedAtMs: this.#startedAtMs,
      hosts: hostStats(this.#book.tables.values(), anomalies),
      functions: this.#functions.stats(),
      anomalies,
      ...(logs && { logs }),
    };
  }

  /** Lets running requests finish for so long, then ends. */
  async stop(drainMs: number): Promise<void> {
    this.#retry?.stop();
    this.#telling?.stop();
    this.#link?.stop();
    this.#checker.stop();
    this.#anomalies.stop();
    this.#functions.close();
    await this.#workers.stop(drainMs);
    await this.#spool?.close();
    this.#claim?.release();
    this.#replica.close();
  }

  /** Ends the workers at once, whatever they are doing. */
  kill(): void {
    this.#workers.kill();
  }

  #take(news: () => void): void {
    try {
      news();
    } catch (error) {
      if (!(error instanceof ReplicaFailure)) throw error;
      // What is not on disk is not in service either: after a restart nobody would know of it.
      this.#options.log.error(`news cannot be kept and is asked for again, serving goes on: ${error.message}`);
      this.#link?.resume();
    }
  }

  /** Brings into service what the brake has let through; `revision` is where that leads to, when it leads anywhere. */
  #apply({ applied, held }: Braked, revision?: number): void {
    for (const each of held) {
      this.#options.log.error(`revision ${each.revision} is held back, serving goes on: ${each.reason}`);
    }
    if (held.length > 0 || revision === undefined) this.#tellHeld();
    if (applied.some(({ kind }) => kind === 'approval')) this.#askAgain();
    if (applied.some(({ kind }) => kind !== 'load-balancer' && kind !== 'placement')) this.#watchTargets();
    const touched = applied
      .flatMap(({ before, after }) => [before, after])
      .map((entry) => (entry?.kind === 'placement' ? entry.document.loadBalancerId : undefined));
    // What came before may still be on its way to the workers: only then is it true that all up to here is in service.
    const serving = this.#serve(this.#book.compile(this.#book.concerned(applied)));
    this.#served = Promise.all([this.#served, serving]).then(() => {
      this.#report(touched.filter((id) => id !== undefined));
      if (revision === undefined) return;
      this.#link?.send({ type: 'applied', revision });
      this.#firstNews.resolve();
    });
  }

  async #serve(news: TableNews): Promise<void> {
    if (news.tables.length === 0 && news.removed.length === 0) return;
    this.#noteFailures(await this.#workers.update(news.tables, news.removed), news);
  }

  #noteFailures(failures: Failures, news: TableNews): void {
    for (const id of news.removed) this.#failures.delete(id);
    for (const table of news.tables) {
      const reason = failures.get(table.listenerId);
      if (reason === undefined) {
        this.#failures.delete(table.listenerId);
        continue;
      }
      if (this.#failures.get(table.listenerId) !== reason) {
        this.#options.log.error(
          `listener ${table.address}:${table.port} of ${table.loadBalancer.name} cannot be served: ${reason}`,
        );
      }
      this.#failures.set(table.listenerId, reason);
    }
    this.#report(news.tables.map((table) => table.loadBalancer.id));
  }

  async #retryFailures(): Promise<void> {
    const tables = [...this.#failures.keys()]
      .map((id) => this.#book.tables.get(id))
      .filter((table) => table !== undefined);
    await this.#serve({ tables, removed: [] });
  }

  /** Tells how these load balancers are served, where that differs from what was told. */
  #report(loadBalancers: readonly HexId[]): void {
    const reports: ServingReport[] = [];
    for (const id of new Set(loadBalancers)) {
      const placement = placementKey({ loadBalancerId: id, nodeId: this.#options.id });
      const isHeld = this.#replica.view.get('placement', placement) !== undefined;
      const failure = this.#failureOf(id);
      if (!isHeld) this.#reported.delete(id);
      else if (this.#reported.get(id) !== (failure ?? ''))
        reports.push({ loadBalancerId: id, ...(failure && { failure }) });
    }
    if (reports.length === 0 || !this.#link?.send({ type: 'serving', reports })) return;
    for (const { loadBalancerId, failure } of reports) this.#reported.set(loadBalancerId, failure ?? '');
  }

  #failureOf(loadBalancerId: HexId): string | undefined {
    for (const { id, document } of this.#replica.view.find('listenersOfLoadBalancer', loadBalancerId)) {
      const reason = this.#failures.get(id);
      if (reason !== undefined) return `port ${document.port}: ${reason}`;
    }
    return undefined;
  }

  /** Whoever judges once more needs the changes, which only the control plane has. */
  #askAgain(): void {
    for (const revision of this.#brake.releasable()) this.#link?.send({ type: 'again', revision });
  }

  #tellHeld(): void {
    this.#link?.send({ type: 'held', held: heldReports(this.#replica) });
  }

  #tellEverything(): void {
    this.#tellHeld();
    this.#reported.clear();
    this.#report(
      [...this.#replica.view.find('placementsOfNode', this.#options.id)].map(({ document }) => document.loadBalancerId),
    );
    this.#link?.send({ type: 'applied', revision: this.#replica.position.revision });
    this.#tellVerdicts([...this.#verdicts]);
    this.#tellAnomalies(this.#anomalies.verdicts);
  }

  #holds(): { loadBalancers: string[]; targetGroups: string[] } {
    const { view } = this.#replica;
    return {
      loadBalancers: [...view.all('load-balancer')].map(({ id }) => id),
      targetGroups: [...view.all('target-group')].map(({ id }) => id),
    };
  }

  /** Probes the registered targets of every group that is in use. */
  #watchTargets(): void {
    const { view } = this.#replica;
    const targets: CheckedTarget[] = [];
    const functions: FunctionTarget[] = [];
    const keys = new Set<string>();
    for (const group of view.all('target-group')) {
      if (this.#book.listenersUsing(group.id).length === 0) continue;
      const isOfFunctions = group.document.targetType === 'lambda';
      for (const { document: target } of view.find('targetsOfTargetGroup', group.id)) {
        const key = targetKey(target);
        // One that drains has requests to finish.
        if (isOfFunctions) functions.push(this.#functionOf(group, key, target.address));
        if (target.state.kind !== 'registered') continue;
        const [address, port] = isOfFunctions ? [loopback, this.#functions.port(key)] : [target.address, target.port];
        if (port === undefined || address === '') continue;
        const known = this.#verdicts.get(key);
        keys.add(key);
        targets.push({ key, address, port, settings: group.document.healthCheck, ...(known && { known }) });
      }
    }
    this.#functions.set(functions);
    for (const key of this.#verdicts.keys()) {
      if (keys.has(key)) continue;
      this.#verdicts.delete(key);
      this.#replica.keepHealth(key, undefined);
      this.#queueVerdict(key, null);
    }
    this.#checker.setTargets(targets);
  }

  #functionOf({ id, document }: Entry<'target-group'>, key: string, url: string): FunctionTarget {
    const { account, name } = document;
    return {
      key,
      url,
      targetGroupArn: formatArn({ kind: 'target-group', region: this.#options.region, account, name, id }),
      hasMultiValues: targetGroupAttribute(document, 'lambda.multi_value_headers.enabled') === 'true',
    };
  }

  /** Its listeners can forward to it from now on, and its health can be looked at. */
  #functionReady(key: string): void {
    this.#watchTargets();
    const group = key.slice(0, key.indexOf('/'));
    void this.#serve(this.#book.compile(new Set(this.#book.listenersUsing(group))));
  }

  #verdict(key: string, found: HealthVerdict): void {
    const nowMs = this.#options.clock.wallMs();
    const verdict = withSlowStart(key, found, { view: this.#replica.view, known: this.#verdicts, nowMs });
    this.#verdicts.set(key, verdict);
    this.#replica.keepHealth(key, verdict);
    this.#queueVerdict(key, verdict);
    const groupId = key.slice(0, key.indexOf('/'));
    for (const listener of this.#book.listenersUsing(groupId)) this.#unhealthyListeners.add(listener);
  }

  /** Functions have no status that would tell how they are, and what nobody routes to has no outcomes. */
  #watched(groupId: HexId): WatchedGroup | undefined {
    const group = this.#book.group(groupId);
    const document = this.#replica.view.get('target-group', groupId);
    if (group === undefined || document === undefined || group.isOfFunctions) return undefined;
    const targets = group.targets.filter(({ state }) => state === 'healthy').map(({ key }) => key);
    const wants = targetGroupAttribute(document, 'load_balancing.algorithm.anomaly_mitigation') === 'on';
    return { targets, mitigates: wants && group.algorithm === 'weighted_random' };
  }

  #noteAnomalies({ verdicts, reweighted }: AnomalyNews): void {
    this.#tellAnomalies(verdicts);
    void this.#serve(this.#book.compile(new Set(reweighted.flatMap((id) => this.#book.listenersUsing(id)))));
  }

  #tellAnomalies(anomalies: AnomalyNews['verdicts']): void {
    for (let start = 0; start < anomalies.length; start += verdictsPerFrameMax) {
      const some = anomalies.slice(start, start + verdictsPerFrameMax);
      this.#link?.send({ type: 'health', verdicts: [], anomalies: some });
    }
  }

  /** Verdicts that come together are told together, and compile each listener once. */
  #queueVerdict(key: string, verdict: HealthVerdict | null): void {
    if (this.#untoldVerdicts.size === 0) {
      soon(() => {
        const verdicts = [...this.#untoldVerdicts];
        this.#untoldVerdicts.clear();
        this.#tellVerdicts(verdicts);
        const listeners = this.#unhealthyListeners;
        this.#unhealthyListeners = new Set();
        void this.#serve(this.#book.compile(listeners));
      });
    }
    this.#untoldVerdicts.set(key, verdict);
  }

  #tellVerdicts(verdicts: readonly (readonly [string, HealthVerdict | null])[]): void {
    for (let start = 0; start < verdicts.length; start += verdictsPerFrameMax) {
      this.#link?.send({ type: 'health', verdicts: verdicts.slice(start, start + verdictsPerFrameMax) });
    }
  }
}

/** All nodes of a region have the same link token, and so read each other's cookies. */
function cookieKeyOf(linkToken: string): string {
  return Buffer.from(hkdfSync('sha256', linkToken, '', 'ballast session cookies', 32)).toString('hex');
}
