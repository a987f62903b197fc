/** GetTrustStoreRevocationContent: where a revocation list can be downloaded for some minutes. */
import type {
  GetTrustStoreRevocationContentInput,
  GetTrustStoreRevocationContentOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept } from '#base/result.ts';
import { findByArn } from './arns.ts';
import { findRevocations } from './revocations.ts';
import type { Elbv2Operation } from './shape.ts';

export const getTrustStoreRevocationContent: Elbv2Operation<
  GetTrustStoreRevocationContentInput,
  GetTrustStoreRevocationContentOutput
> = {
  kind: 'read',
  answer(view, input, context) {
    const store = findByArn(view, 'trust-store', input.TrustStoreArn, context);
    if (!store.ok) return store;
    const found = findRevocations(view, store.value.id, [input.RevocationId]);
    return found.ok ? accept({ Location: context.download(found.value[0]!.document.content) }) : found;
  },
};
