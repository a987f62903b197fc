/**
 * The guard's judgement of one transaction, by the channel it came through. Asked by the journal before it writes and
 * by every node before it applies.
 *
 *   api          an owner may remove what is theirs
 *   restore      gives back; what it takes away was put there by the change that it undoes
 *   workflow     may never take the last serving address, listener or target of anything
 *   maintenance  nothing at all that harms, unless it was granted; there is no grant to show yet
 */
import { accept, type Result, refuse } from '#base/result.ts';
import type { Cause, Change } from '#model/change.ts';
import { type Fault, fault } from '#model/fault.ts';
import type { View } from '#model/view.ts';
import { describeHarm, type Harm, harm } from './harm.ts';

export type Verdict =
  | { readonly kind: 'admit'; readonly harmed: readonly Harm[] }
  | { readonly kind: 'refuse'; readonly harmed: readonly Harm[]; readonly reason: string };

/** Pure: the verdict depends on nothing but its arguments. */
export function judge(view: View, changes: readonly Change[], cause: Cause): Verdict {
  const harmed = harm(view, changes);
  switch (cause.channel) {
    case 'api':
    case 'restore':
      return { kind: 'admit', harmed };
    case 'workflow':
    case 'maintenance':
      if (harmed.length === 0) return { kind: 'admit', harmed };
      return { kind: 'refuse', harmed, reason: `${cause.channel} ${cause.action} is refused: ${describeHarm(harmed)}` };
  }
}

/** The guard in the form that the journal asks for. */
export function guardJournal(view: View, changes: readonly Change[], cause: Cause): Result<number, Fault> {
  const verdict = judge(view, changes, cause);
  if (verdict.kind === 'admit') return accept(verdict.harmed.length);
  return refuse(fault('OperationNotPermitted', verdict.reason));
}
