/** DeleteTrustStore, with its revocation lists. One that a listener uses stays. */
import type { DeleteTrustStoreInput, DeleteTrustStoreOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, refuse } from '#base/result.ts';
import { remove } from '#model/change.ts';
import { fault } from '#model/fault.ts';
import { isEmpty } from '#model/view.ts';
import { findByArn } from './arns.ts';
import type { Elbv2Operation } from './shape.ts';
import { revocationsOf } from './trust-stores.ts';

export const deleteTrustStore: Elbv2Operation<DeleteTrustStoreInput, DeleteTrustStoreOutput> = {
  kind: 'write',
  decide(view, input, context) {
    const found = findByArn(view, 'trust-store', input.TrustStoreArn, context);
    if (!found.ok) return found;
    const { id, document } = found.value;
    if (!isEmpty(view.find('listenersUsingTrustStore', id))) {
      return refuse(fault('TrustStoreInUse', `Trust store '${document.name}' is currently in use by a listener`));
    }
    const revocations = revocationsOf(view, id).map((each) => remove(view, 'revocation', each.id));
    return accept({ changes: [...revocations, remove(view, 'trust-store', id)], output: {} });
  },
};
