/** CloudWatch's API in each of its protocols, over metrics that are known. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import {
  CloudWatchClient,
  type Dimension,
  GetMetricDataCommand,
  GetMetricStatisticsCommand,
  type GetMetricStatisticsCommandInput,
  ListMetricsCommand,
  type Metric,
  PutMetricDataCommand,
  paginateGetMetricData,
  paginateListMetrics,
} from '@aws-sdk/client-cloudwatch';
import { SmithyRpcV2CborProtocol } from '@smithy/core/cbor';
import { idOf, testSettings } from '#control/elbv2/test-region.ts';
import { put } from '#model/change.ts';
import { MinuteBook } from '#observe/cloudwatch/minute-book.ts';
import { beganMs, node, type Seen, times } from '#observe/cloudwatch/test-counts.ts';
import { accessKeyId, formType, holder, holderDocument, secretAccessKey, signHeaders } from './test-api.ts';
import { startRegionApi } from './test-region-api.ts';

const minuteMs = 60_000;
const Namespace = 'AWS/ApplicationELB';
const range = { StartTime: new Date(beganMs), EndTime: new Date(beganMs + 60 * minuteMs) };

async function start(context: TestContext) {
  const book = new MinuteBook({ sinceMs: beganMs });
  const { url, region } = await startRegionApi(context, undefined, book);
  const credentials = { accessKeyId, secretAccessKey };
  const settings = { endpoint: url, region: testSettings.region, credentials, maxAttempts: 1 };
  const clients = {
    json: new CloudWatchClient(settings),
    cbor: new CloudWatchClient({ ...settings, protocol: SmithyRpcV2CborProtocol as never }),
  };
  context.after(() => {
    for (const client of Object.values(clients)) client.destroy();
  });
  const query = (form: Readonly<Record<string, string>>, path = '', more: Readonly<Record<string, string>> = {}) => {
    const body = new URLSearchParams({ Version: '2010-08-01', ...form }).toString();
    const scope = `${testSettings.region}/monitoring/aws4_request`;
    const headers = { 'content-type': formType, ...more };
    const to = new URL(path, url);
    return fetch(to, { method: 'POST', body, headers: signHeaders({ method: 'POST', url: to, body, headers, scope }) });
  };
  /** A load balancer whose nodes said these in one minute after the other. */
  const measured = async (name: string, ...minutes: readonly Readonly<Record<string, Seen>>[]) => {
    const loadBalancerArn = await region.loadBalancer(name);
    const targetGroupArn = await region.targetGroup(name);
    const [id, groupId] = [idOf(loadBalancerArn), idOf(targetGroupArn)];
    const told = minutes.map((nodes) =>
      Object.entries(nodes).map(([nodeId, seen]) => [nodeId, node(seen, { id, groupId })] as const),
    );
    const dimensions = { LoadBalancer: `app/${name}/${id}`, TargetGroup: `targetgroup/${name}/${groupId}` };
    return { ...dimensions, loadBalancerArn, told };
  };
  /** What is told of several, minute by minute. */
  const look = (...all: readonly Awaited<ReturnType<typeof measured>>[]) => {
    for (const [index] of all[0]!.told.entries()) {
      const nodes = new Map<string, ReturnType<typeof node>>();
      for (const [id, counts] of all.flatMap(({ told }) => told[index]!)) {
        const known = nodes.get(id);
        const loadBalancers = [...(known?.loadBalancers ?? []), ...counts.loadBalancers];
        nodes.set(id, { ...counts, loadBalancers, hosts: [...(known?.hosts ?? []), ...counts.hosts] });
      }
      book.look(beganMs + (index + 1) * minuteMs, nodes);
    }
  };
  return { ...clients, clients, query, region, measured, look, book };
}

const of = (dimensions: Readonly<Record<string, string>>): Dimension[] =>
  Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));

/** `Dimensions.member.1.Name` and so on. */
const formOf = (name: string, members: readonly object[]) =>
  Object.fromEntries(
    members.flatMap((member, index) =>
      Object.entries(member).map(([part, value]) => [`${name}.member.${index + 1}.${part}`, String(value)]),
    ),
  );

