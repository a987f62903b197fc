/** Restore: puts the state, or a part of it, back to what it was at a moment. */
import { accept, type Result, refuse } from '#base/result.ts';
import type { History } from '#journal/history.ts';
import type { Change } from '#model/change.ts';
import { type Key, KeyMap } from '#model/key-map.ts';
import type { Moment } from '#model/moment.ts';
import { carryOut, type PlanAnswer, type TimeTravel } from './carry-out.ts';
import { addNeeds, familiesOfAccount, findFamilies } from './families.ts';
import { returns, type Wanted } from './plan.ts';
import { openHistory, type Refusal } from './scope.ts';
import { Turns } from './turns.ts';

/** How often the past is read again because the state has moved on; each time there is less to read. */
const attemptsMax = 20;

export interface RestoreRequest {
  readonly at: Moment;
  /** ARNs: only these, what belongs to them, and the target groups that they cannot be without. */
  readonly only?: readonly string[];
  /** Only what the account owns. */
  readonly account?: string;
  readonly dryRun?: boolean;
  readonly reason?: string;
}

/** So large a transaction is read with all that it replaced at once. */
const readTogetherMin = 10_000;

const note = 'Nodes, principals and access keys stay as they are.';

/** Refuses a moment that is not known (404). What changed since then is overwritten, so there is nothing to decide. */
export async function restore(travel: TimeTravel, request: RestoreRequest): Promise<PlanAnswer> {
  const { journal, region } = travel;
  const { at, only, account, dryRun, reason } = request;
  if (only !== undefined && account !== undefined) {
    return refuse({ status: 400, error: 'only and account cannot both be given' });
  }
  let wanted = new KeyMap<Wanted>();
  let readTo: number | undefined;
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const opened = await openHistory(journal);
    if (!opened.ok) return opened;
    const history = opened.value;
    const revision = history.revisionAt(at);
    if (!revision.ok) return refuse({ status: 404, error: revision.fault });
    const onlyAt = history.head.revision;
    if (only !== undefined || account !== undefined) {
      const families = scopeOf(history, { only, account }, region);
      if (!families.ok) return families;
      wanted = readScope(history, families.value, revision.value, travel);
    } else {
      // Later rounds read only what came since, and a document's first base stands.
      await readChanged(history, wanted, (readTo ?? revision.value) + 1, onlyAt);
    }
    readTo = onlyAt;
    const title = `restore to ${revision.value}${scopeTitle(request)}`;
    const errand = {
      action: 'Restore',
      title,
      reason,
      dryRun,
      notes: [note],
      wanted: [...wanted.values()],
      onlyAt,
    } as const;
    const answer = await carryOut(travel, history, errand);
    if (answer !== undefined) return answer;
  }
  return refuse({ status: 409, error: 'the state changes faster than the past can be read: try again' });
}

function scopeOf(
  history: History,
  { only, account }: Pick<RestoreRequest, 'only' | 'account'>,
  region: string,
): Result<Iterable<Key>, Refusal> {
  return only === undefined ? accept(familiesOfAccount(history, account!)) : findFamilies(history, only, region);
}

function readScope(history: History, keys: Iterable<Key>, revision: number, { journal }: TimeTravel): KeyMap<Wanted> {
  const wanted = new KeyMap<Wanted>();
  const add = ({ kind, id }: Key) => {
    const base = history.documentAt(kind, id, revision)?.document ?? null;
    wanted.set({ kind, id, base, theirs: undefined });
  };
  for (const key of keys) add(key);
  addNeeds(history, journal.view, wanted, add);
  return wanted;
}

/** Only the first change of a document after the moment counts: what it replaced is how the document was. */
async function readChanged(history: History, wanted: KeyMap<Wanted>, from: number, to: number): Promise<void> {
  const turns = new Turns();
  for (let revision = from; revision <= to; revision += 1) {
    const isLarge = (history.header(revision)?.changesCount ?? 0) >= readTogetherMin;
    const replaced = isLarge ? history.basesOf(revision, Number.POSITIVE_INFINITY) : history.changesOf(revision);
    for (const change of replaced) {
      const { kind, id } = change;
      if (returns(kind) && !wanted.has(kind, id)) {
        const base = 'base' in change ? change.base : baseOf(history, change);
        wanted.add({ kind, id, base, theirs: undefined });
      }
      if (turns.isOver()) await turns.next();
    }
  }
}

function baseOf(history: History, { kind, id, before }: Change): Wanted['base'] {
  return before === 0 ? null : (history.documentAt(kind, id, before)?.document ?? null);
}

function scopeTitle({ only, account }: Pick<RestoreRequest, 'only' | 'account'>): string {
  if (account !== undefined) return ` of account ${account}`;
  if (only === undefined) return '';
  return only.length === 1 ? ` of ${only[0]}` : ` of ${only.length} resources`;
}
