/**
 * The predefined security policies: their protocols, oldest first, and ciphers, in order of preference, by the names of
 * OpenSSL. Made of what they have in common, so that a policy reads as what it adds; `PQ` policies differ from those
 * without by the groups of the key exchange, which the API does not describe.
 * Source: "Security policies for your Application Load Balancer", tables "Protocols by policy" and "Ciphers by policy".
 */

export interface SslPolicy {
  readonly name: string;
  readonly protocols: readonly string[];
  readonly ciphers: readonly string[];
}

const [v10, v11, v12, v13] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];
const from10 = [v10, v11, v12, v13];
const from11 = [v11, v12, v13];
const from12 = [v12, v13];
const from10To12 = [v10, v11, v12];
const from11To12 = [v11, v12];

const tls13Fips = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384'];
const tls13 = [...tls13Fips, 'TLS_CHACHA20_POLY1305_SHA256'];

/** Every cipher before TLS 1.3 but one, in the order that all policies have in common. */
const cipherOrder = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES128-SHA256',
  'ECDHE-RSA-AES128-SHA256',
  'ECDHE-ECDSA-AES128-SHA',
  'ECDHE-RSA-AES128-SHA',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-AES256-SHA384',
  'ECDHE-RSA-AES256-SHA384',
  'ECDHE-RSA-AES256-SHA',
  'ECDHE-ECDSA-AES256-SHA',
  'AES128-GCM-SHA256',
  'AES128-SHA256',
  'AES128-SHA',
  'AES256-GCM-SHA384',
  'AES256-SHA256',
  'AES256-SHA',
];
const isForwardSecret = (cipher: string) => cipher.startsWith('ECDHE-');
/** A message authentication by SHA-1. */
const isSha1 = (cipher: string) => cipher.endsWith('-SHA');
const isGcm = (cipher: string) => cipher.includes('-GCM-');

const forwardSecretGcm = cipherOrder.filter((cipher) => isForwardSecret(cipher) && isGcm(cipher));
const forwardSecretSha2 = cipherOrder.filter((cipher) => isForwardSecret(cipher) && !isSha1(cipher));
const forwardSecret = cipherOrder.filter(isForwardSecret);
const sha2 = cipherOrder.filter((cipher) => !isSha1(cipher));

/** In the order in which AWS lists the older ones. The first is what a listener gets that names none. */
export const sslPolicies: readonly SslPolicy[] = [
  policy('2016-08', from10To12, cipherOrder),
  policy('TLS13-1-2-2021-06', from12, tls13, forwardSecretSha2),
  policy('TLS13-1-2-Res-2021-06', from12, tls13, forwardSecretGcm),
  policy('TLS13-1-2-Ext1-2021-06', from12, tls13, sha2),
  policy('TLS13-1-2-Ext2-2021-06', from12, tls13, cipherOrder),
  policy('TLS13-1-1-2021-06', from11, tls13, cipherOrder),
  policy('TLS13-1-0-2021-06', from10, tls13, cipherOrder),
  policy('TLS13-1-3-2021-06', [v13], tls13),
  policy('TLS-1-2-2017-01', [v12], sha2),
  policy('TLS-1-1-2017-01', from11To12, cipherOrder),
  policy('TLS-1-2-Ext-2018-06', [v12], cipherOrder),
  policy('FS-2018-06', from10To12, forwardSecret),
  policy('2015-05', from10To12, cipherOrder),
  policy('TLS-1-0-2015-04', from10To12, cipherOrder, ['DES-CBC3-SHA']),
  policy('FS-1-2-Res-2019-08', [v12], forwardSecretSha2),
  policy('FS-1-1-2019-08', from11To12, forwardSecret),
  policy('FS-1-2-2019-08', [v12], forwardSecret),
  policy('FS-1-2-Res-2020-10', [v12], forwardSecretGcm),
  policy('TLS13-1-3-FIPS-2023-04', [v13], tls13Fips),
  policy('TLS13-1-2-Res-FIPS-2023-04', from12, tls13Fips, forwardSecretGcm),
  policy('TLS13-1-2-FIPS-2023-04', from12, tls13Fips, forwardSecretSha2),
  policy('TLS13-1-2-Ext0-FIPS-2023-04', from12, tls13Fips, forwardSecret),
  policy('TLS13-1-2-Ext1-FIPS-2023-04', from12, tls13Fips, sha2),
  policy('TLS13-1-2-Ext2-FIPS-2023-04', from12, tls13Fips, cipherOrder),
  policy('TLS13-1-1-FIPS-2023-04', from11, tls13Fips, cipherOrder),
  policy('TLS13-1-0-FIPS-2023-04', from10, tls13Fips, cipherOrder),
  policy('TLS13-1-3-PQ-2025-09', [v13], tls13),
  policy('TLS13-1-2-Res-PQ-2025-09', from12, tls13, forwardSecretGcm),
  policy('TLS13-1-2-PQ-2025-09', from12, tls13, forwardSecretSha2),
  policy('TLS13-1-2-Ext1-PQ-2025-09', from12, tls13, sha2),
  policy('TLS13-1-2-Ext2-PQ-2025-09', from12, tls13, cipherOrder),
  policy('TLS13-1-0-PQ-2025-09', from10, tls13, cipherOrder),
  policy('TLS13-1-3-FIPS-PQ-2025-09', [v13], tls13Fips),
  policy('TLS13-1-2-Res-FIPS-PQ-2025-09', from12, tls13Fips, forwardSecretGcm),
  policy('TLS13-1-2-FIPS-PQ-2025-09', from12, tls13Fips, forwardSecretSha2),
  policy('TLS13-1-2-Ext0-FIPS-PQ-2025-09', from12, tls13Fips, forwardSecret),
  policy('TLS13-1-2-Ext1-FIPS-PQ-2025-09', from12, tls13Fips, sha2),
  policy('TLS13-1-2-Ext2-FIPS-PQ-2025-09', from12, tls13Fips, cipherOrder),
  policy('TLS13-1-0-FIPS-PQ-2025-09', from10, tls13Fips, cipherOrder),
];

function policy(name: string, protocols: readonly string[], ...ciphers: readonly (readonly string[])[]): SslPolicy {
  return { name: `ELBSecurityPolicy-${name}`, protocols, ciphers: ciphers.flat() };
}
