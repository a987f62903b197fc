/**
 * Whether unusually much was removed within a minute that nobody had approved, whoever the guard let do it, at once or
 * little by little.
 */
import { isOver, namedLimit } from '#guard/limits.ts';
import type { Transaction } from '#model/change.ts';
import { isOfGuard, type Kind } from '#model/documents.ts';
import type { View } from '#model/view.ts';

const windowMs = 60_000;
/** Of anything, more than half of all and at least so many. */
const share = 2;
const countMin = 100;
/** What was said is not said again for so long. */
const quietMs = 600_000;
const removalsMax = 100_000;

export interface Drop {
  /** `30 listeners, 12 load balancers`: what was removed, most first. */
  readonly what: string;
  readonly harmed: number;
  /** The transactions that did it. */
  readonly from: number;
  readonly to: number;
}

interface Removal {
  readonly revision: number;
  readonly timeMs: number;
  readonly counts: ReadonlyMap<Kind, number>;
  readonly harmed: number;
}

export class DropWatch {
  #removals: Removal[] = [];
  #quietUntilMs = 0;

  /** `view` is the state after the transaction. */
  note(view: View, { revision, timeMs, changes, cause, harmed }: Transaction): Drop | undefined {
    if (cause.certificates !== undefined) return undefined;
    const counts = removedByKind(changes);
    if (counts.size === 0 && harmed === 0) return undefined;
    this.#removals = this.#removals.filter((each) => each.timeMs >= timeMs - windowMs).slice(-removalsMax);
    this.#removals.push({ revision, timeMs, counts, harmed });
    if (timeMs < this.#quietUntilMs || !this.#isUnusual(view)) return undefined;
    this.#quietUntilMs = timeMs + quietMs;
    return { what: this.#what(), harmed: this.#harmed, from: this.#removals[0]!.revision, to: revision };
  }

  get #harmed(): number {
    return this.#removals.reduce((sum, each) => sum + each.harmed, 0);
  }

  #isUnusual(view: View): boolean {
    const [once, all] = [this.#removals.at(-1)!.harmed, this.#harmed];
    const left = view.count('load-balancer');
    // At once, as much as one may do alone; little by little, as much as all of them together.
    if (isOver(namedLimit(view, 'api'), once, left + all) || isOver(namedLimit(view, 'region'), all, left + all))
      return true;
    for (const [kind, count] of this.#sums()) {
      if (!isOfGuard(kind) && count >= countMin && count * share > view.count(kind) + count) return true;
    }
    return false;
  }

  #what(): string {
    const words = (kind: Kind, count: number) => `${count} ${kind.replace('-', ' ')}${count === 1 ? '' : 's'}`;
    const sums = [...this.#sums()].sort(([, one], [, other]) => other - one);
    return sums.map(([kind, count]) => words(kind, count)).join(', ');
  }

  #sums(): Map<Kind, number> {
    const sums = new Map<Kind, number>();
    for (const { counts } of this.#removals) {
      for (const [kind, count] of counts) sums.set(kind, (sums.get(kind) ?? 0) + count);
    }
    return sums;
  }
}

function removedByKind(changes: Transaction['changes']): Map<Kind, number> {
  const counts = new Map<Kind, number>();
  for (const { kind, after } of changes) if (after === null) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}
