/** What the operations on trust stores have in common: how one is answered, and how its contents are read. */
import type { TrustStore } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, type Result, refuse } from '#base/result.ts';
import { readAll } from '#control/certificates.ts';
import type { Gathered, OperationContext } from '#control/operation.ts';
import type { ObjectPlace, World } from '#control/world.ts';
import type { Entry, HexId, TrustStoreDocument } from '#model/documents.ts';
import { type Fault, type FaultCode, fault } from '#model/fault.ts';
import type { View } from '#model/view.ts';
import { trustStoreArn } from './arns.ts';

/** A bundle has at most this size; AWS bounds the number of certificates and their lengths. */
export const bundleBytesMax = 1024 * 1024;
/** AWS takes lists of up to 50 MB; ours are kept with everything else that is remembered. */
export const revocationsBytesMax = 4 * 1024 * 1024;

const counts = new WeakMap<TrustStoreDocument, number>();

/** The trust store as the API answers it. */
export function encodeTrustStore(
  view: View,
  id: HexId,
  document: TrustStoreDocument,
  { settings }: OperationContext,
): TrustStore {
  let certificates = counts.get(document);
  if (certificates === undefined) {
    certificates = readAll(document.bundle.replace(/^[ \t]*#.*$/gm, ''))?.length ?? 0;
    counts.set(document, certificates);
  }
  let revoked = 0;
  for (const revocation of view.find('revocationsOfTrustStore', id)) revoked += revocation.document.entriesCount;
  return {
    Name: document.name,
    TrustStoreArn: trustStoreArn(settings.region, id, document),
    Status: 'ACTIVE',
    NumberOfCaCertificates: certificates,
    TotalRevokedEntries: revoked,
  };
}

/** Reads objects for one call; refuses with `code` when one cannot be had. */
export async function gatherObjects(
  world: World,
  places: readonly ObjectPlace[],
  sizeBytesMax: number,
  code: FaultCode,
): Promise<Result<Gathered, Fault>> {
  const objects: Uint8Array[] = [];
  for (const place of places) {
    const read = await world.readObject(place, sizeBytesMax);
    if (!read.ok) {
      return refuse(fault(code, `s3://${place.bucket.slice(0, 64)}/${place.key.slice(0, 200)}: ${read.fault}`));
    }
    objects.push(read.value);
  }
  return accept({ objects });
}

/** The revocation lists of the trust store, by their numbers. */
export function revocationsOf(view: View, trustStoreId: HexId): Entry<'revocation'>[] {
  return [...view.find('revocationsOfTrustStore', trustStoreId)].sort((a, b) => a.document.number - b.document.number);
}
