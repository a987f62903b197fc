/**
 * Watches the state for damage, whatever does it, and mends what vault, memory and nodes agree on. What it finds it
 * says at once: what was lost, whose it is, since when and what did it. What it cannot mend it leaves as it is, with a
 * plan for a person. Load balancers that are affected are protected until they are mended: nobody changes them.
 *
 *   file     the store's file is gone, or another stands in its place
 *   rows     transactions are gone from the log, changed, or were added to it by another program
 *   triggers what kept other programs from writing was taken away
 *   chain, index, memory     what a verification found
 *   references   a change has left something that refers to nowhere
 *   drop     much was removed at once and nobody had approved it
 *   nodes    nodes serve what the state does not know, follow another history, or hold back what nobody approved
 */

import { touchedLoadBalancers } from '#guard/harm.ts';
import type { Clock } from '#io/clock.ts';
import type { Log } from '#io/log.ts';
import { whoElseHasOpen } from '#io/open-files.ts';
import { every, type Timer } from '#io/timers.ts';
import { changeOf, linesOf } from '#journal/chain.ts';
import type { Journal } from '#journal/journal.ts';
import { StoreDamaged, StoreFailure, type StoreSight } from '#journal/store.ts';
import type { Break } from '#journal/verify-break.ts';
import { type Change, put, type Transaction } from '#model/change.ts';
import type { HexId, Kind, LoadBalancerDocument } from '#model/documents.ts';
import { breachWithout } from '#model/laws.ts';
import { type Alarm, type Damage, lookPeriodMs } from './alarm.ts';
import { type Drop, DropWatch } from './drop.ts';
import type { IncidentBook } from './incident-book.ts';
import type { Mended, StoreMender } from './mender.ts';
import { type BrokenReference, brokenReference } from './references.ts';

/** Of each period, so much may go into looking at what was changed. */
const checkTurnMs = 10;
const checkedAtOnce = 500;
/** Of what a node knows more, so many are said by name. */
const namedMax = 10;
const uncheckedMax = 1_000;
/** A store that is damaged again and again is mended so often, and then waits for a person. */
const mendsMax = { count: 20, withinMs: 600_000 };
/** What could not be mended is tried again after this time, then after twice that, up to the longest. */
const againAfterMs = { first: 1_000, longest: 60_000 };

export interface SentinelOptions {
  readonly journal: Journal;
  readonly mender: StoreMender;
  readonly book: IncidentBook;
  readonly alarm: Alarm;
  /** Of the store, and what SQLite keeps beside it. */
  readonly storePaths: readonly string[];
  /** Verifies the whole store at once. */
  readonly verifyNow: () => void;
  readonly clock: Clock;
  readonly log: Log;
}

interface Unmended {
  readonly what: string;
  readonly id: string;
  readonly triesAtMs: number;
  readonly waitMs: number;
  /** What was said to be open because of it. */
  readonly toDo: ReadonlySet<string>;
}

export interface SentinelStats {
  readonly alarms: number;
  readonly openIncidents: number;
  readonly protectedLoadBalancers: number;
  /** How long ago it last looked. */
  readonly lastLookSeconds: number;
  readonly mended: number;
  readonly webhookFailures: number;
}

export class Sentinel {
  readonly #options: SentinelOptions;
  readonly #alarm: Alarm;
  readonly #timer: Timer;
  readonly #unfollow: () => void;
  readonly #mendedAtMs: number[] = [];
  readonly #told = new Set<string>();
  readonly #drops = new DropWatch();
  /** Transactions whose references are still to be looked at. */
  readonly #unchecked: Transaction[] = [];
  /** How much of the first of them has been. */
  #checkedCount = 0;
  #lastLookMs: number;
  #isExamining = false;
  #mending: Promise<void> | undefined;
  #mendingId: string | undefined;
  /** Damage that is still there because it could not be mended: known, and not another incident at every look. */
  #unmended: Unmended | undefined;
  /** The incident that what is being examined belongs to. */
  #current: string | undefined;
  #mended = 0;

