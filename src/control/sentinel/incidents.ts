/** The incidents as operators see them: listed, opened and closed by hand, and told with what the journal knows. */
import { accept, type Result, refuse } from '#base/result.ts';
import type { Refusal } from '#control/time-travel/scope.ts';
import { isoTime } from '#journal/history.ts';
import type { Journal } from '#journal/journal.ts';
import type { TransactionHeader } from '#model/change.ts';
import type { Incident, IncidentEvent } from '#model/incident.ts';
import type { Alarm } from './alarm.ts';
import type { IncidentBook } from './incident-book.ts';

export interface IncidentsOptions {
  readonly journal: Journal;
  readonly book: IncidentBook;
  readonly alarm: Alarm;
  readonly nowMs: () => number;
}

/** What stands in a list of them. */
export interface IncidentEntry {
  readonly type: 'incident';
  readonly id: string;
  readonly title: string;
  readonly state: Incident['state'];
  readonly noticed: string;
  readonly mended?: string;
  readonly affected: number;
}

/** The journal is asked for so long before and after. */
const aroundMs = 60_000;
const eventsMax = 500;
const headersMax = 100_000;

export class Incidents {
  readonly #options: IncidentsOptions;

  constructor(options: IncidentsOptions) {
    this.#options = options;
  }

  /** The newest first. */
  list(): readonly IncidentEntry[] {
    return this.#options.book.all.toReversed().map(({ id, title, state, noticedAtMs, mendedAtMs, affected }) => ({
      type: 'incident',
      id,
      title,
      state,
      noticed: isoTime(noticedAtMs),
      ...(mendedAtMs !== undefined && { mended: isoTime(mendedAtMs) }),
      affected: affected.length,
    }));
  }

  /** With what the journal says of that time in its timeline. */
  async show(id: string): Promise<Result<Incident, Refusal>> {
    const { book, alarm } = this.#options;
    if (book.get(id) === undefined) return this.#unknown(id);
    // Traffic goes on while it is open.
    if (book.get(id)!.state === 'open') await alarm.countTraffic(id);
    const incident = book.get(id)!;
    const events = [...incident.timeline, ...this.#journalEvents(incident)];
    return accept({ ...incident, timeline: events.toSorted((one, other) => one.atMs - other.atMs) });
  }

  open(by: string, { title }: { readonly title: string }): Incident {
    const { alarm, book, nowMs } = this.#options;
    const incident = book.put(alarm.newIncident(title, by));
    book.note(incident.id, { atMs: nowMs(), source: 'operator', who: by, text: 'opened the incident by hand' });
    return book.get(incident.id)!;
  }

  async close(by: string, { id }: { readonly id: string }): Promise<Result<Incident, Refusal>> {
    const { book, alarm } = this.#options;
    const state = book.get(id)?.state;
    if (state === undefined) return this.#unknown(id);
    if (state === 'closed') return refuse({ status: 409, error: `incident ${id} is closed already` });
    return accept((await alarm.closeIncident(by, id))!);
  }

  #unknown(id: string): Result<never, Refusal> {
    const error = `there is no incident ${id.slice(0, 100)}; 'ballast incident' lists what there is`;
    return refuse({ status: 404, error });
  }

  /** What people and maintenance did at that time, and what harmed. */
  #journalEvents({ happenedAtMs, noticedAtMs, mendedAtMs, closedAtMs }: Incident): readonly IncidentEvent[] {
    const { journal, nowMs } = this.#options;
    const fromMs = Math.min(happenedAtMs ?? noticedAtMs, noticedAtMs) - aroundMs;
    const untilMs = (mendedAtMs ?? closedAtMs ?? nowMs()) + aroundMs;
    const events: IncidentEvent[] = [];
    let read = 0;
    for (const header of journal.headersBack()) {
      read += 1;
      if (header.timeMs < fromMs || read > headersMax || events.length >= eventsMax) break;
      if (header.timeMs <= untilMs && isTelling(header)) events.push(eventOf(header));
    }
    return events;
  }
}

function isTelling({ cause, harmed }: TransactionHeader): boolean {
  return harmed > 0 || cause.channel === 'maintenance' || cause.channel === 'restore';
}

function eventOf({ revision, timeMs, cause, changesCount, harmed }: TransactionHeader): IncidentEvent {
  const reason = cause.reason === undefined ? '' : ` (${cause.reason})`;
  const harm = harmed === 0 ? '' : `, and ${harmed} load balancers stopped serving`;
  const text = `${cause.action}${reason} through ${cause.channel}, revision ${revision}: ${changesCount} ${changesCount === 1 ? 'change' : 'changes'}${harm}`;
  return { atMs: timeMs, source: 'journal', who: cause.principal, text };
}
