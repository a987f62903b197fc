/** What the calls of Certificate Manager have in common: how a certificate is found, and how it is answered. */
import type { X509Certificate } from 'node:crypto';
import type { CertificateDetail, CertificateSummary, KeyAlgorithm } from '@aws-sdk/client-acm';
import { accept, type Result, refuse } from '#base/result.ts';
import {
  certificateArn,
  domainNamesOf,
  findCertificate,
  keyAlgorithmOf,
  loadBalancersWith,
  partsOf,
  readCertificate,
} from '#control/certificates.ts';
import { loadBalancerArn } from '#control/elbv2/arns.ts';
import { addTags } from '#control/elbv2/tags.ts';
import type { OperationContext } from '#control/operation.ts';
import { parseCertificateArn } from '#model/arn.ts';
import type { Entry, Tag } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import type { View } from '#model/view.ts';

type Certificate = Entry<'certificate'>;

const shownMax = 256;
/** ACM answers a summary with so many names at most. */
const summaryNamesMax = 100;

/** Finds the certificate of an ARN; refuses what is none of this service, region and account. */
export function findImported(view: View, arn: string, context: OperationContext): Result<Certificate, Fault> {
  const { account } = context;
  const { region } = context.settings;
  const parsed = parseCertificateArn(arn);
  if (parsed?.service !== 'acm' || parsed.region !== region || parsed.account !== account) {
    return refuse(fault('InvalidArnException', `'${arn.slice(0, shownMax)}' is not the ARN of a certificate here`));
  }
  const found = findCertificate(view, arn, { region, account });
  return found === undefined
    ? refuse(fault('ResourceNotFoundException', `Could not find certificate ${arn}`))
    : accept(found);
}

/** The certificate as DescribeCertificate answers it. */
export function encodeDetail(view: View, entry: Certificate, context: OperationContext): CertificateDetail {
  const { document } = entry;
  const x509 = readCertificate(document);
  const names = domainNamesOf(x509);
  return {
    CertificateArn: certificateArn(entry, context.settings.region),
    DomainName: names[0],
    SubjectAlternativeNames: [...names],
    DomainValidationOptions: [],
    Serial: colons(x509.serialNumber),
    Subject: commas(x509.subject),
    Issuer: partsOf(x509.issuer, 'O')[0] ?? partsOf(x509.issuer, 'CN')[0] ?? commas(x509.issuer),
    CreatedAt: new Date(document.createdAtMs),
    ImportedAt: new Date(document.importedAtMs),
    Status: statusOf(x509, context.nowMs),
    NotBefore: x509.validFromDate,
    NotAfter: x509.validToDate,
    KeyAlgorithm: keyAlgorithmOf(x509) as KeyAlgorithm,
    SignatureAlgorithm: signatureOf(x509),
    InUseBy: loadBalancersWith(view, entry.id).map((each) =>
      loadBalancerArn(context.settings.region, each.id, each.document),
    ),
    Type: 'IMPORTED',
    RenewalEligibility: 'INELIGIBLE',
    Options: { CertificateTransparencyLoggingPreference: 'DISABLED' },
  };
}

/** The certificate as ListCertificates answers it. */
export function encodeSummary(view: View, entry: Certificate, context: OperationContext): CertificateSummary {
  const detail = encodeDetail(view, entry, context);
  const names = detail.SubjectAlternativeNames ?? [];
  return {
    CertificateArn: detail.CertificateArn,
    DomainName: detail.DomainName,
    SubjectAlternativeNameSummaries: names.slice(0, summaryNamesMax),
    HasAdditionalSubjectAlternativeNames: names.length > summaryNamesMax,
    Status: detail.Status,
    Type: detail.Type,
    KeyAlgorithm: detail.KeyAlgorithm,
    InUse: (detail.InUseBy ?? []).length > 0,
    RenewalEligibility: detail.RenewalEligibility,
    NotBefore: detail.NotBefore,
    NotAfter: detail.NotAfter,
    CreatedAt: detail.CreatedAt,
    ImportedAt: detail.ImportedAt,
  };
}

/** Tags after adding some, with ACM's own codes for what can be wrong with them. */
export function addImportedTags(
  present: readonly Tag[],
  added: readonly { readonly Key: string; readonly Value?: string | undefined }[],
): Result<readonly Tag[], Fault> {
  const tags = addTags(present, added);
  if (tags.ok) return tags;
  const code = tags.fault.code === 'TooManyTags' ? 'TooManyTagsException' : 'InvalidTagException';
  return refuse(fault(code, tags.fault.message));
}

export function statusOf(x509: X509Certificate, nowMs: number): 'ISSUED' | 'EXPIRED' {
  return x509.validToDate.getTime() < nowMs ? 'EXPIRED' : 'ISSUED';
}

/** `SHA256WITHRSA`, from what OpenSSL calls it: `sha256WithRSAEncryption`, `ecdsa-with-SHA256`. */
function signatureOf({ signatureAlgorithm = '' }: X509Certificate): string {
  const ecdsa = /^ecdsa-with-(\w+)$/i.exec(signatureAlgorithm);
  if (ecdsa !== null) return `${ecdsa[1]!.toUpperCase()}WITHECDSA`;
  return signatureAlgorithm.replace(/Encryption$/, '').toUpperCase();
}

function colons(hex: string): string {
  return (hex.toLowerCase().match(/../g) ?? []).join(':');
}

/** Node writes an attribute a line; ACM writes them with commas between. */
function commas(name: string | undefined): string {
  return (name ?? '').split('\n').join(',');
}
