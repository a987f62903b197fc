/** CloudWatch's API on a running Ballast, through its clients and in all of its protocols: it says what was sent. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { Agent } from 'node:http';
import test from 'node:test';
import { promisify } from 'node:util';
import {
  CloudWatchClient,
  type CloudWatchClientConfig,
  type Dimension,
  GetMetricDataCommand,
  GetMetricStatisticsCommand,
  ListMetricsCommand,
  type Metric,
  paginateListMetrics,
} from '@aws-sdk/client-cloudwatch';
import { CreateRuleCommand, DescribeListenersCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { SmithyRpcV2CborProtocol } from '@smithy/core/cbor';
import { signHeaders } from '#api/test-api.ts';
import { type RunningBallast, until } from './running-ballast.ts';
import { makeService, port, running, someTargets } from './service.ts';
import { send } from './traffic.ts';

const namespace = 'AWS/ApplicationELB';
const defaultNamespace = 'com.amazonaws.cloudwatch';

function cloudWatch({ report, credentials }: RunningBallast, more: Partial<CloudWatchClientConfig> = {}) {
  const { apiEndpoint: endpoint, region } = report;
  return new CloudWatchClient({ endpoint, region, credentials, maxAttempts: 1, ...more });
}

/** From long before the test to long after it. */
function around(nowMs: number) {
  return { StartTime: new Date(nowMs - 600_000), EndTime: new Date(nowMs + 600_000) };
}

const byText = (one: string, other: string) => (one < other ? -1 : 1);
const textOf = ({ MetricName, Dimensions }: Metric) =>
  `${MetricName} ${Dimensions!.map(({ Name, Value }) => `${Name}=${Value}`).join(' ')}`;

