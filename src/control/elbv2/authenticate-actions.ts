/**
 * The actions that ask clients of an HTTPS listener who they are before they are routed: by OpenID Connect, by a user
 * pool of Cognito, or by a JSON Web Token that they bring.
 * Source: `AuthenticateOidcActionConfig`, `AuthenticateCognitoActionConfig` and `JwtValidationActionConfig` in the ELB
 * API reference; "Authenticate users" and "Verify JWTs" in the guide.
 */
import type {
  Action,
  AuthenticateCognitoActionConfig,
  AuthenticateOidcActionConfig,
  JwtValidationActionConfig,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, type Result, refuse } from '#base/result.ts';
import type { AuthenticateAction, AuthenticationSession, JwtClaim } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import { checkChoice, checkRange, shown } from './checks.ts';
import type { Decoded } from './shape.ts';

/** What a rule's OIDC client shows who it is with. */
export type ClientSecret = { readonly kind: 'given'; readonly secret: string } | { readonly kind: 'existing' };

export interface DecodedAuthenticate {
  readonly action: AuthenticateAction;
  readonly secret?: ClientSecret;
}

const timeoutRange = { min: 1, max: 604_800 };
const extraParamsMax = 10;
const claimsMax = 10;
const claimValuesMax = 10;
const textLengthMax = 2048;
const userPoolPattern = /^arn:aws:cognito-idp:[a-z0-9-]{1,64}:\d{12}:userpool\/[\w-]{1,55}$/;
/** RFC 6265, section 4.1.1: a cookie's name is a token. */
const tokenPattern = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/;
/** Always checked: `iss` and `exp` must be there, `nbf` and `iat` may. */
const checkedClaims = ['iss', 'exp', 'nbf', 'iat'];
const claimFormats = ['single-string', 'string-array', 'space-separated-values'] as const;

export function decodeOidc(
  config: Decoded<AuthenticateOidcActionConfig> | undefined,
): Result<DecodedAuthenticate, Fault> {
  if (config === undefined) return refuse(needs('AuthenticateOidcConfig', 'authenticate-oidc'));
  const { Issuer, AuthorizationEndpoint, TokenEndpoint, UserInfoEndpoint, ClientId, ClientSecret } = config;
  const wrong =
    checkUrl('Issuer', Issuer) ??
    checkUrl('AuthorizationEndpoint', AuthorizationEndpoint) ??
    checkUrl('TokenEndpoint', TokenEndpoint) ??
    checkUrl('UserInfoEndpoint', UserInfoEndpoint) ??
    checkText('ClientId', ClientId);
  if (wrong !== undefined) return refuse(wrong);
  const isExisting = config.UseExistingClientSecret === true;
  if (isExisting === (ClientSecret !== undefined)) {
    return refuse(invalid('either ClientSecret or UseExistingClientSecret must be specified'));
  }
  const wrongSecret = isExisting ? undefined : checkText('ClientSecret', ClientSecret, 'a secret');
  if (wrongSecret !== undefined) return refuse(wrongSecret);
  const session = decodeSession(config);
  if (!session.ok) return session;
  return accept({
    action: {
      kind: 'authenticate-oidc',
      issuer: Issuer,
      authorizationEndpoint: AuthorizationEndpoint,
      tokenEndpoint: TokenEndpoint,
      userInfoEndpoint: UserInfoEndpoint,
      clientId: ClientId,
      session: session.value,
    },
    secret: isExisting ? { kind: 'existing' } : { kind: 'given', secret: ClientSecret! },
  });
}

export function decodeCognito(
  config: Decoded<AuthenticateCognitoActionConfig> | undefined,
): Result<DecodedAuthenticate, Fault> {
  if (config === undefined) return refuse(needs('AuthenticateCognitoConfig', 'authenticate-cognito'));
  const { UserPoolArn: userPoolArn, UserPoolClientId, UserPoolDomain } = config;
  if (!userPoolPattern.test(userPoolArn)) {
    return refuse(invalid(`UserPoolArn '${shown(userPoolArn)}' is not the ARN of a user pool`));
  }
  const wrong = checkText('UserPoolClientId', UserPoolClientId) ?? checkText('UserPoolDomain', UserPoolDomain);
  if (wrong !== undefined) return refuse(wrong);
  const session = decodeSession(config);
  if (!session.ok) return session;
  return accept({
    action: {
      kind: 'authenticate-cognito',
      userPoolArn,
      userPoolClientId: UserPoolClientId,
      userPoolDomain: UserPoolDomain,
      session: session.value,
    },
  });
}

export function decodeJwt(config: Decoded<JwtValidationActionConfig> | undefined): Result<DecodedAuthenticate, Fault> {
  if (config === undefined) return refuse(needs('JwtValidationConfig', 'jwt-validation'));
  const { JwksEndpoint, Issuer, AdditionalClaims: claims = [] } = config;
  const wrong = checkUrl('JwksEndpoint', JwksEndpoint) ?? checkText('Issuer', Issuer);
  if (wrong !== undefined) return refuse(wrong);
  if (claims.length > claimsMax) {
    return refuse(invalid(`AdditionalClaims has ${claims.length} entries; at most ${claimsMax} are allowed`));
  }
  const additionalClaims: JwtClaim[] = [];
  for (const { Name: name, Format: format, Values: values } of claims) {
    const wrongClaim =
      checkText('AdditionalClaims: Name', name) ??
      checkChoice('AdditionalClaims: Format', format, claimFormats) ??
      (checkedClaims.includes(name) ? invalid(`the claim '${name}' is checked in any case`) : undefined) ??
      (additionalClaims.some((other) => other.name === name)
        ? invalid(`the claim '${name}' is given twice`)
        : undefined) ??
      checkClaimValues(name, format, values);
    if (wrongClaim !== undefined) return refuse(wrongClaim);
    additionalClaims.push({ name, format: format as JwtClaim['format'], values });
  }
  return accept({ action: { kind: 'jwt-validation', jwksEndpoint: JwksEndpoint, issuer: Issuer, additionalClaims } });
}

