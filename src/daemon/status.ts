/** Puts together what `GET /v1/status` answers. */
import { version } from '#base/version.ts';
import type { Journal } from '#journal/journal.ts';
import type { FollowerStatus } from '#link/server.ts';
import type { NodeStatus, Status } from '#model/status.ts';
import type { ControlPlaneSettings, Endpoint, ProcessNews } from './messages.ts';
import { hostPort } from './report.ts';

export interface StatusSources {
  readonly settings: ControlPlaneSettings;
  readonly endpoints: { readonly api: Endpoint; readonly operator: Endpoint; readonly dns: Endpoint };
  readonly journal: Journal;
  readonly followers: ReadonlyMap<string, FollowerStatus>;
  readonly processes: readonly ProcessNews[];
  readonly openIncidents: readonly string[];
  readonly uptimeSeconds: number;
  readonly nowMs: number;
}

export function statusOf(sources: StatusSources): Status {
  const { settings, endpoints, journal, followers, processes, openIncidents, uptimeSeconds, nowMs } = sources;
  const freeze = journal.view.get('freeze', 'workflows');
  const { view, head } = journal;
  return {
    version,
    environment: settings.environment,
    region: settings.region,
    account: settings.account,
    revision: head.revision,
    apiEndpoint: `http://${hostPort(endpoints.api)}`,
    operatorEndpoint: `http://${hostPort(endpoints.operator)}`,
    dnsServer: hostPort(endpoints.dns),
    uptimeSeconds: Math.floor(uptimeSeconds),
    processes: processes.map(({ startedAtMs, ...each }) => ({
      ...each,
      uptimeSeconds: each.pid === 0 ? 0 : Math.max(0, Math.floor((nowMs - startedAtMs) / 1000)),
    })),
    nodes: nodeStatuses(journal, followers),
    openIncidents,
    ...(freeze !== undefined && { frozen: `by ${freeze.by}: ${freeze.reason}` }),
    counts: {
      loadBalancers: view.count('load-balancer'),
      listeners: view.count('listener'),
      targetGroups: view.count('target-group'),
      targets: view.count('target'),
    },
  };
}

/** The nodes that the state knows, and those that are connected although it does not. */
export function nodeStatuses(journal: Journal, followers: ReadonlyMap<string, FollowerStatus>): NodeStatus[] {
  const { view, head } = journal;
  const ids = new Set([...view.all('node')].map(({ id }) => id));
  for (const [id, { role }] of followers) if (role.kind === 'node') ids.add(id);
  return [...ids].sort().map((id) => {
    const follower = followers.get(id);
    const role = follower?.role.kind === 'node' ? follower.role : undefined;
    const revision = follower?.revision ?? 0;
    return {
      id,
      zone: role?.zone ?? view.get('node', id)?.zone ?? '',
      prefix: role?.prefix ?? view.get('node', id)?.prefix ?? '',
      connected: follower?.connected ?? false,
      revision,
      lag: Math.max(0, head.revision - revision),
      diverged: follower?.diverged ?? false,
      held: follower?.held.length ?? 0,
      loadBalancers: [...view.find('placementsOfNode', id)].length,
    };
  });
}