test('monitoring: every statistic comes in every protocol as it was measured, with its unit', async (context) => {
  const { clients, query, measured, look } = await start(context);
  const responseTime = times(10, 20, 30, 400);
  const web = await measured('web', {
    one: { zone: 'a', group: { requests: 30, responseTime }, of: { bytesIn: 1_500, bytesOut: 500 } },
    two: { zone: 'b', group: { requests: 12, withoutTarget: 2 }, of: { bytesIn: 1_000 } },
  });
  look(web);
  const { LoadBalancer, TargetGroup } = web;
  const ask = (more: Partial<GetMetricStatisticsCommandInput>) =>
    ({ Namespace, Dimensions: of({ LoadBalancer }), Period: 60, ...range, ...more }) as GetMetricStatisticsCommandInput;
  const Statistics = ['Sum', 'Average', 'Minimum', 'Maximum', 'SampleCount'] as const;
  for (const [protocol, client] of Object.entries(clients)) {
    const get = async (more: Partial<GetMetricStatisticsCommandInput>) =>
      (await client.send(new GetMetricStatisticsCommand(ask(more)))).Datapoints!;
    assert.deepEqual(
      await get({ MetricName: 'ProcessedBytes', Statistics: [...Statistics] }),
      [
        {
          Timestamp: range.StartTime,
          Unit: 'Bytes',
          Sum: 3_000,
          Average: 1_500,
          Minimum: 1_000,
          Maximum: 2_000,
          SampleCount: 2,
        },
      ],
      protocol,
    );
    const [took] = await get({ MetricName: 'TargetResponseTime', ExtendedStatistics: ['p50', 'p99.9'] });
    assert.equal(took!.Unit, 'Seconds');
    const { p50, 'p99.9': slowest } = took!.ExtendedStatistics!;
    assert(p50! >= 0.02 && p50! < 0.022 && slowest! >= 0.4 && slowest! < 0.43, `${p50} ${slowest}`);
    const sum = async (MetricName: string, dimensions: Readonly<Record<string, string>>) =>
      (await get({ MetricName, Dimensions: of(dimensions), Statistics: ['Sum'] }))[0]?.Sum;
    assert.equal(await sum('RequestCount', { LoadBalancer }), 40);
    assert.equal(await sum('RequestCount', { AvailabilityZone: 'b', LoadBalancer }), 10);
    assert.equal(await sum('RequestCount', { TargetGroup, LoadBalancer, AvailabilityZone: 'a' }), 30);
    assert.equal(await sum('RequestCountPerTarget', { TargetGroup }), 10);
    // By dimensions that it is not told by, by none, of what is not there or of another unit there is nothing.
    assert.equal(await sum('RequestCount', { TargetGroup }), undefined);
    assert.equal(await sum('RequestCount', { AvailabilityZone: 'a' }), undefined);
    assert.equal(await sum('RequestCount', {}), undefined);
    assert.equal(await sum('RequestCount', { LoadBalancer: LoadBalancer.replace('web', 'wob') }), undefined);
    assert.equal(await sum('NoSuchCount', { LoadBalancer }), undefined);
    assert.deepEqual(await get({ MetricName: 'RequestCount', Statistics: ['Sum'], Unit: 'Bytes' }), []);
    const [percentOfCount] = await get({ MetricName: 'RequestCount', ExtendedStatistics: ['p50'] });
    assert.equal(percentOfCount, undefined);
  }
  const answer = await query({
    Action: 'GetMetricStatistics',
    Namespace,
    MetricName: 'TargetResponseTime',
    Period: '60',
    StartTime: range.StartTime.toISOString(),
    EndTime: range.EndTime.toISOString(),
    ...formOf('Dimensions', of({ LoadBalancer })),
    'Statistics.member.1': 'SampleCount',
    'Statistics.member.2': 'Sum',
  });
  const xml = await answer.text();
  assert.match(xml, /<GetMetricStatisticsResponse xmlns="http:\/\/monitoring\.amazonaws\.com\/doc\/2010-08-01\/">/);
  assert.match(xml, new RegExp(`<Timestamp>${range.StartTime.toISOString().replace('.000', '(\\.000)?')}</Timestamp>`));
  assert.match(xml, /<SampleCount>4(\.0)?<\/SampleCount>/);
  assert.match(xml, /<Sum>0\.46<\/Sum>/);
});

