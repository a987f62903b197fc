/**
 * The Prometheus text format, version 0.0.4: families with their help and type, samples with escaped labels. What is
 * rendered is always a whole page; nothing is kept between pages.
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */
import type { Histogram } from '#base/histogram.ts';

export type Labels = Readonly<Record<string, string>>;

/** Upper bounds of the histogram buckets, in seconds. */
export const bucketBoundsSeconds = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
] as const;

type Type = 'counter' | 'gauge' | 'histogram';

/** A page of metrics in the making. Families come out in the order in which they were first named. */
export class MetricsPage {
  readonly #families = new Map<string, { readonly head: string; readonly type: Type; readonly lines: string[] }>();

  counter(name: string, help: string, labels: Labels, value: number): void {
    this.#lines(name, help, 'counter').push(sample(name, labels, value));
  }

  gauge(name: string, help: string, labels: Labels, value: number): void {
    this.#lines(name, help, 'gauge').push(sample(name, labels, value));
  }

  /** Durations, in seconds, in cumulative buckets. */
  histogram(name: string, help: string, labels: Labels, histogram: Histogram): void {
    const lines = this.#lines(name, help, 'histogram');
    for (const bound of bucketBoundsSeconds) {
      lines.push(sample(`${name}_bucket`, { ...labels, le: String(bound) }, histogram.countAtMostMs(bound * 1000)));
    }
    lines.push(
      sample(`${name}_bucket`, { ...labels, le: '+Inf' }, histogram.count),
      sample(`${name}_sum`, labels, histogram.sumMicroseconds / 1e6),
      sample(`${name}_count`, labels, histogram.count),
    );
  }

  /** A family that is there although it has no sample yet, so that it can be found before it is needed. */
  announce(name: string, help: string, type: Type): void {
    this.#lines(name, help, type);
  }

  render(): string {
    return [...this.#families.values()].map(({ head, lines }) => head + lines.join('')).join('');
  }

  #lines(name: string, help: string, type: Type): string[] {
    let family = this.#families.get(name);
    if (family === undefined) {
      family = { head: `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`, type, lines: [] };
      this.#families.set(name, family);
    }
    return family.lines;
  }
}

function sample(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`;
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}
