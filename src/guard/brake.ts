/**
 * The guard of a follower: it judges what reached it once more, as if the control plane could be wrong, because one day
 * it is. It takes nobody's word that something was approved; it checks the signatures itself.
 *
 *   workflow, maintenance   may not harm, unless the approvals come along
 *   api, restore            up to the limit of a node (`node`); over it, held until it is approved or usual again
 */
import type { Place } from '#model/approval.ts';
import type { Cause, Change } from '#model/change.ts';
import type { HexId } from '#model/documents.ts';
import type { View } from '#model/view.ts';
import { type Approval, readApproval, whyNotCovered } from './approvals.ts';
import { blastRadius, type HarmRecord, HarmWindow } from './blast-radius.ts';
import { describeHarm, type Harm, harm } from './harm.ts';
import { describeLimit, isOver, namedLimit, windowSecondsMax } from './limits.ts';

/** A transaction as it reached the follower: the part of it that concerns it. */
export interface Reached {
  readonly revision: number;
  readonly timeMs: number;
  readonly cause: Cause;
  readonly changes: readonly Change[];
  /** Of the whole of it: what an approval that comes later names. */
  readonly digest?: string;
}

export type BrakeVerdict =
  | { readonly kind: 'admit' }
  | { readonly kind: 'hold'; readonly reason: string; readonly harmed: readonly Harm[] };

/** What was held, as much as its release is judged by. */
export type Matter = Pick<Reached, 'timeMs' | 'cause' | 'digest'>;

/** Harm that was let through, and by whose word, if it took one. */
export interface AdmittedHarm extends HarmRecord {
  readonly approvalId?: HexId;
}

export interface BrakeOptions {
  /** What it has let through before, also before a restart. */
  readonly remembered: Iterable<AdmittedHarm>;
  readonly onAdmitted: (harm: AdmittedHarm) => void;
}

export class Brake {
  readonly #onAdmitted: BrakeOptions['onAdmitted'];
  readonly #window = new HarmWindow(windowSecondsMax * 1_000);
  /** Approval → what was harmed by it here. */
  readonly #used = new Map<HexId, Set<HexId>>();

  constructor({ remembered, onAdmitted }: BrakeOptions) {
    this.#onAdmitted = onAdmitted;
    for (const each of remembered) this.#note(each);
  }

  /** `nowMs` is the follower's own time: when it happens here is what its window goes by. */
  judge(view: View, reached: Reached, place: Place, nowMs: number): BrakeVerdict {
    const { cause, changes, revision } = reached;
    const harmed = harm(view, changes);
    if (harmed.length === 0) return { kind: 'admit' };
    const ids = harmed.map(({ loadBalancerId }) => loadBalancerId);
    const approval = this.#covering(view, reached, place, ids, nowMs);
    const { channel, action, principal } = cause;
    const record = { revision, timeMs: nowMs, principal, channel, loadBalancers: ids };
    if (approval !== undefined) return this.#admit({ ...record, approvalId: approval.statement.id });
    if (channel === 'workflow' || channel === 'maintenance') {
      return { kind: 'hold', harmed, reason: `${channel} ${action} is held: ${describeHarm(harmed)}` };
    }
    const limit = namedLimit(view, 'node');
    if (this.#isOver(view, ids, nowMs)) {
      const reason = `${action} of ${principal} is held: ${describeHarm(harmed)}; the limit 'node' is ${describeLimit(limit)}`;
      return { kind: 'hold', harmed, reason };
    }
    return this.#admit(record);
  }

  /** Whether something that was held would go through by now, so that it is worth looking at again. */
  mayGo(view: View, held: Matter, place: Place, harmedCount: number, nowMs: number): boolean {
    if (this.#covering(view, held, place, [], nowMs) !== undefined) return true;
    const { channel } = held.cause;
    if (channel === 'workflow' || channel === 'maintenance') return false;
    const unknown = Array.from({ length: harmedCount }, (_, index) => `${index}`);
    return !this.#isOver(view, unknown, nowMs);
  }

  #admit(harmed: AdmittedHarm): BrakeVerdict {
    this.#note(harmed);
    this.#onAdmitted(harmed);
    return { kind: 'admit' };
  }

  /** What was approved counts against the approval, and not against the limit. */
  #note(harmed: AdmittedHarm): void {
    const { approvalId, loadBalancers } = harmed;
    if (approvalId === undefined) return this.#window.add(harmed);
    const used = this.#used.get(approvalId) ?? new Set();
    for (const id of loadBalancers) used.add(id);
    this.#used.set(approvalId, used);
  }

  #isOver(view: View, ids: readonly HexId[], nowMs: number): boolean {
    const limit = namedLimit(view, 'node');
    const radius = new Set(blastRadius(this.#window.records, { sinceMs: nowMs - limit.windowSeconds * 1_000 }));
    for (const id of ids) radius.add(id);
    const gone = [...radius].filter((id) => view.get('load-balancer', id) === undefined).length;
    return isOver(limit, radius.size, view.count('load-balancer') + gone);
  }

  /** An approval that came along, or that was given since; it must have room for these. */
  #covering(
    view: View,
    { cause, digest, timeMs }: Matter,
    place: Place,
    ids: readonly HexId[],
    nowMs: number,
  ): Approval | undefined {
    const right = 'approve';
    // The digest of one that came along is of what was asked for, which is more than what reached here.
    const along = (cause.certificates ?? []).map((certificate) => ({ certificate, digest: undefined, atMs: timeMs }));
    const since = [...view.all('approval')].map(({ document }) => ({
      certificate: document.certificate,
      digest: digest ?? '',
      atMs: nowMs,
    }));
    for (const { certificate, ...moment } of [...along, ...since]) {
      const read = readApproval(view, certificate, place, right);
      if ('why' in read || whyNotCovered(read, { cause, right, ...moment }) !== undefined) continue;
      const used = this.#used.get(read.statement.id);
      const more = used === undefined ? ids.length : ids.filter((id) => !used.has(id)).length;
      if ((used?.size ?? 0) + more <= read.statement.loadBalancersMax) return read;
    }
    return undefined;
  }
}
