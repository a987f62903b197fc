/**
 * Compares what a follower holds with what it should. What it lacks is told whole; what it has too much it is told the
 * removal of, if there ever was one, and nothing else: that something is missing here takes nothing away there.
 */
import type { Entry } from '#model/documents.ts';
import type { Held } from '#model/state-digest.ts';
import type { View } from '#model/view.ts';
import type { FollowerRole } from './frames.ts';
import { Subset } from './subset.ts';

export interface Difference {
  /** Documents that it lacks, or holds in an earlier revision. */
  readonly lacks: readonly Entry[];
  /** What it holds and should not, or in a later revision than there is. */
  readonly extra: readonly Held[];
}

/** What a follower of the role works with, found from its placements on: on both sides by the same rule. */
export function workedWith(view: View, role: FollowerRole): readonly Entry[] {
  return new Subset(role, { loadBalancers: [], targetGroups: [] }).missing(view);
}

export function compareHeld(expected: readonly Entry[], held: Iterable<Held>): Difference {
  const rest = new Map(expected.map((entry) => [`${entry.kind}/${entry.id}`, entry]));
  const lacks: Entry[] = [];
  const extra: Held[] = [];
  for (const each of held) {
    const key = `${each.kind}/${each.id}`;
    const entry = rest.get(key);
    rest.delete(key);
    if (entry === undefined || entry.revision < each.revision) extra.push(each);
    else if (entry.revision > each.revision) lacks.push(entry);
  }
  return { lacks: [...lacks, ...rest.values()], extra };
}
