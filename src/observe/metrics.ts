/**
 * Ballast's metrics: plain snapshots in, a page of Prometheus text out. One table names every family, and the reference
 * in the documentation is held equal to it.
 */

import { Histogram, type SparseHistogram } from '#base/histogram.ts';
import type { FunctionCounts, HostCounts } from '#model/node-counts.ts';
import type { NodeStatus } from '#model/status.ts';
import { type Labels, MetricsPage } from './prometheus.ts';

/** name → [type, help]. Labels stand in the help. */
export const families = {
  ballast_info: ['gauge', 'Always 1; label: version'],
  ballast_requests_total: ['counter', 'Requests that a load balancer took; labels: node, load_balancer'],
  ballast_connections_total: ['counter', 'Client connections accepted; labels: node, load_balancer'],
  ballast_connections_active: ['gauge', 'Client connections open now; labels: node, load_balancer'],
  ballast_connections_rejected_total: [
    'counter',
    'Client connections refused for being too many; labels: node, load_balancer',
  ],
  ballast_connections_blocked_total: [
    'counter',
    'Client connections refused by security groups; labels: node, load_balancer',
  ],
  ballast_client_gone_total: ['counter', 'Requests whose client left before its answer; labels: node, load_balancer'],
  ballast_received_bytes_total: ['counter', 'Bytes read from clients; labels: node, load_balancer'],
  ballast_sent_bytes_total: ['counter', 'Bytes written to clients; labels: node, load_balancer'],
  ballast_rule_evaluations_total: [
    'counter',
    'Rules looked at until one held; the default rule is not counted; labels: node, load_balancer',
  ],
  ballast_fixed_responses_total: ['counter', 'Fixed responses given; labels: node, load_balancer'],
  ballast_redirects_total: ['counter', 'Redirects given; labels: node, load_balancer'],
  ballast_redirects_too_long_total: [
    'counter',
    'Redirects that were answered with 507, for a Location longer than 8 KiB; labels: node, load_balancer',
  ],
  ballast_noncompliant_requests_total: [
    'counter',
    'Requests that are not, or only just, by the letter of RFC 9112; labels: node, load_balancer',
  ],
  ballast_dropped_invalid_headers_total: [
    'counter',
    'Requests to targets without header fields that they had, for their names; labels: node, load_balancer',
  ],
  ballast_forwarded_invalid_headers_total: [
    'counter',
    'Requests to targets with header fields of unusual names; labels: node, load_balancer',
  ],
  ballast_ipv6_requests_total: ['counter', 'Of the requests, those that came by IPv6; labels: node, load_balancer'],
  ballast_ipv6_bytes_total: [
    'counter',
    'Of the bytes read from and written to clients, those by IPv6; labels: node, load_balancer',
  ],
  ballast_elb_responses_total: [
    'counter',
    'Answers that the load balancer made itself; labels: node, load_balancer, code',
  ],
  ballast_target_requests_total: [
    'counter',
    'Requests given to a target group; labels: node, load_balancer, target_group',
  ],
  ballast_target_choices_failed_total: [
    'counter',
    'Requests for which no target could be chosen; labels: node, load_balancer, target_group',
  ],
  ballast_nonsticky_requests_total: [
    'counter',
    'Requests that no session led to their target, where sessions are kept; labels: node, load_balancer, target_group',
  ],
  ballast_unhealthy_routing_requests_total: [
    'counter',
    'Requests given to any target because too few were healthy; labels: node, load_balancer, target_group',
  ],
  ballast_target_connect_errors_total: [
    'counter',
    'Connections to targets that could not be established; labels: node, load_balancer, target_group',
  ],
  ballast_target_connections_total: [
    'counter',
    'Connections to targets that were established; labels: node, load_balancer, target_group',
  ],
  ballast_target_connections_active: [
    'gauge',
    'Connections to targets that are open now; labels: node, load_balancer, target_group',
  ],
  ballast_target_responses_total: ['counter', 'Answers of targets; labels: node, load_balancer, target_group, class'],
  ballast_target_connection_errors_total: [
    'counter',
    'Attempts to have a target answer that failed; labels: node, load_balancer, target_group',
  ],
  ballast_target_retries_total: [
    'counter',
    'Requests that were tried again; labels: node, load_balancer, target_group',
  ],
  ballast_target_retries_refused_total: [
    'counter',
    'Requests that were not tried again because too many were; labels: node, load_balancer, target_group',
  ],
  ballast_target_response_seconds: [
    'histogram',
    "From a request's end of head to the answer's; labels: node, load_balancer, target_group",
  ],
  ballast_function_errors_total: [
    'counter',
    'Requests that a function did not answer; labels: node, load_balancer, target_group, by (user: the function, internal: what is between)',
  ],
  ballast_function_bytes_total: [
    'counter',
    'Bytes of events to functions and of their answers; labels: node, load_balancer, target_group',
  ],
  ballast_healthy_routing: [
    'gauge',
    '1 while enough targets are healthy, 0 while all get requests because too few are; labels: node, load_balancer, target_group',
  ],
  ballast_log_lines_dropped_total: [
    'counter',
    'Entries of logs given up because the disk was full or slow; label: node',
  ],
  ballast_log_files_delivered_total: ['counter', 'Files of logs that are in their buckets; label: node'],
  ballast_log_delivery_failures_total: [
    'counter',
    'Attempts to deliver a file of logs that failed; it is tried again; label: node',
  ],
  ballast_log_files_waiting_bytes: ['gauge', 'Files of logs that are not in their buckets yet; label: node'],
  ballast_healthy_hosts: ['gauge', 'Healthy registered targets; labels: load_balancer, target_group'],
  ballast_unhealthy_hosts: ['gauge', 'Unhealthy registered targets; labels: load_balancer, target_group'],
  ballast_anomalous_hosts: [
    'gauge',
    'Targets whose requests fail far more often than those of their peers; labels: load_balancer, target_group',
  ],
  ballast_mitigated_hosts: [
    'gauge',
    'Targets that get less than their share because of that; labels: load_balancer, target_group',
  ],
  ballast_journal_revision: ['gauge', 'The last durable revision'],
  ballast_journal_transactions_total: ['counter', 'Transactions written since the control plane started'],
  ballast_journal_commits_total: ['counter', 'Durable commits; one holds the transactions that came together'],
  ballast_journal_commit_failures_total: ['counter', 'Commits that the disk refused; nothing was changed'],
  ballast_journal_commit_seconds: ['histogram', 'From the first decision of a commit until it is durable'],
  ballast_journal_verified_revision: ['gauge', 'The last revision up to which the journal was found whole'],
  ballast_journal_verify_passes_total: [
    'counter',
    'Times that the journal was verified since the control plane started',
  ],
  ballast_journal_damaged: ['gauge', '1 while the journal is not as it was written; the log says where'],
  ballast_vault_revision: ['gauge', 'The last revision that the vault is known to hold'],
  ballast_vault_lag_revisions: ['gauge', 'Revisions that are not in the vault yet'],
  ballast_vault_lag_seconds: ['gauge', 'Age of the oldest transaction that is not in the vault; 0 when it holds all'],
  ballast_vault_failures_total: ['counter', 'Attempts to write the vault that failed; it is tried again'],
  ballast_vault_diverged: ['gauge', '1 while the vault holds another history than the journal, and is left as it is'],
  ballast_documents: ['gauge', 'Documents in the state; label: kind'],
  ballast_node_connected: ['gauge', '1 while the node follows the journal; label: node'],
  ballast_node_revision: ['gauge', 'The last revision that the node has in service; label: node'],
  ballast_node_revision_lag: ['gauge', 'Revisions that the node is behind; label: node'],
  ballast_node_diverged: ['gauge', '1 while the node holds another history than the journal; label: node'],
  ballast_node_held_transactions: ['gauge', "Transactions that the node's guard holds back; label: node"],
  ballast_approvals_waiting: ['gauge', 'Changes and requests that wait for the approval of another person'],
  ballast_guard_harmed_load_balancers: [
    'gauge',
    'Load balancers that stopped serving within the last ten minutes by changes that nobody approved',
  ],
  ballast_alarms_total: ['counter', 'Alarms that the sentinel has raised since the control plane started'],
  ballast_incidents_open: ['gauge', 'Incidents that are open'],
  ballast_protected_load_balancers: ['gauge', 'Load balancers that nobody may change until they are mended'],
  ballast_store_mended_total: ['counter', 'Times that the state store was put back since the control plane started'],
  ballast_sentinel_last_look_seconds: ['gauge', 'How long ago the sentinel last looked; it looks ten times a second'],
  ballast_alarm_webhook_failures_total: ['counter', 'Alarms that the webhook did not take'],
  ballast_workflows_frozen: ['gauge', '1 while no workflow changes anything'],
  ballast_api_requests_total: ['counter', 'AWS API calls; labels: action, code (OK or the error code)'],
  ballast_api_authentication_failures_total: ['counter', 'AWS API calls whose signature was refused; label: code'],
} as const satisfies Record<string, readonly ['counter' | 'gauge' | 'histogram', string]>;

