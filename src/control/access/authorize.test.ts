import assert from 'node:assert/strict';
import test from 'node:test';
import type { ApiVersion } from '#control/execute.ts';
import { Tables } from '#journal/tables.ts';
import { put, remove } from '#model/change.ts';
import { checkAccess } from './authorize.ts';

const account = '111111111111';
const principal = `${account}/deployer`;
const own = `arn:aws:elasticloadbalancing:us-east-1:${account}`;

function prepare(...statements: object[]) {
  const view = new Tables();
  const document = { account, name: 'deployer', createdAtMs: 0 };
  const policy = JSON.stringify({ Version: '2012-10-17', Statement: statements });
  view.apply(1, [put(view, 'principal', principal, statements.length === 0 ? document : { ...document, policy })], 0);
  const check = (action: string, input: object, isRead = false, version: ApiVersion = '2015-12-01') =>
    checkAccess(view, { version, action, input, principal, account }, { region: 'us-east-1', isRead });
  return { view, check };
}

test('access: without a policy everything in the own account is allowed, until the principal is gone', () => {
  const { view, check } = prepare();
  assert.equal(check('CreateRule', {}), undefined);
  view.apply(2, [remove(view, 'principal', principal)], 0);
  assert.match(check('DescribeRules', {}, true)!.message, /the principal was deleted/);
});

test('access: what a call names and makes is what the policy is asked about, all of it', () => {
  const allow = (Action: string, Resource: string) => ({
    Effect: 'Allow',
    Action: `elasticloadbalancing:${Action}`,
    Resource,
  });
  const { check } = prepare(
    allow('CreateLoadBalancer', `${own}:loadbalancer/app/team-*`),
    allow('CreateTargetGroup', `${own}:targetgroup/team-*`),
    allow('RegisterTargets', `${own}:targetgroup/web/*`),
    allow('*Tags', `${own}:targetgroup/*`),
    allow('SetRulePriorities', `${own}:listener-rule/app/a/*`),
    allow('DescribeRules', '*'),
  );
  const may = (action: string, input: object, isRead = false) => check(action, input, isRead) === undefined;
  assert(may('CreateLoadBalancer', { Name: 'team-a' }));
  assert(!may('CreateLoadBalancer', { Name: 'a-team' }));
  assert(may('CreateTargetGroup', { Name: 'team-a' }));
  assert(may('RegisterTargets', { TargetGroupArn: `${own}:targetgroup/web/1` }));
  assert(!may('RegisterTargets', { TargetGroupArn: `${own}:targetgroup/webs/1` }));
  assert(may('AddTags', { ResourceArns: [`${own}:targetgroup/a/1`, `${own}:targetgroup/b/1`] }));
  assert(!may('AddTags', { ResourceArns: [`${own}:targetgroup/a/1`, `${own}:loadbalancer/app/b/1`] }));
  const pair = (name: string) => ({ RuleArn: `${own}:listener-rule/app/${name}/1`, Priority: 1 });
  assert(may('SetRulePriorities', { RulePriorities: [pair('a')] }));
  assert(!may('SetRulePriorities', { RulePriorities: [pair('a'), pair('b')] }));
  assert(may('DescribeRules', { ListenerArn: 'anything' }, true));
  assert(!may('DescribeTags', { ResourceArns: [] }, true));
  const denied = check('DeleteRule', { RuleArn: `${own}:listener-rule/app/a/1` })!;
  assert.equal(denied.code, 'AccessDenied');
  assert.equal(
    denied.message,
    `User: arn:aws:iam::${account}:user/deployer is not authorized to perform: elasticloadbalancing:DeleteRule on resource: ${own}:listener-rule/app/a/1 because no statement of its policy allows the elasticloadbalancing:DeleteRule action`,
  );
});

test('access: each service has its own actions and resources, and nobody is kept from learning who they are', () => {
  const certificate = `arn:aws:acm:us-east-1:${account}:certificate/12345678-1234-1234-1234-123456789012`;
  const { check } = prepare(
    { Effect: 'Allow', Action: 'acm:DescribeCertificate', Resource: '*' },
    { Effect: 'Allow', Action: 'acm:DeleteCertificate', Resource: certificate },
    {
      Effect: 'Allow',
      Action: 'iam:*ServerCertificate',
      Resource: `arn:aws:iam::${account}:server-certificate/team-*`,
    },
    {
      Effect: 'Allow',
      Action: 'elasticloadbalancing:Create*',
      Resource: [`${own}:loadbalancer/net/*`, `${own}:truststore/a/*`],
    },
  );
  const may = (version: ApiVersion, action: string, input: object, isRead = false) =>
    check(action, input, isRead, version) === undefined;
  assert(may('2015-12-08', 'DescribeCertificate', {}, true));
  assert(may('2015-12-08', 'DeleteCertificate', { CertificateArn: certificate }));
  assert(!may('2015-12-08', 'DeleteCertificate', { CertificateArn: certificate.replace(/2$/, '3') }));
  assert(!may('2015-12-08', 'ImportCertificate', {}));
  assert(may('2010-05-08', 'UploadServerCertificate', { ServerCertificateName: 'team-a' }));
  assert(!may('2010-05-08', 'UploadServerCertificate', { ServerCertificateName: 'a-team' }));
  assert(may('2015-12-01', 'CreateLoadBalancer', { Name: 'a', Type: 'network' }));
  assert(!may('2015-12-01', 'CreateLoadBalancer', { Name: 'a' }));
  assert(may('2015-12-01', 'CreateTrustStore', { Name: 'a' }));
  assert(may('2011-06-15', 'GetCallerIdentity', {}, true));
  assert.match(
    check('DescribeSubnets', {}, true, '2016-11-15')!.message,
    /not authorized to perform: ec2:DescribeSubnets/,
  );
});
