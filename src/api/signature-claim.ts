/**
 * What a signed request says about its own signature: who signed it, when, for where, and over which headers. Here it
 * is only read and checked for its form; whether it is true is found out in `signature-v4.ts`.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html
 */
import { accept, type Result, refuse } from '#base/result.ts';
import { type Fault, fault } from '#model/fault.ts';
import { type Form, shown } from './query.ts';

export interface SignedRequest {
  readonly method: string;
  /** Of letters, digits and slashes alone, which are written in one way; `/` when it is not given. */
  readonly path?: string;
  readonly query: Form;
  /** Names in lower case; one value for each line, as it was sent. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: Uint8Array;
}

/** What the request says about its own signature. */
export interface Claim {
  readonly accessKeyId: string;
  readonly scope: { readonly date: string; readonly region: string; readonly service: string; readonly end: string };
  /** `YYYYMMDDTHHMMSSZ` */
  readonly signedAt: string;
  readonly signedAtMs: number;
  /** Of a presigned request. */
  readonly expiresSeconds: number | undefined;
  readonly signedHeaders: readonly string[];
  readonly signature: Buffer;
}

export const algorithm = 'AWS4-HMAC-SHA256';
export const terminator = 'aws4_request';
const presignedSecondsMax = 7 * 24 * 3600;

/** Reads the claim from the `Authorization` header or from the query (presigned); refuses one that is not whole. */
export function readClaim(request: SignedRequest): Result<Claim, Fault> {
  const { headers, query } = request;
  const authorizations = headers.get('authorization') ?? [];
  const isPresigned = query.has('X-Amz-Algorithm') || query.has('X-Amz-Signature');
  if (authorizations.length === 0 && !isPresigned) {
    return refuse(
      fault('MissingAuthenticationToken', 'the request is not signed; AWS Signature Version 4 is required'),
    );
  }
  if (authorizations.length + Number(isPresigned) > 1)
    return incomplete('the request is signed in more than one place');
  if (headers.has('x-amz-security-token') || query.has('X-Amz-Security-Token')) {
    return refuse(
      fault('InvalidClientTokenId', 'temporary credentials (X-Amz-Security-Token) are not accepted; use an access key'),
    );
  }
  return isPresigned ? readQueryClaim(query) : readHeaderClaim(authorizations[0]!, headers);
}

/** `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`, and the time in `X-Amz-Date`. */
function readHeaderClaim(authorization: string, headers: SignedRequest['headers']): Result<Claim, Fault> {
  const [scheme, ...rest] = authorization.trim().split(' ');
  if (scheme !== algorithm) return incomplete(`the Authorization header must begin with ${algorithm}`);
  const parts = new Map<string, string>();
  for (const part of rest.join(' ').split(',')) {
    const equals = part.indexOf('=');
    const name = part.slice(0, Math.max(equals, 0)).trim();
    if (parts.has(name)) return incomplete(`the Authorization header has ${shown(name)} twice`);
    parts.set(name, part.slice(equals + 1).trim());
  }
  const dates = headers.get('x-amz-date') ?? [];
  if (dates.length !== 1) return incomplete('a signed request has exactly one X-Amz-Date header');
  return readParts({
    credential: parts.get('Credential'),
    signedAt: dates[0],
    signedHeaders: parts.get('SignedHeaders'),
    signature: parts.get('Signature'),
    expiresSeconds: undefined,
  });
}

function readQueryClaim(query: Form): Result<Claim, Fault> {
  if (query.get('X-Amz-Algorithm') !== algorithm) return incomplete(`X-Amz-Algorithm must be ${algorithm}`);
  const expires = query.get('X-Amz-Expires') ?? '';
  const expiresSeconds = /^\d{1,6}$/.test(expires) ? Number(expires) : 0;
  if (expiresSeconds < 1 || expiresSeconds > presignedSecondsMax) {
    return incomplete(`X-Amz-Expires must be 1 to ${presignedSecondsMax} seconds; found ${shown(expires)}`);
  }
  return readParts({
    credential: query.get('X-Amz-Credential'),
    signedAt: query.get('X-Amz-Date'),
    signedHeaders: query.get('X-Amz-SignedHeaders'),
    signature: query.get('X-Amz-Signature'),
    expiresSeconds,
  });
}

function readParts(parts: {
  readonly credential: string | undefined;
  readonly signedAt: string | undefined;
  readonly signedHeaders: string | undefined;
  readonly signature: string | undefined;
  readonly expiresSeconds: number | undefined;
}): Result<Claim, Fault> {
  const { credential, signedAt, signedHeaders, signature, expiresSeconds } = parts;
  if (credential === undefined) return incomplete('the signature has no Credential');
  if (signedHeaders === undefined) return incomplete('the signature has no SignedHeaders');
  if (signature === undefined) return incomplete('the signature has no Signature');
  const [accessKeyId, date, region, service, end, ...more] = credential.split('/');
  if (!accessKeyId || !date || !region || !service || !end || more.length > 0) {
    return incomplete(`Credential must be KEY/YYYYMMDD/REGION/SERVICE/${terminator}; found ${shown(credential)}`);
  }
  const signedAtMs = parseTime(signedAt ?? '');
  if (signedAtMs === undefined) {
    return incomplete(`X-Amz-Date must be like 20260131T120000Z; found ${shown(signedAt ?? '')}`);
  }
  if (!/^[0-9a-f]{64}$/.test(signature)) return incomplete('Signature must be 64 hexadecimal digits in lower case');
  const names = signedHeaders.split(';');
  if (!names.every((name, index) => headerName.test(name) && (index === 0 || names[index - 1]! < name))) {
    return incomplete('SignedHeaders must be header names in lower case, sorted, each once, with `;` between them');
  }
  return accept({
    accessKeyId,
    scope: { date, region, service, end },
    signedAt: signedAt!,
    signedAtMs,
    expiresSeconds,
    signedHeaders: names,
    signature: Buffer.from(signature, 'hex'),
  });
}

/** RFC 9110, section 5.1, in lower case. */
const headerName = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;

function parseTime(text: string): number | undefined {
  const iso = text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6.000Z');
  const timeMs = iso === text ? Number.NaN : Date.parse(iso);
  // A date that does not exist, 30 February for one, would be read as another.
  return !Number.isNaN(timeMs) && formatTime(timeMs) === text ? timeMs : undefined;
}

/** As in `X-Amz-Date`: `20260131T120000Z`. */
export function formatTime(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(/[-:]|\.\d{3}/g, '');
}

function incomplete(message: string): Result<never, Fault> {
  return refuse(fault('IncompleteSignature', message));
}
