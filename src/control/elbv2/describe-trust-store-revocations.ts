/** DescribeTrustStoreRevocations: all lists of a trust store, or those named; in the order of their ids. */
import type {
  DescribeTrustStoreRevocationsInput,
  DescribeTrustStoreRevocationsOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept } from '#base/result.ts';
import { findByArn } from './arns.ts';
import { encodeRevocation, findRevocations } from './revocations.ts';
import type { Elbv2Operation } from './shape.ts';
import { tablePageOf } from './table-pages.ts';

export const describeTrustStoreRevocations: Elbv2Operation<
  DescribeTrustStoreRevocationsInput,
  DescribeTrustStoreRevocationsOutput
> = {
  kind: 'read',
  answer(view, input, context) {
    const store = findByArn(view, 'trust-store', input.TrustStoreArn, context);
    if (!store.ok) return store;
    const found = findRevocations(view, store.value.id, input.RevocationIds ?? []);
    if (!found.ok) return found;
    const page = tablePageOf(found.value, ({ document }) => `${document.number}`, input);
    if (!page.ok) return page;
    const TrustStoreRevocations = page.value.items.map(({ document }) =>
      encodeRevocation(store.value, document, context),
    );
    return accept({ TrustStoreRevocations, NextMarker: page.value.nextMarker });
  },
};
