/** Puts together what `/metrics` answers: counters from the nodes, and what the control plane knows itself. */
import type { ApiStats } from '#api/server.ts';
import { version } from '#base/version.ts';
import type { AnomalyBoard } from '#control/anomaly-board.ts';
import type { Approvals } from '#control/approval/approvals.ts';
import type { HealthBoard } from '#control/health-board.ts';
import type { Sentinel } from '#control/sentinel/sentinel.ts';
import type { Gate } from '#guard/gate.ts';
import type { Journal } from '#journal/journal.ts';
import type { Vault } from '#journal/vault-writer.ts';
import type { BackgroundVerifier } from '#journal/verify-background.ts';
import type { LinkServer } from '#link/server.ts';
import { kinds } from '#model/documents.ts';
import { isEmpty, type View } from '#model/view.ts';
import type { NodeStats } from '#node/node.ts';
import { renderMetrics, type Snapshot } from '#observe/metrics.ts';
import { renderTargetMetrics } from '#observe/target-metrics.ts';
import { nodeStatuses } from './status.ts';

/** A scrape waits no longer for a node's counters; one that is slower is left out of this page. */
const statsTimeoutMs = 2_000;
/** What was harmed within it counts as harmed lately. */
const lateMs = 600_000;

export async function metricsPage(sources: {
  readonly journal: Journal;
  readonly vault: Vault | undefined;
  readonly sentinel: Sentinel | undefined;
  readonly verifier: BackgroundVerifier;
  readonly link: LinkServer;
  readonly health: HealthBoard;
  readonly anomalies: AnomalyBoard;
  readonly api: ApiStats;
  readonly gate: Gate;
  readonly approvals: Approvals;
  readonly nowMs: number;
}): Promise<string> {
  const { journal, vault, sentinel, verifier, link, health, anomalies, api, gate, approvals, nowMs } = sources;
  const { view } = journal;
  const traffic = [...(await link.stats(statsTimeoutMs))].map(([node, stats]) => trafficOf(node, stats as NodeStats));
  return renderMetrics({
    version,
    label: (id) => labelOf(view, id),
    traffic,
    hosts: hostsOf(view, health, anomalies),
    journal: { revision: journal.head.revision, ...journal.stats },
    vault: vault?.stats,
    sentinel: sentinel?.stats,
    verifier: verifier.stats,
    documents: Object.fromEntries(kinds.map((kind) => [kind, view.count(kind)])),
    nodes: nodeStatuses(journal, link.followers),
    guard: {
      waiting: approvals.waitingCount,
      harmed: gate.radius(nowMs - lateMs),
      frozen: !isEmpty(view.all('freeze')),
    },
    api,
  });
}

/**
 * The page of single targets: of all groups, or of those that are named by their ids or by the last part of their ARNs,
 * with commas between.
 */
export async function targetMetricsPage(
  wanted: string,
  { view, link }: { readonly view: View; readonly link: LinkServer },
): Promise<string> {
  const groups = wanted.split(',').map((name) => name.slice(name.lastIndexOf('/') + 1));
  const stats = await link.stats(statsTimeoutMs, wanted === 'all' ? 'all' : groups);
  const nodes = [...stats].map(([node, told]) => ({ node, ...(told as NodeStats) }));
  return renderTargetMetrics(nodes, (id) => labelOf(view, id));
}

function trafficOf(
  node: string,
  { loadBalancers, hosts, functions, droppedLogLines, logs }: NodeStats,
): Snapshot['traffic'][number] {
  return { node, loadBalancers, hosts, functions, ...(logs && { logs: { ...logs, droppedLines: droppedLogLines } }) };
}

/** The last part of the ARN, which is how CloudWatch's dimensions name load balancers and target groups. */
function labelOf(view: View, id: string): string {
  const loadBalancer = view.get('load-balancer', id);
  if (loadBalancer !== undefined) return `app/${loadBalancer.name}/${id}`;
  const group = view.get('target-group', id);
  return group === undefined ? id : `targetgroup/${group.name}/${id}`;
}

function hostsOf(view: View, health: HealthBoard, anomalies: AnomalyBoard): Snapshot['hosts'] {
  const hosts: Snapshot['hosts'][number][] = [];
  for (const { id: targetGroupId } of view.all('target-group')) {
    let healthy = 0;
    let unhealthy = 0;
    let anomalous = 0;
    let mitigated = 0;
    for (const { id, document } of view.find('targetsOfTargetGroup', targetGroupId)) {
      const verdict = document.state.kind === 'registered' ? health.lookup(id) : undefined;
      if (verdict?.kind === 'healthy') healthy += 1;
      else if (verdict?.kind === 'unhealthy') unhealthy += 1;
      const { isAnomalous, isMitigated } = anomalies.lookup(id);
      if (isAnomalous) anomalous += 1;
      if (isMitigated) mitigated += 1;
    }
    const loadBalancers = new Set<string>();
    for (const { document: rule } of view.find('rulesUsingTargetGroup', targetGroupId)) {
      const listener = view.get('listener', rule.listenerId);
      if (listener !== undefined) loadBalancers.add(listener.loadBalancerId);
    }
    for (const loadBalancerId of loadBalancers) {
      hosts.push({ loadBalancerId, targetGroupId, healthy, unhealthy, anomalous, mitigated });
    }
  }
  return hosts;
}
