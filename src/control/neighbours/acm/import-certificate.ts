/**
 * ImportCertificate: takes a certificate in with its key and chain, or puts another in the place of one that is there,
 * under the same ARN, so that listeners go on with it.
 */
import type { ImportCertificateResponse } from '@aws-sdk/client-acm';
import { accept, refuse } from '#base/result.ts';
import { certificateArn, checkCertificate } from '#control/certificates.ts';
import type { Operation } from '#control/operation.ts';
import { put } from '#model/change.ts';
import type { CertificateDocument } from '#model/documents.ts';
import { fault } from '#model/fault.ts';
import { addImportedTags, findImported } from './certificates.ts';

interface Input {
  readonly CertificateArn?: string;
  readonly Certificate: Uint8Array;
  readonly PrivateKey: Uint8Array;
  readonly CertificateChain?: Uint8Array;
  readonly Tags?: readonly { readonly Key: string; readonly Value?: string }[];
}

/** In bytes, as the API reference bounds them. */
const sizesMax = { Certificate: 32_768, PrivateKey: 5_120, CertificateChain: 2_097_152 } as const;

export const importCertificate: Operation<Input, ImportCertificateResponse> = {
  kind: 'write',
  decide(view, input, context) {
    for (const [member, sizeMax] of Object.entries(sizesMax)) {
      const size = input[member as keyof typeof sizesMax]?.length ?? 0;
      if (size <= sizeMax) continue;
      return refuse(fault('ValidationException', `${member} has ${size} bytes; at most ${sizeMax} are allowed`));
    }
    const parts = {
      certificate: textOf(input.Certificate),
      privateKey: textOf(input.PrivateKey),
      chain: input.CertificateChain === undefined ? undefined : textOf(input.CertificateChain),
    };
    const checked = checkCertificate(parts, context.nowMs);
    if (!checked.ok) return refuse(fault('ValidationException', checked.fault.message));
    const known = input.CertificateArn === undefined ? undefined : findImported(view, input.CertificateArn, context);
    if (known !== undefined && !known.ok) return known;
    if (known !== undefined && input.Tags !== undefined) {
      return refuse(fault('ValidationException', 'Tags cannot be specified when a certificate is imported again'));
    }
    const tags = input.Tags === undefined ? accept([]) : addImportedTags([], input.Tags);
    if (!tags.ok) return tags;
    if (
      known === undefined &&
      [...view.find('certificatesOfAccount', context.account)].length >= context.limits.certificates
    ) {
      return refuse(
        fault('LimitExceededException', `The limit of ${context.limits.certificates} certificates is reached`),
      );
    }
    const id = known?.value.id ?? uuid(`${context.newId()}${context.newId()}`);
    const document: CertificateDocument = {
      account: context.account,
      service: 'acm',
      certificate: parts.certificate,
      ...(parts.chain !== undefined && { chain: parts.chain }),
      sealedPrivateKey: context.seal(parts.privateKey, id),
      createdAtMs: known?.value.document.createdAtMs ?? context.nowMs,
      importedAtMs: context.nowMs,
      tags: known?.value.document.tags ?? tags.value,
    };
    const CertificateArn = certificateArn({ id, document }, context.settings.region);
    return accept({ changes: [put(view, 'certificate', id, document)], output: { CertificateArn } });
  },
};

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}

function uuid(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}