/** The action's members as the API answers them; a secret is in none of them. */
export function encodeAuthenticate(action: AuthenticateAction): Partial<Action> {
  switch (action.kind) {
    case 'authenticate-oidc':
      return {
        AuthenticateOidcConfig: {
          Issuer: action.issuer,
          AuthorizationEndpoint: action.authorizationEndpoint,
          TokenEndpoint: action.tokenEndpoint,
          UserInfoEndpoint: action.userInfoEndpoint,
          ClientId: action.clientId,
          ...encodeSession(action.session),
        },
      };
    case 'authenticate-cognito':
      return {
        AuthenticateCognitoConfig: {
          UserPoolArn: action.userPoolArn,
          UserPoolClientId: action.userPoolClientId,
          UserPoolDomain: action.userPoolDomain,
          ...encodeSession(action.session),
        },
      };
    case 'jwt-validation':
      return {
        JwtValidationConfig: {
          JwksEndpoint: action.jwksEndpoint,
          Issuer: action.issuer,
          AdditionalClaims: action.additionalClaims.map(({ name, format, values }) => ({
            Name: name,
            Format: format,
            Values: [...values],
          })),
        },
      };
  }
}

type SessionInput = Pick<
  Decoded<AuthenticateOidcActionConfig>,
  'SessionCookieName' | 'Scope' | 'SessionTimeout' | 'AuthenticationRequestExtraParams' | 'OnUnauthenticatedRequest'
>;

/** With the defaults of the API reference. */
function decodeSession(config: SessionInput): Result<AuthenticationSession, Fault> {
  const {
    SessionCookieName: cookieName = 'AWSELBAuthSessionCookie',
    Scope: scope = 'openid',
    SessionTimeout: timeoutSeconds = timeoutRange.max,
    AuthenticationRequestExtraParams: extraParams = {},
    OnUnauthenticatedRequest: onUnauthenticatedRequest = 'authenticate',
  } = config;
  const count = Object.keys(extraParams).length;
  const wrong =
    (tokenPattern.test(cookieName)
      ? undefined
      : invalid(`SessionCookieName '${shown(cookieName)}' is no cookie name`)) ??
    checkText('Scope', scope) ??
    checkRange('SessionTimeout', timeoutSeconds, timeoutRange) ??
    (count <= extraParamsMax
      ? undefined
      : invalid(`AuthenticationRequestExtraParams has ${count} entries; at most ${extraParamsMax} are allowed`)) ??
    checkChoice('OnUnauthenticatedRequest', onUnauthenticatedRequest, ['deny', 'allow', 'authenticate']);
  if (wrong !== undefined) return refuse(wrong);
  return accept({
    cookieName,
    scope,
    timeoutSeconds,
    extraParams,
    onUnauthenticatedRequest: onUnauthenticatedRequest as AuthenticationSession['onUnauthenticatedRequest'],
  });
}

function encodeSession(session: AuthenticationSession): SessionOutput {
  return {
    SessionCookieName: session.cookieName,
    Scope: session.scope,
    SessionTimeout: session.timeoutSeconds,
    AuthenticationRequestExtraParams: { ...session.extraParams },
    OnUnauthenticatedRequest: session.onUnauthenticatedRequest,
  };
}

type SessionOutput = Pick<
  AuthenticateCognitoActionConfig & AuthenticateOidcActionConfig,
  'SessionCookieName' | 'Scope' | 'SessionTimeout' | 'AuthenticationRequestExtraParams' | 'OnUnauthenticatedRequest'
>;

function checkClaimValues(name: string, format: string, values: readonly string[]): Fault | undefined {
  const countMax = format === 'single-string' ? 1 : claimValuesMax;
  if (values.length < 1 || values.length > countMax) {
    return invalid(
      `the claim '${shown(name)}' has ${values.length} values; ${countMax === 1 ? 'one' : `1 to ${countMax}`} can be specified`,
    );
  }
  for (const value of values) {
    const wrong = checkText(`AdditionalClaims: a value of '${shown(name)}'`, value);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

/** A secret that is asked for must never go the other way, so every endpoint speaks TLS. */
function checkUrl(member: string, text: string): Fault | undefined {
  const url = text.length <= textLengthMax && URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'https:' && url.username === '' && url.password === '') return undefined;
  return invalid(`${member} '${shown(text)}' must be an https URL of at most ${textLengthMax} characters`);
}

function checkText(member: string, text: string | undefined, what = 'a text'): Fault | undefined {
  if (text !== undefined && text.length >= 1 && text.length <= textLengthMax) return undefined;
  return invalid(`${member} must be ${what} of 1 to ${textLengthMax} characters`);
}

function needs(member: string, type: string): Fault {
  return fault('InvalidLoadBalancerAction', `${member} must be specified for an action of type '${type}'`);
}

function invalid(what: string): Fault {
  return fault('InvalidLoadBalancerAction', `The action is not valid: ${what}`);
}
