/** CreateTrustStore: from a bundle of certificates that lies in the object store. */
import type { CreateTrustStoreInput, CreateTrustStoreOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, refuse } from '#base/result.ts';
import { put } from '#model/change.ts';
import type { TrustStoreDocument } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import { nameKey } from '#model/keys.ts';
import { findFirst } from '#model/view.ts';
import { shown } from './checks.ts';
import type { Elbv2Operation } from './shape.ts';
import { decodeTags } from './tags.ts';
import { readBundle } from './trust-store-content.ts';
import { bundleBytesMax, encodeTrustStore, gatherObjects } from './trust-stores.ts';

export const createTrustStore: Elbv2Operation<CreateTrustStoreInput, CreateTrustStoreOutput> = {
  kind: 'write',
  gather: (input, world) => {
    const { CaCertificatesBundleS3Bucket: bucket, CaCertificatesBundleS3Key: key } = input;
    const version = input.CaCertificatesBundleS3ObjectVersion;
    return gatherObjects(world, [{ bucket, key, version }], bundleBytesMax, 'CaCertificatesBundleNotFound');
  },
  decide(view, input, context) {
    const { account } = context;
    const { Name: name } = input;
    const wrong = checkName(name);
    if (wrong !== undefined) return refuse(wrong);
    const tags = decodeTags(input.Tags);
    if (!tags.ok) return tags;
    if (findFirst(view, 'trustStoreByName', nameKey({ account, name })) !== undefined) {
      return refuse(fault('DuplicateTrustStoreName', `A trust store with the name '${name}' already exists`));
    }
    const countMax = context.limits['trust-stores'];
    if ([...view.find('trustStoresOfAccount', account)].length >= countMax) {
      return refuse(fault('TooManyTrustStores', `The account has ${countMax} trust stores, which is its limit`));
    }
    const bundle = readBundle(context.objects, context.limits);
    if (!bundle.ok) return bundle;
    const id = context.newId();
    const document: TrustStoreDocument = {
      account,
      name,
      bundle: bundle.value.text,
      createdAtMs: context.nowMs,
      tags: tags.value,
    };
    return accept({
      changes: [put(view, 'trust-store', id, document)],
      output: { TrustStores: [encodeTrustStore(view, id, document, context)] },
    });
  },
};

function checkName(name: string): Fault | undefined {
  if (/^(?=.{1,32}$)(?:[A-Za-z0-9]+-)*[A-Za-z0-9]+$/.test(name)) return undefined;
  const allowed = 'must be 1 to 32 letters, digits and single inner hyphens';
  return fault('ValidationError', `Trust store name '${shown(name)}' ${allowed}`);
}
