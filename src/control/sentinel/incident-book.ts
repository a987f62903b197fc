/**
 * The incidents, each in a file of its own: outside of the store that they may be about. What a disk does not take is
 * kept in memory, and written with the next change of the incident.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder, readFileIfThere, writeFileWhole } from '#io/files.ts';
import type { Log } from '#io/log.ts';
import type { HexId } from '#model/documents.ts';
import type { AffectedLoadBalancer, Incident, IncidentEvent, IncidentFinding } from '#model/incident.ts';

/** Beyond so many the oldest closed ones are not loaded any more; their files stay. */
const loadedMax = 1_000;
const eventsMax = 10_000;
const findingsMax = 1_000;

export interface IncidentBookOptions {
  readonly folder: string;
  readonly log: Log;
}

export class IncidentBook {
  readonly #options: IncidentBookOptions;
  readonly #incidents = new Map<string, Incident>();

  constructor(options: IncidentBookOptions) {
    this.#options = options;
    for (const incident of readAll(options)) this.#incidents.set(incident.id, incident);
  }

  /** The oldest first. */
  get all(): readonly Incident[] {
    return [...this.#incidents.values()];
  }

  get(id: string): Incident | undefined {
    return this.#incidents.get(id);
  }

  get open(): readonly Incident[] {
    return this.all.filter(({ state }) => state === 'open');
  }

  put(incident: Incident): Incident {
    this.#incidents.set(incident.id, incident);
    const { folder, log } = this.#options;
    try {
      makeFolder(folder);
      writeFileWhole(join(folder, `${incident.id}.json`), `${JSON.stringify(incident, null, 2)}\n`, 0o600);
    } catch (error) {
      log.error(`incident ${incident.id} cannot be written down: ${(error as Error).message}`);
    }
    return incident;
  }

  /** Changes an incident by what `change` gives; what it leaves out stays. */
  update(id: string, change: (incident: Incident) => Partial<Incident>): Incident | undefined {
    const known = this.#incidents.get(id);
    return known && this.put({ ...known, ...change(known) });
  }

  note(id: string, event: IncidentEvent): void {
    this.update(id, ({ timeline }) => ({ timeline: sorted([...timeline, event]).slice(-eventsMax) }));
  }

  find(id: string, finding: IncidentFinding, affected: readonly AffectedLoadBalancer[]): void {
    this.update(id, (incident) => ({
      findings: [...incident.findings, finding].slice(0, findingsMax),
      affected: joined(incident.affected, affected),
    }));
  }
}

/** `inc-20261224-120500-1f2e`, UTC. */
export function incidentId(nowMs: number, random: string): string {
  const [day, time] = new Date(nowMs).toISOString().split('T') as [string, string];
  return `inc-${day.replaceAll('-', '')}-${time.slice(0, 8).replaceAll(':', '')}-${random.slice(0, 4)}`;
}

export function joined(
  known: readonly AffectedLoadBalancer[],
  more: readonly AffectedLoadBalancer[],
): readonly AffectedLoadBalancer[] {
  const ids = new Set<HexId>(known.map(({ id }) => id));
  return [...known, ...more.filter(({ id }) => !ids.has(id))];
}

function sorted(events: readonly IncidentEvent[]): readonly IncidentEvent[] {
  return events.toSorted((one, other) => one.atMs - other.atMs);
}

function readAll({ folder, log }: IncidentBookOptions): readonly Incident[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  const incidents: Incident[] = [];
  for (const name of names
    .filter((each) => /^inc-[\w-]+\.json$/.test(each))
    .sort()
    .slice(-loadedMax)) {
    try {
      incidents.push(JSON.parse(readFileIfThere(join(folder, name)) ?? '') as Incident);
    } catch {
      log.warn(`${join(folder, name)} is not readable as an incident and is left as it is`);
    }
  }
  return incidents;
}
