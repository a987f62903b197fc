/** Several resources with everything that belongs to them, and what they cannot be without. */
import { accept, type Result } from '#base/result.ts';
import type { History } from '#journal/history.ts';
import type { Documents, HexId } from '#model/documents.ts';
import type { Key, KeyMap } from '#model/key-map.ts';
import { referencesOf } from '#model/laws.ts';
import type { View } from '#model/view.ts';
import type { Wanted } from './plan.ts';
import { familyOf, findResource, type Refusal } from './scope.ts';

/** The families of the ARNs; refuses as `findResource` does. */
export function findFamilies(
  history: History,
  arns: readonly string[],
  region: string,
): Result<readonly Key[], Refusal> {
  const keys: Key[] = [];
  for (const arn of arns) {
    const resource = findResource(history, arn, region);
    if (!resource.ok) return resource;
    for (const key of familyOf(history, resource.value)) keys.push(key);
  }
  return accept(keys);
}

/** Everything that the account ever owned. */
export function* familiesOfAccount(history: History, account: string): Iterable<Key> {
  for (const id of history.everFound('loadBalancersOfAccount', account)) {
    yield* familyOf(history, { kind: 'load-balancer', id });
  }
  for (const id of history.everFound('targetGroupsOfAccount', account)) {
    yield* familyOf(history, { kind: 'target-group', id });
  }
}

/** The target groups that wanted rules forward to, and that are neither there nor wanted. */
export function missingGroups(view: View, wanted: KeyMap<Wanted>): ReadonlySet<HexId> {
  const missing = new Set<HexId>();
  for (const { base } of wanted.valuesOf('rule')) {
    for (const { kind, id } of base === null ? [] : referencesOf('rule', base as Documents['rule'])) {
      if (kind !== 'target-group' || wanted.has(kind, id) || view.get(kind, id) !== undefined) continue;
      missing.add(id);
    }
  }
  return missing;
}

/** Calls `add` for each missing target group and for all that ever belonged to it. */
export function addNeeds(history: History, view: View, wanted: KeyMap<Wanted>, add: (key: Key) => void): void {
  for (const id of missingGroups(view, wanted)) {
    for (const key of familyOf(history, { kind: 'target-group', id })) add(key);
  }
}
