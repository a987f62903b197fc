/** Whether a transaction has left something that refers to nowhere, or breaks another law of the state. */
import type { Change } from '#model/change.ts';
import type { Key } from '#model/key-map.ts';
import { breachOf } from '#model/laws.ts';
import type { View } from '#model/view.ts';
import { type IndexName, indexes } from '#model/view.ts';

/** What was found, as `rule 1f2e, which refers to target group 3a4b that is not there`. */
export interface BrokenReference {
  readonly what: string;
  /** What is not there; undefined when another law is broken, or when it was one of the changes that removed it. */
  readonly missing?: Key;
  readonly changes: readonly Change[];
}

/** Under the id of what is gone, these find what still refers to it. */
const referrers: Readonly<Partial<Record<Change['kind'], readonly IndexName[]>>> = {
  'load-balancer': ['listenersOfLoadBalancer', 'placementsOfLoadBalancer'],
  listener: ['rulesOfListener'],
  'target-group': ['rulesUsingTargetGroup', 'targetsOfTargetGroup'],
  node: ['placementsOfNode'],
};

/** The first one that the changes left in the state, which they are part of by now. */
export function brokenReference(view: View, changes: readonly Change[]): BrokenReference | undefined {
  for (const change of changes) {
    const { kind, id, after } = change;
    if (view.revisionOf(kind, id) === 0 && after === null) {
      for (const index of referrers[kind] ?? []) {
        for (const found of view.find(index, id)) {
          return {
            what: `${indexes[index].kind} ${found.id}, which refers to ${kind} ${id} that is gone`,
            changes: [asChange(view, indexes[index].kind, found.id)],
          };
        }
      }
      continue;
    }
    // A later transaction of the same batch may have changed it again: what counts is how it is.
    const document = view.get(kind, id);
    const breach = document && breachOf(view, kind, id, document);
    if (breach !== undefined) {
      const { law, other } = breach;
      const what =
        law === 'reference'
          ? `refers to ${other.kind} ${other.id} that is not there`
          : `breaks the law of ${law} with ${other.kind} ${other.id}`;
      return {
        what: `${kind} ${id}, which ${what}`,
        ...(law === 'reference' && { missing: other }),
        changes: [change],
      };
    }
  }
  return undefined;
}

function asChange(view: View, kind: Change['kind'], id: string): Change {
  return { kind, id, before: 0, after: view.get(kind, id) ?? null } as Change;
}
