/**
 * What each target did, as a page of Prometheus text of its own: there may be a million targets, so only those that got
 * requests are on it, of the target groups that were asked for, and of each node at most the ten thousand busiest.
 */
import { type Labels, MetricsPage } from './prometheus.ts';

/** name → [type, help]. Labels stand in the help. */
export const targetFamilies = {
  ballast_each_target_requests_total: [
    'counter',
    'Requests given to the target, retries among them; labels: node, load_balancer, target_group, target',
  ],
  ballast_each_target_responses_total: [
    'counter',
    'Its answers; labels: node, load_balancer, target_group, target, class',
  ],
  ballast_each_target_connect_errors_total: [
    'counter',
    'Connections to it that could not be established; labels: node, load_balancer, target_group, target',
  ],
  ballast_each_target_response_seconds_sum: [
    'counter',
    'The time that its answers took, added up; divide by the responses; labels: node, load_balancer, target_group, target',
  ],
  ballast_each_target_requests_outstanding: [
    'gauge',
    'Requests that it has not answered yet; labels: node, load_balancer, target_group, target',
  ],
  ballast_each_target_sent_bytes_total: [
    'counter',
    'Bytes written to it; labels: node, load_balancer, target_group, target',
  ],
  ballast_each_target_received_bytes_total: [
    'counter',
    'Bytes read from it; labels: node, load_balancer, target_group, target',
  ],
  ballast_each_target_left_out: ['gauge', 'Targets with requests that are not on the page, at least; label: node'],
} as const satisfies Record<string, readonly ['counter' | 'gauge', string]>;

export interface TargetsOfNode {
  readonly node: string;
  readonly targetsLeftOut: number;
  readonly targets: readonly {
    readonly label: string;
    readonly loadBalancerId: string;
    readonly targetGroupId: string;
    readonly requests: number;
    readonly outstanding: number;
    /** `2xx` → answers. */
    readonly responses: Readonly<Record<string, number>>;
    readonly connectErrors: number;
    readonly responseTimeMs: number;
    readonly bytesOut: number;
    readonly bytesIn: number;
  }[];
}

/** The page that `/metrics?targets=…` answers with; `label` names load balancers and target groups by their ids. */
export function renderTargetMetrics(nodes: readonly TargetsOfNode[], label: (id: string) => string): string {
  const page = new MetricsPage();
  for (const [name, [type, help]] of Object.entries(targetFamilies)) page.announce(name, help, type);
  const count = (name: keyof typeof targetFamilies, labels: Labels, value: number) => {
    const [type, help] = targetFamilies[name];
    if (type === 'counter') page.counter(name, help, labels, value);
    else page.gauge(name, help, labels, value);
  };
  for (const { node, targets, targetsLeftOut } of nodes) {
    count('ballast_each_target_left_out', { node }, targetsLeftOut);
    for (const it of targets) {
      const labels = {
        node,
        load_balancer: label(it.loadBalancerId),
        target_group: label(it.targetGroupId),
        target: it.label,
      };
      count('ballast_each_target_requests_total', labels, it.requests);
      for (const [responseClass, answers] of Object.entries(it.responses)) {
        if (answers > 0) count('ballast_each_target_responses_total', { ...labels, class: responseClass }, answers);
      }
      count('ballast_each_target_connect_errors_total', labels, it.connectErrors);
      count('ballast_each_target_response_seconds_sum', labels, it.responseTimeMs / 1_000);
      count('ballast_each_target_requests_outstanding', labels, it.outstanding);
      count('ballast_each_target_sent_bytes_total', labels, it.bytesOut);
      count('ballast_each_target_received_bytes_total', labels, it.bytesIn);
    }
  }
  return page.render();
}
