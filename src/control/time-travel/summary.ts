/**
 * What a transaction did, in one line: `load balancer 000000000000/web created, with 1 listener, 1 rule and 2
 * addresses`. The weightiest kind comes first, what belongs to it is counted, and names stand where there are few.
 */
import type { History } from '#journal/history.ts';
import type { Change, TransactionHeader } from '#model/change.ts';
import type { Documents, Kind } from '#model/documents.ts';
import { memberChanges } from '#model/members.ts';
import { type NameViews, nameOf } from './naming.ts';

/** Of so many changes each is looked at; beyond, only counted. */
const changesReadMax = 1_000;
/** So many are named, more are counted. */
const namedMax = 3;
const membersNamedMax = 4;
/** Counting a large transaction takes a while, so what came out is kept for so many. */
const summariesKeptMax = 200;
/** After so many changes the caller gets a turn, to let others have theirs. */
const changesPerTurn = 5_000;

type Did = 'made' | 'removed' | 'changed';

interface Group {
  readonly kind: Kind;
  readonly did: Did;
  /** What happened to each, as far as that is the same for all; undefined: not looked at. */
  verb: string | undefined;
  count: number;
  /** The first few. */
  readonly names: string[];
}

/** Makes the summaries of one history. */
export class Summaries {
  readonly #history: History;
  readonly #now: NameViews['now'];
  readonly #region: string;
  readonly #kept = new Map<number, string>();

  constructor(history: History, now: NameViews['now'], region: string) {
    this.#history = history;
    this.#now = now;
    this.#region = region;
  }

