/** The limits as operators see and change them. A change is held by the guard until another person has approved it. */
import { accept, type Result, refuse } from '#base/result.ts';
import type { Refusal } from '#control/time-travel/scope.ts';
import { defaultLimits, isLimitId, windowSecondsMax } from '#guard/limits.ts';
import type { Random } from '#io/random.ts';
import type { Journal } from '#journal/journal.ts';
import type { LimitEntry } from '#model/approvals.ts';
import { put, remove } from '#model/change.ts';
import type { LimitDocument } from '#model/documents.ts';
import type { View } from '#model/view.ts';
import { commitWish } from './committing.ts';

export interface LimitsOptions {
  readonly journal: Journal;
  readonly random: Random;
}

const allowedIds = `${Object.keys(defaultLimits).join(', ')}, api/ACCOUNT`;

export class Limits {
  readonly #options: LimitsOptions;

  constructor(options: LimitsOptions) {
    this.#options = options;
  }

  /** Those that hold for all first. */
  list(): readonly LimitEntry[] {
    const { view } = this.#options.journal;
    const names = new Set([...Object.keys(defaultLimits), ...[...view.all('limit')].map(({ id }) => id)]);
    return [...names].map((id) => entryOf(view, id));
  }

  async set(
    by: string,
    { id, ...limit }: LimitDocument & { readonly id: string },
  ): Promise<Result<LimitEntry, Refusal>> {
    const { percentMax, windowSeconds } = limit;
    const wrong = !isLimitId(id)
      ? `id: found '${id.slice(0, 100)}'; allowed: ${allowedIds}`
      : percentMax > 100
        ? `percentMax: found ${percentMax}; allowed: 0 to 100`
        : windowSeconds > windowSecondsMax
          ? `windowSeconds: found ${windowSeconds}; allowed: 1 to ${windowSecondsMax}`
          : undefined;
    if (wrong !== undefined) return refuse({ status: 400, error: wrong });
    const done = await commitWish(this.#options, { by, action: 'SetLimit' }, (view) => ({
      changes: [put(view, 'limit', id, limit)],
      output: { type: 'limit', id, ...limit, isDefault: false } as const,
    }));
    return done.ok ? accept(done.value.output) : done;
  }

  /** Back to the default. */
  async reset(by: string, { id }: { readonly id: string }): Promise<Result<LimitEntry, Refusal>> {
    const done = await commitWish(this.#options, { by, action: 'ResetLimit' }, (view) => {
      if (view.get('limit', id) === undefined) return isLimitId(id) ? `limit ${id} is the default already` : undefined;
      return { changes: [remove(view, 'limit', id)], output: undefined };
    });
    return done.ok ? accept(entryOf(this.#options.journal.view, id)) : done;
  }
}

function entryOf(view: View, id: string): LimitEntry {
  const own = view.get('limit', id);
  const name = id.startsWith('api') ? 'api' : (id as keyof typeof defaultLimits);
  return { type: 'limit', id, ...(own ?? defaultLimits[name]), isDefault: own === undefined };
}
