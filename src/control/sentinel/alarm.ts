/**
 * Says what was found, at once and to everybody who should know: an incident with its timeline, the log, metrics, the
 * webhook. While an incident is open, the load balancers that it touches are protected: nobody changes them.
 */
import type { Clock } from '#io/clock.ts';
import type { Log } from '#io/log.ts';
import type { Random } from '#io/random.ts';
import type { Webhook } from '#io/webhook.ts';
import { isoTime } from '#journal/history.ts';
import type { Journal } from '#journal/journal.ts';
import { formatArn } from '#model/arn.ts';
import type { HexId, LoadBalancerDocument } from '#model/documents.ts';
import type { AffectedLoadBalancer, Incident, IncidentFinding } from '#model/incident.ts';
import { type IncidentBook, incidentId, joined } from './incident-book.ts';

/** The sentinel looks this often: what it finds was not there at the look before. */
export const lookPeriodMs = 100;
/** Named in the log, as far as that. */
const ownersSaidMax = 5;
const affectedToldMax = 100;

export type FindingCheck =
  | 'file'
  | 'rows'
  | 'triggers'
  | 'chain'
  | 'index'
  | 'memory'
  | 'references'
  | 'drop'
  | 'nodes'
  | 'start';

/** What was counted of a load balancer's traffic, over all nodes. */
export interface Traffic {
  readonly requests: number;
  readonly failedRequests: number;
}

export interface AlarmOptions {
  readonly journal: Journal;
  readonly book: IncidentBook;
  readonly environment: string;
  readonly region: string;
  readonly traffic: () => Promise<ReadonlyMap<HexId, Traffic>>;
  readonly webhook: Webhook | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface Damage {
  readonly check: FindingCheck;
  /** One sentence. */
  readonly what: string;
  readonly by?: string | undefined;
  readonly affected: readonly AffectedLoadBalancer[];
  /** The earliest time at which it can have happened. */
  readonly happenedAtMs?: number;
  /** When it was found and said already, before there was an incident. */
  readonly foundAtMs?: number;
  /** Protects what is affected until it is mended. */
  readonly protects: boolean;
  /** What a person can do, where it is not mended without one. */
  readonly plan?: readonly string[];
}

interface Protection {
  readonly incidentId: string;
  readonly sinceMs: number;
  readonly name: string;
}

export class Alarm {
  readonly #options: AlarmOptions;
  readonly #protected = new Map<HexId, Protection>();
  readonly #baselines = new Map<string, ReadonlyMap<HexId, Traffic>>();
  readonly stats = { alarms: 0, webhookFailures: 0 };

  constructor(options: AlarmOptions) {
    this.#options = options;
    for (const { id, affected } of options.book.open) {
      for (const each of affected) {
        if (each.protectedAtMs === undefined || each.unprotectedAtMs !== undefined) continue;
        this.#protected.set(each.id, { incidentId: id, sinceMs: each.protectedAtMs, name: each.name });
      }
    }
  }

  get protectedCount(): number {
    return this.#protected.size;
  }

  get hasProtected(): boolean {
    return this.#protected.size > 0;
  }

  /** Why a load balancer must not be changed at the moment, a sentence. */
  protection(id: HexId): string | undefined {
    const found = this.#protected.get(id);
    if (found === undefined) return undefined;
    return `load balancer ${found.name} is protected since ${isoTime(found.sinceMs)}, incident ${found.incidentId}: its data was damaged and is being mended; try again later`;
  }

  /** Opens an incident, or adds to `current`; protects what it touches. */
  report(damage: Damage, current?: Incident): Incident {
    const { book, clock, log } = this.#options;
    const nowMs = clock.wallMs();
    const { check, what, by, affected, happenedAtMs, protects, plan = [], foundAtMs = nowMs } = damage;
    // What a start finds can have happened at any time before.
    const since = happenedAtMs ?? (check === 'start' ? undefined : nowMs - lookPeriodMs);
    const incident = current ?? book.put({ ...this.newIncident(what, 'sentinel', since), noticedAtMs: foundAtMs });
    const shielded = protects ? affected.map((each) => ({ ...each, protectedAtMs: nowMs })) : affected;
    for (const { id, name } of protects ? affected : []) {
      if (!this.#protected.has(id)) this.#protected.set(id, { incidentId: incident.id, sinceMs: nowMs, name });
    }
    const finding: IncidentFinding = { check, what, foundAtMs, ...(by !== undefined && { by }) };
    book.find(incident.id, finding, shielded);
    book.update(incident.id, ({ open }) => ({ open: [...new Set([...open, ...plan])] }));
    book.note(incident.id, { atMs: foundAtMs, source: 'sentinel', who: 'sentinel', text: `noticed: ${what}` });
    this.stats.alarms += 1;
    const owners = [...new Set(affected.map(({ account }) => account))];
    const whose =
      affected.length === 0
        ? ''
        : `; it touches ${affected.length} load balancers of ${owners.slice(0, ownersSaidMax).join(', ')}${owners.length > ownersSaidMax ? ' and others' : ''}`;
    log.error(`ALARM ${incident.id}: ${what}${by === undefined ? '' : ` (by ${by})`}${whose}`);
    void this.#tell({
      type: damage.foundAtMs === undefined ? 'alarm' : 'incident',
      incident: incident.id,
      check,
      what,
      ...(by !== undefined && { by }),
      at: isoTime(nowMs),
      affected: affected.slice(0, affectedToldMax).map(({ account, name, arn }) => ({ account, name, arn })),
      affectedCount: affected.length,
    });
    void this.countTraffic(incident.id);
    return book.get(incident.id)!;
  }

