/**
 * Retention, a maintenance process: folds the changes of registrations of days that ended long ago, so that of each
 * registration only the last change of a day stays, and takes folds back. It folds nothing that the vault does not
 * hold, so everything that it takes out of the journal can be put back. It can be interrupted at any point: the same
 * request goes on with it.
 */
import { accept, type Result, refuse } from '#base/result.ts';
import { namelessOperator } from '#guard/approvals.ts';
import { soon } from '#io/timers.ts';
import { dayMs, dayOf, type FoldRange } from '#journal/fold.ts';
import { carryOutFold, isKeptWhole, PutBack, planFold, unlistFold } from '#journal/folding.ts';
import type { Journal } from '#journal/journal.ts';
import { StoreFailure } from '#journal/store.ts';
import { listVault, VaultReader } from '#journal/vault-reader.ts';
import type { VaultTransaction } from '#journal/vault-text.ts';
import { type Change, put, remove } from '#model/change.ts';
import type { FoldDocument } from '#model/documents.ts';
import type { FoldEntry, RetentionLine, RetentionProgress, StreamError } from '#model/history.ts';
import type { View } from '#model/view.ts';
import { openHistory, type Refusal } from './time-travel/scope.ts';

export interface RetentionOptions {
  readonly journal: Journal;
  /** Where the vaults of stores are. */
  readonly vault: string;
  readonly newRequestId: () => string;
  readonly nowMs: () => number;
}

export type RetentionLines = AsyncIterable<RetentionLine | StreamError | undefined>;

/** So long it works at a time, and so often it says how far it is. */
const turnMs = 10;
const sayMs = 250;

/** Ends the process with one sentence for people. */
class Stopped extends Error {}

export class Retention {
  readonly #options: RetentionOptions;
  #isBusy = false;
  /** Who wants what is under way. */
  #by: string = namelessOperator;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  /** The folds that there are, the oldest first. */
  *list(): Iterable<FoldEntry> {
    const { journal } = this.#options;
    for (const fold of folds(journal.view)) {
      yield this.#entry(fold, journal.folding.isDone(fold) ? 'done' : 'unfinished');
    }
  }

  /** Folds what was written in days (UTC) that ended at least so many days ago, and goes on with what is unfinished. */
  fold(request: {
    readonly olderThanDays: number;
    readonly dryRun?: boolean;
    readonly by?: string;
  }): Promise<Result<RetentionLines, Refusal>> {
    return this.#alone(request.by, () => this.#fold(request.olderThanDays, request.dryRun === true));
  }

