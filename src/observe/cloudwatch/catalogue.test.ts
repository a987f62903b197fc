import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { families, type LoadBalancerTraffic } from '#observe/metrics.ts';
import { catalogue, type Metric } from './catalogue.ts';
import { MinuteBook } from './minute-book.ts';
import { beganMs, node, times } from './test-counts.ts';

const page = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8');
/** From a heading to the next. */
const section = (heading: string) => page.slice(page.indexOf(`\n${heading}\n`)).split(/\n#+ /, 2)[1] ?? '';
const rowsOf = (text: string) => text.split('\n').filter((line) => line.startsWith('| `'));

test('catalogue: the page about metrics has a row for each, that says of it what is so', () => {
  const told = rowsOf(section('## CloudWatch')).map((row) => {
    const cells = row.split(' |');
    const counts = cells.at(-2) ?? '';
    assert(counts.trim().length > 10, `${row} says what it counts`);
    return cells.slice(0, 5).join(' |');
  });
  const rows = (Object.entries(catalogue) as [string, Metric][]).map(([name, metric]) => {
    const prometheus = metric.prometheus === '' ? '' : `\`${metric.prometheus}\``;
    return `| \`${name}\` | ${metric.unit} | ${metric.dimensions.join(', ')} | ${metric.statistics} | ${prometheus}`;
  });
  assert.deepEqual(told, rows);
});

test('catalogue: what it says of Prometheus is there, and what the page says is absent is not', () => {
  for (const [name, { prometheus }] of Object.entries(catalogue) as [string, Metric][]) {
    if (prometheus !== '') assert(Object.hasOwn(families, prometheus), `${name}: ${prometheus}`);
  }
  const absent = rowsOf(section('### What is not there')).flatMap((row) => row.match(/`\w+`/g) ?? []);
  assert(absent.length > 20, `${absent.length}`);
  for (const name of absent) assert(!Object.hasOwn(catalogue, name.slice(1, -1)), name);
});

test('catalogue: each metric has points by each of its sets of dimensions, once there is something to count', () => {
  const responses = { '2xx': 1, '3xx': 2, '4xx': 3, '5xx': 4 };
  const elbResponses = { 301: 5, 404: 6, 500: 7, 502: 8, 503: 9, 504: 10 };
  const all = <Numbers extends object>(numbers: Numbers) =>
    Object.fromEntries(Object.entries(numbers).flatMap(([name, value]) => (value === 0 ? [[name, 11]] : [])));
  const { loadBalancers, hosts } = node();
  const [{ targetGroups, ...balancer }] = loadBalancers as [LoadBalancerTraffic];
  const group = { ...all(targetGroups[0]!), withoutTarget: 1, responses, responseTime: times(12) };
  const functions = [{ targetGroupId: 'tg', userErrors: 13, internalErrors: 14, bytes: 15 }];
  const of = { ...all(balancer), elbResponses };
  const counted = node({ group, of, functions, hosts: { ...all(hosts[0]!), isFailingOpen: true } });
  const book = new MinuteBook({ sinceMs: beganMs });
  book.look(beganMs + 60_000, new Map([['n', counted]]));
  const periods = { startMs: beganMs, endMs: beganMs + 60_000, periodMs: 60_000 };
  for (const [name, { dimensions }] of Object.entries(catalogue) as [string, Metric][]) {
    for (const set of dimensions) {
      const ids = {
        ...(set.includes('B') && { loadBalancerId: 'lb' }),
        ...(set.includes('G') && { targetGroupId: 'tg' }),
        ...(set.includes('Z') && { zone: 'a' }),
      };
      const [point] = book.points({ metric: name, ...ids }, periods);
      // The only zone is not well, so none is.
      if (name === 'HealthyStateRouting') assert.equal(point?.sum, 0);
      else assert(point !== undefined && point.sum > 0, `${name} by ${set}`);
    }
  }
});