test('monitoring: what is refused has a name of CloudWatch in every protocol', async (context) => {
  const { clients, query } = await start(context);
  const asked = { Namespace, MetricName: 'RequestCount', ...range };
  const MetricStat = { Metric: { Namespace }, Period: 60, Stat: 'Sum' };
  const data = (more: object) =>
    new GetMetricDataCommand({ MetricDataQueries: [{ Id: 'a', MetricStat }], ...range, ...more });
  const cases: [command: object, name: string, message: RegExp][] = [
    [
      new GetMetricStatisticsCommand({ ...asked, Period: 30, Statistics: ['Sum'] }),
      'InvalidParameterValueException',
      /multiple of 60; found '30'/,
    ],
    [
      new GetMetricStatisticsCommand({ ...asked, Period: 60, Statistics: ['Median' as never] }),
      'InvalidParameterValueException',
      /'Median' is not offered; allowed: SampleCount, /,
    ],
    [new GetMetricStatisticsCommand({ ...asked, Period: 60 }), 'InvalidParameterCombinationException', /not both/],
    [
      new GetMetricStatisticsCommand({
        ...asked,
        Period: 60,
        Statistics: ['Sum'],
        EndTime: new Date(beganMs + 2_000 * minuteMs),
      }),
      'InvalidParameterCombinationException',
      /2000 datapoints, which exceeds the limit of 1440/,
    ],
    [
      new GetMetricStatisticsCommand({ Namespace, Period: 60, ...range } as never),
      'ValidationException',
      /MetricName is required/,
    ],
    [data({ StartTime: range.EndTime }), 'ValidationException', /StartTime must be less/],
    [data({ MetricDataQueries: [] }), 'ValidationException', /has 0 entries; allowed: 1 to 500/],
    [data({ MetricDataQueries: [{ Id: 'a', Expression: 'SUM(METRICS())' }] }), 'ValidationException', /Expression/],
    [data({ MetricDataQueries: [{ Id: 'A', MetricStat }] }), 'ValidationException', /lower case letter/],
    [data({ MaxDatapoints: 0 }), 'ValidationException', /MaxDatapoints '0' must be 1 to 100800/],
    [data({ NextToken: 'mine' }), 'InvalidNextToken', /take it from an answer/],
    [new ListMetricsCommand({ NextToken: 'mine' }), 'InvalidParameterValueException', /take it from an answer/],
    [new ListMetricsCommand({ RecentlyActive: 'PT1H' as never }), 'InvalidParameterValueException', /must be PT3H/],
    [new PutMetricDataCommand({ Namespace, MetricData: [] }), 'InvalidAction', /does not offer/],
  ];
  for (const [protocol, client] of Object.entries(clients)) {
    for (const [command, name, message] of cases) {
      await assert.rejects(client.send(command as never), { name, message }, `${protocol} ${name}`);
    }
  }
  // Who goes by the codes of the query protocol finds them beside the names of the others.
  const [first] = cases[0]!;
  const code = await clients.json.send(first as never).catch((error: { readonly Code?: string }) => error.Code);
  assert.equal(code, 'InvalidParameterValue');
  const answer = await query({
    Action: 'GetMetricStatistics',
    Namespace,
    MetricName: 'RequestCount',
    Period: '30',
    StartTime: range.StartTime.toISOString(),
    EndTime: range.EndTime.toISOString(),
    'Statistics.member.1': 'Sum',
  });
  assert.equal(answer.status, 400);
  assert.match(await answer.text(), /<Type>Sender<\/Type>\s*<Code>InvalidParameterValue<\/Code>/);
  // Operations stand in the path where CBOR is spoken, and nowhere else.
  const astray = await query({ Action: 'ListMetrics' }, 'service/GraniteServiceVersion20100801/operation/ListMetrics');
  assert.match(await astray.text(), /<Code>InvalidAction<\/Code>.*the API is at &apos;\/&apos;|the API is at '\/'/);
});

