/** RemoveListenerCertificates. The default certificate stays: ModifyListener puts another in its place. */
import type {
  RemoveListenerCertificatesInput,
  RemoveListenerCertificatesOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, refuse } from '#base/result.ts';
import { put } from '#model/change.ts';
import { fault } from '#model/fault.ts';
import { decodeNamedCertificates, findTlsListener } from './listener-certificates.ts';
import type { Elbv2Operation } from './shape.ts';

export const removeListenerCertificates: Elbv2Operation<
  RemoveListenerCertificatesInput,
  RemoveListenerCertificatesOutput
> = {
  kind: 'write',
  decide(view, input, context) {
    const listener = findTlsListener(view, input.ListenerArn, context);
    if (!listener.ok) return listener;
    const named = decodeNamedCertificates(view, input.Certificates, context);
    if (!named.ok) return named;
    const { id, document } = listener.value;
    const [byDefault, ...present] = document.certificateIds ?? [];
    const fixed = named.value.find((certificate) => certificate.id === byDefault && !present.includes(certificate.id));
    if (fixed !== undefined) {
      const message = `The certificate '${fixed.arn}' is the default one of the listener and cannot be removed`;
      return refuse(fault('OperationNotPermitted', message));
    }
    const removed = new Set(named.value.map((certificate) => certificate.id));
    const kept = present.filter((each) => !removed.has(each));
    if (kept.length === present.length) return accept({ changes: [], output: {} });
    const certificateIds = [...(byDefault === undefined ? [] : [byDefault]), ...kept];
    return accept({ changes: [put(view, 'listener', id, { ...document, certificateIds })], output: {} });
  },
};
