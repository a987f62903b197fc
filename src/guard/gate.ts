/**
 * The guard in the journal's commit path: every writer passes here, whatever it is. What is usual goes through; what is
 * not is held until somebody else has looked at it; what nobody may do is refused. It decides by the view, the changes,
 * the cause and the time, and by the harm of the last minutes, which it remembers itself.
 *
 *   api, restore   up to the limits; over them, held
 *   workflow       may never harm, and nothing while workflows are frozen
 *   maintenance    nothing that tenants have, unless it is a part of the plan that was approved
 *   any            who is an operator and what the limits are: held for a second person
 */
import { type Certificate, isPublicKey, type Place } from '#model/approval.ts';
import { type Cause, type Change, digestOfChanges, put, remove, type TransactionHeader } from '#model/change.ts';
import {
  type HarmedLoadBalancer,
  type HexId,
  type HoldDocument,
  isOfGuard,
  type Kind,
  type OperatorRight,
} from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import type { Verdict, VerdictMoment } from '#model/verdict.ts';
import { findFirst, type View } from '#model/view.ts';
import {
  type Approval,
  approvalsNeeded,
  operatorPrincipal,
  readApproval,
  together,
  whyNotCovered,
} from './approvals.ts';
import { blastRadius, HarmWindow } from './blast-radius.ts';
import { describeHarm, type Harm, harm, touchedLoadBalancers } from './harm.ts';
import { describeLimit, isOver, limitOf, namedLimit, windowSecondsMax } from './limits.ts';

/** How long a change waits for somebody's word. */
export const holdMs = 3_600_000;
const holdsMax = 1_000;
/** Of a larger one only the digest is kept: whoever asked for it asks again. */
const heldChangesMax = 5_000;
const heldCharactersMax = 1024 * 1024;
/** Of the harmed, so many are kept by name. */
const harmedListedMax = 1_000;

const tenantKinds: ReadonlySet<Kind> = new Set([
  'load-balancer',
  'listener',
  'rule',
  'target-group',
  'target',
  'placement',
] satisfies Kind[]);

export interface GateOptions {
  readonly place: Place;
  readonly newId: () => HexId;
  /** Why nobody may touch a load balancer at the moment, in a sentence; undefined: it is not protected. */
  readonly protection: (loadBalancerId: HexId) => string | undefined;
  /** Asked before load balancers are looked up. */
  readonly hasProtected: () => boolean;
  /** True in a drill that shows what it is like without: everything is admitted. */
  readonly isOff: boolean;
}

/** What keeps changes from being made at once. */
interface Objection {
  readonly why: string;
  readonly right: OperatorRight;
  readonly count: number;
}

/** A maintenance plan that is being carried out. */
export interface Run {
  /** Lets go of the plan. */
  end(): void;
}

interface OpenRun {
  readonly planned: ReadonlyMap<string, Change>;
  readonly certificates: readonly Certificate[];
}

export class Gate {
  readonly #options: GateOptions;
  readonly #window = new HarmWindow(windowSecondsMax * 1_000);
  readonly #runs = new Map<HexId, OpenRun>();

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** Takes in what was harmed before this process began. Headers as they come, the newest first. */
  remember(headers: Iterable<TransactionHeader>, nowMs: number): void {
    const found: TransactionHeader[] = [];
    for (const header of headers) {
      if (header.timeMs < nowMs - windowSecondsMax * 1_000) break;
      if (header.harmed > 0 && !isApproved(header.cause)) found.push(header);
    }
    for (const { revision, timeMs, cause, harmed } of found.reverse()) {
      const { principal, channel } = cause;
      const loadBalancers = Array.from({ length: harmed }, (_, index) => `${revision}/${index}`);
      this.#window.add({ revision, timeMs, principal, channel, loadBalancers });
    }
  }

  /** True in a drill without the guard. */
  get isOff(): boolean {
    return this.#options.isOff;
  }

