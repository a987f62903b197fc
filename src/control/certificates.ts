/**
 * Certificates of ACM and of IAM, as both services and listeners see them: found by their ARN, read, and checked before
 * they are taken in. What a certificate says is read from it each time; only its text is kept.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { accept, type Result, refuse } from '#base/result.ts';
import { formatCertificateArn, parseCertificateArn } from '#model/arn.ts';
import type { CertificateDocument, Entry } from '#model/documents.ts';
import { nameKey } from '#model/keys.ts';
import { findFirst, type View } from '#model/view.ts';

export interface Owner {
  readonly region: string;
  readonly account: string;
}

/** PEM texts as they were given. */
export interface CertificateParts {
  readonly certificate: string;
  readonly privateKey: string;
  readonly chain: string | undefined;
}

/** Why certificates are not taken in; what it is about decides the code of each service. */
export interface CertificateFault {
  readonly about: 'certificate' | 'private key' | 'chain' | 'match';
  readonly message: string;
}

const certificatesMax = 100;
const keptMax = 1_000;
const rsaBits = [1024, 2048, 3072, 4096];
const curves = ['prime256v1', 'secp384r1', 'secp521r1'];

/** Finds the certificate of an ARN; only the caller's own, and only under exactly its ARN. */
export function findCertificate(view: View, text: string, owner: Owner): Entry<'certificate'> | undefined {
  const arn = parseCertificateArn(text);
  if (arn === undefined || arn.account !== owner.account) return undefined;
  const entry = arn.service === 'acm' ? entryOf(view, arn.id) : findServerCertificate(view, owner.account, arn.name);
  return entry !== undefined && certificateArn(entry, owner.region) === text ? entry : undefined;
}

/** A server certificate of IAM by its name, whatever its case. */
export function findServerCertificate(view: View, account: string, name: string): Entry<'certificate'> | undefined {
  return findFirst(view, 'certificateByName', nameKey({ account, name: name.toLowerCase() }));
}

export function certificateArn(entry: Pick<Entry<'certificate'>, 'id' | 'document'>, region: string): string {
  const { account, service, name = '', path = '/' } = entry.document;
  return formatCertificateArn(
    service === 'acm' ? { service, region, account, id: entry.id } : { service, account, path, name },
  );
}

/** The load balancers with a listener that has the certificate. */
export function loadBalancersWith(view: View, certificateId: string): Entry<'load-balancer'>[] {
  const found = new Map<string, Entry<'load-balancer'>>();
  for (const { document } of view.find('listenersUsingCertificate', certificateId)) {
    const id = document.loadBalancerId;
    const loadBalancer = view.get('load-balancer', id);
    if (loadBalancer === undefined || found.has(id)) continue;
    const revision = view.revisionOf('load-balancer', id);
    found.set(id, { kind: 'load-balancer', id, revision, document: loadBalancer });
  }
  return [...found.values()];
}

/**
 * Reads what is to be taken in. Refuses what is no certificate, a key that is not its, one that cannot be used, a chain
 * whose certificates do not sign each other, and what is not valid now.
 */
export function checkCertificate(parts: CertificateParts, nowMs: number): Result<X509Certificate, CertificateFault> {
  const own = readOne(parts.certificate);
  if (own === undefined) return wrong('certificate', 'The certificate is not one X.509 certificate in PEM form');
  const key = readKey(parts.privateKey);
  if (key === undefined) {
    return wrong('private key', 'The private key is not one in PEM form without a passphrase');
  }
  const strange = strangeKey(own.publicKey);
  if (strange !== undefined) return wrong('certificate', `The key of the certificate is ${strange}`);
  if (!own.checkPrivateKey(key)) return wrong('match', 'The private key does not belong to the certificate');
  const now = new Date(nowMs);
  if (own.validFromDate > now) {
    return wrong('certificate', `The certificate is not valid before ${own.validFromDate.toISOString()}`);
  }
  if (own.validToDate < now) {
    return wrong('certificate', `The certificate expired at ${own.validToDate.toISOString()}`);
  }
  const broken = parts.chain === undefined ? undefined : brokenChain(own, parts.chain);
  return broken === undefined ? accept(own) : wrong('chain', broken);
}

