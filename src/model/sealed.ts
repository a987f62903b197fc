/**
 * Which members of documents hold a sealed secret. This table is the only place that knows: what checks secrets, seals
 * them anew or hides them from a reader goes by it, so a kind of document that gets a secret is listed here and nowhere
 * else.
 */
import type { Documents, Kind } from './documents.ts';
import type { View } from './view.ts';

export const sealedMembers: { readonly [K in Kind]?: readonly (keyof Documents[K] & string)[] } = {
  'access-key': ['sealedSecret'],
  certificate: ['sealedPrivateKey'],
  rule: ['sealedClientSecret'],
};

/** One sealed text and where it stands. The document's id is the place that was sealed with it. */
export interface SealedText {
  readonly kind: Kind;
  readonly id: string;
  readonly member: string;
  readonly text: string;
}

/** Every sealed text of the view. */
export function* sealedTexts(view: View): Iterable<SealedText> {
  for (const kind of Object.keys(sealedMembers) as Kind[]) {
    for (const { id, document } of view.all(kind)) {
      for (const member of sealedMembers[kind]!) {
        const text: unknown = document[member as keyof typeof document];
        if (text !== undefined) yield { kind, id, member, text: String(text) };
      }
    }
  }
}
