import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import fc from 'fast-check';
import { Histogram } from '#base/histogram.ts';
import { families, renderMetrics, type Snapshot } from './metrics.ts';
import { bucketBoundsSeconds, MetricsPage } from './prometheus.ts';

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
    const help = /^# HELP ([a-z_]+) (.+)$/.exec(line);
    const type = /^# TYPE ([a-z_]+) (counter|gauge|histogram)$/.exec(line);
    const sample = /^([a-z_]+)(?:\{(.*)\})? ([0-9.e+-]+)$/.exec(line);
    if (help !== null) helped = help[1]!;
    else if (type !== null) {
      assert.equal(type[1], helped);
      assert(!types.has(helped), `${helped} is described once`);
      types.set(helped, type[2]!);
    } else {
      assert(sample !== null, `a line of the format: ${line}`);
      const labels: Record<string, string> = {};
      const rest = (sample[2] ?? '').replace(
        /([a-z_]+)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/g,
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
          elbResponses: { 502: 1 },
          targetGroups: [
            {
              id: 'tg',
              requests: 6,
              responses: { '2xx': 5 },
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

test('metrics: the reference in the documentation names every family with its type and help', () => {
  const page = readFileSync(new URL('../../docs/operating.md', import.meta.url), 'utf8');
  const rows = Object.entries(families).map(([name, [type, help]]) => `| \`${name}\` | ${type} | ${help} |`);
  assert(page.includes(rows.join('\n')), 'docs/operating.md holds the table of metrics');
});
