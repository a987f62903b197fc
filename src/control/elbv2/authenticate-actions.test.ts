import assert from 'node:assert/strict';
import test from 'node:test';
import { acmOperations } from '#control/neighbours/acm/operations.ts';
import type { AnyOperation } from '#control/operation.ts';
import { makeCertificate } from '#control/test-certificates.ts';
import type { FaultCode } from '#model/fault.ts';
import { createListener } from './create-listener.ts';
import { createRule } from './create-rule.ts';
import { describeRules } from './describe-rules.ts';
import { modifyListener } from './modify-listener.ts';
import { modifyRule } from './modify-rule.ts';
import { idOf, TestRegion } from './test-region.ts';

const made = makeCertificate({ name: 'web.test' });
const secret = 'a client secret that nobody reads';
const oidc = {
  Issuer: 'https://login.test',
  AuthorizationEndpoint: 'https://login.test/authorize',
  TokenEndpoint: 'https://login.test/token',
  UserInfoEndpoint: 'https://login.test/me',
  ClientId: 'web',
  ClientSecret: secret,
};
const fixed = { Type: 'fixed-response', Order: 2, FixedResponseConfig: { StatusCode: '200' } };
const ask = (config: object = oidc) =>
  ({ Type: 'authenticate-oidc', Order: 1, AuthenticateOidcConfig: config }) as unknown as typeof fixed;
const cognito = {
  Type: 'authenticate-cognito',
  Order: 1,
  AuthenticateCognitoConfig: {
    UserPoolArn: 'arn:aws:cognito-idp:eu-test-1:111111111111:userpool/eu-test-1_abc',
    UserPoolClientId: 'client',
    UserPoolDomain: 'users',
  },
};
const jwt = (config: object = {}) => ({
  Type: 'jwt-validation',
  Order: 1,
  JwtValidationConfig: { JwksEndpoint: 'https://login.test/jwks', Issuer: 'https://login.test', ...config },
});

function prepare() {
  const region = new TestRegion();
  region.nowMs = Date.now();
  const bytes = { Certificate: Buffer.from(made.certificate), PrivateKey: Buffer.from(made.privateKey) };
  const { CertificateArn } = region.accepted(acmOperations.ImportCertificate as AnyOperation, bytes);
  const LoadBalancerArn = region.loadBalancer('web');
  const secure = (...DefaultActions: object[]) => ({
    LoadBalancerArn,
    Protocol: 'HTTPS',
    Port: 443,
    Certificates: [{ CertificateArn }],
    DefaultActions: DefaultActions as (typeof fixed)[],
  });
  const ListenerArn = region.accepted(createListener, secure(fixed)).Listeners![0]!.ListenerArn!;
  const rule = (...Actions: object[]) => ({
    ListenerArn,
    Priority: 1,
    Conditions: [{ Field: 'path-pattern', Values: ['/a'] }],
    Actions: Actions as (typeof fixed)[],
  });
  const refused = (code: FaultCode, ...actions: object[]) => region.refused(createRule, rule(...actions), code);
  return { region, LoadBalancerArn, ListenerArn, secure, rule, refused };
}

test('authenticate-oidc: answered with its defaults and without its secret, which is sealed with the rule', () => {
  const { region, rule } = prepare();
  const [made] = region.accepted(createRule, rule(fixed, ask())).Rules!;
  const { ClientSecret: _, ...shown } = oidc;
  assert.deepEqual(made!.Actions, [
    {
      Type: 'authenticate-oidc',
      Order: 1,
      AuthenticateOidcConfig: {
        ...shown,
        SessionCookieName: 'AWSELBAuthSessionCookie',
        Scope: 'openid',
        SessionTimeout: 604_800,
        AuthenticationRequestExtraParams: {},
        OnUnauthenticatedRequest: 'authenticate',
      },
    },
    { ...fixed, FixedResponseConfig: { StatusCode: '200', ContentType: undefined, MessageBody: undefined } },
  ]);
  const id = idOf(made!.RuleArn!);
  const document = () => region.tables.get('rule', id)!;
  assert.equal(document().sealedClientSecret, `sealed ${secret.length} for ${id}`);
  assert(
    !JSON.stringify([document(), region.accepted(describeRules, { RuleArns: [made!.RuleArn!] })]).includes(secret),
  );
  // Modified with the secret that is there, with another, and without the action.
  const RuleArn = made!.RuleArn!;
  const existing = ask({ ...shown, UseExistingClientSecret: true, Scope: 'openid email' });
  region.accepted(modifyRule, { RuleArn, Actions: [existing, fixed] });
  assert.equal(document().sealedClientSecret, `sealed ${secret.length} for ${id}`);
  region.accepted(modifyRule, { RuleArn, Conditions: [{ Field: 'path-pattern', Values: ['/b'] }] });
  assert.equal(document().sealedClientSecret, `sealed ${secret.length} for ${id}`);
  region.accepted(modifyRule, { RuleArn, Actions: [ask({ ...oidc, ClientSecret: 'another' }), fixed] });
  assert.equal(document().sealedClientSecret, `sealed 7 for ${id}`);
  region.accepted(modifyRule, { RuleArn, Actions: [fixed] });
  assert.equal(document().sealedClientSecret, undefined);
  region.refused(modifyRule, { RuleArn, Actions: [existing, fixed] }, 'InvalidLoadBalancerAction');
});

