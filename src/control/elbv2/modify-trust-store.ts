/** ModifyTrustStore: another bundle of certificates takes the place of the present one. */
import type { ModifyTrustStoreInput, ModifyTrustStoreOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept } from '#base/result.ts';
import { put } from '#model/change.ts';
import { findByArn } from './arns.ts';
import type { Elbv2Operation } from './shape.ts';
import { readBundle } from './trust-store-content.ts';
import { bundleBytesMax, encodeTrustStore, gatherObjects } from './trust-stores.ts';

export const modifyTrustStore: Elbv2Operation<ModifyTrustStoreInput, ModifyTrustStoreOutput> = {
  kind: 'write',
  gather: (input, world) => {
    const { CaCertificatesBundleS3Bucket: bucket, CaCertificatesBundleS3Key: key } = input;
    const version = input.CaCertificatesBundleS3ObjectVersion;
    return gatherObjects(world, [{ bucket, key, version }], bundleBytesMax, 'CaCertificatesBundleNotFound');
  },
  decide(view, input, context) {
    const found = findByArn(view, 'trust-store', input.TrustStoreArn, context);
    if (!found.ok) return found;
    const bundle = readBundle(context.objects, context.limits);
    if (!bundle.ok) return bundle;
    const { id, document: before } = found.value;
    const document = { ...before, bundle: bundle.value.text };
    return accept({
      changes: document.bundle === before.bundle ? [] : [put(view, 'trust-store', id, document)],
      output: { TrustStores: [encodeTrustStore(view, id, document, context)] },
    });
  },
};
