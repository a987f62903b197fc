/**
 * Carries out a plan, or only tells it: one ordinary transaction through the journal and its guard, and the lines that
 * say what it did. The commit has happened before anything is answered; the lines are made as they are read.
 */
import { accept, type Result, refuse } from '#base/result.ts';
import { namelessOperator } from '#guard/approvals.ts';
import { harm } from '#guard/harm.ts';
import type { History } from '#journal/history.ts';
import type { Journal } from '#journal/journal.ts';
import type { Documents, Kind } from '#model/documents.ts';
import type { Conflict, PlanLine, PlanResult, ResourceChange, ResourceName } from '#model/history.ts';
import { type Key, type KeyMap, keyMapOf } from '#model/key-map.ts';
import type { Law } from '#model/laws.ts';
import { memberChanges, shownDocument } from '#model/members.ts';
import type { View } from '#model/view.ts';
import { type NameViews, nameOf } from './naming.ts';
import { makePlan, type Obstacle, type Plan, type Wanted, type Wish } from './plan.ts';
import { lastDocument, type Refusal } from './scope.ts';

/** Conflicts beyond so many are counted, and not listed. */
const conflictsListedMax = 10_000;
/** Of those who are mentioned in a note by name. */
const namedMax = 5;

/** The surroundings in which a state goes back. */
export interface TimeTravel {
  readonly journal: Journal;
  readonly region: string;
  readonly holdAddressesMs: number;
  readonly newRequestId: () => string;
  readonly nowMs: () => number;
  /** Who wants it; `operator` when nobody is named. */
  readonly principal?: string;
}

export interface Errand extends Wish {
  readonly action: 'Revert' | 'Restore' | 'Undelete';
  /** What is done, in words: `revert of 17..19`. */
  readonly title: string;
  /** Why, as the person says who wants it. */
  readonly reason?: string | undefined;
  readonly dryRun?: boolean | undefined;
  /** What people should know besides. */
  readonly notes: readonly string[];
  /** The only revision that the decision may rest on; any when it is not given. */
  readonly onlyAt?: number;
}

export type PlanAnswer = Result<Iterable<PlanLine>, Refusal>;

/**
 * Resolves with undefined when the state has moved on from `onlyAt`: nothing was done then. Refuses what the guard
 * refuses (409), and when the store cannot be written (503).
 */
export async function carryOut(travel: TimeTravel, history: History, errand: Errand): Promise<PlanAnswer | undefined> {
  const { journal, nowMs, holdAddressesMs } = travel;
  const plan = (view: View): Plan | undefined => {
    if (errand.onlyAt !== undefined && view.revision !== errand.onlyAt) return undefined;
    return makePlan(view, errand, { nowMs: nowMs(), holdAddressesMs });
  };
  if (errand.dryRun) {
    return journal.read((view) => {
      const made = plan(view);
      if (made === undefined) return undefined;
      const harmed = harm(view, made.changes).length;
      return accept(linesOf({ travel, history, errand, plan: made, done: { harmed } }));
    });
  }
  const cause = {
    principal: travel.principal ?? namelessOperator,
    channel: 'restore',
    action: errand.action,
    requestId: travel.newRequestId(),
    reason: errand.reason === undefined ? errand.title : `${errand.title}: ${errand.reason}`,
  } as const;
  const result = await journal.transact(cause, (view) => {
    const made = plan(view);
    return accept({ changes: made?.changes ?? [], output: made });
  });
  if (!result.ok) {
    const { code, message } = result.fault;
    return refuse({ status: code === 'ServiceUnavailable' ? 503 : 409, error: message });
  }
  const { output, transaction } = result.value;
  if (output === undefined) return undefined;
  const done = { harmed: transaction?.harmed ?? 0, ...(transaction && { revision: transaction.revision }) };
  return accept(linesOf({ travel, history, errand, plan: output, done }));
}

interface Outcome {
  readonly travel: TimeTravel;
  readonly history: History;
  readonly errand: Errand;
  readonly plan: Plan;
  readonly done: Pick<PlanResult, 'revision' | 'harmed'>;
}

function* linesOf(outcome: Outcome): Iterable<PlanLine> {
  const { travel, history, errand, plan, done } = outcome;
  const { obstacles, counts, changes } = plan;
  const views = namesOf(travel, history, errand);
  const name = (kind: Kind, id: string, document: Documents[Kind]) => nameOf(views, kind, id, document, travel.region);
  if (errand.dryRun) {
    for (const [position, { kind, id, after }] of changes.entries()) {
      const before = plan.replaced[position]!;
      yield { ...name(kind, id, (after ?? before)!), ...changeOf(before, after) };
    }
  }
  for (const obstacle of obstacles.slice(0, conflictsListedMax)) yield conflictOf(obstacle, views, name);
  yield {
    type: 'plan',
    done: done.revision !== undefined,
    ...done,
    counts,
    conflicts: obstacles.length,
    notes: [...errand.notes, ...notesOf(plan, views)],
  };
}

function changeOf(
  before: Documents[Kind] | null,
  after: Documents[Kind] | null,
): Pick<ResourceChange, 'type' | 'did' | 'members'> {
  const did = before === null ? 'added' : after === null ? 'removed' : 'changed';
  return { type: 'change', did, members: memberChanges(before, after) };
}

