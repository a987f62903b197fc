/**
 * How clients of an HTTPS listener show who they are: not at all, with a certificate that targets look at, or with one
 * that the trust store must know.
 * Source: `MutualAuthenticationAttributes` in the ELB API reference.
 */
import type { MutualAuthenticationAttributes } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, type Result, refuse } from '#base/result.ts';
import type { OperationContext } from '#control/operation.ts';
import type { ListenerDocument, MutualAuthentication } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import type { View } from '#model/view.ts';
import { findByArn, trustStoreArn } from './arns.ts';
import { checkChoice } from './checks.ts';
import type { Decoded } from './shape.ts';

/** Undefined for `off`. */
export function decodeMutualAuthentication(
  view: View,
  input: Decoded<MutualAuthenticationAttributes>,
  context: OperationContext,
): Result<MutualAuthentication | undefined, Fault> {
  const { Mode: mode = 'off', TrustStoreArn, IgnoreClientCertificateExpiry, AdvertiseTrustStoreCaNames } = input;
  const wrong =
    checkChoice('Mutual authentication mode', mode, ['off', 'passthrough', 'verify']) ??
    (AdvertiseTrustStoreCaNames === undefined
      ? undefined
      : checkChoice('AdvertiseTrustStoreCaNames', AdvertiseTrustStoreCaNames, ['on', 'off']));
  if (wrong !== undefined) return refuse(wrong);
  if (mode !== 'verify') {
    const [foreign] = Object.entries({ TrustStoreArn, IgnoreClientCertificateExpiry, AdvertiseTrustStoreCaNames }).find(
      ([, value]) => value !== undefined,
    ) ?? [undefined];
    if (foreign !== undefined) {
      const message = `${foreign} can only be specified with mutual authentication mode 'verify', not with '${mode}'`;
      return refuse(fault('InvalidConfigurationRequest', message));
    }
    return accept(mode === 'passthrough' ? { mode } : undefined);
  }
  if (TrustStoreArn === undefined) {
    const message = "A trust store ARN must be specified for mutual authentication mode 'verify'";
    return refuse(fault('ValidationError', message));
  }
  const store = findByArn(view, 'trust-store', TrustStoreArn, context);
  if (!store.ok) return store;
  return accept({
    mode: 'verify',
    trustStoreId: store.value.id,
    ignoresExpiry: IgnoreClientCertificateExpiry ?? false,
    advertisesCaNames: AdvertiseTrustStoreCaNames === 'on',
  });
}

/** Of an HTTPS listener. */
export function encodeMutualAuthentication(
  view: View,
  { mutualAuthentication: mutual }: ListenerDocument,
  { settings }: OperationContext,
): MutualAuthenticationAttributes {
  if (mutual?.mode !== 'verify') return { Mode: mutual?.mode ?? 'off' };
  const store = view.get('trust-store', mutual.trustStoreId);
  return {
    Mode: 'verify',
    ...(store !== undefined && {
      TrustStoreArn: trustStoreArn(settings.region, mutual.trustStoreId, store),
      TrustStoreAssociationStatus: 'active' as const,
    }),
    IgnoreClientCertificateExpiry: mutual.ignoresExpiry,
    AdvertiseTrustStoreCaNames: mutual.advertisesCaNames ? 'on' : 'off',
  };
}
