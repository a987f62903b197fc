/** What the tests of this folder share: an API server with a recording `execute`, SDK clients, and a signer by hand. */
import { createHash, createHmac } from 'node:crypto';
import type { TestContext } from 'node:test';
import * as classic from '@aws-sdk/client-elastic-load-balancing';
import * as elbv2 from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, type Result } from '#base/result.ts';
import type { ApiCall } from '#control/execute.ts';
import { type Clock, systemClock } from '#io/clock.ts';
import type { Log } from '#io/log.ts';
import { systemRandom } from '#io/random.ts';
import type { Fault } from '#model/fault.ts';
import { type ApiServer, startApiServer } from './server.ts';

export const region = 'eu-test-1';
export const accessKeyId = 'BALLASTTESTKEY000001';
export const secretAccessKey = 'a secret that must never be seen anywhere';
export const holder = { secret: secretAccessKey, principal: '000000000001/admin', account: '000000000001' };

/** The principal behind the key, as the state has it. */
export const holderDocument = { account: holder.account, name: holder.principal.split('/')[1]!, createdAtMs: 0 };

export interface TestApi {
  readonly server: ApiServer;
  readonly url: string;
  /** The calls that reached the decisions. */
  readonly calls: ApiCall[];
  readonly logged: string[];
  /** What the decisions answer from now on; an empty structure at first. */
  execute: (call: ApiCall) => Promise<Result<unknown, Fault>>;
  readonly v2: elbv2.ElasticLoadBalancingV2Client;
  readonly classic: classic.ElasticLoadBalancingClient;
}

export async function startTestApi(
  context: TestContext,
  options: { readonly clock?: Clock; readonly withheld?: string; readonly requestRatePercent?: number } = {},
): Promise<TestApi> {
  const calls: ApiCall[] = [];
  const logged: string[] = [];
  const write = (sentence: string) => void logged.push(sentence);
  const log: Log = { info: write, warn: write, error: write };
  const server = await startApiServer({
    host: '127.0.0.1',
    port: 0,
    findDownload: () => undefined,
    requestRatePercent: options.requestRatePercent ?? 0,
    region,
    offers: (_version, action) => action !== options.withheld,
    execute: async (call) => {
      calls.push(call);
      const answer = await api.execute(call);
      return answer.ok ? accept({ output: answer.value }) : answer;
    },
    lookupKey: (id) => (id === accessKeyId ? holder : undefined),
    clock: options.clock ?? systemClock,
    random: systemRandom,
    log,
  });
  const url = `http://127.0.0.1:${server.port}/`;
  const settings = { endpoint: url, region, credentials: { accessKeyId, secretAccessKey }, maxAttempts: 1 };
  const api: TestApi = {
    server,
    url,
    calls,
    logged,
    execute: async () => accept({}),
    v2: new elbv2.ElasticLoadBalancingV2Client(settings),
    classic: new classic.ElasticLoadBalancingClient(settings),
  };
  context.after(async () => {
    api.v2.destroy();
    api.classic.destroy();
    await server.close();
  });
  return api;
}

export const formType = 'application/x-www-form-urlencoded';

/** A POST of the form, signed by hand from the published algorithm. */
export function signedPost(
  api: TestApi,
  body: string | Uint8Array,
  headers: Record<string, string> = { 'content-type': formType },
): Promise<Response> {
  const signed = signHeaders({ method: 'POST', url: new URL(api.url), body, headers });
  return fetch(api.url, { method: 'POST', body: body as BodyInit, headers: signed });
}

/** Adds `x-amz-date` and `authorization` to the headers; all that are given are signed, and the host. */
export function signHeaders(request: {
  readonly method: string;
  readonly url: URL;
  readonly body: string | Uint8Array;
  readonly headers?: Record<string, string>;
  /** `YYYYMMDDTHHMMSSZ`; now when it is not given. */
  readonly signedAt?: string;
  /** Without the date, which is that of `signedAt`. */
  readonly scope?: string;
  readonly keyId?: string;
  readonly secret?: string;
}): Record<string, string> {
  const { method, url, body, headers = {}, scope = `${region}/elasticloadbalancing/aws4_request` } = request;
  const { keyId = accessKeyId, secret = secretAccessKey } = request;
  const signedAt = request.signedAt ?? new Date().toISOString().replace(/[-:]|\.\d{3}/g, '');
  const signed: Record<string, string> = { 'x-amz-date': signedAt, ...headers };
  const canonicalHeaders = Object.entries({ ...signed, host: url.host }).sort(([a], [b]) => (a < b ? -1 : 1));
  const names = canonicalHeaders.map(([name]) => name).join(';');
  const query = [...url.searchParams]
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .sort()
    .join('&');
  const lines = canonicalHeaders.map(([name, value]) => `${name}:${value}\n`).join('');
  const canonical = `${method}\n${url.pathname}\n${query}\n${lines}\n${names}\n${sha256(body)}`;
  const fullScope = `${signedAt.slice(0, 8)}/${scope}`;
  const text = `AWS4-HMAC-SHA256\n${signed['x-amz-date']}\n${fullScope}\n${sha256(canonical)}`;
  const key = fullScope.split('/').reduce<string | Buffer>((each, part) => hmac(each, part), `AWS4${secret}`);
  const signature = hmac(key, text).toString('hex');
  return {
    ...signed,
    authorization: `AWS4-HMAC-SHA256 Credential=${keyId}/${fullScope}, SignedHeaders=${names}, Signature=${signature}`,
  };
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex');
}
