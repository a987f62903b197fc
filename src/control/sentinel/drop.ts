/** Whether one transaction has removed unusually much, whoever the guard let do it. */
import { isOver, namedLimit } from '#guard/limits.ts';
import type { Transaction } from '#model/change.ts';
import { isOfGuard, type Kind } from '#model/documents.ts';
import type { View } from '#model/view.ts';

/** Of anything, more than half of all and at least so many at once. */
const share = 2;
const countMin = 100;

/** `view` is the state after it. */
export function unusualDrop(view: View, { changes, cause, harmed }: Transaction): boolean {
  if (cause.certificates !== undefined) return false;
  if (harmed > 0 && isOver(namedLimit(view, 'api'), harmed, view.count('load-balancer') + harmed)) return true;
  if (changes.length < countMin) return false;
  for (const [kind, count] of removedByKind(changes)) {
    if (!isOfGuard(kind) && count >= countMin && count * share > view.count(kind) + count) return true;
  }
  return false;
}

/** `30 listeners, 12 load balancers`: what it removed, most first. */
export function droppedKind({ changes }: Transaction): string {
  const counts = [...removedByKind(changes)].sort(([, one], [, other]) => other - one);
  const words = (kind: Kind, count: number) => `${count} ${kind.replace('-', ' ')}${count === 1 ? '' : 's'}`;
  return counts.map(([kind, count]) => words(kind, count)).join(', ');
}

function removedByKind(changes: Transaction['changes']): Map<Kind, number> {
  const counts = new Map<Kind, number>();
  for (const { kind, after } of changes) if (after === null) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}
