/** GetTrustStoreCaCertificatesBundle: where the bundle can be downloaded for some minutes. */
import type {
  GetTrustStoreCaCertificatesBundleInput,
  GetTrustStoreCaCertificatesBundleOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept } from '#base/result.ts';
import { findByArn } from './arns.ts';
import type { Elbv2Operation } from './shape.ts';

export const getTrustStoreCaCertificatesBundle: Elbv2Operation<
  GetTrustStoreCaCertificatesBundleInput,
  GetTrustStoreCaCertificatesBundleOutput
> = {
  kind: 'read',
  answer(view, input, context) {
    const found = findByArn(view, 'trust-store', input.TrustStoreArn, context);
    return found.ok ? accept({ Location: context.download(found.value.document.bundle) }) : found;
  },
};
