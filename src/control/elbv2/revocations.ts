/** Revocation lists as the API answers them, and how they are found. */
import type { DescribeTrustStoreRevocation } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, type Result, refuse } from '#base/result.ts';
import type { OperationContext } from '#control/operation.ts';
import type { Entry, HexId, RevocationDocument } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import type { View } from '#model/view.ts';
import { trustStoreArn } from './arns.ts';
import { revocationsOf } from './trust-stores.ts';

export function encodeRevocation(
  store: Entry<'trust-store'>,
  document: RevocationDocument,
  { settings }: OperationContext,
): DescribeTrustStoreRevocation {
  return {
    TrustStoreArn: trustStoreArn(settings.region, store.id, store.document),
    RevocationId: document.number,
    RevocationType: 'CRL',
    NumberOfRevokedEntries: document.entriesCount,
  };
}

/** The lists with these numbers, or all when none is named; refuses one that is not there. */
export function findRevocations(
  view: View,
  trustStoreId: HexId,
  numbers: readonly number[],
): Result<readonly Entry<'revocation'>[], Fault> {
  const all = revocationsOf(view, trustStoreId);
  if (numbers.length === 0) return accept(all);
  const missing = numbers.find((number) => !all.some(({ document }) => document.number === number));
  return missing === undefined
    ? accept(all.filter(({ document }) => numbers.includes(document.number)))
    : refuse(fault('RevocationIdNotFound', `The trust store has no revocation list with the id ${missing}`));
}
