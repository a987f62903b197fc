import assert from 'node:assert/strict';
import test from 'node:test';
import { DescribeLoadBalancersCommand, ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import fc from 'fast-check';
import { systemClock } from '#io/clock.ts';
import { RefusalLog } from './refusal-log.ts';
import { accessKeyId, region, secretAccessKey, signedPost, signHeaders, startTestApi } from './test-api.ts';
import { classOf, rates, Throttle } from './throttle.ts';

const one = { principal: '000000000001/one', account: '000000000001' };
const other = { principal: '000000000002/other', account: '000000000002' };

test('throttle: a burst, then the rate, for each principal and class alone', () => {
  const throttle = new Throttle(100);
  const { burst, perSecond } = rates.write;
  const takes = (count: number, nowMs: number, caller = one, action = 'CreateRule') =>
    Array.from({ length: count }, () => throttle.take(caller, action, nowMs)).filter((refused) => refused === undefined)
      .length;
  assert.equal(takes(burst + 10, 0), burst);
  assert.equal(throttle.take(one, 'CreateRule', 0)!.code, 'Throttling');
  assert.match(throttle.take(one, 'CreateRule', 0)!.message, /the principal may make 50 requests of the class write/);
  assert.equal(takes(10, 0, one, 'DescribeRules'), 10, 'reads are another class');
  assert.equal(takes(10, 0, other), 10, 'and others another bucket');
  assert.equal(takes(2 * perSecond, 1_000), perSecond);
  assert.equal(takes(burst + 10, 1_000_000), burst, 'never more than the burst');
});

test('throttle: the principals of an account share what the account may ask for', () => {
  const throttle = new Throttle(100);
  let allowed = 0;
  let refused: string | undefined;
  for (let principal = 0; principal < 10; principal += 1) {
    for (let count = 0; count < rates.write.burst; count += 1) {
      const found = throttle.take({ ...one, principal: `000000000001/${principal}` }, 'CreateRule', 0);
      if (found === undefined) allowed += 1;
      else refused = found.message;
    }
  }
  assert.equal(allowed, rates.write.burst * 4);
  assert.match(refused!, /the account may make 200 requests/);
});

test('throttle: whatever is asked when, no window gets more than burst and rate allow', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 400 }), { maxLength: 300 }), (gaps) => {
      const throttle = new Throttle(2);
      const burst = rates.write.burst * 0.02;
      const perSecond = rates.write.perSecond * 0.02;
      const times: number[] = [];
      let nowMs = 0;
      for (const gap of gaps) {
        nowMs += gap;
        if (throttle.take(one, 'CreateRule', nowMs) === undefined) times.push(nowMs);
      }
      for (const [first, from] of times.entries()) {
        for (const [last, to] of times.entries()) {
          if (last < first) continue;
          assert(last - first + 1 <= burst + ((to - from) / 1_000) * perSecond + 1e-6);
        }
      }
    }),
    { numRuns: 50 },
  );
});

test('throttle: 0 percent lets everything through, and callers beyond number are forgotten', () => {
  const off = new Throttle(0);
  for (let count = 0; count < 10_000; count += 1) assert.equal(off.take(one, 'CreateRule', 0), undefined);
  const throttle = new Throttle(100);
  for (let count = 0; count < 30_000; count += 1) {
    assert.equal(throttle.take({ principal: `${count}`, account: `account ${count}` }, 'CreateRule', 0), undefined);
  }
  assert.deepEqual(
    ['RegisterTargets', 'DeregisterTargets', 'DescribeRules', 'GetCertificate', 'ListCertificates', 'SetSubnets'].map(
      classOf,
    ),
    ['registration', 'registration', 'read', 'read', 'read', 'write'],
  );
});

test('throttling: the official client is told, and its retries succeed', async (context) => {
  const api = await startTestApi(context, { requestRatePercent: 1 });
  const client = new ElasticLoadBalancingV2Client({
    endpoint: api.url,
    region,
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 1,
  });
  const patient = new ElasticLoadBalancingV2Client({
    endpoint: api.url,
    region,
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 20,
  });
  context.after(() => {
    client.destroy();
    patient.destroy();
  });
  const command = () => new DescribeLoadBalancersCommand({});
  const codes: string[] = [];
  for (let count = 0; count < 15; count += 1) {
    await client.send(command()).then(
      () => codes.push('OK'),
      (error: Error & { $metadata: { httpStatusCode: number } }) =>
        codes.push(`${error.name} ${error.$metadata.httpStatusCode}`),
    );
  }
  assert.equal(codes[0], 'OK');
  assert.equal(codes.at(-1), 'Throttling 400');
  await Promise.all([patient.send(command()), patient.send(command()), patient.send(command())]);
  assert(
    api.server.stats().requests.some(({ action, code }) => action === 'DescribeLoadBalancers' && code === 'Throttling'),
  );
});

test('refused requests are in the log, once for each key and reason, without what is secret', async (context) => {
  const api = await startTestApi(context);
  const form = 'Action=DescribeLoadBalancers&Version=2015-12-01';
  await signedPost(api, form);
  const wrong = (keyId: string) =>
    fetch(api.url, {
      method: 'POST',
      body: form,
      headers: signHeaders({
        method: 'POST',
        url: new URL(api.url),
        body: form,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        keyId,
        secret: 'guessed secret',
      }),
    });
  for (let count = 0; count < 5; count += 1) await wrong(accessKeyId);
  await wrong('UNKNOWNKEY00000000');
  await fetch(api.url, { method: 'POST', body: form });
  assert.deepEqual(api.logged, [
    `a request was refused: SignatureDoesNotMatch with ${accessKeyId} from 127.0.0.1`,
    'a request was refused: InvalidClientTokenId with UNKNOWNKEY00000000 from 127.0.0.1',
    'a request was refused: MissingAuthenticationToken with no access key from 127.0.0.1',
  ]);
});

test('refused requests: after a minute it is said how often, and strangers cannot fill the log', () => {
  const logged: string[] = [];
  let nowMs = 0;
  const write = (line: string) => void logged.push(line);
  const clock = { ...systemClock, monotonicMs: () => nowMs };
  const refusals = new RefusalLog(clock, { info: write, warn: write, error: write });
  for (let count = 0; count < 500; count += 1) {
    refusals.note({ code: 'X', accessKeyId: `AKID${String(count).padStart(12, '0')}`, from: 'a' });
    refusals.note({ code: 'Y', accessKeyId: 'AKIDAKIDAKIDAKID', from: 'a' });
  }
  assert(
    logged.length <= 101 && logged.every((line) => line.length < 120 && !line.includes('\n')),
    logged.slice(0, 3).join(' '),
  );
  nowMs = 60_001;
  refusals.note({ code: 'Z', accessKeyId: undefined, from: 'a' });
  for (const secret of ['wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', 'key\nkey', 'A'.repeat(1_000)]) {
    refusals.note({ code: 'Z', accessKeyId: secret, from: 'a' });
  }
  assert.equal(logged.at(-1), 'a request was refused: Z with a malformed access key id from a');
  assert(logged.includes('requests were refused 500 times within a minute: Y with AKIDAKIDAKIDAKID from a'));
  assert(
    logged.some((line) => /^4\d\d more requests were refused within a minute$/.test(line)),
    logged.slice(-3).join(' '),
  );
});