  /** Puts back what the fold that ends with revision `fold` has taken. */
  async undo(request: {
    readonly fold: number;
    readonly dryRun?: boolean;
    readonly by?: string;
  }): Promise<Result<RetentionLines, Refusal>> {
    const fold = this.#options.journal.view.get('fold', `${request.fold}`);
    if (fold === undefined) {
      const known = folds(this.#options.journal.view).map(({ through }) => through);
      const others = known.length === 0 ? 'there are none' : `there are ${known.join(', ')}`;
      return refuse({ status: 404, error: `there is no fold ${request.fold}; ${others}` });
    }
    return this.#alone(request.by, () => this.#undo(fold, request.dryRun === true));
  }

  async #alone(by: string | undefined, make: () => RetentionLines): Promise<Result<RetentionLines, Refusal>> {
    if (this.#isBusy)
      return refuse({ status: 409, error: 'retention is under way already: try again when it is done' });
    this.#isBusy = true;
    this.#by = by ?? namelessOperator;
    // The index must know what the log forgets.
    const history = await openHistory(this.#options.journal);
    if (history.ok) return accept(this.#guarded(make()));
    this.#isBusy = false;
    return history;
  }

  async *#guarded(lines: RetentionLines): RetentionLines {
    try {
      yield* lines;
    } catch (error) {
      if (!(error instanceof Stopped || error instanceof StoreFailure)) throw error;
      yield { type: 'error', error: error.message };
    } finally {
      this.#isBusy = false;
    }
  }

  async *#fold(olderThanDays: number, isDryRun: boolean): RetentionLines {
    const { journal, nowMs } = this.#options;
    const { folding } = journal;
    const unfinished = folds(journal.view).filter((fold) => !folding.isDone(fold));
    for (const fold of unfinished) yield this.#entry(fold, 'unfinished');
    const planned: FoldDocument[] = [];
    for (const range of this.#rangesBefore(dayOf(nowMs() - olderThanDays * dayMs))) {
      const fold = yield* paced(planFold(folding, range, false), range, 'revisions read');
      if (fold.lines === 0) continue;
      planned.push(fold);
      yield this.#entry(fold, 'planned');
    }
    const all = [...unfinished, ...planned];
    const revisions: number[] = [];
    if (!isDryRun && all.length > 0) {
      for await (const step of this.#fromVault(all)) if ('type' in step) yield step;
      for (const fold of all) {
        const { digest } = yield* paced(planFold(folding, fold, true), fold, 'revisions prepared');
        if (digest !== fold.digest) throw new Stopped(`fold ${fold.through} is not the one that was written down`);
        if (!unfinished.includes(fold)) revisions.push(await this.#commitFold(fold, olderThanDays));
        yield* paced(carryOutFold(folding, fold), fold, 'revisions folded');
        yield this.#entry(fold, 'done');
      }
    }
    yield { type: 'result', done: !isDryRun && all.length > 0, revisions };
  }

  #commitFold(fold: FoldDocument, olderThanDays: number): Promise<number> {
    const reason = `registrations older than ${olderThanDays} days`;
    return this.#commit('FoldHistory', reason, (view) => [put(view, 'fold', `${fold.through}`, fold)]);
  }

  async *#undo(fold: FoldDocument, isDryRun: boolean): RetentionLines {
    const { folding } = this.#options.journal;
    yield this.#entry(fold, folding.isDone(fold) ? 'done' : 'unfinished');
    const revisions: number[] = [];
    if (!isDryRun) {
      // First all of it is looked at: nothing is put back when something is missing.
      for await (const step of this.#fromVault([fold])) if ('type' in step) yield step;
      const putBack = new PutBack(folding);
      for await (const step of this.#fromVault([fold])) {
        if ('type' in step) yield step;
        else putBack.take(step);
      }
      putBack.finish();
      revisions.push(
        await this.#commit('UnfoldHistory', undefined, (view) => [remove(view, 'fold', `${fold.through}`)]),
      );
      yield* paced(unlistFold(folding, fold), fold, 'revisions put in order');
    }
    yield { type: 'result', done: !isDryRun, revisions };
  }

  /** What no fold covers of the days before this one, without the last of them that are not over in the log. */
  #rangesBefore(day: number): readonly FoldRange[] {
    const { journal } = this.#options;
    const { origin } = journal.identity;
    const last = lastBefore(journal, day * dayMs);
    const ranges: FoldRange[] = [];
    let from = origin.revision + 1;
    for (const fold of folds(journal.view)) {
      if (fold.from > from) ranges.push({ from, through: fold.from - 1 });
      from = fold.through + 1;
    }
    if (last >= from) ranges.push({ from, through: last });
    return ranges.filter(({ through }) => through <= last);
  }

  /** The transactions of these folds, each just as the journal had it; stops when the vault does not hold them. */
  async *#fromVault(wanted: readonly FoldRange[]): AsyncGenerator<VaultTransaction | RetentionProgress, void, void> {
    const { journal, vault } = this.#options;
    const { storeId } = journal.identity;
    const vaulted = (await listVault(vault)).find(({ identity }) => identity.storeId === storeId);
    const last = Math.max(...wanted.map(({ through }) => through));
    const missing = (revision: number, why: string) =>
      new Stopped(
        `the vault ${vault} does not hold revision ${revision} as it was written: ${why}; nothing was changed`,
      );
    if (vaulted === undefined) throw missing(last, 'it has no copy of this journal');
    const reader = new VaultReader(vaulted);
    let saidMs = performance.now();
    for await (const transaction of reader.transactions()) {
      const { revision } = transaction.header;
      if (wanted.some(({ from, through }) => from <= revision && revision <= through)) {
        if (!isKeptWhole(journal.folding, transaction)) throw missing(revision, 'it has another text there');
        yield transaction;
      }
      if (revision >= last) return;
      if (performance.now() - saidMs < sayMs) continue;
      saidMs = performance.now();
      yield { type: 'progress', done: revision, total: last, unit: 'revisions read in the vault' };
    }
    throw missing(reader.last.revision + 1, reader.broken?.why ?? 'it ends there');
  }

  async #commit(
    action: string,
    reason: string | undefined,
    decide: (view: View) => readonly Change[],
  ): Promise<number> {
    const { journal, newRequestId } = this.#options;
    const cause = {
      principal: this.#by,
      channel: 'maintenance',
      action,
      requestId: newRequestId(),
      ...(reason === undefined ? {} : { reason }),
    } as const;
    const result = await journal.transact(cause, (view) => accept({ changes: decide(view), output: undefined }));
    if (!result.ok) throw new Stopped(result.fault.message);
    return result.value.transaction!.revision;
  }

  #entry({ from, through, lines }: FoldDocument, state: FoldEntry['state']): FoldEntry {
    const { folding } = this.#options.journal;
    const day = (revision: number) => new Date(folding.header(revision)!.timeMs).toISOString().slice(0, 10);
    return { type: 'fold', from, to: through, firstDay: day(from), lastDay: day(through), changes: lines, state };
  }
}

function folds(view: View): readonly FoldDocument[] {
  return [...view.all('fold')].map(({ document }) => document).sort((one, other) => one.from - other.from);
}

/** The last revision that was written before then; the origin when there is none. */
function lastBefore(journal: Journal, timeMs: number): number {
  let first = journal.identity.origin.revision;
  let last = journal.head.revision;
  while (first < last) {
    const middle = Math.ceil((first + last) / 2);
    if (journal.folding.header(middle)!.timeMs < timeMs) first = middle;
    else last = middle - 1;
  }
  return first;
}

/** Does work that says how many revisions of a range it has passed, in turns, and tells how far it is. */
async function* paced<T>(
  work: Generator<number, T, void>,
  { from, through }: FoldRange,
  unit: string,
): AsyncGenerator<RetentionProgress, T, void> {
  const total = through - from + 1;
  let endMs = performance.now() + turnMs;
  let saidMs = performance.now();
  while (true) {
    const step = work.next();
    if (step.done === true) return step.value;
    const nowMs = performance.now();
    if (nowMs < endMs) continue;
    if (nowMs - saidMs >= sayMs) {
      saidMs = nowMs;
      yield { type: 'progress', done: step.value, total, unit };
    }
    await new Promise<void>(soon);
    endMs = performance.now() + turnMs;
  }
}