  /** Yields undefined now and then while it counts, and returns the summary. */
  *of(header: TransactionHeader): Generator<undefined, string> {
    const { revision, changesCount } = header;
    if (changesCount === 0) return 'lost with the store that it was written to';
    const kept = this.#kept.get(revision);
    if (kept !== undefined) return kept;
    const groups = yield* this.#group(header);
    const text = describeGroups(groups) || 'folded away by retention';
    if (changesCount > changesReadMax) {
      if (this.#kept.size >= summariesKeptMax) this.#kept.clear();
      this.#kept.set(revision, text);
    }
    return text;
  }

  *#group({ revision, changesCount, cause }: TransactionHeader): Generator<undefined, readonly Group[]> {
    const groups = new Map<string, Group>();
    const isSmall = changesCount <= changesReadMax;
    const isBack = cause.channel === 'restore';
    const views: NameViews = { now: this.#now, past: this.#history.viewAt(revision - 1) };
    let count = 0;
    for (const change of this.#history.changesOf(revision)) {
      const { kind, before, after } = change;
      const did = after === null ? 'removed' : before === 0 ? 'made' : 'changed';
      const verb = isBack && did !== 'changed' ? backVerbs[did] : isSmall ? this.#verbOf(change) : undefined;
      const key = `${kind} ${did} ${verb}`;
      const group = groups.get(key) ?? { kind, did, verb, count: 0, names: [] };
      groups.set(key, group);
      group.count += 1;
      if (isSmall && group.names.length < namedMax) group.names.push(this.#nameOf(change, views));
      count += 1;
      if (count % changesPerTurn === 0) yield undefined;
    }
    return [...groups.values()].sort((a, b) => weights.indexOf(a.kind) - weights.indexOf(b.kind));
  }

  #nameOf({ kind, id, before, after }: Change, views: NameViews): string {
    const document = after ?? this.#history.documentAt(kind, id, before)?.document;
    return document === undefined ? id : nameOf(views, kind, id, document, this.#region).label;
  }

  #verbOf({ kind, id, before, after }: Change): string {
    const was = before === 0 ? null : (this.#history.documentAt(kind, id, before)?.document ?? null);
    if (kind === 'target') return targetVerb(was as Documents['target'] | null, after);
    if (kind === 'placement' && after !== null && was !== null) {
      const { state } = after;
      if (state.kind === 'serving') return state.impairment === undefined ? 'serves' : 'serves, but not every listener';
      if (state.kind === 'leaving') return 'leaves: its zone was removed';
      return state.kind === 'failed' ? `cannot serve: ${state.reason}` : 'is being placed anew';
    }
    if (after === null) return removedVerbs[kind] ?? 'deleted';
    if (was === null) return madeVerbs[kind];
    const members = memberChanges(was, after).map(({ member }) => member);
    if (kind === 'access-key' && members.includes('sealedSecret')) return 'sealed anew';
    const others = members.length > membersNamedMax ? ` and ${members.length - membersNamedMax} more` : '';
    return `changed: ${members.slice(0, membersNamedMax).join(', ')}${others}`;
  }
}

/** The order of a summary: what people look for first. */
const weights: readonly Kind[] = [
  'load-balancer',
  'target-group',
  'listener',
  'rule',
  'target',
  'placement',
  'node',
  'principal',
  'certificate',
  'trust-store',
  'revocation',
  'access-key',
  'fold',
  'operator',
  'limit',
  'hold',
  'approval',
  'request',
  'freeze',
];

const words: Readonly<Record<Kind, readonly [one: string, many: string]>> = {
  'load-balancer': ['load balancer', 'load balancers'],
  'target-group': ['target group', 'target groups'],
  listener: ['listener', 'listeners'],
  rule: ['rule', 'rules'],
  target: ['target', 'targets'],
  certificate: ['certificate', 'certificates'],
  'trust-store': ['trust store', 'trust stores'],
  revocation: ['revocation list', 'revocation lists'],
  placement: ['address', 'addresses'],
  node: ['node', 'nodes'],
  principal: ['principal', 'principals'],
  'access-key': ['access key', 'access keys'],
  fold: ['revisions', 'ranges of revisions'],
  operator: ['operator', 'operators'],
  limit: ['limit', 'limits'],
  hold: ['change', 'changes'],
  approval: ['approval', 'approvals'],
  request: ['request', 'requests'],
  freeze: ['freeze', 'freezes'],
};

const madeVerbs: Readonly<Record<Kind, string>> = {
  'load-balancer': 'created',
  'target-group': 'created',
  listener: 'created',
  rule: 'created',
  target: 'registered',
  certificate: 'imported',
  'trust-store': 'created',
  revocation: 'added',
  placement: 'placed',
  node: 'admitted',
  principal: 'created',
  'access-key': 'created',
  fold: 'folded',
  operator: 'created',
  limit: 'set',
  hold: 'held',
  approval: 'given',
  request: 'made',
  freeze: 'begun',
};

const removedVerbs: Readonly<Partial<Record<Kind, string>>> = {
  'access-key': 'revoked',
  fold: 'unfolded',
  operator: 'revoked',
  limit: 'back to the default',
  hold: 'ended',
  approval: 'ended',
  request: 'ended',
  freeze: 'ended',
};

/** Of what a revert, a restore or an undelete did. */
const backVerbs = { made: 'put back', removed: 'taken out' } as const;

const plainVerbs: Readonly<Record<Did, string>> = { made: 'created', removed: 'deleted', changed: 'changed' };

function targetVerb(was: Documents['target'] | null, is: Documents['target'] | null): string {
  if (is === null) return was?.state.kind === 'draining' ? 'drained' : 'removed';
  if (is.state.kind === 'draining') return 'deregistered';
  return was?.state.kind === 'registered' ? 'changed' : 'registered';
}

/** The first group in full; what was done alike to others is counted behind it, anything else stands for itself. */
function describeGroups(groups: readonly Group[]): string {
  const [first, ...others] = groups;
  if (first === undefined) return '';
  const along = others.filter(({ did, kind }) => did === first.did && kind !== first.kind && did !== 'changed');
  const apart = others.filter((group) => !along.includes(group));
  const counted = along.map(({ kind, count }) => countOf(kind, count));
  const last = counted.pop();
  const list = counted.length === 0 ? last : `${counted.join(', ')} and ${last}`;
  const lead = describeGroup(first) + (last === undefined ? '' : `, with ${list}`);
  return [lead, ...apart.map(describeGroup)].join('; ');
}

function describeGroup({ kind, did, verb = plainVerbs[did], count, names }: Group): string {
  if (names.length < count) return `${countOf(kind, count)} ${verb}`;
  // The label of a rule says that it is one.
  const word = kind === 'rule' ? '' : `${words[kind][count === 1 ? 0 : 1]} `;
  if (kind !== 'target') return `${word}${kind === 'placement' ? 'of ' : ''}${names.join(', ')} ${verb}`;
  return `${word}${joinTargets(names)} ${verb}`;
}

/** `A in GROUP, B in GROUP` as `A, B in GROUP`. */
function joinTargets(names: readonly string[]): string {
  const parts = names.map((name) => name.split(' in '));
  const group = parts[0]![1];
  if (group === undefined || parts.some(([, other]) => other !== group)) return names.join(', ');
  return `${parts.map(([target]) => target).join(', ')} in ${group}`;
}

function countOf(kind: Kind, count: number): string {
  return `${count.toLocaleString('en-US')} ${words[kind][count === 1 ? 0 : 1]}`;
}
