/** Where a listener listens, with the refusals of everything that only a listener with TLS has. */
import type { CreateListenerInput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, type Result, refuse } from '#base/result.ts';
import type { ListenerDocument } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import { checkRange, notOffered, portRange, shown } from './checks.ts';
import type { Decoded } from './shape.ts';

/** What creating and modifying a listener have in common. */
type EndpointInput = Pick<
  Decoded<CreateListenerInput>,
  'Protocol' | 'Port' | 'Certificates' | 'SslPolicy' | 'AlpnPolicy' | 'MutualAuthentication'
>;

/** Reads protocol and port. */
export function decodeEndpoint(input: EndpointInput): Result<Pick<ListenerDocument, 'protocol' | 'port'>, Fault> {
  const { Protocol: protocol, Port: port } = input;
  if (protocol === undefined) return refuse(fault('ValidationError', 'A listener protocol must be specified'));
  if (port === undefined) return refuse(fault('ValidationError', 'A listener port must be specified'));
  if (protocol === 'HTTPS') return refuse(notOffered('Listener protocol', protocol, 'HTTP'));
  if (protocol !== 'HTTP') {
    return refuse(fault('ValidationError', `Listener protocol '${shown(protocol)}' must be one of 'HTTP, HTTPS'`));
  }
  const wrong = checkWithoutTls(input) ?? checkRange('Listener port', port, portRange);
  return wrong === undefined ? accept({ protocol, port }) : refuse(wrong);
}

function checkWithoutTls(input: EndpointInput): Fault | undefined {
  const [given] = [
    ...((input.Certificates ?? []).length > 0 ? ['A certificate'] : []),
    ...(input.SslPolicy !== undefined ? ['An SSL policy'] : []),
    ...((input.AlpnPolicy ?? []).length > 0 ? ['An ALPN policy'] : []),
    ...(input.MutualAuthentication !== undefined ? ['Mutual authentication'] : []),
  ];
  return given === undefined ? undefined : fault('ValidationError', `${given} cannot be specified for HTTP listeners`);
}
