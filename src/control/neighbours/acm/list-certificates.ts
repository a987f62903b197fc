/**
 * ListCertificates, oldest first unless asked for otherwise. Without a filter for kinds of keys it lists those with RSA
 * keys of 1024 and 2048 bits alone, as ACM does.
 */
import type { ListCertificatesRequest, ListCertificatesResponse } from '@aws-sdk/client-acm';
import { accept, refuse } from '#base/result.ts';
import { keyAlgorithmOf, readCertificate } from '#control/certificates.ts';
import type { Decoded } from '#control/elbv2/shape.ts';
import { pageAfter, timeKey } from '#control/neighbours/pages.ts';
import type { Operation } from '#control/operation.ts';
import type { CertificateDocument } from '#model/documents.ts';
import { fault } from '#model/fault.ts';
import { encodeSummary, statusOf } from './certificates.ts';

type Input = Decoded<ListCertificatesRequest>;

const itemsMax = 1_000;
const defaultKeyTypes = ['RSA_1024', 'RSA_2048'];

export const listCertificates: Operation<Input, ListCertificatesResponse> = {
  kind: 'read',
  answer(view, input, context) {
    const { MaxItems: size = itemsMax, NextToken: token, SortBy, SortOrder } = input;
    if (size < 1 || size > itemsMax) {
      return refuse(fault('ValidationException', `MaxItems '${size}' must be between 1 and ${itemsMax}`));
    }
    if ((SortBy === undefined) !== (SortOrder === undefined)) {
      return refuse(fault('ValidationException', 'SortBy and SortOrder must be specified together'));
    }
    const found = [...view.find('certificatesOfAccount', context.account)].filter(
      ({ document }) => document.service === 'acm' && isWanted(document, input, context.nowMs),
    );
    const page = pageAfter(
      found,
      ({ id, document }) =>
        timeKey({ id, timeMs: SortOrder === 'DESCENDING' ? backwards(document) : document.createdAtMs }),
      { token, size },
    );
    if (page === undefined) {
      return refuse(fault('ValidationException', 'NextToken is not valid; take it from an answer'));
    }
    return accept({
      CertificateSummaryList: page.items.map((entry) => encodeSummary(view, entry, context)),
      ...(page.next !== undefined && { NextToken: page.next }),
    });
  },
};

const endOfTimeMs = 8_640_000_000_000_000 / 10;

function backwards({ createdAtMs }: CertificateDocument): number {
  return endOfTimeMs - createdAtMs;
}

function isWanted(document: CertificateDocument, { CertificateStatuses, Includes }: Input, nowMs: number): boolean {
  const x509 = readCertificate(document);
  if (CertificateStatuses !== undefined && !CertificateStatuses.includes(statusOf(x509, nowMs))) return false;
  return (Includes?.keyTypes ?? defaultKeyTypes).includes(keyAlgorithmOf(x509));
}