  /** How many load balancers the region lost in the last so many milliseconds that nobody approved. */
  radius(sinceMs: number): number {
    return blastRadius(this.#window.records, { sinceMs }).size;
  }

  judge(view: View, changes: readonly Change[], cause: Cause, moment: VerdictMoment): Verdict {
    const harmed = harm(view, changes);
    if (this.#options.isOff) return { kind: 'admit', harmed: harmed.length };
    const refused = this.#refusal(view, changes, cause, harmed);
    if (refused !== undefined) return { kind: 'refuse', fault: refused };
    const objection =
      cause.grant === undefined ? this.#objection(view, changes, cause, harmed, moment.timeMs) : undefined;
    if (objection === undefined) return this.#admit(cause, harmed, moment);
    const digest = digestOfChanges(changes);
    const approvals = this.#covering(view, objection, cause, digest, harmed.length, moment.timeMs);
    if (approvals !== undefined) return admitApproved(view, approvals, cause, digest, harmed);
    return this.#hold(view, changes, { cause, digest, harmed, objection, moment });
  }

  /**
   * Begins to carry out a plan that was approved: from then on, exactly its changes are admitted with the request as
   * their grant, each once. Gives the reason, in a sentence, when it may not.
   */
  open(view: View, requestId: HexId, changes: readonly Change[], digest: string, atMs: number): Run | string {
    const harmedCount = harm(view, changes).length;
    const approvals = this.isOff ? [] : this.grantOf(view, requestId, digest, harmedCount, atMs);
    if (typeof approvals === 'string') return approvals;
    const planned = new Map(changes.map((change) => [`${change.kind}/${change.id}`, change]));
    this.#runs.set(requestId, { planned, certificates: approvals });
    return { end: () => this.#runs.delete(requestId) };
  }

  /** The approvals of a request, when there are enough; else why it must not be carried out, in a sentence. */
  grantOf(
    view: View,
    requestId: HexId,
    digest: string,
    harmedCount: number,
    atMs: number,
  ): readonly Certificate[] | string {
    const { environment } = this.#options.place;
    const request = view.get('request', requestId);
    if (request === undefined) return `there is no request ${requestId}`;
    if (request.environment !== environment) {
      return `request ${requestId} is for environment '${request.environment}', and this is '${environment}'`;
    }
    if (atMs > request.expiresAtMs) return `request ${requestId} has expired`;
    if (request.digest !== digest) {
      return `the plan is not the one of request ${requestId} any more: the state has changed since; make another request`;
    }
    const cause = { principal: request.requestedBy, channel: 'maintenance' } as const;
    const count = request.approvalsNeeded;
    const reasons: string[] = [];
    const found = this.#valid(view, digest, 'approve', { cause, digest, right: 'approve', atMs }, reasons);
    const enough = together(
      found.filter(({ statement }) => statement.loadBalancersMax >= harmedCount),
      count,
    );
    if (enough !== undefined) return enough.map(({ certificate }) => certificate);
    const why = reasons.length === 0 ? '' : `: ${reasons.join('; ')}`;
    return `request ${requestId} needs ${approvalsWords(count)}, and has ${found.length}${why}`;
  }

  #admit(cause: Cause, harmed: readonly Harm[], { revision, timeMs }: VerdictMoment): Verdict {
    const { principal, channel, grant } = cause;
    if (grant !== undefined) {
      const certificates = this.#runs.get(grant)?.certificates;
      return { kind: 'admit', harmed: harmed.length, ...(certificates && { cause: { ...cause, certificates } }) };
    }
    if (harmed.length === 0) return { kind: 'admit', harmed: 0 };
    const loadBalancers = harmed.map(({ loadBalancerId }) => loadBalancerId);
    this.#window.add({ revision, timeMs, principal, channel, loadBalancers });
    return { kind: 'admit', harmed: harmed.length, undo: () => this.#window.forget(revision) };
  }

  /** What nobody may do, whoever approves. */
  #refusal(view: View, changes: readonly Change[], cause: Cause, harmed: readonly Harm[]): Fault | undefined {
    const { channel, action } = cause;
    const no = (why: string) => fault('OperationNotPermitted', why);
    if (this.#options.hasProtected() && channel !== 'restore') {
      for (const id of touchedLoadBalancers(view, changes)) {
        const why = this.#options.protection(id);
        if (why !== undefined) return fault('ServiceUnavailable', why);
      }
    }
    if (channel === 'workflow') {
      const freeze = view.get('freeze', 'workflows');
      const isOfTenants = changes.some(({ kind }) => !isOfGuard(kind));
      if (freeze !== undefined && isOfTenants) {
        return fault('ServiceUnavailable', `workflows are frozen by ${freeze.by}: ${freeze.reason}`);
      }
      if (harmed.length > 0) return no(`workflow ${action} is refused: ${describeHarm(harmed)}`);
    }
    if (channel === 'maintenance') {
      const stray = this.#stray(view, changes, cause);
      if (stray !== undefined) return no(stray);
    }
    for (const { kind, id, after } of changes) {
      if (kind === 'operator' && after !== null && !isPublicKey(after.publicKey)) {
        return fault('ValidationError', `operator ${id} has no Ed25519 public key`);
      }
      if (kind !== 'approval' || after === null || view.get('approval', id) !== undefined) continue;
      const read = readApproval(view, after.certificate, this.#options.place, rightFor(view, after.digest));
      if ('why' in read) return no(read.why);
      if (read.statement.id !== id) return no(`the approval has the id ${read.statement.id}, not ${id}`);
    }
    return undefined;
  }

  /** The first change of a maintenance process that is no part of what was approved. */
  #stray(view: View, changes: readonly Change[], { action, grant }: Cause): string | undefined {
    const plan = grant === undefined ? undefined : this.#runs.get(grant)?.planned;
    const theirs = changes.filter(({ kind }) => tenantKinds.has(kind));
    if (theirs.length > 0 && plan === undefined) {
      const harmed = harm(view, changes);
      const what = harmed.length > 0 ? describeHarm(harmed) : `it would change ${theirs.length} documents of tenants`;
      return `maintenance ${action} is refused, because nobody has approved it: ${what}; see 'ballast maintenance request'`;
    }
    if (plan === undefined) return undefined;
    const stray = changes.find((change) => !isSameChange(plan.get(`${change.kind}/${change.id}`), change));
    return stray && `maintenance ${action} is refused: ${stray.kind} ${stray.id} is not in the plan that was approved`;
  }

  /** Why the changes need a second person. */
  #objection(
    view: View,
    changes: readonly Change[],
    cause: Cause,
    harmed: readonly Harm[],
    atMs: number,
  ): Objection | undefined {
    const governed = changes.filter(({ kind }) => kind === 'limit' || kind === 'operator');
    if (governed.length > 0) return governance(view, governed, cause);
    if (harmed.length === 0 || cause.channel === 'workflow' || cause.channel === 'maintenance') return undefined;
    const count = approvalsNeeded(cause.principal);
    const over = (limit: Parameters<typeof isOver>[0], filter: { principal?: string; channel?: Cause['channel'] }) => {
      const sinceMs = atMs - limit.windowSeconds * 1_000;
      const radius = new Set(blastRadius(this.#window.records, { sinceMs, ...filter }));
      for (const { loadBalancerId } of harmed) radius.add(loadBalancerId);
      // A share of all that there were when the window began, whoever took them.
      const lost = [...blastRadius(this.#window.records, { sinceMs })];
      const goneCount = lost.filter((id) => view.get('load-balancer', id) === undefined).length;
      return isOver(limit, radius.size, view.count('load-balancer') + goneCount) ? radius.size : undefined;
    };
    const own = limitOf(view, cause.channel, cause.principal);
    const { principal, channel } = cause;
    const ownRadius = own && over(own.limit, { principal, channel });
    if (ownRadius !== undefined) {
      const why = `${sentenceOf(harmed)}, ${ownRadius} by ${principal} within the window; the limit '${own!.id}' is ${describeLimit(own!.limit)}`;
      return { why, right: 'approve', count };
    }
    const region = namedLimit(view, 'region');
    const regionRadius = over(region, {});
    if (regionRadius === undefined) return undefined;
    const why = `${sentenceOf(harmed)}, ${regionRadius} in the region within the window; the limit 'region' is ${describeLimit(region)}`;
    return { why, right: 'approve', count };
  }

  /** The approvals that let the changes through; undefined when there are not enough. */
  #covering(
    view: View,
    { right, count }: Objection,
    cause: Cause,
    digest: string,
    harmedCount: number,
    atMs: number,
  ): readonly Approval[] | undefined {
    const matter = { cause, digest, right, atMs };
    const ofDigest = this.#valid(view, digest, right, matter);
    const ofScope = right === 'govern' ? [] : this.#valid(view, '', right, matter);
    const usable = [...ofDigest, ...ofScope].filter(
      ({ statement }) => statement.loadBalancersMax - (view.get('approval', statement.id)?.usedBy ?? 0) >= harmedCount,
    );
    return together(usable, count);
  }

  /** The approvals found under a digest that hold now; of the others, the reasons are told. */
  #valid(
    view: View,
    digest: string,
    right: OperatorRight,
    matter: Parameters<typeof whyNotCovered>[1],
    reasons: string[] = [],
  ): readonly Approval[] {
    const valid: Approval[] = [];
    for (const { document } of view.find('approvalsOfDigest', digest)) {
      const read = readApproval(view, document.certificate, this.#options.place, right);
      const why = 'why' in read ? read.why : whyNotCovered(read, matter);
      if (why === undefined) valid.push(read as Approval);
      else reasons.push(why);
    }
    return valid;
  }

  #hold(
    view: View,
    changes: readonly Change[],
    held: {
      readonly cause: Cause;
      readonly digest: string;
      readonly harmed: readonly Harm[];
      readonly objection: Objection;
      readonly moment: VerdictMoment;
    },
  ): Verdict {
    const { cause, digest, harmed, objection, moment } = held;
    const { why, right, count } = objection;
    const known = findFirst(view, 'holdByDigest', digest);
    if (known !== undefined && known.document.expiresAtMs >= moment.timeMs) {
      return { kind: 'refuse', fault: heldFault(known.id, known.document) };
    }
    if (view.count('hold') >= holdsMax) {
      return { kind: 'refuse', fault: fault('OperationNotPermitted', `${why}; ${holdsMax} changes are held already`) };
    }
    const isKept = changes.length <= heldChangesMax && JSON.stringify(changes).length <= heldCharactersMax;
    const id = this.#options.newId();
    const hold: HoldDocument = {
      cause,
      digest,
      changes: isKept ? changes : [],
      changesCount: changes.length,
      why,
      harmed: listed(harmed),
      harmedCount: harmed.length,
      right,
      approvalsNeeded: count,
      heldAtMs: moment.timeMs,
      expiresAtMs: moment.timeMs + holdMs,
    };
    const reason = `${cause.action} of ${cause.principal} waits for ${approvalsWords(count)}`;
    return {
      kind: 'hold',
      fault: heldFault(id, hold),
      cause: { principal: 'ballast', channel: 'workflow', action: 'Hold', requestId: cause.requestId, reason },
      changes: [...(known === undefined ? [] : [remove(view, 'hold', known.id)]), put(view, 'hold', id, hold)],
    };
  }
}

/** The harmed by name, as many as are kept. */
export function listed(harmed: readonly Harm[]): readonly HarmedLoadBalancer[] {
  return harmed
    .slice(0, harmedListedMax)
    .map(({ loadBalancerId, account, name, reason }) => ({ id: loadBalancerId, account, name, reason }));
}

export function approvalsWords(count: number): string {
  return count === 1 ? 'the approval of another person' : `the approvals of ${count} people`;
}

/** What an approval of this digest is for decides the right that it takes. */
function rightFor(view: View, digest: string): OperatorRight {
  return (digest === '' ? undefined : findFirst(view, 'holdByDigest', digest))?.document.right ?? 'approve';
}

function admitApproved(
  view: View,
  approvals: readonly Approval[],
  cause: Cause,
  digest: string,
  harmed: readonly Harm[],
): Verdict {
  const also: Change[] = [];
  for (const { statement } of approvals) {
    const approval = view.get('approval', statement.id);
    if (approval === undefined || harmed.length === 0) continue;
    also.push(put(view, 'approval', statement.id, { ...approval, usedBy: approval.usedBy + harmed.length }));
  }
  for (const { id } of view.find('holdByDigest', digest)) also.push(remove(view, 'hold', id));
  const certificates = approvals.map(({ certificate }) => certificate);
  return { kind: 'admit', harmed: harmed.length, cause: { ...cause, certificates }, also };
}

/** Who is an operator and what the limits are: nobody changes that alone, as long as there is somebody else. */
function governance(view: View, governed: readonly Change[], cause: Cause): Objection | undefined {
  const names = governed.map(({ kind, id }) => `${kind} ${id}`).join(', ');
  const right = 'govern';
  const why = `${cause.action} changes ${names}, which nobody does alone`;
  const count = approvalsNeeded(cause.principal);
  if (governed.some(({ kind }) => kind === 'limit')) return { why, right, count };
  const revoked = new Set(governed.filter(({ after }) => after === null).map(({ id }) => id));
  let others = 0;
  for (const { id, document } of view.all('operator')) {
    const isAsker = operatorPrincipal(id) === cause.principal;
    if (document.rights.includes('govern') && !isAsker && !revoked.has(id)) others += 1;
  }
  // The first operators have nobody to ask, and the last one must be able to find a second.
  return others === 0 ? undefined : { why, right, count: Math.min(count, others) };
}

function heldFault(
  id: HexId,
  { why, approvalsNeeded: count, expiresAtMs, changes, changesCount }: HoldDocument,
): Fault {
  const again = changes.length < changesCount ? ', then ask again' : '';
  const until = new Date(expiresAtMs).toISOString();
  return fault(
    'OperationNotPermitted',
    `${why}. Nothing was changed: it is held as ${id} until ${until} for ${approvalsWords(count)}: ballast approvals approve ${id}${again}`,
  );
}

function sentenceOf(harmed: readonly Harm[]): string {
  return describeHarm(harmed);
}

function isSameChange(planned: Change | undefined, change: Change): boolean {
  return planned !== undefined && digestOfChanges([planned]) === digestOfChanges([change]);
}

function isApproved({ certificates, grant }: Cause): boolean {
  return certificates !== undefined || grant !== undefined;
}
