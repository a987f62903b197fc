/**
 * The brake of a follower: what reaches it is judged once more before it is kept. What the brake holds back goes on
 * serving, is remembered on the follower's disk, reported, and asked for again once it may go: it was approved, or it
 * is usual again by then.
 */

import { Brake } from '#guard/brake.ts';
import type { Clock } from '#io/clock.ts';
import type { Applied, HeldTransaction, Replica } from '#journal/replica.ts';
import type { News } from '#link/client.ts';
import type { HeldReport, LinkTransaction } from '#link/frames.ts';
import type { Place } from '#model/approval.ts';
import type { Cause, Change } from '#model/change.ts';
import type { Entry, HexId } from '#model/documents.ts';
import type { View } from '#model/view.ts';

/** So many are asked for again at one time. */
const againMax = 20;
const heldReportedMax = 1_000;
const harmedReportedMax = 10_000;

export interface ReplicaBrakeOptions {
  readonly replica: Replica;
  readonly environment: string;
  readonly region: string;
  readonly clock: Clock;
  /** True in a drill that shows what it is like without: everything is taken. */
  readonly isOff: boolean;
}

export interface Braked {
  readonly applied: readonly Applied[];
  /** What is held back since. */
  readonly held: readonly HeldTransaction[];
}

export class ReplicaBrake {
  readonly #options: ReplicaBrakeOptions;
  readonly #brake: Brake;

  constructor(options: ReplicaBrakeOptions) {
    this.#options = options;
    const { replica } = options;
    this.#brake = new Brake({
      remembered: replica.harmed,
      onAdmitted: (harmed) => replica.keepHarm(harmed),
    });
  }

  /** Takes news, transaction by transaction, each judged against what the follower holds at that moment. */
  take(news: News): Braked {
    const { replica } = this.#options;
    const held: HeldTransaction[] = [];
    const applied: Applied[] = [];
    // The position moves at the end: until then a restart asks for the same news again, which changes nothing twice.
    const { position } = replica;
    const entries = this.#admissible(news, held);
    if (entries.length > 0) applied.push(...replica.apply({ entries, changes: [], position }));
    for (const transaction of news.transactions) this.#take(transaction, applied, held);
    replica.apply({ entries: [], changes: [], position: news.position });
    return { applied, held };
  }

  /** Judges once more what was held back and has been asked for again. */
  takeAgain(transaction: LinkTransaction): Braked {
    const held: HeldTransaction[] = [];
    const applied: Applied[] = [];
    this.#take(transaction, applied, held);
    if (held.length === 0) this.#options.replica.letGo(transaction.revision);
    return { applied, held: [] };
  }

  /** Revisions that were held back and would go through by now, the oldest first. */
  releasable(): readonly number[] {
    const { replica, clock } = this.#options;
    const revisions: number[] = [];
    for (const { revision, timeMs, cause, digest, harmed } of replica.held) {
      const matter = { timeMs, cause, ...(digest === '' ? {} : { digest }) };
      const isMoot = harmed.every((id) => newestOf(replica.view, id) > revision);
      const mayGo = this.#brake.mayGo(replica.view, matter, this.#place, harmed.length, clock.wallMs());
      if (isMoot || mayGo) revisions.push(revision);
      if (revisions.length === againMax) break;
    }
    return revisions;
  }

  get #place(): Place {
    const { environment, region, replica } = this.#options;
    return { environment, region, storeId: replica.position.storeId };
  }

  #take(transaction: LinkTransaction, applied: Applied[], held: HeldTransaction[]): void {
    const { replica, clock, isOff } = this.#options;
    const { revision, timeMs, cause, digest } = transaction;
    // What has been written anew since is not touched by it any more.
    const changes = transaction.changes.filter(({ kind, id }) => replica.view.revisionOf(kind, id) < revision);
    const verdict = isOff
      ? ({ kind: 'admit' } as const)
      : this.#brake.judge(replica.view, { ...transaction, changes }, this.#place, clock.wallMs());
    if (verdict.kind === 'hold') {
      const harmed = verdict.harmed.map(({ loadBalancerId }) => loadBalancerId);
      const one = { revision, timeMs, cause, digest, reason: verdict.reason, harmed };
      replica.hold(one);
      held.push(one);
      return;
    }
    const { position } = replica;
    applied.push(...replica.apply({ entries: [], changes: changes.map((change) => ({ revision, change })), position }));
  }

  /** Whole documents are for what it does not hold: they have no cause, so they may not harm what it does hold. */
  #admissible(news: News, held: HeldTransaction[]): readonly Entry[] {
    const { replica, clock, isOff } = this.#options;
    const { view } = replica;
    if (isOff) return news.entries;
    const changes = news.entries.map(
      ({ kind, id, document }) => ({ kind, id, before: view.revisionOf(kind, id), after: document }) as Change,
    );
    const cause: Cause = { principal: 'ballast', channel: 'workflow', action: 'Synchronise', requestId: '' };
    const { revision } = news.position;
    const reached = { revision, timeMs: 0, cause, changes };
    const verdict = this.#brake.judge(view, reached, this.#place, clock.wallMs());
    if (verdict.kind === 'admit') return news.entries;
    const harmed = verdict.harmed.map(({ loadBalancerId }) => loadBalancerId);
    held.push({ revision, timeMs: 0, cause, digest: '', reason: verdict.reason, harmed });
    return news.entries.filter(({ kind, id }) => view.revisionOf(kind, id) === 0);
  }
}

/** The latest revision of what makes a load balancer serve; what was put back since needs no protection any more. */
function newestOf(view: View, id: HexId): number {
  let newest = view.revisionOf('load-balancer', id);
  for (const index of ['listenersOfLoadBalancer', 'placementsOfLoadBalancer'] as const) {
    for (const { revision } of view.find(index, id)) newest = Math.max(newest, revision);
  }
  return newest;
}

/** What a follower holds back, as it tells the control plane: the newest when there are too many. */
export function heldReports(replica: Replica): readonly HeldReport[] {
  return replica.held.slice(-heldReportedMax).map(({ revision, reason, cause, digest, harmed }) => ({
    revision,
    reason,
    principal: cause.principal,
    channel: cause.channel,
    digest,
    harmed: harmed.slice(0, harmedReportedMax),
  }));
}
