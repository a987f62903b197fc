/**
 * What is offered of Identity and Access Management, API version 2010-05-08: server certificates, which older scripts
 * use instead of Certificate Manager. Principals and their policies are made with `ballast accounts`.
 * Source: the IAM API reference.
 */
import type {
  DeleteServerCertificateRequest,
  GetServerCertificateRequest,
  GetServerCertificateResponse,
  ListServerCertificatesRequest,
  ListServerCertificatesResponse,
  ListServerCertificateTagsRequest,
  ListServerCertificateTagsResponse,
  ServerCertificateMetadata,
  TagServerCertificateRequest,
  UntagServerCertificateRequest,
  UploadServerCertificateRequest,
  UploadServerCertificateResponse,
} from '@aws-sdk/client-iam';
import { accept, type Result, refuse } from '#base/result.ts';
import {
  type CertificateFault,
  certificateArn,
  checkCertificate,
  findServerCertificate,
  loadBalancersWith,
  readCertificate,
} from '#control/certificates.ts';
import type { Decoded } from '#control/elbv2/shape.ts';
import { addTags, decodeTags, encodeTags, removeTags } from '#control/elbv2/tags.ts';
import { pageAfter } from '#control/neighbours/pages.ts';
import type { AnyOperation, Operation, OperationContext } from '#control/operation.ts';
import { put, remove } from '#model/change.ts';
import type { CertificateDocument, Entry } from '#model/documents.ts';
import { type Fault, type FaultCode, fault } from '#model/fault.ts';
import type { View } from '#model/view.ts';

type None = Record<string, never>;

const namePattern = /^[\w+=,.@-]{1,128}$/;
const pathPattern = /^\/(?:[!-~]{1,510}\/)?$/;
const itemsMax = 1_000;
const defaultItems = 100;
const codes: Readonly<Record<CertificateFault['about'], FaultCode>> = {
  certificate: 'MalformedCertificate',
  'private key': 'MalformedCertificate',
  chain: 'MalformedCertificate',
  match: 'KeyPairMismatch',
};

const uploadServerCertificate: Operation<Decoded<UploadServerCertificateRequest>, UploadServerCertificateResponse> = {
  kind: 'write',
  decide(view, input, context) {
    const { ServerCertificateName: name, Path: path = '/', CertificateBody, PrivateKey, CertificateChain } = input;
    const wrong = checkText('ServerCertificateName', name, namePattern) ?? checkText('Path', path, pathPattern);
    if (wrong !== undefined) return refuse(wrong);
    const parts = { certificate: CertificateBody, privateKey: PrivateKey, chain: CertificateChain };
    const checked = checkCertificate(parts, context.nowMs);
    if (!checked.ok) return refuse(fault(codes[checked.fault.about], checked.fault.message));
    const tags = decodeTags(input.Tags);
    if (!tags.ok) return refuse(fault('InvalidInput', tags.fault.message));
    if (findServerCertificate(view, context.account, name) !== undefined) {
      const message = `The Server Certificate with name ${name} already exists.`;
      return refuse(fault('EntityAlreadyExists', message));
    }
    if (ownOf(view, context).length >= context.limits['server-certificates']) {
      return refuse(
        fault('LimitExceeded', `The limit of ${context.limits['server-certificates']} server certificates is reached`),
      );
    }
    const id = `ASCA${context.newId().toUpperCase()}`;
    const document: CertificateDocument = {
      account: context.account,
      service: 'iam',
      name,
      path,
      certificate: CertificateBody,
      ...(CertificateChain !== undefined && { chain: CertificateChain }),
      sealedPrivateKey: context.seal(PrivateKey, id),
      createdAtMs: context.nowMs,
      importedAtMs: context.nowMs,
      tags: tags.value,
    };
    const output = {
      ServerCertificateMetadata: encodeMetadata({ id, document }, context),
      Tags: encodeTags(tags.value) as { Key: string; Value: string }[],
    };
    return accept({ changes: [put(view, 'certificate', id, document)], output });
  },
};

const getServerCertificate: Operation<Decoded<GetServerCertificateRequest>, GetServerCertificateResponse> = {
  kind: 'read',
  answer(view, input, context) {
    const found = find(view, input.ServerCertificateName, context);
    if (!found.ok) return found;
    const { certificate, chain, tags } = found.value.document;
    return accept({
      ServerCertificate: {
        ServerCertificateMetadata: encodeMetadata(found.value, context),
        CertificateBody: certificate,
        ...(chain !== undefined && { CertificateChain: chain }),
        Tags: encodeTags(tags) as { Key: string; Value: string }[],
      },
    });
  },
};

