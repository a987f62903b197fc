import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import {
  CreateLoadBalancerCommand,
  DescribeLoadBalancersCommand,
  DescribeTagsCommand,
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { testSettings } from '#control/elbv2/test-region.ts';
import { accessKeyId, formType, secretAccessKey, signHeaders } from './test-api.ts';
import { startRegionApi } from './test-region-api.ts';

/** The API over a real journal, and clients of it that ask about a moment. */
async function start(context: TestContext) {
  const { region, url } = await startRegionApi(context);
  const client = (at?: string) => {
    const sdk = new ElasticLoadBalancingV2Client({
      endpoint: url,
      region: testSettings.region,
      credentials: { accessKeyId, secretAccessKey },
      maxAttempts: 1,
    });
    context.after(() => sdk.destroy());
    if (at === undefined) return sdk;
    sdk.middlewareStack.add(
      (next) => (args) => {
        (args.request as { headers: Record<string, string> }).headers['x-ballast-at'] = at;
        return next(args);
      },
      { step: 'build' },
    );
    return sdk;
  };
  const post = async (body: string, headers: Record<string, string>, unsigned: Record<string, string> = {}) => {
    const signed = signHeaders({
      method: 'POST',
      url: new URL(url),
      body,
      headers: { 'content-type': formType, ...headers },
      scope: `${testSettings.region}/elasticloadbalancing/aws4_request`,
    });
    const answer = await fetch(url, { method: 'POST', body, headers: { ...signed, ...unsigned } });
    return { status: answer.status, revision: answer.headers.get('x-ballast-revision'), text: await answer.text() };
  };
  return { region, client, post };
}

const describeAll = 'Action=DescribeLoadBalancers&Version=2015-12-01';

test('x-ballast-at: the official client is answered from the state of a revision or a time', async (context) => {
  const { region, client } = await start(context);
  const arn = await region.loadBalancer('web');
  region.nowMs += 60_000;
  await region.call('AddTags', { ResourceArns: [arn], Tags: [{ Key: 'team', Value: 'video' }] });
  await region.call('DeleteLoadBalancer', { LoadBalancerArn: arn });
  const names = async (at?: string) =>
    (await client(at).send(new DescribeLoadBalancersCommand({}))).LoadBalancers!.map((each) => each.LoadBalancerName);
  assert.deepEqual(await names(), []);
  assert.deepEqual(await names('2'), ['web']);
  assert.deepEqual(await names('4'), []);
  assert.deepEqual(await names('1970-01-01T00:16:59Z'), ['web']);
  assert.deepEqual(await names('1'), []);
  const tags = async (at: string) =>
    (await client(at).send(new DescribeTagsCommand({ ResourceArns: [arn] }))).TagDescriptions![0]!.Tags;
  assert.deepEqual([await tags('2'), await tags('3')], [[], [{ Key: 'team', Value: 'video' }]]);
  await assert.rejects(client().send(new DescribeTagsCommand({ ResourceArns: [arn] })), {
    name: 'LoadBalancerNotFoundException',
  });
});

test('x-ballast-at: another account sees its own past only', async (context) => {
  const { region, client } = await start(context);
  region.account = '222222222222';
  await region.loadBalancer('theirs');
  const { LoadBalancers } = await client('2').send(new DescribeLoadBalancersCommand({}));
  assert.deepEqual(LoadBalancers, []);
});

test('x-ballast-at: nobody knows how targets were', async (context) => {
  const { region, client } = await start(context);
  const group = await region.targetGroup('targets');
  await region.listener(await region.loadBalancer('web'), group);
  await region.register(group, '10.0.0.1');
  const health = async (at?: string) => {
    const answer = await client(at).send(new DescribeTargetHealthCommand({ TargetGroupArn: group }));
    return answer.TargetHealthDescriptions!.map(({ TargetHealth }) => TargetHealth);
  };
  assert.deepEqual(await health(), [{ State: 'healthy' }]);
  assert.deepEqual(await health(`${region.revision}`), [
    { State: 'unavailable', Description: 'How targets were in the past is not recorded' },
  ]);
});

test('x-ballast-at: the answer names the revision, and only when one was asked for', async (context) => {
  const { region, post } = await start(context);
  await region.loadBalancer('web');
  region.nowMs += 60_000;
  await region.targetGroup('targets');
  assert.equal((await post(describeAll, { 'x-ballast-at': '1970-01-01T00:16:59Z' })).revision, '2');
  assert.equal((await post(describeAll, {})).revision, null);
});

test('x-ballast-at: what is wrong with it is said, and a call that writes does not take it', async (context) => {
  const { region, client, post } = await start(context);
  await region.loadBalancer('web');
  const refusals: [at: string, message: string][] = [
    ['3', 'x-ballast-at: there is no revision 3: the last is 2'],
    [
      'soon',
      "x-ballast-at: found 'soon'; allowed: a revision (42), a time (2026-11-23T10:00:00Z), or how long ago (90s, 15m, 2h, 3d)",
    ],
    [
      '1970-01-01',
      'x-ballast-at: 1970-01-01T00:00:00.000Z is before the first revision: it begins at 1970-01-01T00:16:40.000Z',
    ],
  ];
  for (const [at, message] of refusals) {
    await assert.rejects(client(at).send(new DescribeLoadBalancersCommand({})), { name: 'ValidationError', message });
  }
  await assert.rejects(client('1').send(new CreateLoadBalancerCommand({ Name: 'other' })), {
    name: 'ValidationError',
    message: 'x-ballast-at goes with calls that only read; CreateLoadBalancer changes the state',
  });
  assert.equal(region.revision, 2);
  const unsigned = await post(describeAll, {}, { 'x-ballast-at': '1' });
  assert.equal(unsigned.status, 403);
  assert.match(unsigned.text, /the header .*x-ballast-at.* must be signed/);
});
