import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import fc from 'fast-check';
import { Histogram } from '#base/histogram.ts';
import { families, renderMetrics, type Snapshot } from './metrics.ts';
import { bucketBoundsSeconds, MetricsPage } from './prometheus.ts';
import { renderTargetMetrics, targetFamilies } from './target-metrics.ts';

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A strict reader of the text format: every line must be one that the specification knows, in its place. */
function read(page: string): { types: Map<string, string>; samples: Sample[] } {
  const types = new Map<string, string>();
  const samples: Sample[] = [];
  const series = new Set<string>();
  let helped = '';
  assert(page.endsWith('\n'));
  for (const line of page.slice(0, -1).split('\n')) {
    const help = /^# HELP ([a-z_][a-z0-9_]*) (.+)$/.exec(line);
    const type = /^# TYPE ([a-z_][a-z0-9_]*) (counter|gauge|histogram)$/.exec(line);
    const sample = /^([a-z_][a-z0-9_]*)(?:\{(.*)\})? ([0-9.e+-]+)$/.exec(line);
    if (help !== null) helped = help[1]!;
    else if (type !== null) {
      assert.equal(type[1], helped);
      assert(!types.has(helped), `${helped} is described once`);
      types.set(helped, type[2]!);
    } else {
      assert(sample !== null, `a line of the format: ${line}`);
      const labels: Record<string, string> = {};
      const rest = (sample[2] ?? '').replace(
        /([a-z_][a-z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/g,
        (_all, label: string, text: string) => {
          labels[label] = text.replace(/\\(.)/g, (_escape, character: string) =>
            character === 'n' ? '\n' : character,
          );
          return '';
        },
      );
      assert.equal(rest, '', `labels are well formed: ${line}`);
      const suffix = types.get(helped) === 'histogram' ? '_(?:bucket|sum|count)' : '';
      assert.match(sample[1]!, new RegExp(`^${helped}${suffix}$`), 'a sample stands in its family');
      const key = `${sample[1]}{${sample[2] ?? ''}}`;
      assert(!series.has(key), `given once: ${key}`);
      series.add(key);
      samples.push({ name: sample[1]!, labels, value: Number(sample[3]) });
    }
  }
  return { types, samples };
}

test('prometheus: any label text comes back as it was', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      fc.pre(!/[\r\u2028\u2029]/.test(text));
      const page = new MetricsPage();
      page.gauge('a_gauge', 'help\nwith \\ both', { label: text, other: 'x' }, 1.5);
      assert.deepEqual(read(page.render()).samples, [
        { name: 'a_gauge', labels: { label: text, other: 'x' }, value: 1.5 },
      ]);
    }),
  );
});

test('prometheus: histogram buckets are cumulative and end with all', () => {
  const histogram = new Histogram();
  for (const durationMs of [0.1, 3, 3, 700, 100_000]) histogram.recordMs(durationMs);
  const page = new MetricsPage();
  page.histogram('h_seconds', 'help', {}, histogram);
  const { samples } = read(page.render());
  const buckets = samples.filter(({ name }) => name === 'h_seconds_bucket');
  assert.equal(buckets.length, bucketBoundsSeconds.length + 1);
  const at = (bound: string) => buckets.find(({ labels }) => labels.le === bound)?.value;
  assert.deepEqual([at('0.0005'), at('0.005'), at('1'), at('60'), at('+Inf')], [1, 3, 4, 4, 5]);
  assert(buckets.every(({ value }, index) => index === 0 || value >= buckets[index - 1]!.value));
  assert.equal(samples.find(({ name }) => name === 'h_seconds_count')?.value, 5);
});

const snapshot: Snapshot = {
  version: '1',
  label: (id) => `label of ${id}`,
  traffic: [
    {
      node: 'node-1',
      hosts: [
        {
          loadBalancerId: 'lb',
          targetGroupId: 'tg',
          healthy: 2,
          unhealthy: 1,
          registered: 3,
          isFailingOpen: true,
          isOfFunctions: true,
          anomalous: 0,
          mitigated: 0,
        },
      ],
      functions: [{ targetGroupId: 'tg', userErrors: 4, internalErrors: 2, bytes: 99 }],
      logs: { droppedLines: 3, delivered: 5, failures: 1, waitingBytes: 4_096 },
      loadBalancers: [
        {
          id: 'lb',
          requests: 7,
          newConnections: 2,
          activeConnections: 1,
          rejectedConnections: 0,
          blockedConnections: 0,
          bytesIn: 10,
          bytesOut: 20,
          clientGone: 0,
          ruleEvaluations: 31,
          fixedResponses: 32,
          redirects: 33,
          redirectsTooLong: 34,
          nonCompliantRequests: 35,
          droppedInvalidHeaders: 36,
          forwardedInvalidHeaders: 37,
          ipv6Requests: 38,
          ipv6Bytes: 39,
          elbResponses: { 502: 1 },
          targetGroups: [
            {
              id: 'tg',
              requests: 6,
              responses: { '2xx': 5 },
              withoutTarget: 41,
              nonSticky: 42,
              unhealthyRouting: 43,
              connectErrors: 44,
              newConnections: 45,
              activeConnections: 46,
              ipv6Requests: 47,
              connectionErrors: 1,
              retries: 1,
              retriesRefused: 2,
              responseTime: new Histogram().toSparse(),
            },
          ],
        },
      ],
    },
  ],
  hosts: [{ loadBalancerId: 'lb', targetGroupId: 'tg', healthy: 2, unhealthy: 1, anomalous: 4, mitigated: 3 }],
  journal: { revision: 5, transactions: 5, batches: 3, failures: 0, commit: new Histogram() },
  verifier: { verifiedRevision: 4, passes: 2, damaged: false },
  vault: { revision: 4, lagRevisions: 1, lagSeconds: 0.5, failures: 2, diverged: false },
  documents: { target: 3 },
  nodes: [
    {
      id: 'node-1',
      zone: 'a',
      prefix: 'p',
      connected: true,
      revision: 4,
      lag: 1,
      diverged: false,
      loadBalancers: 1,
      held: 0,
    },
  ],
  sentinel: {
    alarms: 1,
    openIncidents: 1,
    protectedLoadBalancers: 2,
    lastLookSeconds: 0.1,
    mended: 1,
    webhookFailures: 0,
  },
  guard: { waiting: 3, harmed: 2, frozen: true },
  api: {
    requests: [{ action: 'CreateListener', code: 'OK', count: 9 }],
    authenticationFailures: { SignatureDoesNotMatch: 4 },
  },
};

