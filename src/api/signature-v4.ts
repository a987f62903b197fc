/**
 * AWS Signature Version 4, the verifying side: whose key signed this request, and was anything altered since. No I/O,
 * and the time is an argument. What a request claims is believed only once the signature over all of it is right, and
 * no message holds a secret.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import { accept, type Result, refuse } from '#base/result.ts';
import type { KeyHolder } from '#control/keys.ts';
import { type Fault, fault } from '#model/fault.ts';
import { type Form, shown } from './query.ts';
import { algorithm, type Claim, formatTime, readClaim, type SignedRequest, terminator } from './signature-claim.ts';

export interface Caller {
  readonly accessKeyId: string;
  /** `ACCOUNT/NAME` */
  readonly principal: string;
  readonly account: string;
  /** The service that it was signed for. */
  readonly service: string;
}

export interface SignatureRealm {
  /** A signature for another region or service is refused. */
  readonly region: string;
  /** Services by name, and the region that a global one is signed for. */
  readonly services: ReadonlyMap<string, { readonly globalRegion?: string }>;
  readonly lookupKey: (accessKeyId: string) => KeyHolder | undefined;
}

export type VerifySignature = (request: SignedRequest, nowMs: number) => Result<Caller, Fault>;

const skewMinutes = 15;
const skewMs = skewMinutes * 60_000;
const signingKeysMax = 1_000;

/**
 * Verifies signatures in the `Authorization` header and in the query (presigned). The body is always part of what is
 * signed: `UNSIGNED-PAYLOAD` and streamed signatures are refused, and so are temporary credentials.
 */
export function createSignatureVerifier({ region, services, lookupKey }: SignatureRealm): VerifySignature {
  const signingKeys = new SigningKeys();
  return (request, nowMs) => {
    const claimed = readClaim(request);
    if (!claimed.ok) return claimed;
    const claim = claimed.value;
    const bodyHash = hash('sha256', request.body, 'hex');
    const wrong =
      scopeFault(claim, { region, services }) ??
      timeFault(claim, nowMs) ??
      headersFault(claim, request) ??
      bodyFault(request, bodyHash);
    if (wrong !== undefined) return refuse(wrong);
    // A key that nobody holds takes the same way, so that the time of the answer tells nothing more than its text.
    const holder = lookupKey(claim.accessKeyId);
    const signingKey = signingKeys.derive(holder === undefined ? '' : claim.accessKeyId, holder?.secret ?? '', claim);
    const isRight = timingSafeEqual(hmac(signingKey, textToSign(claim, request, bodyHash)), claim.signature);
    if (holder === undefined) {
      return refuse(fault('InvalidClientTokenId', `the access key ${shown(claim.accessKeyId)} does not exist here`));
    }
    if (!isRight) {
      const hint = 'check the secret access key, and that nothing on the way changed the host, a header or the body';
      return refuse(fault('SignatureDoesNotMatch', `the signature does not match the request: ${hint}`));
    }
    const { principal, account } = holder;
    return accept({ accessKeyId: claim.accessKeyId, principal, account, service: claim.scope.service });
  };
}

/** Codes and wording: https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html */
function scopeFault({ scope, signedAt }: Claim, realm: Pick<SignatureRealm, 'region' | 'services'>): Fault | undefined {
  const mustBe = (what: string, wanted: string, found: string) =>
    fault('SignatureDoesNotMatch', `Credential should be scoped to ${what} '${wanted}', not ${shown(found)}`);
  if (scope.end !== terminator) return mustBe('the terminator', terminator, scope.end);
  const service = realm.services.get(scope.service);
  if (service === undefined) return mustBe('service', [...realm.services.keys()].join("' or '"), scope.service);
  const isGlobal = service.globalRegion !== undefined && scope.region === service.globalRegion;
  if (scope.region !== realm.region && !isGlobal) return mustBe('region', realm.region, scope.region);
  if (scope.date !== signedAt.slice(0, 8)) return mustBe('the date of X-Amz-Date', signedAt.slice(0, 8), scope.date);
  return undefined;
}