test('metrics: CloudWatch says what was sent, in every protocol, and in zones what it says in all', async (context) => {
  const targets = await someTargets(context, 2);
  const ballast = await running(context, ['--metrics-interval-seconds', '1', '--nodes', '2', '--workers', '2']);
  const elb = ballast.client();
  const service = await makeService(ballast, 'web', targets);
  const { Listeners } = await elb.send(new DescribeListenersCommand({ LoadBalancerArn: service.loadBalancerArn }));
  const { ListenerArn } = Listeners![0]!;
  const rule = (Priority: number, path: string, action: object) =>
    elb.send(
      new CreateRuleCommand({
        ListenerArn,
        Priority,
        Conditions: [{ Field: 'path-pattern', Values: [path] }],
        Actions: [action as never],
      }),
    );
  await rule(1, '/fixed', { Type: 'fixed-response', FixedResponseConfig: { StatusCode: '418' } });
  await rule(2, '/moved', { Type: 'redirect', RedirectConfig: { StatusCode: 'HTTP_301', Path: '/elsewhere' } });
  await until(
    async () => (await send({ host: service.addresses[0]!, port, path: '/moved' })).status === 301,
    'the rules are in service',
  );

  const clients = { json: cloudWatch(ballast), cbor: cloudWatch(ballast, cborProtocol) };
  context.after(() => {
    for (const client of [elb, ...Object.values(clients)]) client.destroy();
  });
  const LoadBalancer = service.loadBalancerArn.split('loadbalancer/')[1]!;
  const TargetGroup = service.targetGroupArn.split(':').at(-1)!;
  const of = (dimensions: Record<string, string>): Dimension[] =>
    Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
  const balancer = of({ LoadBalancer });
  const statistics = (MetricName: string, Dimensions: Dimension[], Statistics: string[] = ['Sum']) => ({
    Namespace: namespace,
    MetricName,
    Dimensions,
    Statistics: Statistics as never,
    Period: 60,
    ...around(Date.now()),
  });
  const read = async (MetricName: string, Dimensions = balancer, statistic = 'Sum', client = clients.json) => {
    const found = await client.send(new GetMetricStatisticsCommand(statistics(MetricName, Dimensions, [statistic])));
    return found.Datapoints!.reduce((sum, point) => sum + (point as Record<string, number>)[statistic]!, 0);
  };

  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  context.after(() => agent.destroy());
  for (let each = 0; each < 60; each += 1) {
    const host = service.addresses[each % service.addresses.length]!;
    const path = each % 6 === 0 ? '/fixed' : '/';
    const { status } = await send({ host, port, path, agent, method: 'POST', body: 'x'.repeat(100) });
    assert.equal(status, each % 6 === 0 ? 418 : 200);
  }
  await until(async () => (await read('RequestCount')) >= 50, 'it is measured');
  await until(async () => (await read('HTTP_Fixed_Response_Count')) >= 10, 'all of it');
  assert.equal(await read('RequestCount'), 50);
  assert.equal(await read('HTTPCode_Target_2XX_Count'), 50);
  assert.equal(await read('HTTP_Fixed_Response_Count'), 10);
  assert.equal(await read('HTTPCode_ELB_4XX_Count'), 10);
  assert.equal(await read('TargetResponseTime', balancer, 'SampleCount'), 50);
  assert((await read('ProcessedBytes')) > 60 * 100);
  assert((await read('RuleEvaluations')) > 60);
  assert.equal(await read('HTTPCode_Target_5XX_Count'), 0);
  const prometheus = await ballast.metrics();
  const counted = [...prometheus.matchAll(/^ballast_target_requests_total\{[^}]*\} (\d+)$/gm)];
  assert.equal(
    counted.reduce((sum, [, count]) => sum + Number(count), 0),
    50,
  );

  // The zones, and the target group, add up to the whole.
  const listed: Metric[] = [];
  for await (const page of paginateListMetrics({ client: clients.json }, { Namespace: namespace }))
    listed.push(...page.Metrics!);
  const zones = listed.flatMap(({ MetricName, Dimensions }) =>
    MetricName === 'RequestCount' && Dimensions!.length === 2 && Dimensions![0]!.Name === 'AvailabilityZone'
      ? [Dimensions![0]!.Value!]
      : [],
  );
  assert.equal(zones.length, 2);
  let inZones = 0;
  for (const AvailabilityZone of zones) inZones += await read('RequestCount', of({ AvailabilityZone, LoadBalancer }));
  assert.equal(inZones, 50);
  const group = of({ LoadBalancer, TargetGroup });
  assert.equal(await read('RequestCount', group), 50);
  assert.equal(await read('RequestCountPerTarget', of({ TargetGroup })), 25);

  // Everything that is listed has values, and in each protocol the same.
  const queries = listed.map((Metric, index) => ({
    Id: `m${index}`,
    MetricStat: { Metric, Period: 300, Stat: Metric.MetricName === 'TargetResponseTime' ? 'p99' : 'Maximum' },
  }));
  const input = { MetricDataQueries: queries, ...around(Date.now()) };
  const answers = await Promise.all(
    Object.values(clients).map((client) => client.send(new GetMetricDataCommand(input))),
  );
  for (const { MetricDataResults } of answers) {
    assert.equal(MetricDataResults!.length, listed.length);
    for (const [index, { Values, Timestamps, StatusCode }] of MetricDataResults!.entries()) {
      assert(Values!.length > 0, textOf(listed[index]!));
      assert(Timestamps!.every((time) => time instanceof Date && time.getTime() % 300_000 === 0));
      assert.equal(StatusCode, 'Complete');
    }
  }
  const hosts = await clients.cbor.send(
    new GetMetricStatisticsCommand(statistics('HealthyHostCount', group, ['Maximum', 'Minimum', 'Average'])),
  );
  assert.equal(hosts.Datapoints!.at(-1)!.Maximum, 2);
  assert.equal(hosts.Datapoints!.at(-1)!.Unit, 'Count');
  for (const [protocol, client] of Object.entries(clients)) {
    assert.equal(await read('RequestCount', balancer, 'Sum', client), 50, protocol);
    const { Metrics } = await client.send(new ListMetricsCommand({ Namespace: namespace, Dimensions: balancer }));
    assert.deepEqual(Metrics!.map(textOf).sort(byText), listed.filter(isOf(LoadBalancer)).map(textOf).sort(byText));
  }
  const [dimension] = balancer;
  const form = {
    Action: 'GetMetricStatistics',
    Version: '2010-08-01',
    Namespace: namespace,
    MetricName: 'RequestCount',
    'Dimensions.member.1.Name': dimension!.Name!,
    'Dimensions.member.1.Value': dimension!.Value!,
    'Statistics.member.1': 'Sum',
    Period: '3600',
    StartTime: around(Date.now()).StartTime.toISOString(),
    EndTime: around(Date.now()).EndTime.toISOString(),
  };
  const xml = await signedForm(ballast, form);
  const sums = [...(await xml.text()).matchAll(/<Sum>([\d.]+)<\/Sum>/g)].map(([, sum]) => Number(sum));
  assert.equal(
    sums.reduce((one, other) => one + other, 0),
    50,
  );
  await commandLine(context, ballast, { listed, LoadBalancer });
});