const listServerCertificates: Operation<Decoded<ListServerCertificatesRequest>, ListServerCertificatesResponse> = {
  kind: 'read',
  answer(view, input, context) {
    const { PathPrefix = '/', Marker, MaxItems: size = defaultItems } = input;
    if (size < 1 || size > itemsMax) {
      return refuse(fault('ValidationError', `MaxItems '${size}' must be between 1 and ${itemsMax}`));
    }
    const found = ownOf(view, context).filter(({ document }) => (document.path ?? '/').startsWith(PathPrefix));
    const page = pageAfter(found, ({ document }) => document.name!.toLowerCase(), { token: Marker, size });
    if (page === undefined) return refuse(fault('ValidationError', 'Marker is not valid; take it from an answer'));
    return accept({
      ServerCertificateMetadataList: page.items.map((entry) => encodeMetadata(entry, context)),
      IsTruncated: page.next !== undefined,
      ...(page.next !== undefined && { Marker: page.next }),
    });
  },
};

/** One that a listener has stays. */
const deleteServerCertificate: Operation<Decoded<DeleteServerCertificateRequest>, None> = {
  kind: 'write',
  decide(view, input, context) {
    const found = find(view, input.ServerCertificateName, context);
    if (!found.ok) return found;
    const users = loadBalancersWith(view, found.value.id).map(({ document }) => document.name);
    if (users.length > 0) {
      const message = `Certificate: ${found.value.id} is currently in use by load balancer ${users.slice(0, 3).join(', ')}.`;
      return refuse(fault('DeleteConflict', message));
    }
    return accept({ changes: [remove(view, 'certificate', found.value.id)], output: {} });
  },
};

const listServerCertificateTags: Operation<
  Decoded<ListServerCertificateTagsRequest>,
  ListServerCertificateTagsResponse
> = {
  kind: 'read',
  answer(view, input, context) {
    const found = find(view, input.ServerCertificateName, context);
    if (!found.ok) return found;
    return accept({
      Tags: encodeTags(found.value.document.tags) as { Key: string; Value: string }[],
      IsTruncated: false,
    });
  },
};

const tagServerCertificate: Operation<Decoded<TagServerCertificateRequest>, None> = {
  kind: 'write',
  decide(view, input, context) {
    const found = find(view, input.ServerCertificateName, context);
    if (!found.ok) return found;
    const { id, document } = found.value;
    const tags = addTags(document.tags, input.Tags);
    if (!tags.ok)
      return refuse(fault(tags.fault.code === 'TooManyTags' ? 'LimitExceeded' : 'InvalidInput', tags.fault.message));
    return accept({ changes: [put(view, 'certificate', id, { ...document, tags: tags.value })], output: {} });
  },
};

const untagServerCertificate: Operation<Decoded<UntagServerCertificateRequest>, None> = {
  kind: 'write',
  decide(view, input, context) {
    const found = find(view, input.ServerCertificateName, context);
    if (!found.ok) return found;
    const { id, document } = found.value;
    const tags = removeTags(document.tags, input.TagKeys);
    const isSame = tags.length === document.tags.length;
    return accept({ changes: isSame ? [] : [put(view, 'certificate', id, { ...document, tags })], output: {} });
  },
};

export const iamOperations: Readonly<Record<string, AnyOperation>> = {
  DeleteServerCertificate: deleteServerCertificate,
  GetServerCertificate: getServerCertificate,
  ListServerCertificateTags: listServerCertificateTags,
  ListServerCertificates: listServerCertificates,
  TagServerCertificate: tagServerCertificate,
  UntagServerCertificate: untagServerCertificate,
  UploadServerCertificate: uploadServerCertificate,
};

function ownOf(view: View, { account }: OperationContext): Entry<'certificate'>[] {
  return [...view.find('certificatesOfAccount', account)].filter(({ document }) => document.service === 'iam');
}

function find(view: View, name: string, { account }: OperationContext): Result<Entry<'certificate'>, Fault> {
  const found = findServerCertificate(view, account, name);
  if (found !== undefined) return accept(found);
  const message = `The Server Certificate with name ${name.slice(0, 128)} cannot be found.`;
  return refuse(fault('NoSuchEntity', message));
}

function encodeMetadata(
  entry: Pick<Entry<'certificate'>, 'id' | 'document'>,
  { settings }: OperationContext,
): ServerCertificateMetadata {
  const { document } = entry;
  return {
    Path: document.path,
    ServerCertificateName: document.name,
    ServerCertificateId: entry.id,
    Arn: certificateArn(entry, settings.region),
    UploadDate: new Date(document.createdAtMs),
    Expiration: readCertificate(document).validToDate,
  };
}

function checkText(member: string, text: string, pattern: RegExp): Fault | undefined {
  if (pattern.test(text)) return undefined;
  return fault('ValidationError', `${member} '${text.slice(0, 128)}' must match ${pattern.source}`);
}
