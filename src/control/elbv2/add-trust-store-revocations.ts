/** AddTrustStoreRevocations: lists that lie in the object store, all of them or none. */
import type {
  AddTrustStoreRevocationsInput,
  AddTrustStoreRevocationsOutput,
  RevocationContent,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, refuse } from '#base/result.ts';
import type { ObjectPlace } from '#control/world.ts';
import { type Change, put } from '#model/change.ts';
import type { RevocationDocument } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import { revocationKey } from '#model/keys.ts';
import { findByArn } from './arns.ts';
import { checkChoice, checkCount } from './checks.ts';
import { quotas } from './quotas.ts';
import { encodeRevocation } from './revocations.ts';
import type { Decoded, Elbv2Operation } from './shape.ts';
import { readRevocations } from './trust-store-content.ts';
import { gatherObjects, revocationsBytesMax, revocationsOf } from './trust-stores.ts';

type Contents = readonly Decoded<RevocationContent>[];

export const addTrustStoreRevocations: Elbv2Operation<AddTrustStoreRevocationsInput, AddTrustStoreRevocationsOutput> = {
  kind: 'write',
  gather: async ({ RevocationContents: contents = [] }, world) => {
    const wrong = checkContents(contents);
    if (wrong !== undefined) return refuse(wrong);
    const places = contents.map(
      ({ S3Bucket, S3Key, S3ObjectVersion }): ObjectPlace => ({
        bucket: S3Bucket!,
        key: S3Key!,
        version: S3ObjectVersion,
      }),
    );
    return gatherObjects(world, places, revocationsBytesMax, 'RevocationContentNotFound');
  },
  decide(view, input, context) {
    const store = findByArn(view, 'trust-store', input.TrustStoreArn, context);
    if (!store.ok) return store;
    const trustStoreId = store.value.id;
    const present = revocationsOf(view, trustStoreId);
    const changes: Change[] = [];
    const made: RevocationDocument[] = [];
    let entries = present.reduce((sum, { document }) => sum + document.entriesCount, 0);
    for (const bytes of context.objects ?? []) {
      const read = readRevocations(bytes);
      if (!read.ok) return read;
      entries += read.value.count;
      const number = (present.at(-1)?.document.number ?? 0) + made.length + 1;
      const document = {
        trustStoreId,
        number,
        content: read.value.text,
        entriesCount: read.value.count,
        createdAtMs: context.nowMs,
      };
      made.push(document);
      changes.push(put(view, 'revocation', revocationKey(document), document));
    }
    const entriesMax = context.limits['revocation-entries-per-trust-store'];
    const listsMax = context.limits['revocation-lists-per-trust-store'];
    if (entries > entriesMax || present.length + made.length > listsMax) {
      const what = entries > entriesMax ? `${entries} revoked certificates` : `${present.length + made.length} lists`;
      const limit = entries > entriesMax ? entriesMax : listsMax;
      const message = `The trust store would have ${what}; the limit is ${limit}`;
      return refuse(fault('TooManyTrustStoreRevocationEntries', message));
    }
    const TrustStoreRevocations = made.map((document) => encodeRevocation(store.value, document, context));
    return accept({ changes, output: { TrustStoreRevocations } });
  },
};

function checkContents(contents: Contents): Fault | undefined {
  const wrongCount = checkCount('RevocationContents', contents, quotas.revocationListsPerCall);
  if (wrongCount !== undefined) return wrongCount;
  for (const { S3Bucket, S3Key, RevocationType = 'CRL' } of contents) {
    const wrong = checkChoice('Revocation type', RevocationType, ['CRL']);
    if (wrong !== undefined) return wrong;
    if (S3Bucket === undefined || S3Key === undefined) {
      return fault('ValidationError', 'RevocationContents: S3Bucket and S3Key must be specified in each');
    }
  }
  return undefined;
}
