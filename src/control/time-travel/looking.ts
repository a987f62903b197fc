/**
 * Looking at the past: log, show, diff, blame and describe. Answers are made line by line as they are read, so a
 * history of millions costs what is looked at. A line that is undefined is none: it lets others have their turn.
 */

import { accept, type Result, refuse } from '#base/result.ts';
import { elbv2Operations } from '#control/elbv2/operations.ts';
import { defaultLimits } from '#control/limits.ts';
import { unknownNetwork } from '#control/network.ts';
import type { RegionSettings } from '#control/operation.ts';
import { type History, isoTime } from '#journal/history.ts';
import type { Journal } from '#journal/journal.ts';
import type { TransactionHeader } from '#model/change.ts';
import { type Documents, type Kind, kinds } from '#model/documents.ts';
import type { BlameHeader, BlameLine, DiffHeader, LogEntry, ResourceChange } from '#model/history.ts';
import { type Key, KeyMap } from '#model/key-map.ts';
import { memberChanges, membersOf, pathsOf, sameValue, shownValue } from '#model/members.ts';
import type { Moment } from '#model/moment.ts';
import { findFamilies } from './families.ts';
import { type NameViews, nameOf } from './naming.ts';
import { familyOf, findResource, lastDocument, openHistory, type Refusal, type Resource } from './scope.ts';
import { Summaries } from './summary.ts';

/** Lines of an answer. */
export type Lines<Line> = Iterable<Line | undefined>;
export type Looked<Line> = Promise<Result<Lines<Line>, Refusal>>;

export interface LogRequest {
  /** An ARN: only what touched it, or what belongs to it. */
  readonly resource?: string;
  readonly principal?: string;
  /** Both inclusive. */
  readonly since?: Moment;
  readonly until?: Moment;
  readonly kind?: Kind;
  readonly limit?: number;
}

export interface DiffRequest {
  readonly from: Moment;
  /** The latest state when not given. */
  readonly to?: Moment;
  /** ARNs: only these and what belongs to them. */
  readonly resources?: readonly string[];
}

/** How many things are passed over before others get their turn. */
const skippedPerTurn = 500;

export class Looking {
  readonly #journal: Journal;
  readonly #settings: RegionSettings;

  constructor(journal: Journal, settings: RegionSettings) {
    this.#journal = journal;
    this.#settings = settings;
  }

