/** AddListenerCertificates: certificates that a listener shows to clients who ask for their names (SNI). */
import type {
  AddListenerCertificatesInput,
  AddListenerCertificatesOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, refuse } from '#base/result.ts';
import { put } from '#model/change.ts';
import type { HexId } from '#model/documents.ts';
import { fault } from '#model/fault.ts';
import type { View } from '#model/view.ts';
import { decodeNamedCertificates, findTlsListener } from './listener-certificates.ts';
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
    const countMax = context.limits['certificates-per-load-balancer'];
    const elsewhere = countCertificates(view, document.loadBalancerId, id);
    if (others.size + elsewhere > countMax) {
      const limit = `the limit is ${countMax}`;
      const count = others.size + elsewhere;
      const message = `The load balancer would have ${count} certificates besides the default ones; ${limit}`;
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

/** The certificates of the load balancer's other listeners, without the default ones. */
function countCertificates(view: View, loadBalancerId: HexId, listenerId: HexId): number {
  let count = 0;
  for (const { id, document } of view.find('listenersOfLoadBalancer', loadBalancerId)) {
    if (id !== listenerId) count += Math.max(0, (document.certificateIds ?? []).length - 1);
  }
  return count;
}
