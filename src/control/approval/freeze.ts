/** Stops and starts all workflows in one transaction. What serves goes on; so does what tenants ask for. */
import { accept, type Result } from '#base/result.ts';
import type { Refusal } from '#control/time-travel/scope.ts';
import type { Random } from '#io/random.ts';
import type { Journal } from '#journal/journal.ts';
import { put, remove } from '#model/change.ts';
import { commitWish } from './committing.ts';

export interface FreezeState {
  readonly frozen: boolean;
  readonly by?: string;
  readonly reason?: string;
  /** Since which it is so; undefined when it was never otherwise. */
  readonly revision: number | undefined;
}

export interface FreezeOptions {
  readonly journal: Journal;
  readonly random: Random;
  readonly nowMs: () => number;
}

export class Freeze {
  readonly #options: FreezeOptions;

  constructor(options: FreezeOptions) {
    this.#options = options;
  }

  get state(): FreezeState {
    const { view } = this.#options.journal;
    const known = view.get('freeze', 'workflows');
    if (known === undefined) return { frozen: false, revision: undefined };
    return { frozen: true, by: known.by, reason: known.reason, revision: view.revisionOf('freeze', 'workflows') };
  }

  async freeze(by: string, { reason }: { readonly reason: string }): Promise<Result<FreezeState, Refusal>> {
    const done = await commitWish(this.#options, { by, action: 'Freeze', reason }, (view) => {
      const known = view.get('freeze', 'workflows');
      if (known !== undefined) return `workflows are frozen already, by ${known.by}: ${known.reason}`;
      const document = { by, reason, sinceMs: this.#options.nowMs() };
      return { changes: [put(view, 'freeze', 'workflows', document)], output: undefined };
    });
    return done.ok ? accept({ frozen: true, by, reason, revision: done.value.revision }) : done;
  }

  async thaw(by: string): Promise<Result<FreezeState, Refusal>> {
    const done = await commitWish(this.#options, { by, action: 'Thaw' }, (view) => {
      if (view.get('freeze', 'workflows') === undefined) return 'workflows are not frozen';
      return { changes: [remove(view, 'freeze', 'workflows')], output: undefined };
    });
    return done.ok ? accept({ frozen: false, revision: done.value.revision }) : done;
  }
}
