import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import test from 'node:test';
import { DescribeLoadBalancersCommand, ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, refuse } from '#base/result.ts';
import { systemClock } from '#io/clock.ts';
import { fault } from '#model/fault.ts';
import { startApiServer } from './server.ts';
import {
  accessKeyId,
  formType,
  region,
  secretAccessKey,
  signedPost,
  signHeaders,
  startTestApi,
  type TestApi,
} from './test-api.ts';

const describe = 'Action=DescribeLoadBalancers&Version=2015-12-01';

async function codeOf(response: Response): Promise<string> {
  const body = await response.text();
  return `${response.status} ${/<Code>(\w+)<\/Code>/.exec(body)?.[1] ?? 'OK'}`;
}

test('API server: an answer is the documented XML, with the request id in its header too', async (context) => {
  const api = await startTestApi(context);
  api.execute = async () => accept({ LoadBalancers: [], NextMarker: 'm' });
  const response = await signedPost(api, describe);
  const id = response.headers.get('x-amzn-requestid');
  assert.equal(response.headers.get('content-type'), 'text/xml');
  assert.equal(
    await response.text(),
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
      '<DescribeLoadBalancersResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/">' +
      '<DescribeLoadBalancersResult><LoadBalancers></LoadBalancers><NextMarker>m</NextMarker></DescribeLoadBalancersResult>' +
      `<ResponseMetadata><RequestId>${id}</RequestId></ResponseMetadata></DescribeLoadBalancersResponse>\n`,
  );
  api.execute = async () => refuse(fault('LoadBalancerNotFound', 'a < b'));
  const refused = await signedPost(api, 'Action=DescribeLoadBalancers&Version=2012-06-01');
  assert.equal(refused.status, 400);
  assert.equal(
    await refused.text(),
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
      '<ErrorResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2012-06-01/"><Error><Type>Sender</Type>' +
      '<Code>LoadBalancerNotFound</Code><Message>a &lt; b</Message></Error>' +
      `<RequestId>${refused.headers.get('x-amzn-requestid')}</RequestId></ErrorResponse>\n`,
  );
});

