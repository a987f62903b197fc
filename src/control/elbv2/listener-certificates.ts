/** What the calls about a listener's certificates have in common. */
import type { Certificate } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, type Result, refuse } from '#base/result.ts';
import { findCertificate } from '#control/certificates.ts';
import type { OperationContext } from '#control/operation.ts';
import type { Entry } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import type { View } from '#model/view.ts';
import { findByArn } from './arns.ts';
import { checkCount, shown } from './checks.ts';
import { speaksTls } from './listener-settings.ts';
import { quotas } from './quotas.ts';
import type { Decoded } from './shape.ts';

/** Finds a listener that can have certificates. */
export function findTlsListener(view: View, arn: string, context: OperationContext): Result<Entry<'listener'>, Fault> {
  const found = findByArn(view, 'listener', arn, context);
  if (!found.ok || speaksTls(found.value.document.protocol)) return found;
  const message = `A certificate cannot be specified for ${found.value.document.protocol} listeners`;
  return refuse(fault('ValidationError', message));
}

export interface NamedCertificate {
  readonly id: string;
  readonly arn: string;
}

/** The certificates of the ARNs, each once; IsDefault is not the caller's to say. */
export function decodeNamedCertificates(
  view: View,
  given: readonly Decoded<Certificate>[],
  { settings, account }: OperationContext,
): Result<readonly NamedCertificate[], Fault> {
  const wrong = checkCount('Certificates', given, quotas.certificatesPerCall);
  if (wrong !== undefined) return refuse(wrong);
  const named = new Map<string, NamedCertificate>();
  for (const { CertificateArn: arn, IsDefault } of given) {
    if (arn === undefined) return refuse(fault('ValidationError', 'Certificates: a certificate ARN must be specified'));
    if (IsDefault !== undefined) {
      return refuse(
        fault('ValidationError', 'IsDefault cannot be specified; ModifyListener sets the default certificate'),
      );
    }
    const found = findCertificate(view, arn, { region: settings.region, account });
    if (found === undefined) return refuse(fault('CertificateNotFound', `Certificate '${shown(arn)}' not found`));
    named.set(found.id, { id: found.id, arn });
  }
  return accept([...named.values()]);
}
