/**
 * The health check logs of a node: an entry for each probe, for every load balancer on the node that uses the target's
 * group and keeps such logs, in the format of an Application Load Balancer.
 * Source: "Health check log entries" in its documentation.
 */
import type { Probed } from '#health/checker.ts';
import type { ProbeOutcome } from '#health/streak.ts';
import type { LogSink } from '#io/log-spool.ts';
import type { Entry } from '#model/documents.ts';
import { placementKey } from '#model/keys.ts';
import { formatLogHeading, logPlace } from '#model/log-place.ts';
import type { View } from '#model/view.ts';

export class HealthLog {
  readonly #sink: LogSink;
  readonly #view: View;
  readonly #node: { readonly nodeId: string; readonly region: string };

  constructor(sink: LogSink, view: View, node: { readonly nodeId: string; readonly region: string }) {
    this.#sink = sink;
    this.#view = view;
    this.#node = node;
  }

  probed(probed: Probed): void {
    const { key } = probed.target;
    const group = this.#view.get('target-group', key.slice(0, key.indexOf('/')));
    if (group === undefined) return;
    const { nodeId, region } = this.#node;
    for (const loadBalancerId of this.#users(key.slice(0, key.indexOf('/')))) {
      const document = this.#view.get('load-balancer', loadBalancerId);
      const placement = this.#view.get('placement', placementKey({ loadBalancerId, nodeId }));
      if (document === undefined || placement === undefined) continue;
      const { address } = placement;
      const place = logPlace('health-check', { id: loadBalancerId, document }, { region, address });
      if (place === undefined) continue;
      const entry = `${entryOf(probed, group, this.#view.get('target', key)?.named)} app/${document.name}/${loadBalancerId} ${address}`;
      this.#sink.book(formatLogHeading(place)).addText(entry, probed.startedAtMs + probed.durationMs);
    }
  }

  /** The load balancers that use a target group. */
  #users(targetGroupId: string): Set<string> {
    const ids = new Set<string>();
    for (const { document } of this.#view.find('rulesUsingTargetGroup', targetGroupId)) {
      const listener = this.#view.get('listener', document.listenerId);
      if (listener !== undefined) ids.add(listener.loadBalancerId);
    }
    return ids;
  }
}

/** `type` to `reason_code`. */
function entryOf(
  { target, startedAtMs, durationMs, outcome }: Probed,
  group: Entry<'target-group'>['document'],
  named = '-',
): string {
  const isFunction = group.targetType === 'lambda';
  const { address, port } = target;
  const place = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  return [
    isFunction ? 'lambda' : target.settings.protocol.toLowerCase(),
    new Date(startedAtMs).toISOString().replace('Z', '000Z'),
    (durationMs / 1000).toFixed(9),
    isFunction ? named : place,
    group.name,
    outcome.kind === 'success' ? 'PASS' : 'FAIL',
    outcome.statusCode ?? '-',
    reasonOf(outcome),
  ].join(' ');
}

/** "Error reason codes". */
function reasonOf(outcome: ProbeOutcome): string {
  if (outcome.kind === 'success') return '-';
  switch (outcome.verdict.reason) {
    case 'Target.Timeout':
      return 'TimedOut';
    case 'Target.ResponseCodeMismatch':
      return (outcome.statusCode ?? 0) >= 500 ? 'TargetError' : 'ResponseCodeMismatch';
    case 'Target.FailedHealthChecks':
      return 'ConnectionReset';
  }
}
