/**
 * The brake: a node asks the same guard as the journal once more, as if the control plane could be wrong. What it
 * refuses is held back and reported; what serves goes on serving.
 */
import { judge } from '#guard/guard.ts';
import type { Applied, Replica } from '#journal/replica.ts';
import type { News } from '#link/client.ts';
import type { Cause, Change } from '#model/change.ts';
import type { Entry } from '#model/documents.ts';

export interface Held {
  readonly revision: number;
  readonly reason: string;
}

/** Applies news to the replica, transaction by transaction, each judged against what the node holds at that moment. */
export function applyNews(replica: Replica, news: News): { readonly applied: Applied[]; readonly held: Held[] } {
  const held: Held[] = [];
  const applied: Applied[] = [];
  // The position moves at the end: until then a restart asks for the same news again, which changes nothing twice.
  const position = replica.position;
  const entries = admissible(replica, news, held);
  if (entries.length > 0) applied.push(...replica.apply({ entries, changes: [], position }));
  for (const { revision, cause, changes } of news.transactions) {
    const verdict = judge(replica.view, changes, cause);
    if (verdict.kind === 'refuse') {
      held.push({ revision, reason: verdict.reason });
      continue;
    }
    applied.push(...replica.apply({ entries: [], changes: changes.map((change) => ({ revision, change })), position }));
  }
  replica.apply({ entries: [], changes: [], position: news.position });
  return { applied, held };
}

/** Whole documents are for what the node does not hold: they have no cause, so they may not harm what it does hold. */
function admissible(replica: Replica, news: News, held: Held[]): readonly Entry[] {
  const { view } = replica;
  const changes = news.entries.map(
    ({ kind, id, document }) => ({ kind, id, before: view.revisionOf(kind, id), after: document }) as Change,
  );
  const cause: Cause = { principal: 'ballast', channel: 'workflow', action: 'Synchronise', requestId: '' };
  const verdict = judge(view, changes, cause);
  if (verdict.kind === 'admit') return news.entries;
  held.push({ revision: news.position.revision, reason: verdict.reason });
  return news.entries.filter(({ kind, id }) => view.revisionOf(kind, id) === 0);
}