export interface LoadBalancerTraffic {
  readonly id: string;
  readonly requests: number;
  readonly newConnections: number;
  readonly activeConnections: number;
  readonly rejectedConnections: number;
  readonly blockedConnections: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly clientGone: number;
  readonly ruleEvaluations: number;
  readonly fixedResponses: number;
  readonly redirects: number;
  readonly redirectsTooLong: number;
  readonly nonCompliantRequests: number;
  readonly droppedInvalidHeaders: number;
  readonly forwardedInvalidHeaders: number;
  readonly ipv6Requests: number;
  readonly ipv6Bytes: number;
  /** Status code → answers. */
  readonly elbResponses: Readonly<Record<string, number>>;
  readonly targetGroups: readonly {
    readonly id: string;
    readonly requests: number;
    readonly withoutTarget: number;
    readonly nonSticky: number;
    readonly unhealthyRouting: number;
    readonly connectErrors: number;
    readonly newConnections: number;
    readonly activeConnections: number;
    readonly ipv6Requests: number;
    /** `2xx` → answers. */
    readonly responses: Readonly<Record<string, number>>;
    readonly connectionErrors: number;
    readonly retries: number;
    readonly retriesRefused: number;
    readonly responseTime: SparseHistogram;
  }[];
}

export interface Snapshot {
  readonly version: string;
  /** `app/NAME/ID` or `targetgroup/NAME/ID` for an id; the id itself when it is not known any more. */
  readonly label: (id: string) => string;
  readonly traffic: readonly {
    readonly node: string;
    readonly loadBalancers: readonly LoadBalancerTraffic[];
    readonly hosts: readonly HostCounts[];
    readonly functions: readonly FunctionCounts[];
    /** Undefined: the node delivers no logs. */
    readonly logs?: {
      readonly droppedLines: number;
      readonly delivered: number;
      readonly failures: number;
      readonly waitingBytes: number;
    };
  }[];
  readonly hosts: readonly {
    readonly loadBalancerId: string;
    readonly targetGroupId: string;
    readonly healthy: number;
    readonly unhealthy: number;
    readonly anomalous: number;
    readonly mitigated: number;
  }[];
  readonly journal: {
    readonly revision: number;
    readonly transactions: number;
    readonly batches: number;
    readonly failures: number;
    readonly commit: Histogram;
  };
  /** Undefined in a drill without it. */
  readonly vault:
    | undefined
    | {
        readonly revision: number;
        readonly lagRevisions: number;
        readonly lagSeconds: number;
        readonly failures: number;
        readonly diverged: boolean;
      };
  readonly verifier: { readonly verifiedRevision: number; readonly passes: number; readonly damaged: boolean };
  readonly documents: Readonly<Record<string, number>>;
  readonly nodes: readonly NodeStatus[];
  /** Undefined in a drill without it. */
  readonly sentinel:
    | {
        readonly alarms: number;
        readonly openIncidents: number;
        readonly protectedLoadBalancers: number;
        readonly lastLookSeconds: number;
        readonly mended: number;
        readonly webhookFailures: number;
      }
    | undefined;
  readonly guard: { readonly waiting: number; readonly harmed: number; readonly frozen: boolean };
  readonly api: {
    readonly requests: readonly { readonly action: string; readonly code: string; readonly count: number }[];
    readonly authenticationFailures: Readonly<Record<string, number>>;
  };
}

