/** RemoveTrustStoreRevocations: all that are named, or none. */
import type {
  RemoveTrustStoreRevocationsInput,
  RemoveTrustStoreRevocationsOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, refuse } from '#base/result.ts';
import { remove } from '#model/change.ts';
import { findByArn } from './arns.ts';
import { checkCount } from './checks.ts';
import { quotas } from './quotas.ts';
import { findRevocations } from './revocations.ts';
import type { Elbv2Operation } from './shape.ts';

export const removeTrustStoreRevocations: Elbv2Operation<
  RemoveTrustStoreRevocationsInput,
  RemoveTrustStoreRevocationsOutput
> = {
  kind: 'write',
  decide(view, input, context) {
    const store = findByArn(view, 'trust-store', input.TrustStoreArn, context);
    if (!store.ok) return store;
    const wrong = checkCount('RevocationIds', input.RevocationIds, quotas.revocationListsPerCall);
    if (wrong !== undefined) return refuse(wrong);
    const found = findRevocations(view, store.value.id, input.RevocationIds);
    if (!found.ok) return found;
    return accept({ changes: found.value.map(({ id }) => remove(view, 'revocation', id)), output: {} });
  },
};
