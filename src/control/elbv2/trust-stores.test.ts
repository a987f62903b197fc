import assert from 'node:assert/strict';
import test from 'node:test';
import { acmOperations } from '#control/neighbours/acm/operations.ts';
import type { AnyOperation } from '#control/operation.ts';
import { makeCertificate, makeRevocations } from '#control/test-certificates.ts';
import type { World } from '#control/world.ts';
import { noWorld } from '#control/world.ts';
import { addTags } from './add-tags.ts';
import { addTrustStoreRevocations } from './add-trust-store-revocations.ts';
import { createListener } from './create-listener.ts';
import { createTrustStore } from './create-trust-store.ts';
import { deleteListener } from './delete-listener.ts';
import { deleteSharedTrustStoreAssociation } from './delete-shared-trust-store-association.ts';
import { deleteTrustStore } from './delete-trust-store.ts';
import { describeListeners } from './describe-listeners.ts';
import { describeTags } from './describe-tags.ts';
import { describeTrustStoreAssociations } from './describe-trust-store-associations.ts';
import { describeTrustStoreRevocations } from './describe-trust-store-revocations.ts';
import { describeTrustStores } from './describe-trust-stores.ts';
import { getTrustStoreCaCertificatesBundle } from './get-trust-store-ca-certificates-bundle.ts';
import { getTrustStoreRevocationContent } from './get-trust-store-revocation-content.ts';
import { modifyTrustStore } from './modify-trust-store.ts';
import { removeTrustStoreRevocations } from './remove-trust-store-revocations.ts';
import { TestRegion } from './test-region.ts';

const authority = makeCertificate({ name: 'ca.test', isAuthority: true });
const other = makeCertificate({ name: 'other.test', isAuthority: true, key: 'prime256v1' });
const plain = makeCertificate({ name: 'plain.test' });
const none = makeRevocations(authority, []);
const three = makeRevocations(authority, ['01', '02', 'AB']);
const place = { CaCertificatesBundleS3Bucket: 'bundles', CaCertificatesBundleS3Key: 'ca.pem' };
const content = { S3Bucket: 'bundles', S3Key: 'crl.pem' };

function prepare() {
  const region = new TestRegion();
  region.nowMs = Date.now();
  const lies = (...texts: string[]) => {
    region.objects = texts.map((text) => Buffer.from(text));
  };
  lies(authority.certificate);
  const make = (Name: string, more: object = {}) =>
    region.accepted(createTrustStore, { Name, ...place, ...more }).TrustStores![0]!;
  return { region, lies, make };
}

test('trust stores: made of a bundle, described by name and ARN, in pages, and given another bundle', () => {
  const { region, lies, make } = prepare();
  const made = make('first', { Tags: [{ Key: 'a', Value: 'b' }] });
  const { TrustStoreArn, ...rest } = made;
  assert.match(TrustStoreArn!, /^arn:aws:elasticloadbalancing:eu-test-1:111111111111:truststore\/first\/[0-9a-f]{16}$/);
  assert.deepEqual(rest, { Name: 'first', Status: 'ACTIVE', NumberOfCaCertificates: 1, TotalRevokedEntries: 0 });
  region.nowMs += 1;
  const second = make('second');
  const described = (input: object) => region.accepted(describeTrustStores, input);
  assert.deepEqual(described({}).TrustStores, [made, second]);
  assert.deepEqual(described({ Names: ['second'] }).TrustStores, [second]);
  assert.deepEqual(described({ TrustStoreArns: [TrustStoreArn!] }).TrustStores, [made]);
  const { NextMarker } = described({ PageSize: 1 });
  assert.deepEqual(described({ PageSize: 1, Marker: NextMarker }).TrustStores, [second]);
  region.refused(describeTrustStores, { Names: ['third'] }, 'TrustStoreNotFound');
  region.refused(describeTrustStores, { Names: ['first'], TrustStoreArns: [TrustStoreArn!] }, 'ValidationError');
  lies(`# two\n${authority.certificate}\n# another\n${other.certificate}`);
  const change = { TrustStoreArn: TrustStoreArn!, ...place };
  assert.equal(region.accepted(modifyTrustStore, change).TrustStores![0]!.NumberOfCaCertificates, 2);
  region.unchanged(() => region.accepted(modifyTrustStore, change));
  region.accepted(addTags, { ResourceArns: [TrustStoreArn!], Tags: [{ Key: 'c', Value: 'd' }] });
  const { TagDescriptions } = region.accepted(describeTags, { ResourceArns: [TrustStoreArn!] });
  assert.equal(TagDescriptions![0]!.Tags!.length, 2);
  const { Location } = region.accepted(getTrustStoreCaCertificatesBundle, { TrustStoreArn: TrustStoreArn! });
  assert.match(Location!, /^http:/);
  region.accepted(deleteTrustStore, { TrustStoreArn: TrustStoreArn! });
  region.refused(deleteTrustStore, { TrustStoreArn: TrustStoreArn! }, 'TrustStoreNotFound');
  region.account = '222222222222';
  assert.deepEqual(described({}).TrustStores, []);
});