  /** Transactions, the newest first. */
  async log(request: LogRequest): Looked<LogEntry> {
    const { resource, principal, since, until, kind, limit = Number.POSITIVE_INFINITY } = request;
    const opened = await openHistory(this.#journal);
    if (!opened.ok) return opened;
    const history = opened.value;
    const range = readRange(history, since, until);
    if (!range.ok) return range;
    const found = resource === undefined ? undefined : findResource(history, resource, this.#settings.region);
    if (found?.ok === false) return found;
    const headers = found === undefined ? backwards(history, range.value) : touching(history, found.value, range.value);
    return accept(this.#logLines(history, headers, { principal, kind, limit }));
  }

  /** One transaction, and what it did to each document. */
  async show(revision: number): Looked<LogEntry | ResourceChange> {
    const opened = await openHistory(this.#journal);
    if (!opened.ok) return opened;
    const history = opened.value;
    const known = history.revisionAt({ kind: 'revision', revision });
    if (!known.ok) return refuse({ status: 404, error: known.fault });
    const header = history.header(revision);
    if (header === undefined) {
      return refuse({ status: 404, error: `revision ${revision} is where the history begins: nothing happened in it` });
    }
    return accept(this.#showLines(history, header));
  }

  /** What is different between two moments. From a later to an earlier one, it shows the way back. */
  async diff({ from, to, resources }: DiffRequest): Looked<DiffHeader | ResourceChange> {
    const opened = await openHistory(this.#journal);
    if (!opened.ok) return opened;
    const history = opened.value;
    const revisions = [from, to ?? ({ kind: 'revision', revision: history.head.revision } as const)].map((moment) =>
      history.revisionAt(moment),
    );
    const unknown = revisions.find((revision) => !revision.ok);
    if (unknown?.ok === false) return refuse({ status: 404, error: unknown.fault });
    const [first, second] = revisions.map((revision) => (revision.ok ? revision.value : 0)) as [number, number];
    const keys = resources && findFamilies(history, resources, this.#settings.region);
    if (keys?.ok === false) return keys;
    return accept(this.#diffLines(history, first, second, keys?.value));
  }

  /** Which transaction gave each member the value that it has, or had last. */
  async blame(arn: string): Looked<BlameHeader | BlameLine> {
    const opened = await openHistory(this.#journal);
    if (!opened.ok) return opened;
    const history = opened.value;
    const found = findResource(history, arn, this.#settings.region);
    return found.ok ? accept(this.#blameLines(history, found.value)) : found;
  }

  /** The resource as it was, as the API's own Describe call answers. */
  async describe(arn: string, at: Moment | undefined): Promise<Result<object, Refusal>> {
    const opened = await openHistory(this.#journal);
    if (!opened.ok) return opened;
    const history = opened.value;
    const found = findResource(history, arn, this.#settings.region);
    if (!found.ok) return found;
    const revision = at === undefined ? accept(history.head.revision) : history.revisionAt(at);
    if (!revision.ok) return refuse({ status: 404, error: revision.fault });
    const describer = describers[found.value.kind];
    const operation = elbv2Operations[describer.action]!;
    if (operation.kind !== 'read') throw new Error(`${describer.action} reads`);
    const answer = operation.answer(history.viewAt(revision.value), describer.input(arn), {
      settings: this.#settings,
      account: found.value.account,
      principal: '',
      nowMs: 0,
      newId: () => '',
      seal: () => '',
      network: unknownNetwork,
      limits: defaultLimits,
      download: () => '',
      health: () => undefined,
      anomaly: undefined,
    });
    if (!answer.ok) return refuse({ status: 404, error: `${arn} was not there at revision ${revision.value}` });
    return accept(answer.value as object);
  }

  *#logLines(
    history: History,
    headers: Lines<TransactionHeader>,
    { principal, kind, limit }: Pick<LogRequest, 'principal' | 'kind'> & { readonly limit: number },
  ): Lines<LogEntry> {
    const summaries = this.#summaries(history);
    let [count, skipped] = [0, 0];
    for (const header of headers) {
      if (header === undefined) {
        yield undefined;
        continue;
      }
      const isWanted =
        (principal === undefined || header.cause.principal === principal) &&
        (kind === undefined || (yield* touchesKind(history, header.revision, kind)));
      if (!isWanted) {
        skipped += 1;
        if (skipped % skippedPerTurn === 0) yield undefined;
        continue;
      }
      yield entryOf(header, yield* summaries.of(header));
      count += 1;
      if (count === limit) return;
    }
  }

  *#showLines(history: History, header: TransactionHeader): Lines<LogEntry | ResourceChange> {
    yield entryOf(header, yield* this.#summaries(history).of(header));
    const views = { now: history.viewAt(header.revision), past: history.viewAt(header.revision - 1) };
    for (const { kind, id, base, theirs } of history.basesOf(header.revision)) {
      yield this.#changeLine(views, { kind, id }, base, theirs);
    }
  }

  *#diffLines(
    history: History,
    from: number,
    to: number,
    keys: Iterable<Key> | undefined,
  ): Lines<DiffHeader | ResourceChange> {
    const point = (revision: number) => ({ revision, time: isoTime(history.header(revision)?.timeMs ?? 0) });
    yield { type: 'diff', from: point(from), to: point(to) };
    const views = { now: history.viewAt(to), past: history.viewAt(from) };
    const changed = new KeyMap<Key>();
    if (keys === undefined) yield* collectChanged(history, Math.min(from, to), Math.max(from, to), changed);
    else for (const key of keys) changed.set(key);
    for (const kind of kinds) {
      let skipped = 0;
      for (const { id } of changed.valuesOf(kind)) {
        const [was, is] = [views.past.get(kind, id) ?? null, views.now.get(kind, id) ?? null];
        const line = was === null && is === null ? undefined : this.#changeLine(views, { kind, id }, was, is);
        if (line !== undefined && (line.did !== 'changed' || line.members.length > 0)) {
          yield line;
          continue;
        }
        skipped += 1;
        if (skipped % skippedPerTurn === 0) yield undefined;
      }
    }
  }

  *#blameLines(history: History, { kind, id }: Resource): Lines<BlameHeader | BlameLine> {
    const document = lastDocument(history, kind, id)!;
    const versions = history.versionsOf(kind, id)[Symbol.iterator]();
    let version = versions.next().value!;
    const deletedBy = version.document === null ? history.header(version.revision) : undefined;
    const views = {
      now: this.#journal.view,
      past: history.viewAt((deletedBy?.revision ?? history.head.revision + 1) - 1),
    };
    yield {
      type: 'blame',
      ...nameOf(views, kind, id, document, this.#settings.region),
      present: deletedBy === undefined,
      ...(deletedBy && { deletedBy: entryOf(deletedBy, yield* this.#summaries(history).of(deletedBy)) }),
    };
    while (version.document === null) version = versions.next().value!;
    const values = pathsOf(membersOf(document));
    const setBy = new Map<string, number>();
    // A member has its value since the newest version before which it had another.
    const open = new Set(values.keys());
    let newer = version.revision;
    while (open.size > 0) {
      let next = versions.next();
      // Who deletes a resource and who brings it back set none of its members.
      while (!next.done && next.value.document === null) next = versions.next();
      const older = next.done ? null : next.value.document;
      const before = older === null ? new Map<string, unknown>() : pathsOf(membersOf(older));
      for (const member of open) {
        if (before.has(member) && sameValue(before.get(member), values.get(member))) continue;
        setBy.set(member, newer);
        open.delete(member);
      }
      if (!next.done) newer = next.value.revision;
      yield undefined;
    }
    for (const [member, value] of values) {
      const { revision, time, principal, channel, action } = entryOf(history.header(setBy.get(member)!)!, '');
      yield {
        type: 'member',
        member,
        value: shownValue(member, value),
        setBy: { revision, time, principal, channel, action },
      };
    }
  }

  #changeLine(
    views: NameViews,
    { kind, id }: Key,
    was: Documents[Kind] | null,
    is: Documents[Kind] | null,
  ): ResourceChange {
    return {
      type: 'change',
      did: was === null ? 'added' : is === null ? 'removed' : 'changed',
      ...nameOf(views, kind, id, (is ?? was)!, this.#settings.region),
      members: memberChanges(was, is),
    };
  }

  #summaries(history: History): Summaries {
    return new Summaries(history, this.#journal.view, this.#settings.region);
  }
}

/** By which call a resource is described. */
const describers: Record<Resource['kind'], { readonly action: string; readonly input: (arn: string) => object }> = {
  'load-balancer': { action: 'DescribeLoadBalancers', input: (arn) => ({ LoadBalancerArns: [arn] }) },
  'target-group': { action: 'DescribeTargetGroups', input: (arn) => ({ TargetGroupArns: [arn] }) },
  'trust-store': { action: 'DescribeTrustStores', input: (arn) => ({ TrustStoreArns: [arn] }) },
  listener: { action: 'DescribeListeners', input: (arn) => ({ ListenerArns: [arn] }) },
  rule: { action: 'DescribeRules', input: (arn) => ({ RuleArns: [arn] }) },
};

interface Range {
  readonly first: number;
  readonly last: number;
}

/** The revisions from `since` to `until`. A time between two revisions begins with the later one. */
function readRange(history: History, since: Moment | undefined, until: Moment | undefined): Result<Range, Refusal> {
  const last = until === undefined ? accept(history.head.revision) : history.revisionAt(until);
  if (!last.ok) return refuse({ status: 404, error: last.fault });
  if (since === undefined) return accept({ first: history.origin + 1, last: last.value });
  if (since.kind === 'time') {
    // The one after the last that is before; none is before when the history begins later.
    const before = history.revisionAt({ kind: 'time', timeMs: since.timeMs - 1 });
    return accept({ first: (before.ok ? before.value : history.origin) + 1, last: last.value });
  }
  const first = history.revisionAt(since);
  return first.ok ? accept({ first: first.value, last: last.value }) : refuse({ status: 404, error: first.fault });
}

function* backwards(history: History, { first, last }: Range): Iterable<TransactionHeader> {
  for (const header of history.headersBackFrom(last)) {
    if (header.revision < first) return;
    yield header;
  }
}

/** The transactions that touched the resource or what belongs to it, by the index. */
function* touching(history: History, resource: Resource, { first, last }: Range): Lines<TransactionHeader> {
  const revisions = new Set<number>();
  let seen = 0;
  for (const { kind, id } of familyOf(history, resource)) {
    for (const { revision } of history.versionsOf(kind, id)) {
      if (revision >= first && revision <= last) revisions.add(revision);
      seen += 1;
      if (seen % skippedPerTurn === 0) yield undefined;
    }
  }
  for (const revision of [...revisions].sort((a, b) => b - a)) yield history.header(revision);
}

function* touchesKind(history: History, revision: number, kind: Kind): Generator<undefined, boolean> {
  let seen = 0;
  for (const change of history.changesOf(revision)) {
    if (change.kind === kind) return true;
    seen += 1;
    if (seen % skippedPerTurn === 0) yield undefined;
  }
  return false;
}

/** Every key that was changed after the one and up to the other. */
function* collectChanged(history: History, after: number, upTo: number, changed: KeyMap<Key>): Iterable<undefined> {
  let seen = 0;
  for (let revision = after + 1; revision <= upTo; revision += 1) {
    for (const { kind, id } of history.changesOf(revision)) {
      if (!changed.has(kind, id)) changed.add({ kind, id });
      seen += 1;
      if (seen % skippedPerTurn === 0) yield undefined;
    }
  }
}

function entryOf(header: TransactionHeader, summary: string): LogEntry {
  const { revision, timeMs, cause, harmed, changesCount } = header;
  const { principal, channel, action, requestId, reason } = cause;
  return {
    type: 'transaction',
    revision,
    time: isoTime(timeMs),
    principal,
    channel,
    action,
    requestId,
    ...(reason !== undefined && { reason }),
    summary,
    harmed,
    changes: changesCount,
  };
}