const cborProtocol: Partial<CloudWatchClientConfig> = {
  protocol: SmithyRpcV2CborProtocol as never,
  protocolSettings: { defaultNamespace, serviceTarget: 'GraniteServiceVersion20100801' },
} as never;

function isOf(loadBalancer: string) {
  return ({ Dimensions }: Metric) => Dimensions!.some(({ Value }) => Value === loadBalancer);
}

/** A call in the query protocol. */
function signedForm(ballast: RunningBallast, form: Readonly<Record<string, string>>): Promise<Response> {
  const { accessKeyId: keyId, secretAccessKey: secret } = ballast.credentials;
  const { apiEndpoint, region } = ballast.report;
  const url = new URL(apiEndpoint);
  const body = new URLSearchParams(form).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const scope = `${region}/monitoring/aws4_request`;
  const signed = signHeaders({ method: 'POST', url, body, headers, scope, keyId, secret });
  return fetch(url, { method: 'POST', body, headers: signed });
}

/** The AWS CLI, where it is installed. */
async function commandLine(
  context: test.TestContext,
  ballast: RunningBallast,
  { listed, LoadBalancer }: { readonly listed: readonly Metric[]; readonly LoadBalancer: string },
): Promise<void> {
  if (spawnSync('aws', ['--version']).status !== 0) return context.diagnostic('the AWS CLI is not installed');
  const { accessKeyId, secretAccessKey } = ballast.credentials;
  const aws = async (...args: readonly string[]) => {
    const all = ['--endpoint-url', ballast.report.apiEndpoint, '--output', 'json', 'cloudwatch', ...args];
    const { stdout } = await promisify(execFile)('aws', all, {
      env: {
        ...process.env,
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        AWS_DEFAULT_REGION: ballast.report.region,
        AWS_EC2_METADATA_DISABLED: 'true',
      },
    });
    return JSON.parse(stdout) as Record<string, readonly Record<string, unknown>[]>;
  };
  const { Metrics } = await aws('list-metrics', '--namespace', namespace);
  assert.deepEqual((Metrics as readonly Metric[]).map(textOf).sort(byText), listed.map(textOf).sort(byText));
  const { StartTime, EndTime } = around(Date.now());
  const { Datapoints } = await aws(
    'get-metric-statistics',
    ...['--namespace', namespace, '--metric-name', 'RequestCount', '--statistics', 'Sum', '--period', '60'],
    ...['--dimensions', `Name=LoadBalancer,Value=${LoadBalancer}`],
    ...['--start-time', StartTime.toISOString(), '--end-time', EndTime.toISOString()],
  );
  assert.equal(
    Datapoints!.reduce((sum, { Sum }) => sum + (Sum as number), 0),
    50,
  );
}
