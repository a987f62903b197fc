/**
 * Builds the control plane's process: the journal with its guard, the decisions, the AWS API, the operator API with the
 * link, and the workflows.
 */

import { startOperatorServer } from '#api/operator.ts';
import { guardRoutes } from '#api/operator-guard.ts';
import { historyRoutes } from '#api/operator-history.ts';
import { incidentRoutes } from '#api/operator-incidents.ts';
import { maintenanceRoutes } from '#api/operator-maintenance.ts';
import { startApiServer } from '#api/server.ts';
import { accept } from '#base/result.ts';
import { AnomalyBoard } from '#control/anomaly-board.ts';
import { Approvals } from '#control/approval/approvals.ts';
import { Freeze } from '#control/approval/freeze.ts';
import { Limits } from '#control/approval/limits.ts';
import { Operators } from '#control/approval/operators.ts';
import { createControl } from '#control/control.ts';
import { Downloads } from '#control/downloads.ts';
import { HealthBoard } from '#control/health-board.ts';
import { firstCredentials, keyLookup } from '#control/keys.ts';
import { foldHistory, rekeySecrets } from '#control/maintenance/effects.ts';
import { Maintenance } from '#control/maintenance/maintenance.ts';
import { RecentTraffic } from '#control/maintenance/recent-traffic.ts';
import { Principals } from '#control/principals.ts';
import { rekey, unreadableSecret } from '#control/rekey.ts';
import { Retention } from '#control/retention.ts';
import { Alarm, type Traffic } from '#control/sentinel/alarm.ts';
import { IncidentBook } from '#control/sentinel/incident-book.ts';
import { Incidents } from '#control/sentinel/incidents.ts';
import { Sentinel } from '#control/sentinel/sentinel.ts';
import { Looking } from '#control/time-travel/looking.ts';
import { Workflows } from '#control/workflows/workflows.ts';
import { Gate } from '#guard/gate.ts';
import { systemClock } from '#io/clock.ts';
import { readFileIfThere, writeFileWhole } from '#io/files.ts';
import type { Log } from '#io/log.ts';
import { systemRandom } from '#io/random.ts';
import { every } from '#io/timers.ts';
import { openWebhook } from '#io/webhook.ts';
import { beginning } from '#journal/chain.ts';
import { isoTime } from '#journal/history.ts';
import { type Guard, type Journal, openJournal } from '#journal/journal.ts';
import { MendableStore } from '#journal/mendable-store.ts';
import { type KeyRing, openKeyRing } from '#journal/seal.ts';
import { indexPathOf } from '#journal/sqlite-schema.ts';
import { StoreDamaged, StoreFailure } from '#journal/store.ts';
import { openVault } from '#journal/vault-writer.ts';
import { verifyInBackground } from '#journal/verify-background.ts';
import { LinkServer } from '#link/server.ts';
import type { Kind } from '#model/documents.ts';
import { sealedTexts } from '#model/sealed.ts';
import { isEmpty, type View } from '#model/view.ts';
import { incidentReport } from '#observe/incident-report.ts';
import type { ProxyStats } from '#proxy/stats.ts';
import { writeCredentials } from './credentials.ts';
import { explainListen } from './listen.ts';
import { startMeasuring } from './measuring.ts';
import { type HealedAtStart, healAtStart, storeMender } from './mending.ts';
import type { ControlPlaneSettings, Layer, ProcessNews } from './messages.ts';
import { metricsPage, targetMetricsPage } from './metrics.ts';
import { ownProcesses } from './own-processes.ts';
import { paths } from './paths.ts';
import type { RoleContext, Started } from './process.ts';
import { regionSettings } from './region.ts';
import { hostPort } from './report.ts';
import { statusOf } from './status.ts';
import { Wellness } from './wellness.ts';
import { openWorld } from './world.ts';

/** Whoever counts traffic waits no longer for a node. */
const statsTimeoutMs = 2_000;
const trafficSampleMs = 60_000;

