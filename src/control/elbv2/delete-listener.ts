/** DeleteListener. Takes the listener's rules along. */
import type { DeleteListenerInput, DeleteListenerOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept } from '#base/result.ts';
import { type Change, remove } from '#model/change.ts';
import type { HexId } from '#model/documents.ts';
import type { View } from '#model/view.ts';
import { findByArn } from './arns.ts';
import type { Elbv2Operation } from './shape.ts';

export const deleteListener: Elbv2Operation<DeleteListenerInput, DeleteListenerOutput> = {
  kind: 'write',
  decide(view, input, context) {
    const found = findByArn(view, 'listener', input.ListenerArn, context);
    return found.ok ? accept({ changes: removeListener(view, found.value.id), output: {} }) : found;
  },
};

/** Tombstones for the listener and all its rules. */
export function removeListener(view: View, listenerId: HexId): readonly Change[] {
  const rules = [...view.find('rulesOfListener', listenerId)].map(({ id }) => remove(view, 'rule', id));
  return [...rules, remove(view, 'listener', listenerId)];
}
