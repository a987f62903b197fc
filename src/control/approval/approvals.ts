/**
 * What waits for somebody's word, and the words. An approval is written first; when it completes what was held, the
 * held changes are made as whoever asked for them wanted them, unless the state has moved on since.
 */
import { accept, type Result, refuse } from '#base/result.ts';
import type { Refusal } from '#control/time-travel/scope.ts';
import { readApproval, together, whyNotCovered } from '#guard/approvals.ts';
import type { Random } from '#io/random.ts';
import { isoTime } from '#journal/history.ts';
import type { Journal } from '#journal/journal.ts';
import { type Certificate, type Place, parseStatement, type Statement } from '#model/approval.ts';
import type { ApprovalEntry, ApprovalsLine, Approved, WaitingEntry } from '#model/approvals.ts';
import { type Change, put, remove } from '#model/change.ts';
import type { HarmedLoadBalancer, HexId, HoldDocument, OperatorRight } from '#model/documents.ts';
import { fault } from '#model/fault.ts';
import { findFirst, type View } from '#model/view.ts';
import { commitWish } from './committing.ts';

/** What a node holds back, as the link tells. */
export interface NodeHold {
  readonly revision: number;
  readonly reason: string;
  readonly principal: string;
  readonly digest: string;
  readonly harmed: readonly string[];
}

export interface ApprovalsOptions {
  readonly journal: Journal;
  readonly random: Random;
  readonly place: Place;
  readonly nowMs: () => number;
  /** By follower. */
  readonly nodeHolds: () => ReadonlyMap<string, readonly NodeHold[]>;
}

const approvalsMax = 10_000;

export class Approvals {
  readonly #options: ApprovalsOptions;

  constructor(options: ApprovalsOptions) {
    this.#options = options;
  }

  /** The place, then what waits, the oldest first, then the approvals that hold. */
  list(): readonly ApprovalsLine[] {
    const { journal, place, nowMs } = this.#options;
    const { view } = journal;
    const now = nowMs();
    const held = [...view.all('hold')].filter(({ document }) => document.expiresAtMs >= now);
    const requests = [...view.all('request')].filter(({ document }) => document.expiresAtMs >= now);
    const approvals = [...view.all('approval')].filter(({ document }) => document.expiresAtMs >= now);
    return [
      { type: 'place', ...place, nowMs: now },
      ...held.map(({ id, document }): WaitingEntry => {
        const { cause, digest, why, right, harmed, harmedCount, approvalsNeeded } = document;
        const matter = { digest, cause, right };
        return {
          type: 'waiting',
          what: 'change',
          id,
          digest,
          title: cause.reason === undefined ? cause.action : `${cause.action} (${cause.reason})`,
          askedBy: cause.principal,
          why,
          right,
          harmedCount,
          harmed,
          approvedBy: this.#approversOf(view, matter, now),
          approvalsNeeded,
          since: isoTime(document.heldAtMs),
          expires: isoTime(document.expiresAtMs),
        };
      }),
      ...requests.map(({ id, document }): WaitingEntry => {
        const { process, digest, requestedBy, harmed, harmedCount, approvalsNeeded, reason, changesCount } = document;
        const cause = { principal: requestedBy, channel: 'maintenance' } as const;
        return {
          type: 'waiting',
          what: 'maintenance',
          id,
          digest,
          title: `${process}: ${reason}`,
          askedBy: requestedBy,
          why: `it would make ${changesCount} ${changesCount === 1 ? 'change' : 'changes'}`,
          right: 'approve',
          harmedCount,
          harmed,
          approvedBy: this.#approversOf(view, { digest, cause, right: 'approve' }, now),
          approvalsNeeded,
          since: isoTime(document.requestedAtMs),
          expires: isoTime(document.expiresAtMs),
        };
      }),
      ...this.#heldByNodes(view),
      ...approvals.map(({ id, document }) => approvalEntry(id, document)),
    ];
  }

  /** What waits, for metrics. */
  get waitingCount(): number {
    return this.list().filter(({ type }) => type === 'waiting').length;
  }

