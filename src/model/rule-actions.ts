/** What the actions of a rule refer to. */
import type { HexId, RuleAction } from './documents.ts';

/** The target groups that they forward to, each once. */
export function targetGroupsOf(actions: readonly RuleAction[]): Set<HexId> {
  const groups = new Set<HexId>();
  for (const action of actions) {
    if (action.kind === 'forward') for (const { targetGroupId } of action.groups) groups.add(targetGroupId);
  }
  return groups;
}
