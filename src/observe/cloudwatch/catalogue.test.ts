import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { families } from '#observe/metrics.ts';
import { catalogue, type Metric } from './catalogue.ts';

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
