import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import test from 'node:test';
import type { Result } from '#base/result.ts';
import type { Fault } from '#model/fault.ts';
import { parseForm } from './query.ts';
import type { SignedRequest } from './signature-claim.ts';
import { type Caller, createSignatureVerifier } from './signature-v4.ts';
import { accessKeyId, holder, region, secretAccessKey, signHeaders } from './test-api.ts';

/** The key of AWS's published examples. */
const exampleKeys: Record<string, typeof holder> = {
  AKIDEXAMPLE: { ...holder, secret: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' },
  [accessKeyId]: holder,
};
const lookupKey = (id: string) => exampleKeys[id];
const exampleMs = Date.parse('2015-08-30T12:36:00Z');

interface Sent {
  readonly method?: string;
  readonly query?: string;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
}

function request({ method = 'POST', query = '', headers, body = '' }: Sent): SignedRequest {
  const form = parseForm(query);
  assert(form.ok);
  const lines = Object.entries(headers).map(([name, value]) => [name, [value].flat()] as const);
  return { method, query: form.value, headers: new Map(lines), body: Buffer.from(body) };
}

function codeOf(result: Result<Caller, Fault>): string {
  return result.ok ? 'OK' : result.fault.code;
}

test('signature: the examples that AWS publishes are accepted, and no other signature is', () => {
  const verify = createSignatureVerifier({ region: 'us-east-1', services: new Map([['service', {}]]), lookupKey });
  const verifyIam = createSignatureVerifier({ region: 'us-east-1', services: new Map([['iam', {}]]), lookupKey });
  const base = { host: 'example.amazonaws.com', 'x-amz-date': '20150830T123600Z' };
  const formType = 'application/x-www-form-urlencoded; charset=utf-8';
  const vectors: (Sent & { readonly signature: string; readonly service?: string })[] = [
    {
      method: 'GET',
      headers: base,
      signature: '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
    },
    {
      method: 'GET',
      query: 'Param2=value2&Param1=value1',
      headers: base,
      signature: 'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
    },
    {
      method: 'GET',
      query: '%E1%88%B4=bar',
      headers: base,
      signature: '2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04',
    },
    {
      method: 'GET',
      headers: { ...base, 'my-header1': ' value1', 'my-header2': ' "a   b   c"' },
      signature: 'acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736',
    },
    {
      method: 'GET',
      headers: { ...base, 'my-header1': ['value2', 'value2', 'value1'] },
      signature: 'c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea',
    },
    { headers: base, signature: '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b' },
    {
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...base },
      body: 'Param1=value1',
      signature: 'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
    },
    {
      method: 'GET',
      query: 'Action=ListUsers&Version=2010-05-08',
      headers: { ...base, 'content-type': formType, host: 'iam.amazonaws.com' },
      signature: '5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
      service: 'iam',
    },
  ];
  for (const { signature, service = 'service', ...sent } of vectors) {
    const names = Object.keys(sent.headers).sort().join(';');
    const authorization = (digits: string) =>
      `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/${service}/aws4_request, SignedHeaders=${names}, Signature=${digits}`;
    const check = (digits: string) =>
      (service === 'iam' ? verifyIam : verify)(
        request({ ...sent, headers: { ...sent.headers, authorization: authorization(digits) } }),
        exampleMs,
      );
    assert.deepEqual(check(signature), {
      ok: true,
      value: { accessKeyId: 'AKIDEXAMPLE', principal: holder.principal, account: holder.account, service },
    });
    assert.equal(
      codeOf(check(signature.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')))),
      'SignatureDoesNotMatch',
    );
  }
});

const body = 'Action=DescribeLoadBalancers&Version=2015-12-01';
const url = new URL('http://127.0.0.1:8400/');
const signedAt = '20260131T235959Z';
const signedMs = Date.parse('2026-01-31T23:59:59Z');
const verify = createSignatureVerifier({ region, services: new Map([['elasticloadbalancing', {}]]), lookupKey });

/** A request that is signed; `then` is what happens to it after that. */
function signedRequest(then: {
  readonly scope?: string;
  readonly headers?: Record<string, string>;
  readonly changed?: Record<string, string | readonly string[] | undefined>;
  readonly method?: string;
  readonly query?: string;
  readonly body?: string;
}): Result<Caller, Fault> {
  const { scope, headers, changed, ...sent } = then;
  const signed = signHeaders({
    method: 'POST',
    url,
    body,
    signedAt,
    headers: { 'x-amz-meta': 'm', ...headers },
    ...(scope !== undefined && { scope }),
  });
  const lines = Object.entries({ ...signed, host: url.host, ...changed }).filter(([, value]) => value !== undefined);
  return verify(request({ body, headers: Object.fromEntries(lines) as Sent['headers'], ...sent }), signedMs);
}

test('signature: a change to any part of what was signed is noticed', () => {
  assert.equal(codeOf(signedRequest({})), 'OK');
  const changes: Parameters<typeof signedRequest>[0][] = [
    { body: body.replace('Describe', 'Delete') },
    { body: '' },
    { method: 'GET' },
    { query: 'Action=DeleteLoadBalancer' },
    { changed: { host: '127.0.0.1:8401' } },
    { changed: { 'x-amz-meta': 'n' } },
    { changed: { 'x-amz-meta': ['m', 'm'] } },
    { changed: { 'x-amz-meta': undefined } },
    { changed: { 'x-amz-more': 'not signed' } },
  ];
  for (const change of changes) {
    assert.equal(codeOf(signedRequest(change)), 'SignatureDoesNotMatch', JSON.stringify(change));
  }
});

test('signature: a signature for another region, service, day or end of scope is refused', () => {
  const refusalOf = (scope?: string, date?: string) => {
    const result = signedRequest({
      ...(scope !== undefined && { scope }),
      ...(date !== undefined && { headers: { 'x-amz-date': date } }),
    });
    return result.ok ? 'OK' : `${result.fault.code}: ${result.fault.message}`;
  };
  assert.match(
    refusalOf('us-east-1/elasticloadbalancing/aws4_request'),
    /^SignatureDoesNotMatch: .*region 'eu-test-1'/,
  );
  assert.match(refusalOf(`${region}/s3/aws4_request`), /^SignatureDoesNotMatch: .*'elasticloadbalancing', not 's3'/);
  assert.match(refusalOf(`${region}/elasticloadbalancing/aws5_request`), /^SignatureDoesNotMatch: .*'aws4_request'/);
  assert.match(refusalOf(undefined, '20260201T000000Z'), /^SignatureDoesNotMatch: .*date of X-Amz-Date '20260201'/);
});

test('signature: it holds for fifteen minutes before and after its time, and not a second longer', () => {
  const headers = signHeaders({ method: 'POST', url, body, signedAt });
  const sent = request({ headers: { ...headers, host: url.host }, body });
  for (const minutes of [-15, 0, 15]) assert.equal(codeOf(verify(sent, signedMs + minutes * 60_000)), 'OK');
  const late = verify(sent, signedMs + 15 * 60_000 + 1_000);
  assert(!late.ok && late.fault.code === 'SignatureDoesNotMatch');
  assert.match(
    late.fault.message,
    /^Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\w+ - 15 min\.\)$/,
  );
  const early = verify(sent, signedMs - 15 * 60_000 - 1_000);
  assert(!early.ok && early.fault.code === 'SignatureDoesNotMatch');
  assert.match(early.fault.message, /^Signature not yet current: .* is still later than .* \(\w+ \+ 15 min\.\)$/);
});

test('signature: the host and every x-amz header must be signed, and every signed header be there', () => {
  const withNames = (names: string) =>
    signedRequest({
      changed: {
        authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20260131/${region}/elasticloadbalancing/aws4_request,SignedHeaders=${names},Signature=${'0'.repeat(64)}`,
      },
    });
  const messageOf = (result: Result<Caller, Fault>) => (result.ok ? 'OK' : result.fault.message);
  assert.match(messageOf(withNames('x-amz-date;x-amz-meta')), /Host header must be signed/);
  assert.match(messageOf(withNames('host;x-amz-date')), /'x-amz-meta' must be signed/);
  assert.match(messageOf(withNames('host;x-amz-date;x-amz-meta;x-gone')), /'x-gone' is not in the request/);
  for (const malformed of [
    '',
    'host;',
    'x-amz-date;host;x-amz-meta',
    'host;host;x-amz-date',
    'Host;x-amz-date',
    'ho st',
  ]) {
    assert.equal(codeOf(withNames(malformed)), 'IncompleteSignature', malformed);
  }
});

test('signature: the hash of the body is checked when it is given, and no body may go unsigned', () => {
  for (const given of ['UNSIGNED-PAYLOAD', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD', '0'.repeat(64), '']) {
    const result = signedRequest({ headers: { 'x-amz-content-sha256': given } });
    assert(!result.ok && result.fault.code === 'SignatureDoesNotMatch');
    assert.match(result.fault.message, /must be the SHA-256 of the body/);
  }
  const right = hash('sha256', body, 'hex');
  assert.equal(codeOf(signedRequest({ headers: { 'x-amz-content-sha256': right } })), 'OK');
});

test('signature: an unsigned request, a broken signature and temporary credentials are told apart', () => {
  const scope = `20260131/${region}/elasticloadbalancing/aws4_request`;
  const rest = `SignedHeaders=host;x-amz-date;x-amz-meta, Signature=${'0'.repeat(64)}`;
  const cases: [authorization: string | readonly string[] | undefined, code: string][] = [
    [undefined, 'MissingAuthenticationToken'],
    ['', 'IncompleteSignature'],
    ['Basic dXNlcjpwYXNz', 'IncompleteSignature'],
    ['AWS4-HMAC-SHA256', 'IncompleteSignature'],
    [`AWS4-HMAC-SHA256 ${rest}`, 'IncompleteSignature'],
    [`AWS4-HMAC-SHA256 Credential=${accessKeyId}, ${rest}`, 'IncompleteSignature'],
    [`AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}/more, ${rest}`, 'IncompleteSignature'],
    [`AWS4-HMAC-SHA256 Credential=/${scope}, ${rest}`, 'IncompleteSignature'],
    [`AWS4-HMAC-SHA256 Credential=a/${scope}, Credential=b/${scope}, ${rest}`, 'IncompleteSignature'],
    [`AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, ${rest}`.slice(0, -1), 'IncompleteSignature'],
    [`AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, ${rest}`.replace(/0$/, 'F'), 'IncompleteSignature'],
    [[`AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, ${rest}`, 'again'], 'IncompleteSignature'],
    [`AWS4-HMAC-SHA256 Credential=NOBODY/${scope}, ${rest}`, 'InvalidClientTokenId'],
    [`AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, ${rest}`, 'SignatureDoesNotMatch'],
  ];
  for (const [authorization, code] of cases) {
    assert.equal(codeOf(signedRequest({ changed: { authorization } })), code, String(authorization));
  }
  for (const date of [
    undefined,
    '',
    '20260230T000000Z',
    '2026-01-31T00:00:00Z',
    ['20260131T000000Z', '20260131T000000Z'],
  ]) {
    assert.equal(codeOf(signedRequest({ changed: { 'x-amz-date': date } })), 'IncompleteSignature', String(date));
  }
  assert.equal(codeOf(signedRequest({ headers: { 'x-amz-security-token': 'token' } })), 'InvalidClientTokenId');
});

test('signature: a key that nobody holds opens nothing, whatever secret it was signed with', () => {
  for (const secret of ['', 'undefined', secretAccessKey]) {
    const headers = signHeaders({ method: 'POST', url, body, signedAt, keyId: 'NOBODY', secret });
    const sent = request({ headers: { ...headers, host: url.host }, body });
    assert.equal(codeOf(verify(sent, signedMs)), 'InvalidClientTokenId');
  }
});

test('signature: a secret that was replaced opens nothing any more, though its signing key was at hand', () => {
  let secret = secretAccessKey;
  const verifyChanging = createSignatureVerifier({
    region,
    services: new Map([['elasticloadbalancing', {}]]),
    lookupKey: () => ({ ...holder, secret }),
  });
  const sent = request({ headers: { ...signHeaders({ method: 'POST', url, body, signedAt }), host: url.host }, body });
  assert.equal(codeOf(verifyChanging(sent, signedMs)), 'OK');
  secret = 'another';
  assert.equal(codeOf(verifyChanging(sent, signedMs)), 'SignatureDoesNotMatch');
  secret = secretAccessKey;
  assert.equal(codeOf(verifyChanging(sent, signedMs)), 'OK');
});

test('signature: no refusal repeats the secret', () => {
  for (const change of [{ body: '' }, { changed: { authorization: undefined } }, { scope: 'x/y/z' }]) {
    const result = signedRequest(change);
    assert(!result.ok && !result.fault.message.includes(secretAccessKey));
  }
});
