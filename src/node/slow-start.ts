/**
 * Decides which targets go through slow start, at the moment when they become healthy. That is remembered with the
 * verdict, so it outlives routing tables, and a node that starts anew begins none for targets that it already knew.
 * Source: "Slow start mode" in the documentation of target group attributes.
 */
import { targetGroupAttribute } from '#model/attributes.ts';
import type { HealthVerdict } from '#model/health.ts';
import type { View } from '#model/view.ts';

/** The verdict as it is to be kept, with the beginning of a slow start if there is one. */
export function withSlowStart(
  key: string,
  verdict: HealthVerdict,
  {
    view,
    known,
    nowMs,
  }: { readonly view: View; readonly known: ReadonlyMap<string, HealthVerdict>; readonly nowMs: number },
): HealthVerdict {
  const groupId = key.slice(0, key.indexOf('/'));
  const group = view.get('target-group', groupId);
  const own = view.get('target', key);
  if (verdict.kind !== 'healthy' || group === undefined || own === undefined) return verdict;
  const durationMs = Number(targetGroupAttribute(group, 'slow_start.duration_seconds')) * 1_000;
  if (durationMs === 0 || targetGroupAttribute(group, 'load_balancing.algorithm.type') !== 'round_robin')
    return verdict;
  const isRecovering = known.get(key)?.kind === 'unhealthy';
  for (const { id, document } of view.find('targetsOfTargetGroup', groupId)) {
    const other = known.get(id);
    if (id === key || document.state.kind !== 'registered' || other?.kind !== 'healthy') continue;
    if (nowMs < (other.slowStartAtMs ?? Number.NEGATIVE_INFINITY) + durationMs) continue;
    // Those that were registered together start together, or the first to be found healthy would carry all alone.
    if (isRecovering || document.state.sinceMs < own.state.sinceMs) return { ...verdict, slowStartAtMs: nowMs };
  }
  return verdict;
}
