/**
 * Puts together what several copies of parts of one state hold. The latest version of a document wins, and what only a
 * copy that is behind holds is kept: absence is not deletion. Left out is only what a later document proves to be gone,
 * because it stands where the earlier one stood.
 */
import type { Entry, Kind } from '#model/documents.ts';
import { Tables } from './tables.ts';

/** A copy of a part of the state, and the revision up to which it follows. */
export interface Copy {
  readonly revision: number;
  readonly entries: Iterable<Entry>;
}

export interface Gathered {
  readonly documents: Tables;
  /** The revision of the most advanced copy that holds the document. */
  heldAt(kind: Kind, id: string): number;
  /** Documents whose place a later one has taken, and what belonged to them. */
  readonly displaced: readonly Entry[];
}

export function gather(copies: readonly Copy[]): Gathered {
  const documents = new Tables();
  const held = new Map<string, number>();
  for (const { revision, entries } of copies) {
    for (const entry of entries) {
      const key = `${entry.kind}/${entry.id}`;
      held.set(key, Math.max(held.get(key) ?? 0, revision));
      if (documents.revisionOf(entry.kind, entry.id) < entry.revision) documents.load(entry);
    }
  }
  const displaced = displacedIn(documents);
  for (const { kind, id } of displaced) documents.unload(kind, id);
  return { documents, displaced, heldAt: (kind, id) => held.get(`${kind}/${id}`) ?? 0 };
}

/** Of documents that cannot both stand, the later was written when the earlier was gone. */
function displacedIn(documents: Tables): Entry[] {
  const latest = new Map<string, Entry>();
  const displaced: Entry[] = [];
  const take = (place: string, entry: Entry) => {
    const other = latest.get(place);
    const [winner, loser] = other === undefined || other.revision < entry.revision ? [entry, other] : [other, entry];
    latest.set(place, winner);
    if (loser === undefined) return;
    displaced.push(loser);
    if (loser.kind === 'listener') displaced.push(...documents.find('rulesOfListener', loser.id));
  };
  for (const entry of documents.all('listener')) {
    take(`port ${entry.document.port} of ${entry.document.loadBalancerId}`, entry);
  }
  const gone = new Set(displaced.map(({ id }) => id));
  for (const entry of documents.all('rule')) {
    if (!gone.has(entry.id)) take(`priority ${entry.document.priority} of ${entry.document.listenerId}`, entry);
  }
  for (const entry of documents.all('placement')) take(`address ${entry.document.address}`, entry);
  return displaced;
}
