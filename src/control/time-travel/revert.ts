/**
 * Revert: takes back what transactions did, and keeps what came later. A revert is a transaction like any other, so it
 * can be reverted too.
 */
import { accept, type Result, refuse } from '#base/result.ts';
import type { History } from '#journal/history.ts';
import type { KeepChoice } from '#model/history.ts';
import { type Key, KeyMap, keyMapOf } from '#model/key-map.ts';
import { carryOut, type PlanAnswer, type TimeTravel } from './carry-out.ts';
import { addNeeds, findFamilies } from './families.ts';
import { returns, type Wanted } from './plan.ts';
import { keyText, openHistory, type Refusal } from './scope.ts';
import { Turns } from './turns.ts';

export interface RevertRequest {
  readonly from: number;
  readonly to: number;
  /** ARNs: only these, what belongs to them, and the target groups that they cannot be without. */
  readonly only?: readonly string[];
  readonly keep?: KeepChoice;
  /** By `KIND/ID`. */
  readonly keepByKey?: ReadonlyMap<string, KeepChoice>;
  readonly dryRun?: boolean;
  readonly reason?: string;
}

/** Refuses a range that is not known (404), or of which parts are not known any more (409). Conflicts stop nothing. */
export async function revert(travel: TimeTravel, request: RevertRequest): Promise<PlanAnswer> {
  const opened = await openHistory(travel.journal);
  if (!opened.ok) return opened;
  const history = opened.value;
  const changed = await readRange(history, request);
  if (!changed.ok) return changed;
  const wanted = narrow(travel, history, request, changed.value.wanted);
  if (!wanted.ok) return wanted;
  const { from, to, keep, keepByKey, dryRun, reason } = request;
  const stray = keepByKey && strayKey(keepByKey.keys(), wanted.value);
  if (stray !== undefined) {
    return refuse({ status: 400, error: `keep: '${stray.slice(0, 200)}' is not among what is reverted` });
  }
  const title = from === to ? `revert of ${from}` : `revert of ${from}..${to}`;
  const { leftOut } = changed.value;
  const notes = leftOut === 0 ? [] : [leftOutNote(leftOut)];
  const errand = { action: 'Revert', title, reason, dryRun, notes, wanted: wanted.value, keep, keepByKey } as const;
  return (await carryOut(travel, history, errand))!;
}

/** What was changed in the range: each document before the first change and after the last. */
async function readRange(
  history: History,
  { from, to }: Pick<RevertRequest, 'from' | 'to'>,
): Promise<Result<{ readonly wanted: readonly Wanted[]; readonly leftOut: number }, Refusal>> {
  if (from > to) return refuse({ status: 400, error: `the range ${from}..${to} ends before it begins` });
  for (const revision of [from, to]) {
    const known = history.revisionAt({ kind: 'revision', revision });
    if (!known.ok) return refuse({ status: 404, error: known.fault });
  }
  if (from <= history.origin) {
    return refuse({ status: 404, error: `revision ${from} is where the history begins: there is nothing before it` });
  }
  const wanted: Wanted[] = [];
  const turns = new Turns();
  let leftOut = 0;
  for (let revision = from; revision <= to; revision += 1) {
    let changesCount = 0;
    for (const replacement of history.basesOf(revision, Number.POSITIVE_INFINITY)) {
      changesCount += 1;
      if (replacement.isBaseFolded) {
        const error = `what ${keyText(replacement)} was before revision ${revision} was folded away by retention`;
        return refuse({ status: 409, error });
      }
      if (returns(replacement.kind)) wanted.push(replacement);
      else leftOut += 1;
      if (turns.isOver()) await turns.next();
    }
    const missing = missingChanges(history, revision, changesCount);
    if (missing !== undefined) return refuse({ status: 409, error: missing });
  }
  // A transaction changes each document once.
  return accept({ wanted: from === to ? wanted : joined(wanted), leftOut });
}

/** Several changes of a document as one: from before the first to after the last. */
function joined(wanted: readonly Wanted[]): readonly Wanted[] {
  const byKey = new KeyMap<Wanted>();
  for (const { kind, id, base, theirs } of wanted) {
    const known = byKey.get(kind, id);
    byKey.set({ kind, id, base: known === undefined ? base : known.base, theirs });
  }
  return [...byKey.values()];
}

/** Why not everything can be read that the revision changed. */
function missingChanges(history: History, revision: number, foundCount: number): string | undefined {
  const changesCount = history.header(revision)?.changesCount ?? 0;
  if (changesCount === 0) return `what revision ${revision} changed was lost with the store that it was written to`;
  if (foundCount === changesCount) return undefined;
  return `${changesCount - foundCount} of the ${changesCount} changes of revision ${revision} were folded away by retention`;
}

/** Of what was changed, what belongs to the resources and what these need. */
function narrow(
  { journal, region }: TimeTravel,
  history: History,
  { only }: RevertRequest,
  changed: readonly Wanted[],
): Result<readonly Wanted[], Refusal> {
  if (only === undefined) return accept(changed);
  const families = findFamilies(history, only, region);
  if (!families.ok) return families;
  const byKey = keyMapOf(changed);
  const wanted = new KeyMap<Wanted>();
  const add = ({ kind, id }: Key) => {
    const known = byKey.get(kind, id);
    if (known !== undefined) wanted.set(known);
  };
  for (const key of families.value) add(key);
  addNeeds(history, journal.view, wanted, add);
  return accept([...wanted.values()]);
}

/** The first key that is none of what is wanted. */
function strayKey(keys: Iterable<string>, wanted: readonly Wanted[]): string | undefined {
  const known = new Set(wanted.map(keyText));
  for (const key of keys) if (!known.has(key)) return key;
  return undefined;
}

function leftOutNote(leftOut: number): string {
  return `${leftOut} ${leftOut === 1 ? 'change' : 'changes'} of nodes, principals, access keys or the history itself left as they are.`;
}