test('trust stores: names, bundles and numbers are held to their rules', () => {
  const { region, lies, make } = prepare();
  make('taken');
  const refused = (more: object, code: Parameters<TestRegion['refused']>[2]) =>
    region.refused(createTrustStore, { Name: 'new', ...place, ...more }, code);
  refused({ Name: 'taken' }, 'DuplicateTrustStoreName');
  for (const Name of ['', '-a', 'a-', 'a--b', 'a_b', 'a'.repeat(33)]) refused({ Name }, 'ValidationError');
  for (const [text, why] of [
    ['', /must be X.509 certificates/],
    [`${authority.certificate}rubbish`, /must be X.509 certificates/],
    [`${authority.certificate}${plain.certificate}`, /certificate 2 is not that of an authority/],
    [authority.certificate.repeat(26), /it has 26 certificates; the limit is 25/],
  ] as const) {
    lies(text);
    assert.match(refused({}, 'InvalidCaCertificatesBundle'), why);
  }
  region.objects = [Buffer.from([0xff, 0xfe])];
  refused({}, 'InvalidCaCertificatesBundle');
  region.limits = { ...region.limits, 'trust-stores': 1 };
  lies(authority.certificate);
  refused({}, 'TooManyTrustStores');
});

test('revocation lists: numbered, counted, described, downloaded and removed', () => {
  const { region, lies, make } = prepare();
  const TrustStoreArn = make('store').TrustStoreArn!;
  const add = { TrustStoreArn, RevocationContents: [content, content] };
  lies(three, none);
  const added = region.accepted(addTrustStoreRevocations, add).TrustStoreRevocations!;
  assert.deepEqual(added, [
    { TrustStoreArn, RevocationId: 1, RevocationType: 'CRL', NumberOfRevokedEntries: 3 },
    { TrustStoreArn, RevocationId: 2, RevocationType: 'CRL', NumberOfRevokedEntries: 0 },
  ]);
  const described = (more: object = {}) =>
    region.accepted(describeTrustStoreRevocations, { TrustStoreArn, ...more }).TrustStoreRevocations;
  assert.deepEqual(described(), added);
  assert.deepEqual(described({ RevocationIds: [2] }), [added[1]]);
  const { NextMarker } = region.accepted(describeTrustStoreRevocations, { TrustStoreArn, PageSize: 1 });
  assert.deepEqual(described({ Marker: NextMarker }), [added[1]]);
  assert.equal(region.accepted(describeTrustStores, {}).TrustStores![0]!.TotalRevokedEntries, 3);
  region.accepted(getTrustStoreRevocationContent, { TrustStoreArn, RevocationId: 1 });
  region.accepted(removeTrustStoreRevocations, { TrustStoreArn, RevocationIds: [1] });
  for (const RevocationIds of [[1], [2, 3]]) {
    region.refused(removeTrustStoreRevocations, { TrustStoreArn, RevocationIds }, 'RevocationIdNotFound');
  }
  region.refused(getTrustStoreRevocationContent, { TrustStoreArn, RevocationId: 1 }, 'RevocationIdNotFound');
  // Numbers are not given twice while a later one is there.
  lies(none);
  const again = { TrustStoreArn, RevocationContents: [content] };
  assert.equal(region.accepted(addTrustStoreRevocations, again).TrustStoreRevocations![0]!.RevocationId, 3);
  for (const text of ['', none + none, authority.certificate, none.replace(/\n.{8}/, '\nAAAAAAAA')]) {
    lies(text);
    region.refused(addTrustStoreRevocations, again, 'InvalidRevocationContent');
  }
  region.limits = { ...region.limits, 'revocation-entries-per-trust-store': 2 };
  lies(three);
  region.refused(addTrustStoreRevocations, again, 'TooManyTrustStoreRevocationEntries');
  region.limits = { ...region.limits, 'revocation-lists-per-trust-store': 2 };
  lies(none);
  region.refused(addTrustStoreRevocations, again, 'TooManyTrustStoreRevocationEntries');
  region.accepted(deleteTrustStore, { TrustStoreArn });
  assert.equal(region.tables.count('revocation'), 0);
});