function timeFault({ signedAt, signedAtMs, expiresSeconds }: Claim, nowMs: number): Fault | undefined {
  const now = formatTime(nowMs);
  if (signedAtMs > nowMs + skewMs) {
    const limit = formatTime(nowMs + skewMs);
    const message = `Signature not yet current: ${signedAt} is still later than ${limit} (${now} + ${skewMinutes} min.)`;
    return fault('SignatureDoesNotMatch', message);
  }
  if (expiresSeconds !== undefined) {
    const endMs = signedAtMs + expiresSeconds * 1000;
    if (nowMs <= endMs) return undefined;
    return fault('RequestExpired', `the presigned request expired at ${formatTime(endMs)}; it is now ${now}`);
  }
  if (signedAtMs >= nowMs - skewMs) return undefined;
  const limit = formatTime(nowMs - skewMs);
  const message = `Signature expired: ${signedAt} is now earlier than ${limit} (${now} - ${skewMinutes} min.)`;
  return fault('SignatureDoesNotMatch', message);
}

/** Without its host a request could be replayed elsewhere; what means something could be put in on the way. */
function headersFault({ signedHeaders }: Claim, { headers }: SignedRequest): Fault | undefined {
  const isSigned = new Set(signedHeaders);
  if (!isSigned.has('host')) return fault('SignatureDoesNotMatch', 'the Host header must be signed');
  for (const name of headers.keys()) {
    if (!/^x-(?:amz|ballast)-/.test(name) || isSigned.has(name)) continue;
    return fault('SignatureDoesNotMatch', `the header ${shown(name)} must be signed`);
  }
  const missing = signedHeaders.find((name) => !headers.has(name));
  if (missing === undefined) return undefined;
  return fault('SignatureDoesNotMatch', `the signed header ${shown(missing)} is not in the request`);
}

function bodyFault({ headers }: SignedRequest, bodyHash: string): Fault | undefined {
  const given = headers.get('x-amz-content-sha256');
  if (given === undefined || (given.length === 1 && given[0] === bodyHash)) return undefined;
  const found = shown(given.join(', '));
  return fault('SignatureDoesNotMatch', `X-Amz-Content-SHA256 must be the SHA-256 of the body; found ${found}`);
}

function textToSign(claim: Claim, { method, path = '/', query, headers }: SignedRequest, bodyHash: string): string {
  const { signedHeaders, signedAt, scope } = claim;
  const request = [
    method,
    path,
    canonicalQuery(query, claim.expiresSeconds !== undefined),
    ...signedHeaders.map((name) => `${name}:${headers.get(name)!.map(canonicalValue).join(',')}`),
    '',
    signedHeaders.join(';'),
    bodyHash,
  ].join('\n');
  // Node gives the bytes of header values as Latin-1, and everything else here is ASCII: these are the bytes as sent.
  const requestHash = hash('sha256', Buffer.from(request, 'latin1'), 'hex');
  return `${algorithm}\n${signedAt}\n${scope.date}/${scope.region}/${scope.service}/${scope.end}\n${requestHash}`;
}

/** Made from what was decoded, so that what is signed and what is done cannot be two readings of one text. */
function canonicalQuery(query: Form, isPresigned: boolean): string {
  return [...query]
    .filter(([name]) => !(isPresigned && name === 'X-Amz-Signature'))
    .map(([name, value]) => [encodeText(name), encodeText(value)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function canonicalValue(value: string): string {
  return value.trim().replace(/ +/g, ' ');
}

/** Everything is encoded but the unreserved characters of RFC 3986, section 2.3. */
function encodeText(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Deriving costs four HMACs and gives the same key all day. The oldest goes first when there are too many. */
class SigningKeys {
  readonly #derived = new Map<string, { readonly secret: string; readonly key: Buffer }>();

  derive(accessKeyId: string, secret: string, { scope }: Claim): Buffer {
    const name = `${accessKeyId}/${scope.date}/${scope.region}/${scope.service}`;
    const known = this.#derived.get(name);
    if (known?.secret === secret) return known.key;
    const ofDate = hmac(`AWS4${secret}`, scope.date);
    const key = hmac(hmac(hmac(ofDate, scope.region), scope.service), terminator);
    this.#derived.set(name, { secret, key });
    if (this.#derived.size > signingKeysMax) this.#derived.delete(this.#derived.keys().next().value!);
    return key;
  }
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