  /** Takes a person's word. Refuses what the guard refuses, and one that is there already. */
  async approve(by: string, certificate: Certificate): Promise<Result<Approved, Refusal>> {
    const parsed = parseStatement(certificate.statement);
    if (!parsed.ok) return refuse({ status: 400, error: parsed.fault });
    const statement = parsed.value;
    const { id, covers, notAfterMs } = statement;
    const now = this.#options.nowMs();
    if (notAfterMs < now) return refuse({ status: 409, error: 'the approval does not hold any more' });
    const digest = covers.kind === 'digest' ? covers.digest : '';
    const wish = { by, action: 'Approve', reason: statement.reason };
    const done = await commitWish(this.#options, wish, (view) => {
      if (view.get('approval', id) !== undefined) return `approval ${id} is there already`;
      if (view.count('approval') >= approvalsMax) return `there are ${approvalsMax} approvals, which is the limit`;
      const why = this.#whyUseless(view, statement, certificate, now);
      if (why !== undefined) return why;
      const document = { certificate, digest, usedBy: 0, expiresAtMs: notAfterMs };
      return { changes: [put(view, 'approval', id, document)], output: undefined };
    });
    if (!done.ok) return done;
    return this.#carryOut(statement, digest);
  }

  /** Takes back what waits, or an approval that holds. */
  async reject(by: string, { id }: { readonly id: string }): Promise<Result<{ readonly id: string }, Refusal>> {
    const done = await commitWish(this.#options, { by, action: 'Reject' }, (view) => {
      const kind = (['hold', 'request', 'approval'] as const).find((each) => view.get(each, id) !== undefined);
      return kind && { changes: [remove(view, kind, id)], output: { id } };
    });
    return done.ok ? accept(done.value.output) : done;
  }

  /** Tombstones for what has expired. */
  expired(view: View, nowMs: number): readonly Change[] {
    return (['hold', 'request', 'approval'] as const).flatMap((kind) =>
      [...view.all(kind)]
        .filter(({ document }) => document.expiresAtMs < nowMs)
        .map(({ id }) => remove(view, kind, id)),
    );
  }

  /** Makes the changes that the approval was the last word for. */
  async #carryOut({ id, approver }: Statement, digest: string): Promise<Result<Approved, Refusal>> {
    const { journal, nowMs } = this.#options;
    const { view } = journal;
    const hold = digest === '' ? undefined : findFirst(view, 'holdByDigest', digest);
    const request = [...view.all('request')].find(({ document }) => document.digest === digest);
    const done = (message: string, have = 1, needed = 1, revision?: number) =>
      accept({ id, approver, approvalsHave: have, approvalsNeeded: needed, message, ...(revision && { revision }) });
    if (hold === undefined) {
      if (request === undefined) return done('It holds from now on.');
      const { requestedBy, approvalsNeeded } = request.document;
      const cause = { principal: requestedBy, channel: 'maintenance' } as const;
      const have = this.#approversOf(view, { digest, cause, right: 'approve' }, nowMs()).length;
      const next = `carry it out with: ballast maintenance apply ${request.id}`;
      const message = have < approvalsNeeded ? 'It needs another approval.' : `Approved; ${next}`;
      return done(message, have, approvalsNeeded);
    }
    const { cause, right, approvalsNeeded, changes, changesCount } = hold.document;
    const have = this.#approversOf(view, { digest, cause, right }, nowMs()).length;
    if (have < approvalsNeeded) return done('It needs another approval.', have, approvalsNeeded);
    if (changes.length < changesCount) {
      const message = `Approved; it was too large to be kept, so ${cause.principal} has to ask for it again.`;
      return done(message, have, approvalsNeeded);
    }
    const made = await journal.transact(cause, (current) => {
      const moved = changes.find((change) => current.revisionOf(change.kind, change.id) !== change.before);
      return moved === undefined
        ? accept({ changes, output: undefined })
        : refuse(
            fault('OperationNotPermitted', `${moved.kind} ${moved.id} has changed since: it has to be asked for again`),
          );
    });
    if (!made.ok) return refuse({ status: 409, error: `approved, but not done: ${made.fault.message}` });
    const revision = made.value.transaction?.revision;
    return done(`Done as revision ${revision}.`, have, approvalsNeeded, revision);
  }

  /** An approval that nothing can come of is refused while the person is still there. */
  #whyUseless(view: View, statement: Statement, certificate: Certificate, atMs: number): string | undefined {
    const { covers } = statement;
    if (covers.kind === 'scope') return undefined;
    const { digest } = covers;
    const hold = findFirst(view, 'holdByDigest', digest)?.document;
    const request = [...view.all('request')].find(({ document }) => document.digest === digest)?.document;
    const ofNode = [...this.#options.nodeHolds().values()].flat().find((held) => held.digest === digest);
    const cause =
      hold?.cause ??
      (request && ({ principal: request.requestedBy, channel: 'maintenance' } as const)) ??
      (ofNode && ({ principal: ofNode.principal, channel: 'api' } as const));
    if (cause === undefined) return 'nothing waits for this approval: it was done, rejected, or has expired';
    const right = hold?.right ?? 'approve';
    const read = readApproval(view, certificate, this.#options.place, right);
    return 'why' in read ? read.why : whyNotCovered(read, { cause, digest, right, atMs });
  }

  #approversOf(
    view: View,
    { digest, cause, right }: Pick<HoldDocument, 'digest' | 'cause' | 'right'> | Matter,
    atMs: number,
  ): readonly string[] {
    const found = [...view.find('approvalsOfDigest', digest)].flatMap(({ document }) => {
      const read = readApproval(view, document.certificate, this.#options.place, right);
      return 'why' in read || whyNotCovered(read, { cause, digest, right, atMs }) !== undefined ? [] : [read];
    });
    const names = new Set(found.map(({ statement }) => statement.approver));
    return (together(found, names.size) ?? []).map(({ statement }) => statement.approver);
  }

  /** What several nodes hold back of one transaction waits once. */
  #heldByNodes(view: View): readonly WaitingEntry[] {
    const byRevision = new Map<
      number,
      { readonly nodes: string[]; readonly hold: NodeHold; readonly harmed: Set<HexId> }
    >();
    for (const [node, holds] of this.#options.nodeHolds()) {
      for (const hold of holds) {
        const known = byRevision.get(hold.revision) ?? { nodes: [], hold, harmed: new Set() };
        known.nodes.push(node);
        for (const id of hold.harmed) known.harmed.add(id);
        byRevision.set(hold.revision, known);
      }
    }
    return [...byRevision.values()].map(({ nodes, hold, harmed }) => ({
      type: 'waiting',
      what: 'node',
      id: `r${hold.revision}`,
      digest: hold.digest,
      title: `revision ${hold.revision}, held back by ${nodes.join(', ')}`,
      askedBy: hold.principal,
      why: hold.reason,
      right: 'approve',
      harmedCount: harmed.size,
      harmed: [...harmed].map((id) => namedHarm(view, id)),
      approvedBy: [],
      approvalsNeeded: 1,
      since: isoTime(this.#options.journal.header(hold.revision)?.timeMs ?? 0),
    }));
  }
}

interface Matter {
  readonly digest: string;
  readonly cause: { readonly principal: string; readonly channel: 'maintenance' };
  readonly right: OperatorRight;
}

function namedHarm(view: View, id: HexId): HarmedLoadBalancer {
  const { account = '', name = id } = view.get('load-balancer', id) ?? {};
  return { id, account, name, reason: 'served by the node all the same' };
}

function approvalEntry(
  id: string,
  document: { readonly certificate: Certificate; readonly usedBy: number; readonly expiresAtMs: number },
): ApprovalEntry {
  // It was read when it was written.
  const { approver, covers, loadBalancersMax, reason } = JSON.parse(document.certificate.statement) as Statement;
  return {
    type: 'approval',
    id,
    approver,
    covers:
      covers.kind === 'digest'
        ? `changes ${covers.digest.slice(0, 12)}`
        : `what ${covers.principal} does through ${covers.channel}`,
    loadBalancersMax,
    usedBy: document.usedBy,
    expires: isoTime(document.expiresAtMs),
    ...(reason !== undefined && { reason }),
  };
}