test('authentication: only on HTTPS, one before the action that routes, and whole', () => {
  const { region, LoadBalancerArn, ListenerArn, secure, refused } = prepare();
  refused('InvalidLoadBalancerAction', ask());
  refused('InvalidLoadBalancerAction', fixed, { ...ask(), Order: 3 });
  refused('InvalidLoadBalancerAction', fixed, { ...ask(), Order: 2 });
  refused('InvalidLoadBalancerAction', ask(), jwt(), fixed);
  refused('InvalidLoadBalancerAction', fixed, { ...fixed, Order: 1 });
  const plain = { LoadBalancerArn, Protocol: 'HTTP', Port: 80, DefaultActions: [ask(), fixed] as (typeof fixed)[] };
  assert.match(
    region.refused(createListener, plain, 'InvalidLoadBalancerAction'),
    /'authenticate-oidc' are supported only on HTTPS listeners, not with protocol 'HTTP'/,
  );
  region.accepted(createListener, { ...secure(ask(), fixed), Port: 444 });
  // A listener with such a rule stays with HTTPS.
  region.accepted(modifyListener, { ListenerArn, DefaultActions: [cognito, fixed] as (typeof fixed)[] });
  region.refused(modifyListener, { ListenerArn, Protocol: 'HTTP' }, 'InvalidLoadBalancerAction');
  for (const wrong of [
    { Issuer: 'http://login.test' },
    { TokenEndpoint: 'https://user:password@login.test' },
    { UserInfoEndpoint: '' },
    { ClientId: '' },
    { ClientSecret: undefined },
    { UseExistingClientSecret: true },
    { SessionCookieName: 'a b' },
    { AuthenticationRequestExtraParams: Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`k${i}`, 'v'])) },
  ]) {
    refused('InvalidLoadBalancerAction', ask({ ...oidc, ...wrong }), fixed);
  }
  refused('ValidationError', ask({ ...oidc, SessionTimeout: 604_801 }), fixed);
  refused('ValidationError', ask({ ...oidc, OnUnauthenticatedRequest: 'ask' }), fixed);
  refused('InvalidLoadBalancerAction', ask({ ...oidc, UseExistingClientSecret: true, ClientSecret: undefined }), fixed);
  refused('InvalidLoadBalancerAction', { Type: 'authenticate-oidc', Order: 1 }, fixed);
  const pool = { ...cognito.AuthenticateCognitoConfig, UserPoolArn: 'pool' };
  refused('InvalidLoadBalancerAction', { ...cognito, AuthenticateCognitoConfig: pool }, fixed);
});

test('jwt-validation: claims are named, and those that are checked in any case are not', () => {
  const { region, rule, refused } = prepare();
  const claim = (Name: string, Format: string, ...Values: string[]) => ({ Name, Format, Values });
  const claims = (...AdditionalClaims: object[]) => jwt({ AdditionalClaims });
  const wanted = [claim('scope', 'space-separated-values', 'read', 'write'), claim('tenant', 'single-string', 'a')];
  const [made] = region.accepted(createRule, rule(claims(...wanted), fixed)).Rules!;
  assert.deepEqual(made!.Actions![0]!.JwtValidationConfig!.AdditionalClaims, wanted);
  for (const wrong of [
    claims(claim('exp', 'single-string', '1')),
    claims(claim('a', 'single-string', '1', '2')),
    claims(claim('a', 'string-array')),
    claims(claim('a', 'single-string', '1'), claim('a', 'single-string', '1')),
    claims(...Array.from({ length: 11 }, (_, index) => claim(`c${index}`, 'single-string', 'v'))),
    jwt({ JwksEndpoint: 'ftp://login.test' }),
  ]) {
    refused('InvalidLoadBalancerAction', wrong, fixed);
  }
  refused('ValidationError', claims(claim('a', 'number', '1')), fixed);
});
