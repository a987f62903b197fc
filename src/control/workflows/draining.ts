/** The end of draining: a target goes for good once its deregistration delay has passed. */
import { type Change, remove } from '#model/change.ts';
import type { Entry } from '#model/documents.ts';
import type { View } from '#model/view.ts';

/** Bounds one transaction; whoever removes the drained calls again until nothing is left to remove. */
const targetsPerTransactionMax = 10_000;

/** The draining targets whose time has passed. */
export function* drained(view: View, nowMs: number): Iterable<Entry<'target'>> {
  for (const entry of view.find('drainingTargets', '')) {
    const { state } = entry.document;
    if (state.kind === 'draining' && state.untilMs <= nowMs) yield entry;
  }
}

/** Tombstones for the draining targets whose time has passed. */
export function removeDrained(view: View, nowMs: number): readonly Change[] {
  const changes: Change[] = [];
  for (const { id } of drained(view, nowMs)) {
    changes.push(remove(view, 'target', id));
    if (changes.length === targetsPerTransactionMax) break;
  }
  return changes;
}
