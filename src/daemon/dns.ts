/**
 * Builds the DNS server's process. Like a node it follows the journal, keeps its last good state and answers from it
 * without a control plane.
 */
import { startDnsServer } from '#dns/server.ts';
import { zoneOf } from '#dns/zone.ts';
import { sleep } from '#io/timers.ts';
import { openReplica, ReplicaFailure } from '#journal/replica.ts';
import { LinkClient } from '#link/client.ts';
import { explainListen } from './listen.ts';
import type { DnsSettings } from './messages.ts';
import { controlPlaneMaxMs } from './node.ts';
import { paths } from './paths.ts';
import type { RoleContext, Started } from './process.ts';

export async function startDns(settings: DnsSettings, { log }: RoleContext): Promise<Started> {
  const replica = openReplica(paths.lastGood(settings.data, 'dns'), log);
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
  const link = new LinkClient({
    url: settings.linkUrl,
    token: settings.linkToken,
    role: { kind: 'dns', id: 'dns' },
    log,
    state: () => ({
      position: replica.position,
      holds: { loadBalancers: [...replica.view.all('load-balancer')].map(({ id }) => id), targetGroups: [] },
    }),
    onNews: ({ entries, transactions, position }) => {
      const changes = transactions.flatMap(({ revision, changes: each }) =>
        each.map((change) => ({ revision, change })),
      );
      try {
        replica.apply({ entries, changes, position });
      } catch (error) {
        if (!(error instanceof ReplicaFailure)) throw error;
        log.error(`news cannot be kept and is asked for again, answering goes on: ${error.message}`);
        return link.resume();
      }
      zone = build();
      link.send({ type: 'applied', revision: position.revision });
      return inStep.resolve();
    },
    onConnected: () => link.send({ type: 'applied', revision: replica.position.revision }),
    onDiverged: (reason) =>
      log.error(`the control plane's store does not have this server's past, so names stay as they are: ${reason}`),
    onNodes: (connected) => {
      alive = new Set(connected);
      zone = build();
    },
  });
  await Promise.race([inStep.promise, sleep(controlPlaneMaxMs)]);
  return {
    info: { dnsPort: server.port },
    stop: async () => {
      link.stop();
      await server.close();
      replica.close();
    },
  };
}