export async function startControlPlane(settings: ControlPlaneSettings, { log }: RoleContext): Promise<Started> {
  const clock = systemClock;
  const random = systemRandom;
  const startedMs = clock.monotonicMs();
  const nowMs = () => clock.wallMs();
  const isOff = (layer: Layer) => settings.without.includes(layer);
  const webhook = settings.alarmWebhook === undefined ? undefined : openWebhook(settings.alarmWebhook);
  const onFound = (what: string) => {
    log.error(`ALARM: ${what}; it is put back from the vault before anything else`);
    const { environment, region } = settings;
    const at = isoTime(clock.wallMs());
    // Nobody waits for it: the store comes first.
    void webhook?.tell({ environment, region, type: 'alarm', check: 'start', what, at });
  };
  const outside = openWorld({ ...settings, clock, log });
  if (!outside.ok) return { refused: outside.fault };
  const world = outside.value;
  const opened = await openWholeStore(settings, isOff('sentinel') || isOff('vault'), { log, onFound });
  if ('refused' in opened) return opened;
  const { store, healed } = opened;
  noteStoreId(settings.data, store.identity.storeId);
  const { environment, region: regionName } = settings;
  const place = { environment, region: regionName, storeId: store.identity.storeId };
  const book = new IncidentBook({ folder: paths.incidents(settings.data), log });
  const gate = new Gate({
    place,
    newId: () => random.hex(16),
    protection: (id) => alarm.protection(id),
    hasProtected: () => alarm.hasProtected,
    isOff: isOff('guard'),
  });
  const guard: Guard = (view, changes, cause, moment) => gate.judge(view, changes, cause, moment);
  const journal = openJournal({ store, guard, clock, log });
  const traffic = async () => trafficOf(await link.stats(statsTimeoutMs));
  const alarm = new Alarm({ journal, book, environment, region: regionName, traffic, webhook, clock, random, log });
  gate.remember(journal.headersBack(), clock.wallMs());
  const ring = openRing(paths.sealKey(settings.data), journal.view);
  if ('refused' in ring) return ring;
  const credentials = await firstCredentials({
    journal,
    sealer: ring,
    random,
    account: settings.account,
    nowMs: clock.wallMs(),
  });
  writeCredentials(paths.credentials(settings.data), credentials, settings.region);

  const vaultFolder = isOff('vault') ? undefined : settings.vault;
  const vault = vaultFolder === undefined ? undefined : openVault({ folder: vaultFolder, source: journal, clock, log });
  let sentinel: Sentinel | undefined;
  const storePath = paths.journal(settings.data);
  const verifier = verifyInBackground({
    path: storePath,
    memory: () => journal.view,
    clock,
    log,
    onBreak: (found) => sentinel?.onBreak(found),
  });
  if (!isOff('sentinel')) {
    const mender = storeMender({ data: settings.data, vault: vaultFolder, store, journal, nowMs, log });
    const storePaths = [storePath, indexPathOf(storePath)];
    const verifyNow = () => verifier.hurry();
    sentinel = new Sentinel({ journal, mender, book, alarm, storePaths, verifyNow, clock, log });
  }
  /** What nodes do while an incident is open belongs to it. */
  const noteNode = (who: string, text: string) => {
    for (const { id } of book.open) book.note(id, { atMs: clock.wallMs(), source: 'node', who, text });
  };
  const health = new HealthBoard();
  const anomalies = new AnomalyBoard();
  const region = regionSettings({ ...settings, subnets: world.inventory.defaultSubnets });
  const downloads = new Downloads(clock, random);
  const { holdAddressesMs } = region;
  const approvals = new Approvals({
    journal,
    random,
    place,
    nowMs,
    nodeHolds: () => new Map([...link.followers].map(([id, { held }]) => [id, held])),
  });
  const operators = new Operators({ journal, random, nowMs });
  const expired = (view: View, atMs: number) => approvals.expired(view, atMs);
  const workflows = new Workflows({
    journal,
    holdAddressesMs,
    clock,
    random,
    log,
    expired,
    network: () => world.known,
  });
  const link = new LinkServer({
    source: linkSource(journal),
    token: settings.linkToken,
    clock,
    log,
    events: {
      admit: async (role) => {
        if (role.kind === 'dns') return {};
        const refused = await workflows.admit(role);
        noteNode(role.id, refused === undefined ? 'is connected' : `was refused: ${refused}`);
        return refused === undefined ? {} : { refused };
      },
      serving: (nodeId, reports) => void workflows.serving(nodeId, reports),
      health: (nodeId, verdicts) => health.record(nodeId, verdicts),
      anomalies: (nodeId, verdicts) => anomalies.record(nodeId, verdicts),
      gone: (nodeId) => {
        health.forget(nodeId);
        anomalies.forget(nodeId);
        noteNode(nodeId, 'is disconnected');
      },
      diverged: (id, reason) => sentinel?.nodeDiverged(id, reason),
      healed: (id, count) => log.warn(`${id} had missed changes and was told ${count} of them again`),
      knowsMore: (id, held) => sentinel?.nodeKnowsMore(id, held),
      held: (id, held) => {
        for (const each of held) {
          // What owners ask for waits at a node for its turn; of the rest a node should never have heard.
          if (each.channel === 'workflow' || each.channel === 'maintenance') sentinel?.nodeHolds(id, each);
        }
      },
    },
  });
  const measuring = startMeasuring({ link, periodMs: settings.metricsIntervalSeconds * 1_000, clock });
  const control = createControl({
    journal,
    settings: region,
    health: (key) => health.lookup(key),
    anomaly: (key) => anomalies.lookup(key),
    metrics: measuring.reader,
    clock,
    random,
    sealer: ring,
    world,
    download: (text) => `http://${hostPort(endpoints.api)}${downloads.offer(text)}`,
  });

  const newRequestId = () => random.hex(32);
  const recentTraffic = new RecentTraffic();
  const sampling = every(trafficSampleMs, async () => {
    recentTraffic.sample(new Map([...(await traffic())].map(([id, { requests }]) => [id, requests])));
  });
  const retention = new Retention({ journal, vault: settings.vault, newRequestId, nowMs });
  for (const { to, state } of retention.list()) {
    if (state === 'unfinished') log.warn(`fold ${to} was interrupted: 'ballast retention' goes on with it`);
  }

  const own = settings.maintenance === undefined ? accept([]) : await ownProcesses(settings.maintenance);
  if (!own.ok) return { refused: own.fault };
  const rekeyAs = (by: string) => rekey({ journal, ring, random, by });
  const wellness = new Wellness({ book, followers: () => link.followers, traffic, clock });
  const maintenance = new Maintenance({
    journal,
    gate,
    random,
    environment,
    region: regionName,
    nowMs,
    requestsLastHour: (id) => recentTraffic.requests(id),
    whyUnwell: (revision) => wellness.whyUnwell(revision),
    effects: [foldHistory(retention), rekeySecrets(journal, rekeyAs)],
    own: own.value,
  });
  const incidents = new Incidents({ journal, book, alarm, nowMs });

  let processes: readonly ProcessNews[] = [];
  let api: Awaited<ReturnType<typeof startApiServer>> | undefined;
  let operator: Awaited<ReturnType<typeof startOperatorServer>>;
  try {
    api = await startApiServer({
      ...settings.api,
      region: settings.region,
      execute: control.execute,
      offers: control.offers,
      lookupKey: keyLookup(journal, ring),
      requestRatePercent: settings.requestRatePercent,
      findDownload: (path) => downloads.find(path),
      clock,
      random,
      log,
    });
  } catch (error) {
    return { refused: explainListen(error, { name: 'AWS API', flag: '--api', ...settings.api }) };
  }
  const apiServer = api;
  const endpoints = {
    api: { host: settings.api.host, port: api.port },
    operator: settings.operator,
    dns: settings.dns,
  };
  try {
    operator = await startOperatorServer({
      ...settings.operator,
      operatorKey: settings.operatorKey,
      clock,
      log,
      identify: (request, sent) => operators.identify(request, sent),
      routes: [
        ...guardRoutes({
          freeze: new Freeze({ journal, random, nowMs }),
          operators,
          limits: new Limits({ journal, random }),
          approvals,
        }),
        ...maintenanceRoutes(maintenance),
        ...incidentRoutes({ incidents, report: incidentReport }),
        ...historyRoutes({
          looking: new Looking(journal, region),
          travel: {
            journal,
            region: settings.region,
            holdAddressesMs,
            newRequestId,
            nowMs,
          },
          rekey: rekeyAs,
          isProduction: environment === 'production',
          retention,
          principals: new Principals({ journal, sealer: ring, random, nowMs }),
        }),
      ],
      status: () => {
        const uptimeSeconds = (clock.monotonicMs() - startedMs) / 1000;
        return statusOf({
          settings,
          endpoints,
          journal,
          followers: link.followers,
          processes,
          openIncidents: book.open.map(({ id }) => id),
          uptimeSeconds,
          nowMs: clock.wallMs(),
        });
      },
      metrics: (targets) =>
        targets !== undefined
          ? targetMetricsPage(targets, { view: journal.view, link })
          : metricsPage({
              journal,
              vault,
              sentinel,
              verifier,
              link,
              health,
              anomalies,
              api: apiServer.stats(),
              gate,
              approvals,
              nowMs: nowMs(),
            }),
      upgradeLink: (request, socket, head) => link.upgrade(request, socket, head),
    });
  } catch (error) {
    return { refused: explainListen(error, { name: 'operator API', flag: '--operator', ...settings.operator }) };
  }
  if (healed !== undefined) sentinel?.healedAtStart(healed);
  endpoints.operator = { host: settings.operator.host, port: operator.port };
  log.info(`serves revision ${journal.head.revision} of store ${journal.identity.storeId}`);

  return {
    info: {
      apiPort: api.port,
      operatorPort: operator.port,
      accessKeyId: credentials.accessKeyId,
      madeCredentials: credentials.made,
    },
    onProcesses: (news) => {
      processes = news.processes;
      endpoints.dns = news.dns;
    },
    stop: async () => {
      workflows.stop();
      world.close();
      await apiServer.close();
      link.close();
      await operator.close();
      sampling.stop();
      measuring.stop();
      sentinel?.close();
      verifier.close();
      await vault?.close();
      await journal.close();
    },
  };
}