test('API server: who did not sign learns nothing about what there is', async (context) => {
  const api = await startTestApi(context, { withheld: 'CreateTrustStore' });
  const told = new Set<string>();
  for (const action of ['DescribeLoadBalancers', 'CreateTrustStore', 'NoSuchAction', '']) {
    for (const body of [`Action=${action}&Version=2015-12-01&PageSize=x`, '%']) {
      const response = await fetch(api.url, { method: 'POST', body, headers: { 'content-type': formType } });
      told.add((await response.text()).replace(/<RequestId>.*<\/RequestId>/, ''));
      assert.equal(response.status, 403);
    }
  }
  assert.equal(told.size, 1);
  assert.match([...told][0]!, /doc\/2015-12-01\/".*<Code>MissingAuthenticationToken<\/Code>/);
  assert.equal(api.calls.length, 0);
});

test('API server: a wrong secret, an unknown key and another region are refused as the SDK expects', async (context) => {
  const api = await startTestApi(context);
  const nameFor = async (settings: { secret?: string; id?: string; region?: string }) => {
    const client = new ElasticLoadBalancingV2Client({
      endpoint: api.url,
      region: settings.region ?? region,
      credentials: {
        accessKeyId: settings.id ?? accessKeyId,
        secretAccessKey: settings.secret ?? secretAccessKey,
      },
      maxAttempts: 1,
    });
    try {
      await client.send(new DescribeLoadBalancersCommand({}));
      return 'OK';
    } catch (error) {
      return (error as Error).name;
    } finally {
      client.destroy();
    }
  };
  assert.equal(await nameFor({}), 'OK');
  assert.equal(await nameFor({ secret: 'wrong' }), 'SignatureDoesNotMatch');
  assert.equal(await nameFor({ id: 'BALLASTTESTKEY000002' }), 'InvalidClientTokenId');
  assert.equal(await nameFor({ region: 'us-east-1' }), 'SignatureDoesNotMatch');
  assert.deepEqual(api.server.stats().authenticationFailures, { SignatureDoesNotMatch: 2, InvalidClientTokenId: 1 });
});

interface RequestPresigner {
  presign(
    request: object,
    options: { readonly expiresIn: number },
  ): Promise<{ readonly query?: Record<string, string> }>;
}

/** A presigned URL, made by the SDK's own signer. */
async function presign(api: TestApi, query: Record<string, string>, expiresIn: number, method = 'GET'): Promise<URL> {
  // Its type names what the SDK itself uses; the signer can presign too.
  const signer = (await api.v2.config.signer()) as unknown as RequestPresigner;
  const { port } = new URL(api.url);
  const signed = await signer.presign(
    {
      method,
      protocol: 'http:',
      hostname: '127.0.0.1',
      port: Number(port),
      path: '/',
      query,
      headers: { host: `127.0.0.1:${port}` },
    },
    { expiresIn },
  );
  const url = new URL(api.url);
  for (const [name, value] of Object.entries(signed.query ?? {})) url.searchParams.append(name, value);
  return url;
}

test('API server: a presigned GET works until it expires, and not when it was altered', async (context) => {
  let aheadMs = 0;
  const clock = { ...systemClock, wallMs: () => systemClock.wallMs() + aheadMs };
  const api = await startTestApi(context, { clock });
  const query = { Action: 'DescribeLoadBalancers', Version: '2015-12-01', 'Names.member.1': "a b*'(c)~é/+&=" };
  const url = await presign(api, query, 24 * 3600);
  assert.equal(await codeOf(await fetch(url)), '200 OK');
  assert.deepEqual(api.calls[0]?.input, { Names: ["a b*'(c)~é/+&="] });

  aheadMs = 23 * 3600_000;
  assert.equal(await codeOf(await fetch(url)), '200 OK');
  aheadMs = 24 * 3600_000 + 2_000;
  assert.equal(await codeOf(await fetch(url)), '400 RequestExpired');
  aheadMs = -16 * 60_000;
  assert.equal(await codeOf(await fetch(url)), '403 SignatureDoesNotMatch');
  aheadMs = 0;

  const altered = (name: string, value: string) => {
    const other = new URL(url);
    other.searchParams.set(name, value);
    return fetch(other).then(codeOf);
  };
  assert.equal(await altered('Action', 'DeleteLoadBalancer'), '403 SignatureDoesNotMatch');
  assert.equal(await altered('More', ''), '403 SignatureDoesNotMatch');
  assert.equal(await altered('X-Amz-Expires', '604800'), '403 SignatureDoesNotMatch');
  assert.equal(await altered('X-Amz-Expires', '604801'), '400 IncompleteSignature');
  assert.equal(await altered('X-Amz-Expires', '0'), '400 IncompleteSignature');
  assert.equal(await altered('X-Amz-Algorithm', 'AWS4-ECDSA-P256-SHA256'), '400 IncompleteSignature');
  assert.equal(await altered('X-Amz-Security-Token', 'token'), '403 InvalidClientTokenId');
  const twice = await fetch(url, { headers: signHeaders({ method: 'GET', url, body: '' }) });
  assert.equal(await codeOf(twice), '400 IncompleteSignature');
  assert.equal(api.calls.length, 2);
});

test('API server: parameters are in the body, or in the query when there is no body, and never in both', async (context) => {
  const api = await startTestApi(context);
  const url = new URL(`${api.url}?${describe}&Names.member.1=a`);
  const get = await fetch(url, { headers: signHeaders({ method: 'GET', url, body: '' }) });
  assert.equal(await codeOf(get), '200 OK');
  // As boto3 presigns when it is not told a method.
  const query = { Action: 'DescribeLoadBalancers', Version: '2015-12-01', 'Names.member.1': 'a' };
  assert.equal(await codeOf(await fetch(await presign(api, query, 60, 'POST'), { method: 'POST' })), '200 OK');
  assert.deepEqual(
    api.calls.map(({ input }) => input),
    [{ Names: ['a'] }, { Names: ['a'] }],
  );
  const headers = signHeaders({ method: 'POST', url, body: describe, headers: { 'content-type': formType } });
  assert.equal(await codeOf(await fetch(url, { method: 'POST', headers, body: describe })), '400 MalformedInput');
  const bare = new URL(api.url);
  const withBody = signHeaders({ method: 'GET', url: bare, body: describe, headers: { 'content-type': formType } });
  const getWithBody = await answerOf(bare, { method: 'GET', headers: withBody, chunks: [describe] });
  assert.equal(await codeOf(getWithBody), '400 MalformedInput');
  assert.equal(api.calls.length, 2);
});

test('API server: what is not there, or not offered yet, is said plainly', async (context) => {
  const api = await startTestApi(context, { withheld: 'CreateTrustStore' });
  const messageOf = async (body: string) => {
    const xml = await (await signedPost(api, body)).text();
    return /<Code>(.*)<\/Code><Message>(.*)<\/Message>/.exec(xml)?.slice(1).join(': ') ?? xml;
  };
  assert.equal(await messageOf('Version=2015-12-01'), 'MissingAction: the request names no Action');
  assert.equal(
    await messageOf('Action=DescribeRules&Version=2012-06-01'),
    "InvalidAction: Could not find operation 'DescribeRules' for version '2012-06-01'",
  );
  assert.match(await messageOf('Action=DescribeRules'), /^InvalidAction: .* for version 'NO_VERSION_SPECIFIED'; there/);
  assert.match(await messageOf('Action=__proto__&Version=2015-12-01'), /^InvalidAction: Could not find operation/);
  assert.match(
    await messageOf('Action=CreateTrustStore&Version=2015-12-01'),
    /^InvalidAction: CreateTrustStore .* does not offer it yet/,
  );
  assert.equal(api.calls.length, 0);
});

test('API server: requests of the wrong kind are refused, each with its reason', async (context) => {
  const api = await startTestApi(context);
  const codeFor = async (body: string | Uint8Array, type?: string) =>
    codeOf(await signedPost(api, body, { 'content-type': type ?? formType }));
  assert.equal(await codeFor(describe, 'application/json'), '400 MalformedInput');
  assert.equal(await codeFor(describe, `${formType}; charset=utf-8`), '200 OK');
  assert.equal(await codeFor(describe, formType.toUpperCase()), '200 OK');
  assert.equal(await codeFor(Uint8Array.of(0x41, 0xff)), '400 MalformedInput');
  assert.equal(await codeFor(`${describe}&Marker=%ff`), '400 MalformedInput');
  assert.equal(await codeFor(`${describe}&Action=DeleteLoadBalancer`), '400 MalformedInput');
  const url = new URL(api.url);
  const put = await fetch(url, { method: 'PUT', headers: signHeaders({ method: 'PUT', url, body: '' }) });
  assert.equal(await codeOf(put), '400 InvalidAction');
  assert.equal(await codeOf(await fetch(new URL('/other', url))), '400 InvalidAction');
});

/** Sends what `fetch` would not: a GET with a body, a body in pieces. */
async function answerOf(
  url: URL,
  sent: {
    readonly method: string;
    readonly headers: Record<string, string | string[]>;
    readonly chunks: Iterable<string>;
  },
): Promise<Response> {
  const outgoing = httpRequest(url, { method: sent.method, headers: sent.headers });
  const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
  outgoing.setHeader('transfer-encoding', 'chunked');
  for (const chunk of sent.chunks) outgoing.write(chunk);
  outgoing.end();
  const [response] = await answered;
  return new Response(await text(response), { status: response.statusCode! });
}

test('API server: a header that comes twice is two headers to the signature', async (context) => {
  const api = await startTestApi(context);
  const url = new URL(`${api.url}?${describe}`);
  const headers = signHeaders({ method: 'GET', url, body: '', headers: { 'x-amz-meta': 'a' } });
  const codeFor = async (meta: string[]) =>
    codeOf(await answerOf(url, { method: 'GET', headers: { ...headers, 'x-amz-meta': meta }, chunks: [] }));
  assert.equal(await codeFor(['a']), '200 OK');
  assert.equal(await codeFor(['a', 'a']), '403 SignatureDoesNotMatch');
});

test('API server: a body of a mebibyte is taken, and one that is longer is answered, however it comes', async (context) => {
  const api = await startTestApi(context);
  const filled = describe.padEnd(1024 * 1024, '&');
  // So many empty parameters are too many; but the signature was checked over all of them.
  assert.equal(await codeOf(await signedPost(api, filled)), '400 MalformedInput');
  assert.equal(await codeOf(await signedPost(api, `${filled}&`)), '413 RequestEntityTooLarge');
  const chunks = Array.from({ length: 8 }, () => 'a'.repeat(1024 * 1024));
  const headers = { 'content-type': formType };
  const response = await answerOf(new URL(api.url), { method: 'POST', headers, chunks });
  assert.equal(await codeOf(response), '413 RequestEntityTooLarge');
});

test('API server: a bug is answered with InternalFailure and logged, without telling the client or the log a secret', async (context) => {
  const api = await startTestApi(context);
  api.execute = async () => {
    throw new Error('a law does not hold');
  };
  const response = await signedPost(api, `${describe}&Marker=customers-secret`);
  assert.equal(response.status, 500);
  const body = await response.text();
  assert.match(body, /<Type>Receiver<\/Type><Code>InternalFailure<\/Code>/);
  assert.doesNotMatch(body, /law|\.ts|at /);
  const [line = ''] = api.logged;
  assert.match(line, /DescribeLoadBalancers by 000000000001\/admin.*a law does not hold/);
  assert(line.includes(response.headers.get('x-amzn-requestid')!));
  assert(!line.includes('customers-secret') && !line.includes(secretAccessKey));

  api.execute = async () => accept({ LoadBalancers: 'not a list' });
  assert.equal(await codeOf(await signedPost(api, describe)), '500 InternalFailure');
});

test('API server: requests are counted by action and code, and a made-up action makes up no name', async (context) => {
  const api = await startTestApi(context);
  await signedPost(api, describe);
  await signedPost(api, describe);
  await signedPost(api, `${describe}&PageSize=x`);
  await signedPost(api, 'Action=MadeUp&Version=2015-12-01');
  await fetch(api.url);
  assert.deepEqual(api.server.stats(), {
    requests: [
      { action: 'DescribeLoadBalancers', code: 'OK', count: 2 },
      { action: 'DescribeLoadBalancers', code: 'MalformedInput', count: 1 },
      { action: '', code: 'InvalidAction', count: 1 },
      { action: '', code: 'MissingAuthenticationToken', count: 1 },
    ],
    authenticationFailures: { MissingAuthenticationToken: 1 },
  });
});

test('API server: a client that breaks off in the middle of its body harms nobody', async (context) => {
  const api = await startTestApi(context);
  const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
  await once(socket, 'connect');
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nAction=');
  socket.resetAndDestroy();
  await once(socket, 'close');
  assert.equal(await codeOf(await signedPost(api, describe)), '200 OK');
});

test('API server: closing waits for the running request, and takes no other', async (context) => {
  const api = await startTestApi(context);
  const decided = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  api.execute = async () => {
    reached.resolve();
    await decided.promise;
    return accept({ NextMarker: 'm' });
  };
  const running = signedPost(api, describe);
  await reached.promise;
  const closed = api.server.close();
  await assert.rejects(fetch(api.url));
  decided.resolve();
  const response = await running;
  assert.equal(response.headers.get('connection'), 'close');
  assert.match(await response.text(), /<NextMarker>m<\/NextMarker>/);
  await closed;
});

test('API server: an address that is taken is a rejection with the code of the system', async (context) => {
  const api = await startTestApi(context);
  const port = Number(new URL(api.url).port);
  const options = { host: '127.0.0.1', port } as Parameters<typeof startApiServer>[0];
  await assert.rejects(startApiServer({ ...options, clock: systemClock, lookupKey: () => undefined }), {
    code: 'EADDRINUSE',
  });
});
