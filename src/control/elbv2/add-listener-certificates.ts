/** AddListenerCertificates: certificates that a listener shows to clients who ask for their names (SNI). */
import type {
  AddListenerCertificatesInput,
  AddListenerCertificatesOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, refuse } from '#base/result.ts';
import { put } from '#model/change.ts';
import { fault } from '#model/fault.ts';
import { decodeNamedCertificates, findTlsListener } from './listener-certificates.ts';
import { quotas } from './quotas.ts';
import type { Elbv2Operation } from './shape.ts';

export const addListenerCertificates: Elbv2Operation<AddListenerCertificatesInput, AddListenerCertificatesOutput> = {
  kind: 'write',
  decide(view, input, context) {
    const listener = findTlsListener(view, input.ListenerArn, context);
    if (!listener.ok) return listener;
    const named = decodeNamedCertificates(view, input.Certificates, context);
    if (!named.ok) return named;
    const { id, document } = listener.value;
    const [byDefault, ...present] = document.certificateIds ?? [];
    const others = new Set([...present, ...named.value.map((certificate) => certificate.id)]);
    if (others.size > quotas.certificatesPerListener) {
      const limit = `the limit is ${quotas.certificatesPerListener}`;
      const message = `The listener would have ${others.size} certificates besides its default one; ${limit}`;
      return refuse(fault('TooManyCertificates', message));
    }
    const certificateIds = [...(byDefault === undefined ? [] : [byDefault]), ...others];
    const isSame = others.size === present.length;
    return accept({
      changes: isSame ? [] : [put(view, 'listener', id, { ...document, certificateIds })],
      output: { Certificates: named.value.map(({ arn }) => ({ CertificateArn: arn, IsDefault: false })) },
    });
  },
};