/** The page that `/metrics` answers with. */
export function renderMetrics(snapshot: Snapshot): string {
  const page = new MetricsPage();
  for (const [name, [type, help]] of Object.entries(families)) page.announce(name, help, type);
  const count = (name: keyof typeof families, labels: Labels, value: number) => {
    const [type, help] = families[name];
    if (type === 'counter') page.counter(name, help, labels, value);
    else page.gauge(name, help, labels, value);
  };
  const durations = (name: keyof typeof families, labels: Labels, histogram: Histogram) =>
    page.histogram(name, families[name][1], labels, histogram);

  count('ballast_info', { version: snapshot.version }, 1);
  for (const { node, loadBalancers, hosts, functions, logs } of snapshot.traffic) {
    if (logs !== undefined) {
      count('ballast_log_lines_dropped_total', { node }, logs.droppedLines);
      count('ballast_log_files_delivered_total', { node }, logs.delivered);
      count('ballast_log_delivery_failures_total', { node }, logs.failures);
      count('ballast_log_files_waiting_bytes', { node }, logs.waitingBytes);
    }
    for (const it of loadBalancers) {
      const labels = { node, load_balancer: snapshot.label(it.id) };
      count('ballast_requests_total', labels, it.requests);
      count('ballast_connections_total', labels, it.newConnections);
      count('ballast_connections_active', labels, it.activeConnections);
      count('ballast_connections_rejected_total', labels, it.rejectedConnections);
      count('ballast_connections_blocked_total', labels, it.blockedConnections);
      count('ballast_client_gone_total', labels, it.clientGone);
      count('ballast_received_bytes_total', labels, it.bytesIn);
      count('ballast_sent_bytes_total', labels, it.bytesOut);
      count('ballast_rule_evaluations_total', labels, it.ruleEvaluations);
      count('ballast_fixed_responses_total', labels, it.fixedResponses);
      count('ballast_redirects_total', labels, it.redirects);
      count('ballast_redirects_too_long_total', labels, it.redirectsTooLong);
      count('ballast_noncompliant_requests_total', labels, it.nonCompliantRequests);
      count('ballast_dropped_invalid_headers_total', labels, it.droppedInvalidHeaders);
      count('ballast_forwarded_invalid_headers_total', labels, it.forwardedInvalidHeaders);
      count('ballast_ipv6_requests_total', labels, it.ipv6Requests);
      count('ballast_ipv6_bytes_total', labels, it.ipv6Bytes);
      for (const [code, answers] of Object.entries(it.elbResponses))
        count('ballast_elb_responses_total', { ...labels, code }, answers);
      for (const group of it.targetGroups) {
        const groupLabels = { ...labels, target_group: snapshot.label(group.id) };
        count('ballast_target_requests_total', groupLabels, group.requests);
        count('ballast_target_choices_failed_total', groupLabels, group.withoutTarget);
        count('ballast_nonsticky_requests_total', groupLabels, group.nonSticky);
        count('ballast_unhealthy_routing_requests_total', groupLabels, group.unhealthyRouting);
        count('ballast_target_connect_errors_total', groupLabels, group.connectErrors);
        count('ballast_target_connections_total', groupLabels, group.newConnections);
        count('ballast_target_connections_active', groupLabels, group.activeConnections);
        count('ballast_target_connection_errors_total', groupLabels, group.connectionErrors);
        count('ballast_target_retries_total', groupLabels, group.retries);
        count('ballast_target_retries_refused_total', groupLabels, group.retriesRefused);
        for (const [responseClass, answers] of Object.entries(group.responses)) {
          count('ballast_target_responses_total', { ...groupLabels, class: responseClass }, answers);
        }
        durations('ballast_target_response_seconds', groupLabels, Histogram.fromSparse(group.responseTime));
      }
    }
    for (const { loadBalancerId, targetGroupId, isFailingOpen } of hosts) {
      const labels = { load_balancer: snapshot.label(loadBalancerId), target_group: snapshot.label(targetGroupId) };
      count('ballast_healthy_routing', { node, ...labels }, Number(!isFailingOpen));
      const functionsOf = functions.find((each) => each.targetGroupId === targetGroupId);
      if (functionsOf === undefined) continue;
      count('ballast_function_errors_total', { node, ...labels, by: 'user' }, functionsOf.userErrors);
      count('ballast_function_errors_total', { node, ...labels, by: 'internal' }, functionsOf.internalErrors);
      count('ballast_function_bytes_total', { node, ...labels }, functionsOf.bytes);
    }
  }
  for (const { loadBalancerId, targetGroupId, healthy, unhealthy, anomalous, mitigated } of snapshot.hosts) {
    const labels = { load_balancer: snapshot.label(loadBalancerId), target_group: snapshot.label(targetGroupId) };
    count('ballast_healthy_hosts', labels, healthy);
    count('ballast_unhealthy_hosts', labels, unhealthy);
    count('ballast_anomalous_hosts', labels, anomalous);
    count('ballast_mitigated_hosts', labels, mitigated);
  }
  const { journal, vault, verifier, api } = snapshot;
  count('ballast_journal_revision', {}, journal.revision);
  count('ballast_journal_transactions_total', {}, journal.transactions);
  count('ballast_journal_commits_total', {}, journal.batches);
  count('ballast_journal_commit_failures_total', {}, journal.failures);
  durations('ballast_journal_commit_seconds', {}, journal.commit);
  count('ballast_journal_verified_revision', {}, verifier.verifiedRevision);
  count('ballast_journal_verify_passes_total', {}, verifier.passes);
  count('ballast_journal_damaged', {}, Number(verifier.damaged));
  if (vault !== undefined) {
    count('ballast_vault_revision', {}, vault.revision);
    count('ballast_vault_lag_revisions', {}, vault.lagRevisions);
    count('ballast_vault_lag_seconds', {}, vault.lagSeconds);
    count('ballast_vault_failures_total', {}, vault.failures);
    count('ballast_vault_diverged', {}, Number(vault.diverged));
  }
  for (const [kind, documents] of Object.entries(snapshot.documents)) count('ballast_documents', { kind }, documents);
  for (const { id: node, connected, revision, lag, diverged, held } of snapshot.nodes) {
    count('ballast_node_connected', { node }, Number(connected));
    count('ballast_node_revision', { node }, revision);
    count('ballast_node_revision_lag', { node }, lag);
    count('ballast_node_diverged', { node }, Number(diverged));
    count('ballast_node_held_transactions', { node }, held);
  }
  const { sentinel } = snapshot;
  if (sentinel !== undefined) {
    count('ballast_alarms_total', {}, sentinel.alarms);
    count('ballast_incidents_open', {}, sentinel.openIncidents);
    count('ballast_protected_load_balancers', {}, sentinel.protectedLoadBalancers);
    count('ballast_store_mended_total', {}, sentinel.mended);
    count('ballast_sentinel_last_look_seconds', {}, sentinel.lastLookSeconds);
    count('ballast_alarm_webhook_failures_total', {}, sentinel.webhookFailures);
  }
  count('ballast_approvals_waiting', {}, snapshot.guard.waiting);
  count('ballast_guard_harmed_load_balancers', {}, snapshot.guard.harmed);
  count('ballast_workflows_frozen', {}, Number(snapshot.guard.frozen));
  for (const { action, code, count: calls } of api.requests)
    count('ballast_api_requests_total', { action, code }, calls);
  for (const [code, failures] of Object.entries(api.authenticationFailures)) {
    count('ballast_api_authentication_failures_total', { code }, failures);
  }
  return page.render();
}