test('trust stores: one that a listener verifies clients by is told of it, and stays', () => {
  const { region, make } = prepare();
  const TrustStoreArn = make('store').TrustStoreArn!;
  const bytes = { Certificate: Buffer.from(plain.certificate), PrivateKey: Buffer.from(plain.privateKey) };
  const { CertificateArn } = region.accepted(acmOperations.ImportCertificate as AnyOperation, bytes);
  const listener = region.accepted(createListener, {
    LoadBalancerArn: region.loadBalancer('web'),
    Protocol: 'HTTPS',
    Port: 443,
    Certificates: [{ CertificateArn }],
    DefaultActions: [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '200' } }],
    MutualAuthentication: { Mode: 'verify', TrustStoreArn, AdvertiseTrustStoreCaNames: 'on' },
  }).Listeners![0]!;
  const ListenerArn = listener.ListenerArn!;
  assert.deepEqual(
    region.accepted(describeListeners, { ListenerArns: [ListenerArn] }).Listeners![0]!.MutualAuthentication,
    {
      Mode: 'verify',
      TrustStoreArn,
      TrustStoreAssociationStatus: 'active',
      IgnoreClientCertificateExpiry: false,
      AdvertiseTrustStoreCaNames: 'on',
    },
  );
  const associations = () => region.accepted(describeTrustStoreAssociations, { TrustStoreArn }).TrustStoreAssociations;
  assert.deepEqual(associations(), [{ ResourceArn: ListenerArn }]);
  region.refused(deleteTrustStore, { TrustStoreArn }, 'TrustStoreInUse');
  const shared = { TrustStoreArn, ResourceArn: ListenerArn };
  region.refused(deleteSharedTrustStoreAssociation, shared, 'DeleteAssociationSameAccount');
  region.accepted(deleteListener, { ListenerArn });
  assert.deepEqual(associations(), []);
  region.refused(deleteSharedTrustStoreAssociation, shared, 'AssociationNotFound');
  region.accepted(deleteTrustStore, { TrustStoreArn });
});

test('trust stores: what cannot be read from the object store is refused, before anything is decided', async () => {
  const missing: World = { ...noWorld, readObject: async () => ({ ok: false, fault: 'there is no such object' }) };
  const { gather } = createTrustStore as Extract<AnyOperation, { kind: 'write' }>;
  const bundle = await gather!({ Name: 'a', ...place }, missing);
  assert(!bundle.ok);
  assert.deepEqual(bundle.fault, {
    code: 'CaCertificatesBundleNotFound',
    message: 's3://bundles/ca.pem: there is no such object',
  });
  const { gather: gatherLists } = addTrustStoreRevocations as Extract<AnyOperation, { kind: 'write' }>;
  for (const [RevocationContents, code] of [
    [[content], 'RevocationContentNotFound'],
    [[{ S3Bucket: 'bundles' }], 'ValidationError'],
    [[{ ...content, RevocationType: 'OCSP' }], 'ValidationError'],
    [[], 'ValidationError'],
  ] as const) {
    const lists = await gatherLists!({ TrustStoreArn: 'x', RevocationContents }, missing);
    assert(!lists.ok && lists.fault.code === code, JSON.stringify(lists));
  }
});