function notesOf({ changes, obstacles, placedAnew, unplaced }: Plan, views: NameViews): string[] {
  const notes: string[] = [];
  if (changes.length === 0) notes.push('Nothing to put back.');
  const say = (ids: readonly string[], what: string) => {
    if (ids.length === 0) return;
    const named = ids.slice(0, namedMax).map((id) => {
      const document = views.past.get('load-balancer', id) ?? views.now.get('load-balancer', id);
      return document === undefined ? id : `${document.account}/${document.name}`;
    });
    const others = ids.length > named.length ? ` and ${ids.length - named.length} more` : '';
    notes.push(`${named.join(', ')}${others} ${what}.`);
  };
  say(placedAnew, 'could not have the former addresses and got new ones');
  say(unplaced, 'came back without an address: no node has one to give');
  if (obstacles.length > conflictsListedMax) {
    notes.push(`Only the first ${conflictsListedMax} of ${obstacles.length} conflicts are listed.`);
  }
  return notes;
}

/** What is called by name may be gone now and gone then: its last version names it. */
function namesOf({ journal }: TimeTravel, history: History, { wanted }: Errand): NameViews {
  let byKey: KeyMap<Wanted> | undefined;
  return {
    now: journal.view,
    past: {
      get: (kind, id) => {
        byKey ??= keyMapOf(wanted);
        const known = byKey.get(kind, id);
        return (
          ((known?.base ?? known?.theirs) as Documents[typeof kind] | undefined) ?? lastDocument(history, kind, id)
        );
      },
    },
  };
}

type NameDocument = (kind: Kind, id: string, document: Documents[Kind]) => ResourceName;

function conflictOf(obstacle: Obstacle, views: NameViews, name: NameDocument): Conflict {
  const { wanted, ours, cause } = obstacle;
  const { kind, id, base, theirs = ours } = wanted;
  const { label, ...names } = name(kind, id, (ours ?? base ?? theirs)!);
  const shown = (document: Documents[Kind] | null) => (document === null ? null : shownDocument(document));
  const common = {
    type: 'conflict',
    ...names,
    label,
    key: `${kind}/${id}`,
    base: shown(base),
    theirs: shown(theirs),
    ours: shown(ours),
  } as const;
  if ('changedMembers' in cause) {
    const explanation = `${words[kind]}${label} ${explainChange(obstacle)}`;
    return { ...common, why: 'changed-since', explanation, members: cause.changedMembers };
  }
  const { law, other } = cause.breach;
  const { why, explain } = laws[law];
  const explanation = `${words[kind]}${label} ${explain(labelOf(other, views, name))}`;
  return { ...common, why, explanation, members: [] };
}

function explainChange({ ours, oursRevision, wanted }: Obstacle): string {
  if (ours === null) return 'was removed since';
  return wanted.theirs === null || wanted.base === null
    ? `was written since, in revision ${oursRevision}`
    : `was changed since, last in revision ${oursRevision}`;
}

function labelOf({ kind, id }: Key, views: NameViews, name: NameDocument): string {
  const document = views.now.get(kind, id) ?? views.past.get(kind, id);
  return document === undefined
    ? `${words[kind] || `${kind} `}${id}`
    : `${words[kind]}${name(kind, id, document).label}`;
}

/** What stands before a label in a sentence; that of a rule says itself what it is. */
const words: Readonly<Record<Kind, string>> = {
  'load-balancer': 'load balancer ',
  'target-group': 'target group ',
  target: 'target ',
  listener: 'listener ',
  rule: '',
  certificate: 'certificate ',
  'trust-store': 'trust store ',
  revocation: 'revocation list ',
  placement: 'address of ',
  node: 'node ',
  principal: 'principal ',
  'access-key': 'access key ',
  fold: 'fold of revisions ',
  operator: 'operator ',
  limit: 'limit ',
  hold: 'held change ',
  approval: 'approval ',
  request: 'request ',
  freeze: 'freeze ',
};

const laws: Readonly<Record<Law, { readonly why: Conflict['why']; readonly explain: (other: string) => string }>> = {
  reference: { why: 'parent-missing', explain: (other) => `cannot be without ${other}, which is not there` },
  referrer: { why: 'still-used', explain: (other) => `stays, because ${other} needs it` },
  'default-rule': {
    why: 'part-missing',
    explain: (other) => `stays as it is: ${other} cannot be without a default rule`,
  },
  name: { why: 'name-taken', explain: (other) => `cannot come back: its name is that of another ${other} now` },
  'dns-name': {
    why: 'name-taken',
    explain: (other) => `cannot come back: its DNS name is that of another ${other} now`,
  },
  address: { why: 'address-taken', explain: (other) => `cannot come back: it is the ${other} now` },
  port: { why: 'port-taken', explain: (other) => `cannot come back: another ${other} has its port now` },
  priority: { why: 'priority-taken', explain: (other) => `cannot come back: another ${other} has its priority now` },
  association: {
    why: 'still-used',
    explain: (other) => `cannot come back: ${other} of another load balancer uses its target group now`,
  },
};
