/**
 * What verifying makes of folds. A line may be missing only where its part is listed with just the text that it has,
 * and where a fold that is in the journal says which parts are listed. So each missing line is answered for by the
 * chain, as each line is.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { FoldDocument } from '#model/documents.ts';
import { FoldList } from './sqlite-fold.ts';

export class FoldCheck {
  readonly #list: FoldList;
  readonly #generation: number;
  /** One row for each transaction of which lines are missing. */
  readonly #isNoted: StatementSync;
  readonly #note: StatementSync;
  readonly #firstNoted: StatementSync;
  readonly #folds = new Map<string, FoldDocument>();

  /** `notes` is a file for what must be remembered. */
  constructor(log: DatabaseSync, notes: DatabaseSync) {
    this.#list = new FoldList(log);
    this.#generation = this.#list.generation;
    notes.exec('CREATE TABLE folded (revision INTEGER PRIMARY KEY)');
    this.#isNoted = notes.prepare('SELECT 1 FROM folded WHERE revision = ?');
    this.#note = notes.prepare('INSERT OR IGNORE INTO folded VALUES (?)');
    this.#firstNoted = notes.prepare('SELECT min(revision) AS revision FROM folded WHERE revision >= ?');
  }

  /** Whether lines were folded away, or put back, since the pass began. */
  get hasMoved(): boolean {
    return this.#list.generation !== this.#generation;
  }

  /** Whether these are the lines that a fold has left of the part. */
  isListed(part: number, lines: string): boolean {
    return this.#list.accountsFor(part, lines);
  }

  /** Lines of the transaction are missing. */
  note(revision: number): void {
    this.#note.run(revision);
  }

  isNoted(revision: number): boolean {
    return this.#isNoted.get(revision) !== undefined;
  }

  /** Whether lines are missing between the two, both left out. */
  hasNotedBetween(after: number, before: number): boolean {
    return this.#noted(after + 1, before - 1) !== undefined;
  }

  /** A fold was made, or taken back. */
  take(id: string, fold: FoldDocument | undefined): void {
    if (fold === undefined) this.#folds.delete(id);
    else this.#folds.set(id, fold);
  }

  /**
   * Once all of the log was read: whether a fold is on its way there or back. One that was interrupted when the log had
   * taken a step and the index had not leaves the index without lines of registrations, until it is gone on with.
   */
  get isUnderWay(): boolean {
    return [...this.#folds.values()].some((fold) => !this.#list.isDone(fold));
  }

  /** Once all of the log was read: the first revision of which lines are missing by no fold. */
  *unanswered(): Generator<number, number | undefined, void> {
    const folds = [...this.#folds.values()].sort((one, other) => one.from - other.from);
    let from = 0;
    for (const fold of folds) {
      const before = this.#noted(from, fold.from - 1);
      if (before !== undefined) return before;
      from = Math.max(from, fold.through + 1);
      const first = this.#noted(fold.from, fold.through);
      if (first !== undefined && !(yield* this.#list.isAsTold(fold))) return first;
    }
    return this.#noted(from, Number.MAX_SAFE_INTEGER);
  }

  #noted(from: number, through: number): number | undefined {
    const revision = this.#firstNoted.get(from)?.revision as number | null;
    return revision === null || revision > through ? undefined : revision;
  }
}
