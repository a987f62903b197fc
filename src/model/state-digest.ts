/**
 * A digest of which documents somebody holds, in which revision: whoever holds the same has the same, in any order. It
 * guards against what was lost on the way, not against somebody who means harm, so it is quick and not cryptographic.
 */
import type { Kind } from './documents.ts';

/** Key and revision of a document. */
export interface Held {
  readonly kind: Kind;
  readonly id: string;
  readonly revision: number;
}

/** FNV-1a in two lanes, each with a start and a prime of its own; the hashes of all documents are added up. */
export function digestOfHeld(held: Iterable<Held>): { readonly digest: string; readonly count: number } {
  let [one, other, count] = [0, 0, 0];
  for (const { kind, id, revision } of held) {
    const text = `${kind}/${id}@${revision}`;
    let [first, second] = [0x811c9dc5, 0x9747b28c];
    for (let index = 0; index < text.length; index += 1) {
      const code = text.charCodeAt(index);
      first = Math.imul(first ^ code, 0x01000193);
      second = Math.imul(second ^ code, 0x5bd1e995);
      second ^= second >>> 15;
    }
    one = (one + first) | 0;
    other = (other + second) | 0;
    count += 1;
  }
  const hex = (lane: number) => (lane >>> 0).toString(16).padStart(8, '0');
  return { digest: `${hex(one)}${hex(other)}`, count };
}