  constructor(options: SentinelOptions) {
    this.#options = options;
    this.#alarm = options.alarm;
    this.#lastLookMs = options.clock.monotonicMs();
    this.#unfollow = options.journal.follow((transactions) => {
      for (const transaction of transactions) {
        // At once, so that it is told from what comes after it; what is large is looked at piece by piece.
        if (transaction.changes.length <= checkedAtOnce) this.#check(transaction, transaction.changes);
        else this.#unchecked.push(transaction);
        // So far behind only a flood can leave it; what it passes over the verification of the whole finds later.
        if (this.#unchecked.length > uncheckedMax) this.#unchecked.shift();
        const drop = this.#drops.note(options.journal.view, transaction);
        if (drop !== undefined) this.#inBackground(this.#reportDrop(transaction, drop));
      }
    });
    this.#timer = every(lookPeriodMs, () => this.#look());
  }

  get stats(): SentinelStats {
    const { book, clock } = this.#options;
    return {
      ...this.#alarm.stats,
      mended: this.#mended,
      openIncidents: book.open.length,
      protectedLoadBalancers: this.#alarm.protectedCount,
      lastLookSeconds: (clock.monotonicMs() - this.#lastLookMs) / 1_000,
    };
  }

  /** What a verification has found. */
  onBreak({ where, what, revision, touched }: Break): void {
    const { journal } = this.#options;
    const ids = touched.filter(({ kind }) => kind === 'load-balancer').map(({ id }) => id);
    const check = where === 'log' ? 'chain' : where;
    const damage: Damage = {
      check,
      what: `${what}, first at revision ${revision}`,
      affected: this.#alarm.named(journal.view.revision < 0 ? [] : ids, 'its data in the store was damaged'),
      protects: where === 'log',
      ...(where === 'memory' && { plan: ['start the control plane again: it reads its memory from the store'] }),
    };
    if (where === 'memory') this.#alarm.report(damage);
    else void this.#reportAndMend(damage);
  }

  /** The store was damaged, and was put back before it was opened. */
  healedAtStart(found: Mended & { readonly found: string; readonly foundAtMs: number }): void {
    const { journal, clock, book } = this.#options;
    const ids = [...journal.view.all('load-balancer')].map(({ id }) => id);
    const incident = this.#alarm.report({
      check: 'start',
      what: found.found,
      affected: this.#alarm.named(ids, 'its data was gone from the store; nodes served it all the time'),
      protects: false,
      foundAtMs: found.foundAtMs,
    });
    const text = `put back from the vault up to revision ${found.revision}; what was found is in ${found.aside}`;
    book.note(incident.id, { atMs: clock.wallMs(), source: 'sentinel', who: 'sentinel', text });
    void this.#alarm.settle(incident.id, 'mended');
  }

  /** A follower's history is not that of the store. */
  nodeDiverged(nodeId: string, reason: string): void {
    this.#once(`diverged ${nodeId} ${reason}`, () =>
      this.#alarm.report({
        check: 'nodes',
        what: `${nodeId} holds another history than the state store and goes on serving what it has: ${reason}`,
        affected: [],
        protects: false,
        plan: [
          'if the store is not the right one: stop Ballast, move the store aside, and start again, or see ballast recover',
        ],
      }),
    );
  }

  /** A follower works with documents that the state does not know, and no tombstone says that they are gone. */
  nodeKnowsMore(nodeId: string, held: readonly { readonly kind: Kind; readonly id: string }[]): void {
    const names = held
      .map(({ kind, id }) => `${kind} ${id}`)
      .slice(0, namedMax)
      .join(', ');
    this.#once(`more ${nodeId} ${names}`, () =>
      this.#alarm.report({
        check: 'nodes',
        what: `${nodeId} works with ${held.length} documents that the state does not know and never removed: ${names}`,
        affected: [],
        protects: false,
        plan: ['see what the nodes serve with: ballast recover --from nodes'],
      }),
    );
  }

  /** A node holds back what the control plane should never have sent it. */
  nodeHolds(
    nodeId: string,
    held: { readonly revision: number; readonly reason: string; readonly harmed: readonly HexId[] },
  ): void {
    this.#once(`held ${held.revision}`, () =>
      this.#alarm.report({
        check: 'nodes',
        what: `${nodeId} holds back revision ${held.revision} and serves on: ${held.reason}`,
        affected: this.#alarm.named(held.harmed, 'served by its nodes although it was to be taken away'),
        protects: false,
        plan: [`look at it with: ballast show ${held.revision}`, `undo it with: ballast revert ${held.revision}`],
      }),
    );
  }

  close(): void {
    this.#timer.stop();
    this.#unfollow();
  }

  #look(): void {
    const { journal, clock, verifyNow } = this.#options;
    this.#lastLookMs = clock.monotonicMs();
    this.#checkReferences();
    if (this.#mending !== undefined) return;
    let sight: ReturnType<Journal['sight']>;
    try {
      sight = journal.sight();
    } catch (error) {
      void this.#reportAndMend({
        check: 'file',
        what: `the state store cannot be looked at: ${(error as Error).message}`,
        affected: [],
        protects: false,
      });
      return;
    }
    if (sight.file !== 'there') {
      const what =
        sight.file === 'gone' ? "the state store's file was removed" : "another file stands in the state store's place";
      const ids = [...journal.view.all('load-balancer')].map(({ id }) => id);
      const affected = this.#alarm.named(ids, 'its data was gone from the disk; memory, vault and nodes had it');
      void this.#reportAndMend({ check: 'file', what, affected, protects: true });
    } else if (sight.isLogWritten) {
      void this.#examine(sight);
    } else if (sight.isIndexWritten) {
      verifyNow();
    }
  }

  /** Something else has written to the log: what has it done? */
  async #examine({ lacks, missingCount }: StoreSight): Promise<void> {
    if (this.#isExamining) return;
    this.#isExamining = true;
    const { journal, mender, log, verifyNow } = this.#options;
    const by = this.#whoWrote();
    // Said before it is known whose they are: that takes as long as there is much to compare.
    const what = `${missingCount} transactions were deleted from the state store by another program`;
    if (missingCount > 0)
      this.#current = this.#alarm.report({ check: 'rows', what, by, affected: [], protects: false }).id;
    try {
      log.warn(
        `another program has written to the state store${by === undefined ? '' : ` (${by})`}: comparing it with its copies`,
      );
      const counts = { gone: 0, changed: 0, added: 0 };
      const ids = new Set<HexId>();
      let first: number | undefined;
      for await (const { revision, how, text } of mender.findLost()) {
        counts[how] += 1;
        first ??= revision;
        const changes = (text?.parts ?? []).flatMap((part) => [...linesOf(part)].map(changeOf));
        for (const id of touchedLoadBalancers(journal.view, changes as Change[])) ids.add(id);
      }
      const said = (['gone', 'changed', 'added'] as const)
        .filter((how) => counts[how] > 0)
        .map((how) =>
          how === 'added'
            ? 'revisions were added that the journal has not written'
            : `${counts[how]} of its transactions were ${how}`,
        );
      if (said.length > 0) {
        const what = `the state store was changed behind the journal's back: ${said.join(', ')}, from revision ${first} on`;
        const affected = this.#alarm.named([...ids], 'changes of its data were lost from the store');
        await this.#reportAndMend({ check: 'rows', what, by, affected, protects: true });
      } else if (lacks !== undefined) {
        await this.#reportAndMend({ check: 'triggers', what: lacks, by, affected: [], protects: false });
      } else {
        verifyNow();
      }
    } catch (error) {
      const { message } = error as Error;
      if (!isOfStore(error)) {
        // A copy that cannot be read is no damage of the store; the chain itself can still be walked.
        log.warn(`the state store cannot be compared with its copies: ${message}`);
        return verifyNow();
      }
      const what = `the state store cannot be read any more: ${message}`;
      const all = [...journal.view.all('load-balancer')].map(({ id }) => id);
      const affected = this.#alarm.named(
        all,
        'its data could not be read from the disk; memory, vault and nodes had it',
      );
      await this.#reportAndMend({ check: 'rows', what, by, affected, protects: true });
    } finally {
      this.#isExamining = false;
      this.#current = undefined;
    }
  }

  /** False when it left something broken. */
  #check(transaction: Transaction, changes: readonly Change[]): boolean {
    const reference = brokenReference(this.#options.journal.view, changes);
    if (reference !== undefined) this.#inBackground(this.#reportReference(transaction, reference));
    const rules = changes.filter(({ kind, after }) => kind === 'rule' && after === null);
    if (rules.length > 0) this.#inBackground(this.#checkRemovedRules(transaction, rules));
    return reference === undefined;
  }

  /** What the past would tell cannot be told while it cannot be read; the verification of the whole finds it later. */
  #inBackground(work: Promise<void>): void {
    work.catch((error) => {
      if (!(error instanceof StoreFailure)) throw error;
      this.#options.log.warn(`the sentinel could not look into the past: ${error.message}`);
    });
  }

  /** Only the past knows which listener a rule was of, and whether that can be without it. */
  async #checkRemovedRules(transaction: Transaction, rules: readonly Change[]): Promise<void> {
    const { journal } = this.#options;
    const history = await journal.history();
    for (const { id, before } of rules) {
      const rule = history.documentAt('rule', id, before)?.document;
      const listener = rule && journal.view.get('listener', rule.listenerId);
      if (rule === undefined || listener === undefined) continue;
      const breach = breachWithout(journal.view, 'rule', id, rule);
      if (breach === undefined) continue;
      const what = `listener ${rule.listenerId} without a default rule`;
      await this.#reportReference(transaction, {
        what,
        changes: [put(journal.view, 'listener', rule.listenerId, listener)],
      });
      return;
    }
  }

  /** Looks at what was changed, a few milliseconds at a time. */
  #checkReferences(): void {
    const { clock } = this.#options;
    for (const endMs = clock.monotonicMs() + checkTurnMs; clock.monotonicMs() < endMs; ) {
      const transaction = this.#unchecked[0];
      if (transaction === undefined) return;
      const { changes } = transaction;
      const some = changes.slice(this.#checkedCount, this.#checkedCount + checkedAtOnce);
      this.#checkedCount += some.length;
      const isWhole = this.#check(transaction, some);
      if (isWhole && this.#checkedCount < changes.length) continue;
      this.#unchecked.shift();
      this.#checkedCount = 0;
    }
  }

  async #reportReference({ revision, cause, timeMs }: Transaction, reference: BrokenReference): Promise<void> {
    const { journal } = this.#options;
    const { missing, what, changes } = reference;
    const removal = missing && (await journal.removalOf(missing.kind, missing.id));
    // It was there then: whoever removed it is looked at as well.
    if (removal !== undefined && removal > revision) return;
    const ids = touchedLoadBalancers(journal.view, changes);
    this.#alarm.report({
      check: 'references',
      what: `revision ${revision} (${cause.action} of ${cause.principal}) left ${what}`,
      by: `${cause.action} of ${cause.principal}, request ${cause.requestId}`,
      affected: this.#alarm.named([...ids], `revision ${revision} left something of it that refers to nowhere`),
      protects: true,
      happenedAtMs: timeMs,
      plan: [`look at it with: ballast show ${revision}`, `undo it with: ballast revert ${revision}`],
    });
  }

  async #reportDrop({ cause, timeMs }: Transaction, { what, harmed, from, to }: Drop): Promise<void> {
    const { journal } = this.#options;
    const history = await journal.history();
    const names = new Map<HexId, LoadBalancerDocument>();
    for (let revision = from; revision <= to; revision += 1) {
      for (const { kind, id, after, before } of history.changesOf(revision)) {
        if (kind !== 'load-balancer' || after !== null) continue;
        const document = history.documentAt('load-balancer', id, before)?.document;
        if (document !== undefined) names.set(id, document);
      }
    }
    const range = from === to ? `${from}` : `${from}..${to}`;
    const affected = [...names].map(([id, document]) =>
      this.#alarm.affected(id, document, `removed from the state by revision ${range}`),
    );
    this.#alarm.report({
      check: 'drop',
      what: `revision ${range} (last ${cause.action} of ${cause.principal}, through ${cause.channel}) removed ${what} within a minute, and nobody had approved it; ${harmed} load balancers stopped serving`,
      by: `${cause.action} of ${cause.principal}, request ${cause.requestId}`,
      affected,
      protects: true,
      happenedAtMs: timeMs,
      plan: [`look at it with: ballast show ${from}`, `put it back with: ballast revert ${range}`],
    });
  }

  /** Says it, then puts the store back. What is found while that is under way belongs to the same incident. */
  #reportAndMend(damage: Damage): Promise<void> {
    const { book, clock } = this.#options;
    const unmended = this.#unmended;
    const isKnown = unmended?.what === damage.what && book.get(unmended.id)?.state === 'open';
    if (isKnown && clock.monotonicMs() < unmended.triesAtMs) return Promise.resolve();
    const known = this.#mendingId ?? this.#current;
    const current = known === undefined ? undefined : book.get(known);
    const id = isKnown ? unmended.id : this.#alarm.report(damage, current).id;
    this.#mendingId ??= id;
    this.#mending ??= this.#mend(id, damage.what).finally(() => {
      this.#mending = undefined;
      this.#mendingId = undefined;
    });
    return this.#mending;
  }

  async #mend(id: string, what: string): Promise<void> {
    const { mender, book, clock } = this.#options;
    const note = (text: string) => book.note(id, { atMs: clock.wallMs(), source: 'sentinel', who: 'sentinel', text });
    const nowMs = clock.monotonicMs();
    while (this.#mendedAtMs[0] !== undefined && this.#mendedAtMs[0] < nowMs - mendsMax.withinMs)
      this.#mendedAtMs.shift();
    if (this.#mendedAtMs.length >= mendsMax.count) {
      const why = `it was put back ${mendsMax.count} times within ten minutes and is damaged again`;
      this.#leave(id, what, why, 'find out what keeps damaging the store, then start Ballast again');
      return;
    }
    try {
      const mended = await mender.mend();
      if (mended.ok) {
        this.#mendedAtMs.push(nowMs);
        const done = this.#unmended?.id === id ? this.#unmended.toDo : new Set();
        this.#unmended = undefined;
        book.update(id, ({ open }) => ({ open: open.filter((each) => !done.has(each)) }));
        note(
          `put back from vault and memory as it was at revision ${mended.value.revision}; the damaged files are in ${mended.value.aside}`,
        );
        this.#mended += 1;
        await this.#alarm.settle(id, 'mended');
        return;
      }
      this.#leave(id, what, `it cannot be put back without a person: ${mended.fault}`, mended.fault);
    } catch (error) {
      const why = (error as Error).message;
      this.#leave(id, what, `putting it back failed: ${why}`, `putting the store back failed: ${why}`);
    }
  }

  /** It stays damaged for now: said once for each reason, and tried again later, for what was in the way may go. */
  #leave(id: string, what: string, why: string, toDo: string): void {
    const { book, clock, log } = this.#options;
    const before = this.#unmended?.id === id ? this.#unmended : undefined;
    const waitMs = Math.min(before === undefined ? againAfterMs.first : before.waitMs * 2, againAfterMs.longest);
    const said = before?.toDo ?? new Set();
    this.#unmended = { what, id, waitMs, triesAtMs: clock.monotonicMs() + waitMs, toDo: new Set([...said, toDo]) };
    if (said.has(toDo)) return;
    book.note(id, { atMs: clock.wallMs(), source: 'sentinel', who: 'sentinel', text: why });
    book.update(id, ({ open }) => ({ open: [...open, toDo] }));
    log.error(`incident ${id}: ${why}`);
  }

  #whoWrote(): string | undefined {
    const openers = whoElseHasOpen(this.#options.storePaths).slice(0, 5);
    return openers.length === 0
      ? undefined
      : openers.map(({ pid, program }) => `process ${pid}, ${program}`).join('; ');
  }

  /** The same thing is said once as long as the process lives. */
  #once(key: string, say: () => void): void {
    if (this.#told.has(key)) return;
    this.#told.add(key);
    say();
  }
}

/** Whether the store itself is not what it should be: damaged, or without its tables. */
function isOfStore(error: unknown): boolean {
  return (
    error instanceof StoreDamaged || (error instanceof StoreFailure && /no such (table|column)/.test(error.message))
  );
}