/** Reads the certificate of a document, which was checked when it was taken in. */
export function readCertificate({ certificate }: CertificateDocument): X509Certificate {
  const known = kept.get(certificate);
  if (known !== undefined) return known;
  const read = new X509Certificate(certificate);
  if (kept.size >= keptMax) kept.delete(kept.keys().next().value!);
  kept.set(certificate, read);
  return read;
}

const kept = new Map<string, X509Certificate>();

/** `RSA_2048`, `EC_prime256v1`: as ACM names keys. */
export function keyAlgorithmOf({ publicKey }: X509Certificate): string {
  const { modulusLength, namedCurve } = publicKey.asymmetricKeyDetails ?? {};
  return publicKey.asymmetricKeyType === 'rsa' ? `RSA_${modulusLength}` : `EC_${namedCurve}`;
}

/** The DNS names that it is for, the common name first where that is one. */
export function domainNamesOf(certificate: X509Certificate): readonly string[] {
  const [common] = partsOf(certificate.subject, 'CN');
  const alternatives = (certificate.subjectAltName ?? '').split(', ').flatMap((each) => {
    return each.startsWith('DNS:') ? [each.slice('DNS:'.length)] : [];
  });
  return [...new Set([...(common === undefined ? [] : [common]), ...alternatives])];
}

/** The values of one attribute of a subject or issuer, as Node writes them: a line each. */
export function partsOf(name: string | undefined, attribute: string): readonly string[] {
  return (name ?? '').split('\n').flatMap((line) => {
    return line.startsWith(`${attribute}=`) ? [line.slice(attribute.length + 1)] : [];
  });
}

function wrong(about: CertificateFault['about'], message: string): Result<never, CertificateFault> {
  return refuse({ about, message });
}

function readOne(text: string): X509Certificate | undefined {
  const all = readAll(text);
  return all?.length === 1 ? all[0] : undefined;
}

const pemPattern = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** Every certificate of a PEM text; undefined when there is none, too many, or anything else in it. */
export function readAll(text: string): X509Certificate[] | undefined {
  const blocks = text.match(pemPattern) ?? [];
  if (blocks.length === 0 || blocks.length > certificatesMax) return undefined;
  if (text.replace(pemPattern, '').trim() !== '') return undefined;
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    return undefined;
  }
}

function readKey(text: string): KeyObject | undefined {
  try {
    return createPrivateKey({ key: text, format: 'pem' });
  } catch {
    return undefined;
  }
}

function strangeKey(key: KeyObject): string | undefined {
  const { modulusLength = 0, namedCurve = '' } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'rsa') {
    return rsaBits.includes(modulusLength) ? undefined : `of ${modulusLength} bits; allowed: ${rsaBits.join(', ')}`;
  }
  if (key.asymmetricKeyType === 'ec') {
    return curves.includes(namedCurve) ? undefined : `on curve ${namedCurve}; allowed: ${curves.join(', ')}`;
  }
  return `of type ${key.asymmetricKeyType}; allowed: RSA and ECDSA`;
}

/** Why the chain does not lead on from the certificate, in its order; undefined when it does. */
function brokenChain(own: X509Certificate, text: string): string | undefined {
  const chain = readAll(text);
  if (chain === undefined) return 'The certificate chain is not X.509 certificates in PEM form, one after the other';
  let last = own;
  for (const [index, next] of chain.entries()) {
    if (!last.checkIssued(next) || !last.verify(next.publicKey)) {
      return `Certificate ${index + 1} of the chain has not issued the one before it`;
    }
    last = next;
  }
  return undefined;
}

function entryOf(view: View, id: string): Entry<'certificate'> | undefined {
  const document = view.get('certificate', id);
  return document?.service === 'acm'
    ? { kind: 'certificate', id, revision: view.revisionOf('certificate', id), document }
    : undefined;
}
