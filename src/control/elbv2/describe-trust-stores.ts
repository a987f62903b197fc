/** DescribeTrustStores: all of the account's, or those named by ARNs or by names; oldest first, in pages. */
import type { DescribeTrustStoresInput, DescribeTrustStoresOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, type Result, refuse } from '#base/result.ts';
import type { OperationContext } from '#control/operation.ts';
import type { Entry } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import { nameKey } from '#model/keys.ts';
import { findFirst, type View } from '#model/view.ts';
import { findAllByArn, noneFound } from './arns.ts';
import { pageOf } from './pages.ts';
import type { Decoded, Elbv2Operation } from './shape.ts';
import { encodeTrustStore } from './trust-stores.ts';

export const describeTrustStores: Elbv2Operation<DescribeTrustStoresInput, DescribeTrustStoresOutput> = {
  kind: 'read',
  answer(view, input, context) {
    const found = findWanted(view, input, context);
    if (!found.ok) return found;
    const page = pageOf(found.value, input);
    if (!page.ok) return page;
    const TrustStores = page.value.items.map(({ id, document }) => encodeTrustStore(view, id, document, context));
    return accept({ TrustStores, NextMarker: page.value.nextMarker });
  },
};

function findWanted(
  view: View,
  { TrustStoreArns: arns = [], Names: names = [] }: Decoded<DescribeTrustStoresInput>,
  context: OperationContext,
): Result<Iterable<Entry<'trust-store'>>, Fault> {
  if (arns.length > 0 && names.length > 0) {
    return refuse(fault('ValidationError', 'You can specify either trust store ARNs or names, but not both'));
  }
  if (arns.length > 0) return findAllByArn(view, 'trust-store', arns, context);
  if (names.length === 0) return accept(view.find('trustStoresOfAccount', context.account));
  const found: Entry<'trust-store'>[] = [];
  for (const name of new Set(names)) {
    const entry = findFirst(view, 'trustStoreByName', nameKey({ account: context.account, name }));
    if (entry === undefined) return refuse(noneFound('trust-store'));
    found.push(entry);
  }
  return accept(found);
}
