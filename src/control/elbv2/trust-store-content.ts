/**
 * What a trust store is made of: certificates of authorities, and lists of certificates that were revoked. Both are
 * read as strictly as they are needed, and what is wrong is said with its place.
 */
import { accept, type Result, refuse } from '#base/result.ts';
import { readAll } from '#control/certificates.ts';
import { type AccountLimits, defaultLimits } from '#control/limits.ts';
import { type Fault, fault } from '#model/fault.ts';

/** Comments, as AWS allows them: lines of their own that begin with `#`. */
const commentLine = /^[ \t]*#.*$/gm;
const crlPattern = /-----BEGIN X509 CRL-----([A-Za-z0-9+/=\s]+)-----END X509 CRL-----/g;

/** What was read, and how many certificates, or entries, it has. */
export interface Content {
  readonly text: string;
  readonly count: number;
}

/** A bundle, and how many certificates are in it. */
export function readBundle(
  [bytes]: readonly Uint8Array[] = [],
  limits: AccountLimits = defaultLimits,
): Result<Content, Fault> {
  const text = textOf(bytes);
  const certificates = text === undefined ? undefined : readAll(text.replace(commentLine, ''));
  if (text === undefined || certificates === undefined) {
    return refuse(invalidBundle('it must be X.509 certificates in PEM form, one after the other'));
  }
  const countMax = limits['ca-certificates-per-trust-store'];
  if (certificates.length > countMax) {
    const limit = `the limit is ${countMax}`;
    return refuse(invalidBundle(`it has ${certificates.length} certificates; ${limit}`));
  }
  const stranger = certificates.findIndex(({ ca }) => !ca);
  if (stranger >= 0) return refuse(invalidBundle(`certificate ${stranger + 1} is not that of an authority`));
  return accept({ text, count: certificates.length });
}

/** One revocation list, and how many certificates it revokes. */
export function readRevocations(bytes: Uint8Array): Result<Content, Fault> {
  const text = textOf(bytes);
  const lists = [...(text ?? '').replace(commentLine, '').matchAll(crlPattern)];
  if (text === undefined || lists.length !== 1) {
    return refuse(invalidRevocations(`it must be one revocation list in PEM form; found ${lists.length}`));
  }
  const count = countRevoked(Buffer.from(lists[0]![1]!, 'base64'));
  return count === undefined
    ? refuse(invalidRevocations('it is not a certificate revocation list (RFC 5280, section 5)'))
    : accept({ text, count });
}

function textOf(bytes: Uint8Array | undefined): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function invalidBundle(why: string): Fault {
  return fault('InvalidCaCertificatesBundle', `The CA certificates bundle is not valid: ${why}`);
}

function invalidRevocations(why: string): Fault {
  return fault('InvalidRevocationContent', `The revocation content is not valid: ${why}`);
}

/** One value of DER: its tag, and where its content lies. */
interface Value {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

const sequence = 0x30;
const integer = 0x02;
const times: readonly number[] = [0x17, 0x18];
const extensions = 0xa0;

/**
 * The entries of `revokedCertificates`; undefined when the bytes are no CertificateList.
 *
 *     CertificateList  tbsCertList · signatureAlgorithm · signature
 *     tbsCertList      version? · signature · issuer · thisUpdate · nextUpdate? · revokedCertificates? · extensions?
 */
function countRevoked(bytes: Buffer): number | undefined {
  const outer = valuesIn(bytes, 0, bytes.length);
  if (outer?.length !== 1 || outer[0]!.tag !== sequence) return undefined;
  const parts = valuesIn(bytes, outer[0]!.start, outer[0]!.end);
  if (parts?.length !== 3 || parts[0]!.tag !== sequence || parts[1]!.tag !== sequence) return undefined;
  const list = valuesIn(bytes, parts[0]!.start, parts[0]!.end);
  if (list === undefined) return undefined;
  const rest = list[0]?.tag === integer ? list.slice(1) : list;
  const [signature, issuer, thisUpdate, ...optional] = rest;
  if (signature?.tag !== sequence || issuer?.tag !== sequence || !times.includes(thisUpdate?.tag ?? 0))
    return undefined;
  const [first, ...others] = times.includes(optional[0]?.tag ?? 0) ? optional.slice(1) : optional;
  if (first === undefined || first.tag === extensions) return others.length === 0 ? 0 : undefined;
  if (first.tag !== sequence || others.length > 1) return undefined;
  const entries = valuesIn(bytes, first.start, first.end);
  return entries?.every(({ tag }) => tag === sequence) === true ? entries.length : undefined;
}

/** The values that follow each other in [start, end); undefined when that is not what is there (X.690, section 8.1). */
function valuesIn(bytes: Buffer, start: number, end: number): Value[] | undefined {
  const values: Value[] = [];
  for (let at = start; at < end; ) {
    const tag = bytes[at]!;
    const first = bytes[at + 1];
    // Tags above 30 and indefinite lengths are not in what is read here.
    if ((tag & 31) === 31 || first === undefined || first === 0x80 || first > 0x84) return undefined;
    const lengthBytes = first < 0x80 ? 0 : first - 0x80;
    const contentStart = at + 2 + lengthBytes;
    if (contentStart > end) return undefined;
    const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes);
    if (contentStart + length > end) return undefined;
    values.push({ tag, start: contentStart, end: contentStart + length });
    at = contentStart + length;
  }
  return values;
}
