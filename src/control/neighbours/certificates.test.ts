/** Certificates of ACM and IAM, and the listeners that have them. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { addListenerCertificates } from '#control/elbv2/add-listener-certificates.ts';
import { createListener } from '#control/elbv2/create-listener.ts';
import { describeListenerCertificates } from '#control/elbv2/describe-listener-certificates.ts';
import { describeListeners } from '#control/elbv2/describe-listeners.ts';
import { modifyListener } from '#control/elbv2/modify-listener.ts';
import { removeListenerCertificates } from '#control/elbv2/remove-listener-certificates.ts';
import { idOf, TestRegion } from '#control/elbv2/test-region.ts';
import type { AnyOperation } from '#control/operation.ts';
import { type MadeCertificate, makeCertificate } from '#control/test-certificates.ts';
import type { FaultCode } from '#model/fault.ts';
import { acmOperations } from './acm/operations.ts';
import { iamOperations } from './iam/operations.ts';
import { stsOperations } from './sts/operations.ts';

const authority = makeCertificate({ name: 'ca.test', isAuthority: true });
const web = makeCertificate({ name: 'web.test', alternatives: ['www.web.test'], issuer: authority });
const shop = makeCertificate({ name: 'shop.test', key: 'prime256v1' });

function prepare() {
  const region = new TestRegion();
  region.nowMs = Date.now();
  const acm = (action: string, input: object) => region.accepted(acmOperations[action] as AnyOperation, input);
  const iam = (action: string, input: object) => region.accepted(iamOperations[action] as AnyOperation, input);
  const acmRefuses = (action: string, input: object, code: FaultCode) =>
    region.refused(acmOperations[action] as AnyOperation, input, code);
  const iamRefuses = (action: string, input: object, code: FaultCode) =>
    region.refused(iamOperations[action] as AnyOperation, input, code);
  const importOne = (made: MadeCertificate, more: object = {}) =>
    acm('ImportCertificate', { ...bytesOf(made), ...more }).CertificateArn as string;
  return { region, acm, iam, acmRefuses, iamRefuses, importOne };
}

const bytes = (text: string) => Buffer.from(text);
const bytesOf = ({ certificate, privateKey }: MadeCertificate) => ({
  Certificate: bytes(certificate),
  PrivateKey: bytes(privateKey),
});

test('ImportCertificate: what is taken in is described as it says itself, and its key is sealed', () => {
  const { region, acm, importOne } = prepare();
  const arn = importOne(web, { CertificateChain: bytes(authority.certificate), Tags: [{ Key: 'team', Value: 'a' }] });
  assert.match(arn, /^arn:aws:acm:eu-test-1:111111111111:certificate\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  const { Certificate } = acm('DescribeCertificate', { CertificateArn: arn });
  const { Serial, NotBefore, NotAfter, CreatedAt, ImportedAt, ...rest } = Certificate;
  assert.match(Serial, /^[0-9a-f]{2}(:[0-9a-f]{2})+$/);
  assert(NotBefore < NotAfter && CreatedAt.getTime() === region.nowMs && ImportedAt.getTime() === region.nowMs);
  assert.deepEqual(rest, {
    CertificateArn: arn,
    DomainName: 'web.test',
    SubjectAlternativeNames: ['web.test', 'www.web.test'],
    DomainValidationOptions: [],
    Subject: 'O=Ballast,CN=web.test',
    Issuer: 'Ballast',
    Status: 'ISSUED',
    KeyAlgorithm: 'RSA_2048',
    SignatureAlgorithm: 'SHA256WITHRSA',
    InUseBy: [],
    Type: 'IMPORTED',
    RenewalEligibility: 'INELIGIBLE',
    Options: { CertificateTransparencyLoggingPreference: 'DISABLED' },
  });
  assert.deepEqual(acm('GetCertificate', { CertificateArn: arn }), {
    Certificate: web.certificate,
    CertificateChain: authority.certificate,
  });
  assert.deepEqual(acm('ListTagsForCertificate', { CertificateArn: arn }), { Tags: [{ Key: 'team', Value: 'a' }] });
  const document = region.tables.get('certificate', arn.slice(-36))!;
  assert.equal(document.sealedPrivateKey, `sealed ${web.privateKey.length} for ${arn.slice(-36)}`);
  assert(!JSON.stringify(document).includes('PRIVATE KEY'));
});

test('ImportCertificate: a key that is another, a chain that leads elsewhere and what is not valid are refused', () => {
  const { region, acmRefuses } = prepare();
  const refused = (changed: object) =>
    acmRefuses('ImportCertificate', { ...bytesOf(web), ...changed }, 'ValidationException');
  assert.match(refused({ PrivateKey: bytes(shop.privateKey) }), /private key does not belong/);
  assert.match(refused({ PrivateKey: bytes('key') }), /private key is not one in PEM form/);
  assert.match(refused({ Certificate: bytes('certificate') }), /not one X.509 certificate/);
  assert.match(refused({ Certificate: bytes(web.certificate + authority.certificate) }), /not one X.509 certificate/);
  assert.match(refused({ CertificateChain: bytes(shop.certificate) }), /Certificate 1 of the chain has not issued/);
  assert.match(refused({ CertificateChain: bytes('chain') }), /chain is not X.509/);
  assert.match(refused(bytesOf(makeCertificate({ name: 'odd.test', key: 'ed25519' }))), /of type ed25519/);
  assert.match(refused({ Certificate: Buffer.alloc(32_769, 'a') }), /32769 bytes; at most 32768/);
  acmRefuses('ImportCertificate', { ...bytesOf(web), Tags: [{ Key: 'aws:a' }] }, 'InvalidTagException');
  const Tags = Array.from({ length: 51 }, (_, index) => ({ Key: `k${index}` }));
  acmRefuses('ImportCertificate', { ...bytesOf(web), Tags }, 'TooManyTagsException');
  const day = 86_400_000;
  region.nowMs += 31 * day;
  assert.match(refused({}), /expired at/);
  region.nowMs -= 33 * day;
  assert.match(refused({}), /is not valid before/);
});

test('ImportCertificate: again under the same ARN it takes the place of the one before, and keeps its tags', () => {
  const { region, acm, acmRefuses, importOne } = prepare();
  const arn = importOne(web, { Tags: [{ Key: 'a', Value: 'b' }] });
  region.nowMs += 1_000;
  assert.equal(importOne(shop, { CertificateArn: arn }), arn);
  const { Certificate } = acm('DescribeCertificate', { CertificateArn: arn });
  assert.deepEqual(
    [Certificate.DomainName, Certificate.KeyAlgorithm, Certificate.SignatureAlgorithm],
    ['shop.test', 'EC_prime256v1', 'SHA256WITHECDSA'],
  );
  assert(Certificate.ImportedAt > Certificate.CreatedAt);
  assert.equal(acm('ListTagsForCertificate', { CertificateArn: arn }).Tags.length, 1);
  acmRefuses(
    'ImportCertificate',
    { ...bytesOf(web), CertificateArn: arn, Tags: [{ Key: 'c' }] },
    'ValidationException',
  );
  const missing = arn.replace(/.{12}$/, '0'.repeat(12));
  acmRefuses('ImportCertificate', { ...bytesOf(web), CertificateArn: missing }, 'ResourceNotFoundException');
  for (const wrong of ['web', arn.replace('111111111111', '222222222222'), arn.replace('eu-test-1', 'eu-test-2')]) {
    acmRefuses('DescribeCertificate', { CertificateArn: wrong }, 'InvalidArnException');
  }
});

test('ListCertificates: by kinds of keys, in pages, and only those of the account', () => {
  const { region, acm, acmRefuses, importOne } = prepare();
  const arns: string[] = [];
  for (let count = 0; count < 5; count += 1) {
    region.nowMs += 1;
    arns.push(importOne(web));
  }
  importOne(shop);
  const listed = (input: object) =>
    acm('ListCertificates', input) as { CertificateSummaryList: { CertificateArn: string }[]; NextToken?: string };
  const arnsOf = (input: object) => listed(input).CertificateSummaryList.map(({ CertificateArn }) => CertificateArn);
  assert.deepEqual(arnsOf({}), arns);
  assert.deepEqual(arnsOf({ SortBy: 'CREATED_AT', SortOrder: 'DESCENDING' }), arns.toReversed());
  assert.equal(arnsOf({ Includes: { keyTypes: ['EC_prime256v1'] } }).length, 1);
  assert.equal(arnsOf({ CertificateStatuses: ['EXPIRED'] }).length, 0);
  const seen: string[] = [];
  for (let NextToken: string | undefined = ''; NextToken !== undefined; ) {
    const page = listed({ MaxItems: 2, ...(NextToken !== '' && { NextToken }) });
    seen.push(...page.CertificateSummaryList.map(({ CertificateArn }) => CertificateArn));
    NextToken = page.NextToken;
  }
  assert.deepEqual(seen, arns);
  for (const wrong of [{ MaxItems: 0 }, { MaxItems: 1_001 }, { NextToken: 'x' }, { SortBy: 'CREATED_AT' }]) {
    acmRefuses('ListCertificates', wrong, 'ValidationException');
  }
  region.account = '222222222222';
  assert.deepEqual(arnsOf({}), []);
});

test('certificates: tags come and go, and one that a listener has stays', () => {
  const { region, acm, acmRefuses, importOne } = prepare();
  const arn = importOne(web);
  const tags = () => acm('ListTagsForCertificate', { CertificateArn: arn }).Tags;
  acm('AddTagsToCertificate', { CertificateArn: arn, Tags: [{ Key: 'a', Value: '1' }, { Key: 'b' }] });
  acm('RemoveTagsFromCertificate', { CertificateArn: arn, Tags: [{ Key: 'a', Value: '2' }] });
  assert.equal(tags().length, 2);
  acm('RemoveTagsFromCertificate', { CertificateArn: arn, Tags: [{ Key: 'a', Value: '1' }, { Key: 'b' }] });
  assert.deepEqual(tags(), []);
  const loadBalancer = region.loadBalancer('web');
  const listener = secureListener(region, loadBalancer, arn);
  assert.deepEqual(acm('DescribeCertificate', { CertificateArn: arn }).Certificate.InUseBy, [loadBalancer]);
  assert.match(acmRefuses('DeleteCertificate', { CertificateArn: arn }, 'ResourceInUseException'), /balancer web$/);
  const input = { ListenerArn: listener, Protocol: 'HTTP' };
  region.accepted(modifyListener, input);
  acm('DeleteCertificate', { CertificateArn: arn });
  acmRefuses('DescribeCertificate', { CertificateArn: arn }, 'ResourceNotFoundException');
});

test('server certificates of IAM: uploaded, found by name, listed by path, and used by listeners', () => {
  const { region, iam, iamRefuses } = prepare();
  const input = { CertificateBody: web.certificate, PrivateKey: web.privateKey };
  const upload = (ServerCertificateName: string, more: object = {}) =>
    iam('UploadServerCertificate', { ...input, ServerCertificateName, ...more }).ServerCertificateMetadata;
  const one = upload('one', { Path: '/cloudfront/', CertificateChain: authority.certificate, Tags: [{ Key: 'a' }] });
  assert.equal(one.Arn, 'arn:aws:iam::111111111111:server-certificate/cloudfront/one');
  assert.match(one.ServerCertificateId, /^ASCA[0-9A-F]{16}$/);
  upload('two');
  const got = iam('GetServerCertificate', { ServerCertificateName: 'One' }).ServerCertificate;
  assert.deepEqual(
    [got.CertificateBody, got.CertificateChain, got.Tags],
    [web.certificate, authority.certificate, [{ Key: 'a', Value: '' }]],
  );
  const names = (more: object) =>
    iam('ListServerCertificates', more).ServerCertificateMetadataList.map(
      ({ ServerCertificateName }: { ServerCertificateName: string }) => ServerCertificateName,
    );
  assert.deepEqual(names({}), ['one', 'two']);
  assert.deepEqual(names({ PathPrefix: '/cloudfront' }), ['one']);
  const { Marker, IsTruncated } = iam('ListServerCertificates', { MaxItems: 1 });
  assert.deepEqual([names({ Marker }), IsTruncated], [['two'], true]);
  iamRefuses('UploadServerCertificate', { ...input, ServerCertificateName: 'ONE' }, 'EntityAlreadyExists');
  const other = { ServerCertificateName: 'three', ...input };
  iamRefuses('UploadServerCertificate', { ...other, PrivateKey: shop.privateKey }, 'KeyPairMismatch');
  iamRefuses('UploadServerCertificate', { ...other, CertificateBody: 'x' }, 'MalformedCertificate');
  iamRefuses('UploadServerCertificate', { ...other, CertificateChain: shop.certificate }, 'MalformedCertificate');
  for (const wrong of [{ ServerCertificateName: 'a b' }, { Path: 'x' }]) {
    iamRefuses('UploadServerCertificate', { ...other, ...wrong }, 'ValidationError');
  }
  iam('TagServerCertificate', { ServerCertificateName: 'two', Tags: [{ Key: 'k', Value: 'v' }] });
  assert.deepEqual(iam('ListServerCertificateTags', { ServerCertificateName: 'two' }).Tags, [{ Key: 'k', Value: 'v' }]);
  iam('UntagServerCertificate', { ServerCertificateName: 'two', TagKeys: ['k'] });
  secureListener(region, region.loadBalancer('web'), one.Arn);
  iamRefuses('DeleteServerCertificate', { ServerCertificateName: 'one' }, 'DeleteConflict');
  iam('DeleteServerCertificate', { ServerCertificateName: 'two' });
  for (const action of ['GetServerCertificate', 'DeleteServerCertificate', 'ListServerCertificateTags']) {
    iamRefuses(action, { ServerCertificateName: 'two' }, 'NoSuchEntity');
  }
});

test('GetCallerIdentity: says whose key it is', () => {
  const { region } = prepare();
  const { UserId, ...rest } = region.accepted(stsOperations.GetCallerIdentity as AnyOperation, {});
  assert.match(UserId, /^AIDA[0-9A-Z]{17}$/);
  assert.deepEqual(rest, { Account: '111111111111', Arn: 'arn:aws:iam::111111111111:user/admin' });
});

function secureListener(
  region: TestRegion,
  LoadBalancerArn: string,
  CertificateArn: string,
  more: object = {},
): string {
  const DefaultActions = [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '200' } }];
  const Certificates = [{ CertificateArn }];
  const input = { LoadBalancerArn, Protocol: 'HTTPS', Port: 443, DefaultActions, Certificates, ...more };
  return region.accepted(createListener, input).Listeners![0]!.ListenerArn!;
}

test('HTTPS listeners: a certificate, a policy and mutual authentication are theirs, with their defaults', () => {
  const { region, importOne } = prepare();
  const loadBalancer = region.loadBalancer('web');
  const arn = importOne(web);
  const listener = secureListener(region, loadBalancer, arn);
  const described = () => region.accepted(describeListeners, { ListenerArns: [listener] }).Listeners![0]!;
  const tls = () => {
    const { Protocol, Certificates, SslPolicy, MutualAuthentication } = described();
    return { Protocol, Certificates, SslPolicy, MutualAuthentication };
  };
  assert.deepEqual(tls(), {
    Protocol: 'HTTPS',
    Certificates: [{ CertificateArn: arn }],
    SslPolicy: 'ELBSecurityPolicy-2016-08',
    MutualAuthentication: { Mode: 'off' },
  });
  // The same call again is the same listener, also when others were added to it.
  region.accepted(addListenerCertificates, {
    ListenerArn: listener,
    Certificates: [{ CertificateArn: importOne(shop) }],
  });
  assert.equal(
    region.unchanged(() => secureListener(region, loadBalancer, arn)),
    listener,
  );
  region.accepted(modifyListener, { ListenerArn: listener, MutualAuthentication: { Mode: 'passthrough' } });
  region.accepted(modifyListener, { ListenerArn: listener, SslPolicy: 'ELBSecurityPolicy-TLS13-1-2-2021-06' });
  assert.deepEqual(
    [tls().SslPolicy, tls().MutualAuthentication],
    ['ELBSecurityPolicy-TLS13-1-2-2021-06', { Mode: 'passthrough' }],
  );
  region.accepted(modifyListener, { ListenerArn: listener, Protocol: 'HTTP' });
  assert.deepEqual(tls(), {
    Protocol: 'HTTP',
    Certificates: undefined,
    SslPolicy: undefined,
    MutualAuthentication: undefined,
  });
});

test('HTTPS listeners: what is missing, unknown or of others is refused, in the words of the service', () => {
  const { region, importOne } = prepare();
  const LoadBalancerArn = region.loadBalancer('web');
  const CertificateArn = importOne(web);
  const DefaultActions = [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '200' } }];
  const input = { LoadBalancerArn, Protocol: 'HTTPS', Port: 443, DefaultActions, Certificates: [{ CertificateArn }] };
  const refused = (changed: object, code: FaultCode) => region.refused(createListener, { ...input, ...changed }, code);
  assert.equal(
    refused({ Certificates: undefined }, 'ValidationError'),
    'A certificate must be specified for HTTPS listeners',
  );
  refused({ Certificates: [{ CertificateArn }, { CertificateArn }] }, 'TooManyCertificates');
  refused({ Certificates: [{ CertificateArn, IsDefault: true }] }, 'ValidationError');
  for (const arn of [
    'web',
    CertificateArn.replace('111111111111', '222222222222'),
    `${CertificateArn.slice(0, -1)}x`,
  ]) {
    refused({ Certificates: [{ CertificateArn: arn }] }, 'CertificateNotFound');
  }
  refused({ SslPolicy: 'none' }, 'SSLPolicyNotFound');
  refused({ AlpnPolicy: ['HTTP2Only'] }, 'ALPNPolicyNotSupported');
  refused({ MutualAuthentication: { Mode: 'maybe' } }, 'ValidationError');
  refused({ MutualAuthentication: { Mode: 'verify' } }, 'ValidationError');
  refused({ MutualAuthentication: { Mode: 'off', TrustStoreArn: 'x' } }, 'InvalidConfigurationRequest');
  refused({ MutualAuthentication: { Mode: 'verify', TrustStoreArn: LoadBalancerArn } }, 'ValidationError');
  const store = 'arn:aws:elasticloadbalancing:eu-test-1:111111111111:truststore/store/0123456789abcdef';
  refused({ MutualAuthentication: { Mode: 'verify', TrustStoreArn: store } }, 'TrustStoreNotFound');
});

test('certificates of a listener: the default first, others added and removed, one that is both answered twice', () => {
  const { region, importOne } = prepare();
  const [own, other, third] = [importOne(web), importOne(shop), importOne(web)];
  const ListenerArn = secureListener(region, region.loadBalancer('web'), own!);
  const certificates = (...arns: string[]) => ({
    ListenerArn,
    Certificates: arns.map((CertificateArn) => ({ CertificateArn })),
  });
  const all = (more: object = {}) => region.accepted(describeListenerCertificates, { ListenerArn, ...more });
  const listed = () => all().Certificates!.map(({ CertificateArn, IsDefault }) => [CertificateArn, IsDefault]);
  region.accepted(addListenerCertificates, certificates(other!, own!, third!));
  assert.deepEqual(listed(), [
    [own, true],
    [other, false],
    [own, false],
    [third, false],
  ]);
  region.unchanged(() => region.accepted(addListenerCertificates, certificates(other!)));
  const first = all({ PageSize: 3 });
  assert.deepEqual(all({ Marker: first.NextMarker! }).Certificates, [{ CertificateArn: third, IsDefault: false }]);
  region.accepted(removeListenerCertificates, certificates(own!, other!));
  assert.deepEqual(listed(), [
    [own, true],
    [third, false],
  ]);
  region.refused(removeListenerCertificates, certificates(own!), 'OperationNotPermitted');
  region.unchanged(() => region.accepted(removeListenerCertificates, certificates(other!)));
  // A new default takes the place of the old one alone.
  region.accepted(modifyListener, certificates(other!));
  assert.deepEqual(listed(), [
    [other, true],
    [third, false],
  ]);
  region.refused(addListenerCertificates, certificates(), 'ValidationError');
  region.refused(addListenerCertificates, certificates('x'), 'CertificateNotFound');
  const plain = region.listener(region.loadBalancer('plain'), region.targetGroup('group'));
  region.refused(addListenerCertificates, { ...certificates(own!), ListenerArn: plain }, 'ValidationError');
  const missing = ListenerArn.replace(idOf(ListenerArn), 'f'.repeat(16));
  region.refused(addListenerCertificates, { ...certificates(own!), ListenerArn: missing }, 'ListenerNotFound');
});
