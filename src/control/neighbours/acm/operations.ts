/**
 * What is offered of AWS Certificate Manager, API version 2015-12-08: certificates that were made elsewhere are
 * imported, looked at and deleted. None is issued here.
 * Source: the ACM API reference.
 */
import type {
  DescribeCertificateRequest,
  DescribeCertificateResponse,
  GetCertificateRequest,
  GetCertificateResponse,
  ListTagsForCertificateRequest,
  ListTagsForCertificateResponse,
} from '@aws-sdk/client-acm';
import { accept, refuse } from '#base/result.ts';
import { loadBalancersWith } from '#control/certificates.ts';
import type { Decoded } from '#control/elbv2/shape.ts';
import { encodeTags, removeTags } from '#control/elbv2/tags.ts';
import type { AnyOperation, Operation } from '#control/operation.ts';
import { put, remove } from '#model/change.ts';
import { fault } from '#model/fault.ts';
import { addImportedTags, encodeDetail, findImported } from './certificates.ts';
import { importCertificate } from './import-certificate.ts';
import { listCertificates } from './list-certificates.ts';

interface OfCertificate {
  readonly CertificateArn: string;
}
interface Tagged extends OfCertificate {
  readonly Tags: readonly { readonly Key: string; readonly Value?: string }[];
}
type None = Record<string, never>;

const describeCertificate: Operation<Decoded<DescribeCertificateRequest>, DescribeCertificateResponse> = {
  kind: 'read',
  answer(view, input, context) {
    const found = findImported(view, input.CertificateArn, context);
    return found.ok ? accept({ Certificate: encodeDetail(view, found.value, context) }) : found;
  },
};

const getCertificate: Operation<Decoded<GetCertificateRequest>, GetCertificateResponse> = {
  kind: 'read',
  answer(view, input, context) {
    const found = findImported(view, input.CertificateArn, context);
    if (!found.ok) return found;
    const { certificate, chain } = found.value.document;
    return accept({ Certificate: certificate, ...(chain !== undefined && { CertificateChain: chain }) });
  },
};

/** One that a listener has stays. */
const deleteCertificate: Operation<OfCertificate, None> = {
  kind: 'write',
  decide(view, input, context) {
    const found = findImported(view, input.CertificateArn, context);
    if (!found.ok) return found;
    const users = loadBalancersWith(view, found.value.id).map(({ document }) => document.name);
    if (users.length > 0) {
      const message = `Certificate ${input.CertificateArn} is in use by load balancer ${users.slice(0, 3).join(', ')}`;
      return refuse(fault('ResourceInUseException', message));
    }
    return accept({ changes: [remove(view, 'certificate', found.value.id)], output: {} });
  },
};

const listTags: Operation<Decoded<ListTagsForCertificateRequest>, ListTagsForCertificateResponse> = {
  kind: 'read',
  answer(view, input, context) {
    const found = findImported(view, input.CertificateArn, context);
    return found.ok ? accept({ Tags: encodeTags(found.value.document.tags) }) : found;
  },
};

const addTagsToCertificate: Operation<Tagged, None> = {
  kind: 'write',
  decide(view, input, context) {
    const found = findImported(view, input.CertificateArn, context);
    if (!found.ok) return found;
    const { id, document } = found.value;
    const tags = addImportedTags(document.tags, input.Tags);
    if (!tags.ok) return tags;
    return accept({ changes: [put(view, 'certificate', id, { ...document, tags: tags.value })], output: {} });
  },
};

/** A tag whose value is given goes only when it has that value. */
const removeTagsFromCertificate: Operation<Tagged, None> = {
  kind: 'write',
  decide(view, input, context) {
    const found = findImported(view, input.CertificateArn, context);
    if (!found.ok) return found;
    const { id, document } = found.value;
    const has = ({ Key, Value }: Tagged['Tags'][number]) =>
      document.tags.some(({ key, value }) => key === Key && (Value === undefined || value === Value));
    const tags = removeTags(
      document.tags,
      input.Tags.filter(has).map(({ Key }) => Key),
    );
    const isSame = tags.length === document.tags.length;
    return accept({ changes: isSame ? [] : [put(view, 'certificate', id, { ...document, tags })], output: {} });
  },
};

export const acmOperations: Readonly<Record<string, AnyOperation>> = {
  AddTagsToCertificate: addTagsToCertificate,
  DeleteCertificate: deleteCertificate,
  DescribeCertificate: describeCertificate,
  GetCertificate: getCertificate,
  ImportCertificate: importCertificate,
  ListCertificates: listCertificates,
  ListTagsForCertificate: listTags,
  RemoveTagsFromCertificate: removeTagsFromCertificate,
};
