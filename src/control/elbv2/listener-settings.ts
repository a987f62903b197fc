/**
 * Where a listener listens and how it speaks there: protocol and port by the type of its load balancer, and what
 * belongs to TLS where it is spoken.
 * Source: CreateListener and ModifyListener in the ELB API reference; "HTTPS listeners", "TLS listeners" in the guides.
 */
import type { CreateListenerInput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, type Result, refuse } from '#base/result.ts';
import { findCertificate } from '#control/certificates.ts';
import type { OperationContext } from '#control/operation.ts';
import {
  applicationProtocols,
  type ListenerDocument,
  type ListenerProtocol,
  type LoadBalancerType,
  networkProtocols,
} from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import type { View } from '#model/view.ts';
import { checkRange, portRange, shown } from './checks.ts';
import { decodeMutualAuthentication } from './mutual-authentication.ts';
import type { Decoded } from './shape.ts';
import { sslPolicies } from './ssl-policies.ts';

/** What creating and modifying a listener have in common. */
export type ListenerInput = Pick<
  Decoded<CreateListenerInput>,
  'Protocol' | 'Port' | 'Certificates' | 'SslPolicy' | 'AlpnPolicy' | 'MutualAuthentication'
>;

export type ListenerSettings = Pick<
  ListenerDocument,
  'protocol' | 'port' | 'sslPolicy' | 'certificateIds' | 'alpnPolicy' | 'mutualAuthentication'
>;

const protocolsOf: Readonly<Record<LoadBalancerType, readonly ListenerProtocol[]>> = {
  application: applicationProtocols,
  network: networkProtocols,
};
/** What a listener gets that names none. */
const defaultSslPolicy = sslPolicies[0]!.name;
const alpnPolicies = ['HTTP1Only', 'HTTP2Only', 'HTTP2Optional', 'HTTP2Preferred', 'None'];

export function speaksTls(protocol: string): boolean {
  return protocol === 'HTTPS' || protocol === 'TLS';
}

/** The settings of a new listener, or those of `present` with what is given changed. */
export function decodeListener(
  view: View,
  type: LoadBalancerType,
  input: ListenerInput,
  context: OperationContext,
  present?: ListenerSettings,
): Result<ListenerSettings, Fault> {
  const { Protocol: given = present?.protocol, Port: port = present?.port } = input;
  if (given === undefined) return refuse(fault('ValidationError', 'A listener protocol must be specified'));
  if (port === undefined) return refuse(fault('ValidationError', 'A listener port must be specified'));
  const protocol = protocolsOf[type].find((each) => each === given);
  if (protocol === undefined) {
    const message = `Listener protocol '${shown(given)}' must be one of '${protocolsOf[type].join(', ')}'`;
    return refuse(fault('ValidationError', message));
  }
  const wrong = checkRange('Listener port', port, portRange) ?? checkMembers(input, protocol);
  if (wrong !== undefined) return refuse(wrong);
  if (!speaksTls(protocol)) return accept({ protocol, port });
  const certificateIds = decodeCertificate(view, input, protocol, context, present);
  if (!certificateIds.ok) return certificateIds;
  const sslPolicy = input.SslPolicy ?? present?.sslPolicy ?? defaultSslPolicy;
  if (!sslPolicies.some(({ name }) => name === sslPolicy)) {
    return refuse(fault('SSLPolicyNotFound', `SSL policy '${shown(sslPolicy)}' not found`));
  }
  const alpnPolicy = decodeAlpn(input.AlpnPolicy, present?.alpnPolicy);
  if (!alpnPolicy.ok) return alpnPolicy;
  const mutual =
    input.MutualAuthentication === undefined
      ? accept(protocol === 'HTTPS' ? present?.mutualAuthentication : undefined)
      : decodeMutualAuthentication(view, input.MutualAuthentication, context);
  if (!mutual.ok) return mutual;
  return accept({
    protocol,
    port,
    sslPolicy,
    certificateIds: certificateIds.value,
    ...(protocol === 'TLS' && alpnPolicy.value !== undefined && { alpnPolicy: alpnPolicy.value }),
    ...(mutual.value !== undefined && { mutualAuthentication: mutual.value }),
  });
}

/** What the settings of a listener are; certificates behind the default one were added later. */
export function settingsOf(listener: ListenerSettings): ListenerSettings {
  const { protocol, port, sslPolicy, certificateIds, alpnPolicy, mutualAuthentication } = listener;
  return {
    protocol,
    port,
    ...(sslPolicy !== undefined && { sslPolicy }),
    ...(certificateIds !== undefined && { certificateIds: certificateIds.slice(0, 1) }),
    ...(alpnPolicy !== undefined && { alpnPolicy }),
    ...(mutualAuthentication !== undefined && { mutualAuthentication }),
  };
}

/** Refuses what listeners of the protocol do not have. */
function checkMembers(input: ListenerInput, protocol: ListenerProtocol): Fault | undefined {
  const isTls = speaksTls(protocol);
  const foreign = [
    ...(!isTls && (input.Certificates ?? []).length > 0 ? ['A certificate'] : []),
    ...(!isTls && input.SslPolicy !== undefined ? ['An SSL policy'] : []),
    ...(protocol !== 'HTTPS' && input.MutualAuthentication !== undefined ? ['Mutual authentication'] : []),
  ];
  if (foreign[0] !== undefined) {
    return fault('ValidationError', `${foreign[0]} cannot be specified for ${protocol} listeners`);
  }
  if (protocol === 'TLS' || (input.AlpnPolicy ?? []).length === 0) return undefined;
  return fault('ALPNPolicyNotSupported', `An ALPN policy cannot be specified for ${protocol} listeners`);
}

/** The default certificate, and those behind it that the listener has already. */
function decodeCertificate(
  view: View,
  { Certificates: given = [] }: ListenerInput,
  protocol: ListenerProtocol,
  { settings, account }: OperationContext,
  present: ListenerSettings | undefined,
): Result<readonly string[], Fault> {
  const others = present?.certificateIds ?? [];
  if (given.length > 1) {
    return refuse(fault('TooManyCertificates', `Certificates has ${given.length} entries; a listener has one default`));
  }
  const arn = given[0]?.CertificateArn;
  if (arn === undefined) {
    if (given.length === 0 && others.length > 0) return accept(others);
    return refuse(fault('ValidationError', `A certificate must be specified for ${protocol} listeners`));
  }
  if (given[0]?.IsDefault !== undefined) {
    return refuse(fault('ValidationError', 'IsDefault cannot be specified: the certificate becomes the default'));
  }
  const found = findCertificate(view, arn, { region: settings.region, account });
  if (found === undefined) return refuse(fault('CertificateNotFound', `Certificate '${shown(arn)}' not found`));
  return accept([found.id, ...others.slice(1)]);
}

function decodeAlpn(
  given: readonly string[] | undefined,
  present: string | undefined,
): Result<string | undefined, Fault> {
  if (given === undefined) return accept(present);
  if (given.length > 1) {
    return refuse(fault('ValidationError', `AlpnPolicy has ${given.length} entries; one can be specified`));
  }
  const [policy] = given;
  if (policy === undefined) return accept(undefined);
  if (alpnPolicies.includes(policy)) return accept(policy);
  const message = `ALPN policy '${shown(policy)}' must be one of '${alpnPolicies.join(', ')}'`;
  return refuse(fault('ALPNPolicyNotFound', message));
}