  /** Lets go of what was protected, and notes what the traffic came to. */
  async settle(id: string, state: 'mended' | 'closed'): Promise<void> {
    const { book, clock, log } = this.#options;
    const nowMs = clock.wallMs();
    for (const [loadBalancer, { incidentId: of }] of this.#protected) {
      if (of === id) this.#protected.delete(loadBalancer);
    }
    const ended = book.update(id, ({ affected, open, mendedAtMs }) => ({
      state: state === 'mended' && open.length > 0 ? 'open' : state,
      ...(state === 'closed' ? { closedAtMs: nowMs } : { mendedAtMs: mendedAtMs ?? nowMs }),
      affected: affected.map((each) =>
        each.protectedAtMs === undefined || each.unprotectedAtMs !== undefined
          ? each
          : { ...each, unprotectedAtMs: nowMs },
      ),
    }));
    if (ended === undefined) return;
    log.info(`incident ${id} is ${ended.state}: ${ended.title}`);
    void this.#tell({ type: 'incident', incident: id, state: ended.state, title: ended.title, at: isoTime(nowMs) });
    await this.countTraffic(id);
    const sum = { requests: 0, failed: 0 };
    for (const { requests = 0, failedRequests = 0 } of book.get(id)?.affected ?? []) {
      sum.requests += requests;
      sum.failed += failedRequests;
    }
    const text = `the load balancers that it touches took ${sum.requests} requests meanwhile, and failed ${sum.failed}`;
    if (sum.requests > 0) book.note(id, { atMs: clock.wallMs(), source: 'metrics', who: 'nodes', text });
  }

  /** A person says that it is over: nothing is protected for it any more. */
  async closeIncident(by: string, id: string): Promise<Incident | undefined> {
    const { book, clock } = this.#options;
    if (book.get(id) === undefined) return undefined;
    book.note(id, { atMs: clock.wallMs(), source: 'operator', who: by, text: 'closed the incident' });
    await this.settle(id, 'closed');
    return book.get(id);
  }

  newIncident(title: string, openedBy: string, happenedAtMs?: number): Incident {
    const { clock, random, environment, region, journal } = this.#options;
    const nowMs = clock.wallMs();
    return {
      id: incidentId(nowMs, random.hex(16)),
      environment,
      region,
      storeId: journal.identity.storeId,
      title,
      openedBy,
      state: 'open',
      ...(happenedAtMs !== undefined && { happenedAtMs }),
      noticedAtMs: nowMs,
      findings: [],
      affected: [],
      timeline: [],
      open: [],
    };
  }

  /** Requests since the incident was opened: the first count is what later ones are compared with. */
  async countTraffic(id: string): Promise<void> {
    const { book, traffic } = this.#options;
    const now = await traffic();
    const known = this.#baselines.get(id) ?? now;
    this.#baselines.set(id, known);
    const state = book.get(id)?.state;
    book.update(id, ({ affected }) => ({
      affected: affected.map((each) => {
        const current = now.get(each.id);
        if (current === undefined) return each;
        const before = known.get(each.id) ?? { requests: 0, failedRequests: 0 };
        // A node that was started again counts from nothing.
        const since = (count: number, then: number) => Math.max(0, count - then);
        return {
          ...each,
          requests: since(current.requests, before.requests),
          failedRequests: since(current.failedRequests, before.failedRequests),
        };
      }),
    }));
    if (state !== 'open') this.#baselines.delete(id);
  }

  named(ids: readonly HexId[], how: string): readonly AffectedLoadBalancer[] {
    const { view } = this.#options.journal;
    return joined(
      [],
      ids.flatMap((id) => {
        const document = view.get('load-balancer', id);
        return document === undefined ? [] : [this.affected(id, document, how)];
      }),
    );
  }

  affected(id: HexId, { account, type, name }: LoadBalancerDocument, how: string): AffectedLoadBalancer {
    const { region } = this.#options;
    return { id, account, name, arn: formatArn({ kind: 'load-balancer', region, account, type, name, id }), how };
  }

  async #tell(message: object): Promise<void> {
    const { webhook, log, environment, region } = this.#options;
    const why = await webhook?.tell({ environment, region, ...message });
    if (why === undefined) return;
    this.stats.webhookFailures += 1;
    log.warn(`the alarm webhook was not told: ${why}`);
  }
}