test('monitoring: pages hold everything once, in order, whatever their size', async (context) => {
  const { clients, json, measured, look, book } = await start(context);
  const minutes = Array.from({ length: 20 }, (_, index) => ({
    n: { group: { requests: (index + 1) * (index + 2) }, of: { bytesIn: 1_000 * (index + 1) } },
  }));
  const all = [];
  for (let index = 0; index < 40; index += 1) all.push(await measured(`web-${index}`, ...minutes));
  look(...all);
  const textOf = ({ MetricName, Dimensions }: Metric) =>
    `${MetricName} ${Dimensions!.map(({ Name, Value }) => `${Name}=${Value}`).join(' ')}`;
  const expected = all.reduce((sum, { LoadBalancer }) => sum + book.seriesOf(idOf(LoadBalancer)).length, 0);
  assert(expected > 500, `${expected} series`);
  for (const client of Object.values(clients)) {
    const listed: string[] = [];
    let pages = 0;
    for await (const page of paginateListMetrics({ client }, { Namespace })) {
      pages += 1;
      assert(page.Metrics!.length <= 500);
      listed.push(...page.Metrics!.map(textOf));
    }
    assert.equal(pages, Math.ceil(expected / 500));
    assert.equal(new Set(listed).size, listed.length);
    assert.equal(listed.length, expected);
  }
  const filtered = await json.send(
    new ListMetricsCommand({ MetricName: 'RequestCount', Dimensions: of({ LoadBalancer: all[7]!.LoadBalancer }) }),
  );
  assert.deepEqual(filtered.Metrics!.map(({ Dimensions }) => Dimensions!.map(({ Name }) => Name).join('+')).sort(), [
    'AvailabilityZone+LoadBalancer',
    'AvailabilityZone+LoadBalancer+TargetGroup',
    'LoadBalancer',
    'LoadBalancer+TargetGroup',
  ]);
  assert.deepEqual((await json.send(new ListMetricsCommand({ Namespace: 'AWS/EC2' }))).Metrics, []);

  const MetricDataQueries = all.slice(0, 3).map(({ LoadBalancer }, index) => ({
    Id: `m${index}`,
    Label: `the ${index}th`,
    MetricStat: {
      Metric: { Namespace, MetricName: 'RequestCount', Dimensions: of({ LoadBalancer }) },
      Period: 60,
      Stat: 'Sum',
    },
  }));
  const counts = minutes.map((_, index) => (index === 0 ? 2 : 2 * (index + 1)));
  for (const size of [1, 7, 20, 59, 60, 61]) {
    for (const ScanBy of ['TimestampAscending', 'TimestampDescending'] as const) {
      const found = new Map<string, number[]>();
      const input = { MetricDataQueries, ScanBy, MaxDatapoints: size, ...range };
      for await (const page of paginateGetMetricData({ client: json }, input)) {
        const inPage = page.MetricDataResults!.reduce((sum, { Values }) => sum + Values!.length, 0);
        assert(inPage <= size);
        for (const { Id, Label, Values } of page.MetricDataResults!) {
          assert.equal(Label, `the ${Id!.slice(1)}th`);
          found.set(Id!, [...(found.get(Id!) ?? []), ...Values!]);
        }
      }
      const ordered = ScanBy === 'TimestampAscending' ? counts : counts.toReversed();
      assert.deepEqual(
        [...found],
        [
          ['m0', ordered],
          ['m1', ordered],
          ['m2', ordered],
        ],
        `${size} ${ScanBy}`,
      );
    }
  }
});

test('monitoring: a principal sees its own account, and as much as its policy allows', async (context) => {
  const { clients, region, measured, look } = await start(context);
  const own = await measured('own', { n: { group: { requests: 5 } } });
  region.account = '000000000002';
  const other = await measured('other', { n: { group: { requests: 7 } } });
  region.account = holder.account;
  look(own, other);
  const Metric = { Namespace, MetricName: 'RequestCount', Dimensions: of({ LoadBalancer: other.LoadBalancer }) };
  const MetricStat = { Metric, Period: 60, Stat: 'Sum' };
  const allow = (Action: string) => {
    const policy = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource: '*' }] });
    return region.step((view) => [put(view, 'principal', holder.principal, { ...holderDocument, policy })]);
  };
  for (const client of Object.values(clients)) {
    await allow('*');
    const listed = await client.send(new ListMetricsCommand({}));
    assert(listed.Metrics!.length > 0);
    for (const { Dimensions } of listed.Metrics!) {
      assert(
        Dimensions!.every(({ Name, Value }) => Name === 'AvailabilityZone' || Value!.includes('/own/')),
        JSON.stringify(Dimensions),
      );
    }
    const MetricDataQueries = [
      { Id: 'a', MetricStat },
      { Id: 'b', MetricStat, AccountId: '000000000002' },
    ];
    const read = () => client.send(new GetMetricDataCommand({ MetricDataQueries, ...range }));
    const { MetricDataResults } = await read();
    assert.deepEqual(
      MetricDataResults!.map(({ Values, StatusCode }) => [Values, StatusCode]),
      [
        [[], 'Complete'],
        [[], 'Forbidden'],
      ],
    );
    await allow('cloudwatch:Get*');
    await read();
    const message = /not authorized to perform: cloudwatch:ListMetrics on resource: \* because no statement/;
    await assert.rejects(client.send(new ListMetricsCommand({})), { name: 'AccessDenied', message });
    await allow('elasticloadbalancing:*');
    await assert.rejects(read(), { name: 'AccessDenied' });
  }
});

test('monitoring: a load balancer that is gone is told of no more, but by whoever asks about the past', async (context) => {
  const { query, region, measured, look } = await start(context);
  const web = await measured('web', { n: { group: { requests: 5 } } });
  look(web);
  const before = region.revision;
  await region.call('DeleteLoadBalancer', { LoadBalancerArn: web.loadBalancerArn });
  const list = async (more: Readonly<Record<string, string>> = {}) =>
    (await query({ Action: 'ListMetrics', MetricName: 'RequestCount' }, '', more)).text();
  assert.doesNotMatch(await list(), /<member>/);
  assert.match(await list({ 'x-ballast-at': `${before}` }), new RegExp(`<Value>${web.LoadBalancer}</Value>`));
});
