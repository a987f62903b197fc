/**
 * Builds the DNS server's process. Like a node it follows the journal, keeps its last good state and answers from it
 * without a control plane.
 */
import { startDnsServer } from '#dns/server.ts';
import { zoneOf } from '#dns/zone.ts';
import { systemClock } from '#io/clock.ts';
import { every, sleep } from '#io/timers.ts';
import { openReplica, ReplicaFailure } from '#journal/replica.ts';
import { LinkClient } from '#link/client.ts';
import { type Braked, heldReports, ReplicaBrake } from '#node/brake.ts';
import { Holdings, holdingsPeriodMs } from '#node/holdings.ts';
import { explainListen } from './listen.ts';
import type { DnsSettings } from './messages.ts';
import { controlPlaneMaxMs } from './node.ts';
import { paths } from './paths.ts';
import type { RoleContext, Started } from './process.ts';

/** How often it is looked whether what is held back may go by now. */
const releaseMs = 5_000;

export async function startDns(settings: DnsSettings, { log }: RoleContext): Promise<Started> {
  const replica = openReplica(paths.lastGood(settings.data, 'dns'), log);
  const { environment, region } = settings;
  const isOff = settings.without.includes('brake');
  const brake = new ReplicaBrake({ replica, environment, region, clock: systemClock, isOff });
  const apex = `${settings.region}.elb.${settings.domain}`.toLowerCase();
  // Until somebody says which nodes are connected, all count as connected.
  let alive: ReadonlySet<string> | undefined;
  const build = () => zoneOf(replica.view, apex, (nodeId) => alive?.has(nodeId) ?? true);
  let zone = build();
  const inStep = Promise.withResolvers<void>();

  let server: Awaited<ReturnType<typeof startDnsServer>>;
  try {
    server = await startDnsServer({ ...settings.dns, zone: () => zone });
  } catch (error) {
    return { refused: explainListen(error, { name: 'DNS', flag: '--dns', ...settings.dns }) };
  }
  /** Takes what the brake lets through; false when it is to come again. */
  const take = (judge: () => Braked): boolean => {
    const before = replica.held.length;
    try {
      const { applied, held } = judge();
      for (const { revision, reason } of held) {
        log.error(`revision ${revision} is held back, names stay as they are: ${reason}`);
      }
      if (applied.some(({ kind }) => kind === 'approval')) askAgain();
    } catch (error) {
      if (!(error instanceof ReplicaFailure)) throw error;
      log.error(`news cannot be kept and is asked for again, answering goes on: ${error.message}`);
      link.resume();
      return false;
    }
    if (replica.held.length !== before) tellHeld();
    zone = build();
    return true;
  };
  const askAgain = () => {
    for (const revision of brake.releasable()) link.send({ type: 'again', revision });
  };
  const tellHeld = () => void link.send({ type: 'held', held: heldReports(replica) });
  const role = { kind: 'dns', id: 'dns' } as const;
  const holdings = new Holdings({ replica, role, send: (frame) => void link.send(frame), clock: systemClock });
  const link = new LinkClient({
    url: settings.linkUrl,
    token: settings.linkToken,
    role,
    log,
    state: () => ({
      position: replica.position,
      holds: { loadBalancers: [...replica.view.all('load-balancer')].map(({ id }) => id), targetGroups: [] },
    }),
    onNews: (news) => {
      if (!take(() => brake.take(news))) return;
      link.send({ type: 'applied', revision: news.position.revision });
      inStep.resolve();
    },
    onInventory: () => holdings.tellAll(),
    onAgain: (transaction) => void take(() => brake.takeAgain(transaction)),
    onConnected: () => {
      tellHeld();
      link.send({ type: 'applied', revision: replica.position.revision });
    },
    onDiverged: (reason) =>
      log.error(`the control plane's store does not have this server's past, so names stay as they are: ${reason}`),
    onNodes: (connected) => {
      alive = new Set(connected);
      zone = build();
    },
  });
  const release = every(releaseMs, askAgain);
  const telling = every(holdingsPeriodMs, () => holdings.tell());
  await Promise.race([inStep.promise, sleep(controlPlaneMaxMs)]);
  return {
    info: { dnsPort: server.port },
    stop: async () => {
      release.stop();
      telling.stop();
      link.stop();
      await server.close();
      replica.close();
    },
  };
}
