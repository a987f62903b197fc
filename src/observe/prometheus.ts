/**
 * The Prometheus text format, version 0.0.4: families with their help and type, samples with escaped labels. What is
 * rendered is always a whole page; nothing is kept between pages, and the same samples give the same page.
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */
import { assert } from '#base/assert.ts';
import type { Histogram } from '#base/histogram.ts';

export type Labels = Readonly<Record<string, string>>;

/** Upper bounds of the histogram buckets, in seconds. */
export const bucketBoundsSeconds = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
] as const;

type Type = 'counter' | 'gauge' | 'histogram';

interface Family {
  readonly head: string;
  readonly type: Type;
  /** Labels → lines. */
  readonly series: Map<string, string>;
}

/**
 * A page of metrics in the making. Families come out in the order in which they were first named, each one's series
 * sorted by their labels. Of a series that is given twice the later one holds: Prometheus refuses a page with both.
 */
export class MetricsPage {
  readonly #families = new Map<string, Family>();

  counter(name: string, help: string, labels: Labels, value: number): void {
    this.#add(name, help, 'counter', labels, sample(name, labels, value));
  }

  gauge(name: string, help: string, labels: Labels, value: number): void {
    this.#add(name, help, 'gauge', labels, sample(name, labels, value));
  }

  /** Durations, in seconds, in cumulative buckets. */
  histogram(name: string, help: string, labels: Labels, histogram: Histogram): void {
    const bucket = (le: string, count: number) => sample(`${name}_bucket`, { ...labels, le }, count);
    const lines = [
      ...bucketBoundsSeconds.map((bound) => bucket(String(bound), histogram.countAtMostMs(bound * 1000))),
      bucket('+Inf', histogram.count),
      sample(`${name}_sum`, labels, histogram.sumMicroseconds / 1e6),
      sample(`${name}_count`, labels, histogram.count),
    ];
    this.#add(name, help, 'histogram', labels, lines.join(''));
  }

  /** A family that is there although it has no sample yet, so that it can be found before it is needed. */
  announce(name: string, help: string, type: Type): void {
    this.#family(name, help, type);
  }

  render(): string {
    return [...this.#families.values()].map(({ head, series }) => head + inOrder(series).join('')).join('');
  }

  #add(name: string, help: string, type: Type, labels: Labels, lines: string): void {
    this.#family(name, help, type).series.set(labelsText(labels), lines);
  }

  #family(name: string, help: string, type: Type): Family {
    const known = this.#families.get(name);
    assert(known === undefined || known.type === type, 'a family has one type');
    if (known !== undefined) return known;
    const head = `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`;
    const family: Family = { head, type, series: new Map() };
    this.#families.set(name, family);
    return family;
  }
}

/** By the labels' code units, which no locale changes. */
function inOrder(series: ReadonlyMap<string, string>): string[] {
  return [...series].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, lines]) => lines);
}

function sample(name: string, labels: Labels, value: number): string {
  return `${name}${labelsText(labels)} ${value}\n`;
}

function labelsText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}