/** Written down beside the store: what is gone cannot say any more who it was. */
function noteStoreId(data: string, storeId: string): void {
  if (readFileIfThere(paths.storeId(data))?.trim() !== storeId) writeFileWhole(paths.storeId(data), `${storeId}\n`);
}

interface OpenedStore {
  readonly store: MendableStore;
  /** What was found and put back before it was opened. */
  readonly healed: HealedAtStart | undefined;
}

type RefusedStore = { readonly refused: string; readonly storeDamaged?: true };

/** Opens the state store once it is whole, or says why it cannot be used. Nothing is ever written over. */
async function openWholeStore(
  settings: ControlPlaneSettings,
  isLeftAsItIs: boolean,
  { log, onFound }: { readonly log: Log; readonly onFound: (what: string) => void },
): Promise<OpenedStore | RefusedStore> {
  const { data, vault, environment, region } = settings;
  const nowMs = systemClock.wallMs();
  const heal = (damage?: string) =>
    isLeftAsItIs
      ? Promise.resolve(accept(undefined))
      : healAtStart({ data, vault, environment, region, nowMs, onFound, ...(damage !== undefined && { damage }) });
  const healed = await heal();
  if (!healed.ok) return { refused: healed.fault, storeDamaged: true };
  const opened = openStore(settings);
  if (!('refused' in opened)) return { store: opened, healed: healed.value };
  if (opened.storeDamaged !== true) return opened;
  log.error(opened.refused);
  const again = await heal(opened.refused);
  if (!again.ok) return { refused: again.fault, storeDamaged: true };
  if (again.value === undefined) return opened;
  const mended = openStore(settings);
  return 'refused' in mended ? mended : { store: mended, healed: again.value };
}

