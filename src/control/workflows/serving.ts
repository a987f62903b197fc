/**
 * What nodes say they serve, and how the state takes it. Nothing here takes an address out of service that was in it:
 * a node that says nothing, or something bad, is no reason for that.
 */
import { type Change, put } from '#model/change.ts';
import type { HexId, PlacementDocument } from '#model/documents.ts';
import { placementKey } from '#model/keys.ts';
import type { View } from '#model/view.ts';

const reasonLengthMax = 500;

/** What a node says about one load balancer. */
export interface ServingReport {
  readonly loadBalancerId: HexId;
  /** Undefined while all its listeners serve; otherwise why one of them does not. */
  readonly failure?: string;
}

/** Notes what a node serves, only where it differs; reports about what is not placed on the node change nothing. */
export function recordServing(
  view: View,
  said: { readonly nodeId: string; readonly reports: readonly ServingReport[]; readonly nowMs: number },
): readonly Change[] {
  const changes = new Map<string, Change>();
  for (const { loadBalancerId, failure } of said.reports) {
    const key = placementKey({ loadBalancerId, nodeId: said.nodeId });
    const placement = view.get('placement', key);
    if (placement === undefined) continue;
    const state = stateAfter(placement.state, failure?.slice(0, reasonLengthMax), said.nowMs);
    if (state === placement.state) changes.delete(key);
    else changes.set(key, put(view, 'placement', key, { ...placement, state }));
  }
  return [...changes.values()];
}

/**
 *     pending ──all serve──▶ serving ◀──▶ serving with an impairment
 *        │                      ▲
 *        └──one fails──▶ failed ┘
 *
 * An address that leaves does so whatever its node says.
 */
function stateAfter(
  state: PlacementDocument['state'],
  failure: string | undefined,
  nowMs: number,
): PlacementDocument['state'] {
  if (state.kind === 'leaving') return state;
  if (state.kind === 'serving') {
    if (state.impairment === failure) return state;
    const { sinceMs } = state;
    return failure === undefined ? { kind: 'serving', sinceMs } : { kind: 'serving', sinceMs, impairment: failure };
  }
  if (failure === undefined) return { kind: 'serving', sinceMs: nowMs };
  return state.kind === 'failed' && state.reason === failure ? state : { kind: 'failed', reason: failure };
}