test('prometheus: the same samples give the same page, whatever order they come in, and none comes twice', () => {
  const numbers = [10, 9, 1, 2, 10];
  const pageOf = (order: readonly number[]) => {
    const page = new MetricsPage();
    for (const number of order) page.counter('c_total', 'help', { label: `node-${number}` }, number);
    for (const number of order) page.histogram('h_seconds', 'help', { label: `node-${number}` }, new Histogram());
    return page.render();
  };
  assert.equal(pageOf(numbers), pageOf(numbers.toReversed()));
  assert.equal(read(pageOf(numbers)).samples.filter(({ name }) => name === 'c_total').length, 4);
});

test('metrics: every family is on the page with its type, and the samples say what the snapshot says', () => {
  const { types, samples } = read(renderMetrics(snapshot));
  assert.deepEqual(
    [...types],
    Object.entries(families).map(([name, [type]]) => [name, type]),
  );
  for (const name of types.keys())
    assert(
      samples.some((each) => each.name.startsWith(name)),
      `${name} has a sample`,
    );
  const value = (name: string, labels: Record<string, string> = {}) =>
    samples.find(
      (each) => each.name === name && Object.entries(labels).every(([label, text]) => each.labels[label] === text),
    )?.value;
  assert.equal(value('ballast_requests_total', { node: 'node-1', load_balancer: 'label of lb' }), 7);
  assert.equal(value('ballast_elb_responses_total', { code: '502' }), 1);
  assert.equal(value('ballast_target_responses_total', { class: '2xx', target_group: 'label of tg' }), 5);
  assert.equal(value('ballast_rule_evaluations_total'), 31);
  assert.equal(value('ballast_redirects_total'), 33);
  assert.equal(value('ballast_ipv6_bytes_total'), 39);
  assert.equal(value('ballast_target_connections_active', { target_group: 'label of tg' }), 46);
  assert.equal(value('ballast_function_errors_total', { by: 'internal' }), 2);
  assert.equal(value('ballast_healthy_routing'), 0);
  assert.equal(value('ballast_log_lines_dropped_total', { node: 'node-1' }), 3);
  assert.equal(value('ballast_log_files_waiting_bytes', { node: 'node-1' }), 4_096);
  assert.equal(value('ballast_healthy_hosts'), 2);
  assert.equal(value('ballast_unhealthy_hosts'), 1);
  assert.equal(value('ballast_anomalous_hosts'), 4);
  assert.equal(value('ballast_mitigated_hosts'), 3);
  assert.equal(value('ballast_journal_commits_total'), 3);
  assert.equal(value('ballast_node_revision_lag', { node: 'node-1' }), 1);
  assert.equal(value('ballast_api_requests_total', { action: 'CreateListener', code: 'OK' }), 9);
  assert.equal(value('ballast_api_authentication_failures_total', { code: 'SignatureDoesNotMatch' }), 4);
});

test('metrics: the page of single targets names those that were told, and how many are not on it', () => {
  const target = {
    label: '[::1]:80',
    loadBalancerId: 'lb',
    targetGroupId: 'tg',
    requests: 5,
    outstanding: 1,
    responses: { '1xx': 0, '2xx': 3, '5xx': 1 },
    connectErrors: 1,
    responseTimeMs: 1_500,
    bytesOut: 10,
    bytesIn: 20,
  };
  const nodes = [
    { node: 'node-1', targetsLeftOut: 7, targets: [target] },
    { node: 'node-2', targetsLeftOut: 0, targets: [] },
  ];
  const { types, samples } = read(renderTargetMetrics(nodes, snapshot.label));
  assert.deepEqual([...types.keys()], Object.keys(targetFamilies));
  const labels = { node: 'node-1', load_balancer: 'label of lb', target_group: 'label of tg', target: '[::1]:80' };
  const of = (name: string) => samples.filter((each) => each.name === `ballast_each_target_${name}`);
  assert.deepEqual(of('requests_total'), [{ name: 'ballast_each_target_requests_total', labels, value: 5 }]);
  assert.deepEqual(
    of('responses_total').map((each) => [each.labels.class, each.value]),
    [
      ['2xx', 3],
      ['5xx', 1],
    ],
  );
  assert.equal(of('response_seconds_sum')[0]!.value, 1.5);
  assert.deepEqual(
    of('left_out').map(({ value }) => value),
    [7, 0],
  );
});

test('metrics: the reference in the documentation names every family with its type and help', () => {
  const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
  const rows = Object.entries(families).map(([name, [type, help]]) => `| \`${name}\` | ${type} | ${help} |`);
  assert(page.includes(rows.join('\n')), 'docs/metrics.md holds the table of metrics');
  const ofTargets = Object.entries(targetFamilies).map(([name, [type, help]]) => `| \`${name}\` | ${type} | ${help} |`);
  assert(page.includes(ofTargets.join('\n')), 'docs/metrics.md holds the table of the metrics of targets');
});
