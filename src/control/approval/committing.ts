/** How operators' own wishes are written: with who wants it as the cause, and refusals in the operator API's form. */
import { accept, type Result, refuse } from '#base/result.ts';
import type { Refusal } from '#control/time-travel/scope.ts';
import type { Random } from '#io/random.ts';
import type { Journal } from '#journal/journal.ts';
import type { Change } from '#model/change.ts';
import { fault } from '#model/fault.ts';
import type { View } from '#model/view.ts';

export interface Wish {
  /** Who wants it: `operator/NAME`, or `operator` for the region's own key. */
  readonly by: string;
  readonly action: string;
  readonly reason?: string | undefined;
}

/**
 * Writes what `decide` gives. A text instead is why it cannot be (409); undefined: what it is about is not there (404).
 * What the guard holds or refuses is 409 too.
 */
export async function commitWish<Output>(
  { journal, random }: { readonly journal: Journal; readonly random: Random },
  { by, action, reason }: Wish,
  decide: (view: View) => { readonly changes: readonly Change[]; readonly output: Output } | string | undefined,
): Promise<Result<{ readonly output: Output; readonly revision: number | undefined }, Refusal>> {
  const cause = {
    principal: by,
    channel: 'maintenance',
    action,
    requestId: random.hex(32),
    ...(reason === undefined ? {} : { reason }),
  } as const;
  let refusal: Refusal | undefined;
  const result = await journal.transact<Output>(cause, (view) => {
    const decided = decide(view);
    if (typeof decided === 'object') return accept(decided);
    refusal =
      decided === undefined ? { status: 404, error: 'there is none of that name' } : { status: 409, error: decided };
    return refuse(fault('ValidationError', refusal.error));
  });
  if (result.ok) return accept({ output: result.value.output, revision: result.value.transaction?.revision });
  const { code, message } = result.fault;
  return refuse(refusal ?? { status: code === 'ServiceUnavailable' ? 503 : 409, error: message });
}