function openStore(settings: ControlPlaneSettings): MendableStore | RefusedStore {
  const { environment, region, data } = settings;
  try {
    const createdAtMs = systemClock.wallMs();
    const identity = { storeId: systemRandom.hex(32), environment, region, createdAtMs, origin: beginning };
    const store = new MendableStore(paths.journal(data), identity);
    const differing = (['environment', 'region'] as const).find((part) => store.identity[part] !== settings[part]);
    if (differing === undefined) return store;
    const refused = `the state store in ${data} was made for ${differing} '${store.identity[differing]}', not '${settings[differing]}'; start with --${differing} ${store.identity[differing]}, or choose another folder with --data`;
    store.close();
    return { refused };
  } catch (error) {
    if (error instanceof StoreDamaged) {
      return { refused: `the state store is damaged and is left as it is: ${error.message}`, storeDamaged: true };
    }
    if (error instanceof StoreFailure) return { refused: `the state store cannot be opened: ${error.message}` };
    throw error;
  }
}

/** What each load balancer has taken, and answered with an error of its own, over all nodes. */
function trafficOf(stats: ReadonlyMap<string, unknown>): ReadonlyMap<string, Traffic> {
  const sums = new Map<string, Traffic>();
  for (const { loadBalancers } of stats.values() as Iterable<ProxyStats>) {
    for (const { id, requests, elbResponses } of loadBalancers) {
      const known = sums.get(id) ?? { requests: 0, failedRequests: 0 };
      const failed = Object.entries(elbResponses).filter(([code]) => Number(code) >= 500);
      const failedRequests = failed.reduce((sum, [, count]) => sum + count, known.failedRequests);
      sums.set(id, { requests: known.requests + requests, failedRequests });
    }
  }
  return sums;
}

/** Opens the keys of the secrets, or says why a secret of the state does not open. Nothing was written then. */
function openRing(path: string, view: View): KeyRing | { readonly refused: string; readonly storeDamaged: true } {
  const ring = openKeyRing(path, isEmpty(sealedTexts(view)));
  const refused = ring.ok ? unreadableSecret(view, ring.value) : ring.fault;
  return ring.ok && refused === undefined ? ring.value : { refused: refused!, storeDamaged: true };
}

function linkSource(journal: Journal) {
  return {
    get view() {
      return journal.view;
    },
    get head() {
      return journal.head;
    },
    storeId: journal.identity.storeId,
    origin: journal.identity.origin.revision,
    hashAt: (revision: number) => journal.hashAt(revision),
    isLost: (revision: number) => journal.isLost(revision),
    transactionsFrom: (revision: number) => journal.transactionsFrom(revision),
    removalOf: (kind: Kind, id: string) => journal.removalOf(kind, id),
    follow: (follower: Parameters<Journal['follow']>[0]) => journal.follow(follower),
  };
}
