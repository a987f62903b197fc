/**
 * The attributes of listeners: key, default, allowed values, and the protocols of the listeners that have them. As with
 * other attributes, documents hold only what differs from the default, so the value is read through the functions here.
 * Source: `ListenerAttribute` in the ELB API reference; "HTTP header modification" in the guide.
 */
import type { AttributeAllowed } from './attributes.ts';
import type { ListenerDocument } from './documents.ts';

export interface ListenerAttributeDefinition {
  readonly default: string;
  readonly allowed: AttributeAllowed;
  readonly protocols: readonly string[];
}

export type ListenerAttributeKey = keyof typeof listenerAttributes;

const tcp = ['TCP', 'GENEVE'] as const;
const https = ['HTTPS'] as const;
const http = ['HTTP', 'HTTPS'] as const;
const headerValue = { kind: 'header-value' } as const;

/** In the order in which DescribeListenerAttributes answers. An empty header value adds no header. */
export const listenerAttributes = {
  'tcp.idle_timeout.seconds': {
    default: '350',
    protocols: tcp,
    allowed: { kind: 'integer', min: 60, max: 6000 },
  },
  'routing.http.request.x_amzn_mtls_clientcert_serial_number.header_name': named(
    'X-Amzn-Mtls-Clientcert-Serial-Number',
  ),
  'routing.http.request.x_amzn_mtls_clientcert_issuer.header_name': named('X-Amzn-Mtls-Clientcert-Issuer'),
  'routing.http.request.x_amzn_mtls_clientcert_subject.header_name': named('X-Amzn-Mtls-Clientcert-Subject'),
  'routing.http.request.x_amzn_mtls_clientcert_validity.header_name': named('X-Amzn-Mtls-Clientcert-Validity'),
  'routing.http.request.x_amzn_mtls_clientcert_leaf.header_name': named('X-Amzn-Mtls-Clientcert-Leaf'),
  'routing.http.request.x_amzn_mtls_clientcert.header_name': named('X-Amzn-Mtls-Clientcert'),
  'routing.http.request.x_amzn_tls_version.header_name': named('X-Amzn-Tls-Version'),
  'routing.http.request.x_amzn_tls_cipher_suite.header_name': named('X-Amzn-Tls-Cipher-Suite'),
  'routing.http.response.server.enabled': {
    default: 'true',
    protocols: http,
    allowed: { kind: 'choice', values: ['true', 'false'] },
  },
  'routing.http.response.strict_transport_security.header_value': added(headerValue),
  'routing.http.response.access_control_allow_origin.header_value': added(headerValue),
  'routing.http.response.access_control_allow_methods.header_value': added(headerValue),
  'routing.http.response.access_control_allow_headers.header_value': added(headerValue),
  'routing.http.response.access_control_allow_credentials.header_value': added({
    kind: 'choice',
    values: ['', 'true'],
  }),
  'routing.http.response.access_control_expose_headers.header_value': added(headerValue),
  'routing.http.response.access_control_max_age.header_value': added({
    kind: 'integer',
    min: 0,
    max: 2_147_483_647,
    or: '',
  }),
  'routing.http.response.content_security_policy.header_value': added(headerValue),
  'routing.http.response.x_content_type_options.header_value': added({ kind: 'choice', values: ['', 'nosniff'] }),
  'routing.http.response.x_frame_options.header_value': added(headerValue),
} as const satisfies Readonly<Record<string, ListenerAttributeDefinition>>;

/** The attributes that a listener of the protocol has. */
export function listenerAttributeKeys(protocol: string): readonly ListenerAttributeKey[] {
  const keys = Object.keys(listenerAttributes) as ListenerAttributeKey[];
  return keys.filter((key) => (listenerAttributes[key].protocols as readonly string[]).includes(protocol));
}

/** The effective value, given or by default. */
export function listenerAttribute(document: Pick<ListenerDocument, 'attributes'>, key: ListenerAttributeKey): string {
  return document.attributes?.[key] ?? listenerAttributes[key].default;
}

/** The name of a request header that the load balancer adds. */
function named(name: string): ListenerAttributeDefinition {
  return { default: name, protocols: https, allowed: { kind: 'header-name' } };
}

/** The value of a response header that the load balancer adds, or puts in place of the target's. */
function added(allowed: AttributeAllowed): ListenerAttributeDefinition {
  return { default: '', protocols: http, allowed };
}
