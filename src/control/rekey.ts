/**
 * The secrets that the state holds: whether they open, and sealing them anew. The new key is on the disk before
 * anything is sealed with it and the old ones stay, so at every moment each secret opens, whatever ends in the middle.
 */
import { accept, type Result, refuse } from '#base/result.ts';
import { namelessOperator } from '#guard/approvals.ts';
import type { Random } from '#io/random.ts';
import type { Journal } from '#journal/journal.ts';
import { type KeyRing, SealFailure } from '#journal/seal.ts';
import { type Change, put } from '#model/change.ts';
import { sealedTexts } from '#model/sealed.ts';
import type { View } from '#model/view.ts';

export interface Rekeyed {
  /** Names the key that seals from now on. */
  readonly keyId: string;
  /** How many secrets were sealed anew. */
  readonly resealed: number;
  /** Undefined when there was no secret. */
  readonly revision: number | undefined;
}

/** Why the first secret that does not open does not, in one sentence; undefined when all of them open. */
export function unreadableSecret(view: View, ring: KeyRing): string | undefined {
  try {
    for (const { id, text } of sealedTexts(view)) ring.unseal(text, id);
    return undefined;
  } catch (error) {
    if (error instanceof SealFailure) return error.message;
    throw error;
  }
}

/**
 * Makes a new key and seals every current secret with it, in one transaction. Refuses, in one sentence, when a secret
 * does not open or something cannot be written; a key that was made by then stays in the ring and does no harm.
 */
export async function rekey(options: {
  readonly journal: Journal;
  readonly ring: KeyRing;
  readonly random: Random;
  /** Who wants it; `operator` when nobody is named. */
  readonly by?: string;
}): Promise<Result<Rekeyed, string>> {
  const { journal, ring, random, by = namelessOperator } = options;
  const unreadable = unreadableSecret(journal.view, ring);
  if (unreadable !== undefined) return refuse(unreadable);
  const added = ring.addKey();
  if (!added.ok) return added;
  const cause = {
    principal: by,
    channel: 'maintenance',
    action: 'Rekey',
    requestId: random.hex(32),
    reason: `sealed with key ${ring.keyId}`,
  } as const;
  const result = await journal.transact(cause, (view) => {
    const changes = resealed(view, ring);
    return accept({ changes, output: changes.length });
  });
  if (!result.ok) return refuse(result.fault.message);
  const { output, transaction } = result.value;
  return accept({ keyId: ring.keyId, resealed: output, revision: transaction?.revision });
}

function resealed(view: View, ring: KeyRing): Change[] {
  const documents = new Map<string, Change>();
  for (const { kind, id, member, text } of sealedTexts(view)) {
    if (ring.isNewest(text)) continue;
    const document = documents.get(`${kind}/${id}`)?.after ?? view.get(kind, id)!;
    const sealed = { ...document, [member]: ring.seal(ring.unseal(text, id), id) };
    documents.set(`${kind}/${id}`, put(view, kind, id, sealed as typeof document));
  }
  return [...documents.values()];
}
