/**
 * A log-linear histogram of durations: 16 steps to each power of two of microseconds, so a quantile read from it is at
 * most 6.25 % above the truth. Recording costs an index and an increment; two histograms add up exactly.
 */
import { assert } from './assert.ts';

const stepsBits = 4;
const steps = 1 << stepsBits;
const powersMax = 32;
export const histogramBucketsCount = steps * (powersMax - stepsBits + 1);

export class Histogram {
  readonly buckets: Float64Array;
  count = 0;
  sumMicroseconds = 0;

  constructor(buckets: Float64Array = new Float64Array(histogramBucketsCount)) {
    assert(buckets.length === histogramBucketsCount, 'a histogram has its fixed number of buckets');
    this.buckets = buckets;
  }

  /** Counts one duration in milliseconds; what is below zero counts as zero, what is above 2^31 µs as 2^31 µs. */
  recordMs(durationMs: number): void {
    const microseconds = Math.min(Math.max(durationMs * 1000, 0), 0x7fffffff);
    this.buckets[bucketOf(microseconds | 0)]! += 1;
    this.count += 1;
    this.sumMicroseconds += microseconds;
  }

  add(other: Histogram): void {
    for (let index = 0; index < histogramBucketsCount; index += 1) this.buckets[index]! += other.buckets[index]!;
    this.count += other.count;
    this.sumMicroseconds += other.sumMicroseconds;
  }

  /** How many recorded durations were at most `limitMs`, rounded to the histogram's own steps. */
  countAtMostMs(limitMs: number): number {
    const last = bucketOf(Math.min(limitMs * 1000, 0x7fffffff) | 0);
    let total = 0;
    for (let index = 0; index <= last; index += 1) total += this.buckets[index]!;
    return total;
  }

  /** The duration in milliseconds below which the given share (0 to 1) of all recorded durations lies; 0 when empty. */
  quantileMs(share: number): number {
    const rank = Math.ceil(share * this.count);
    let seen = 0;
    for (let index = 0; index < histogramBucketsCount; index += 1) {
      seen += this.buckets[index]!;
      if (seen >= rank && seen > 0) return upperBoundMicroseconds(index) / 1000;
    }
    return 0;
  }

  /** No recorded duration was shorter; 0 when empty. */
  leastMs(): number {
    const lowest = this.buckets.findIndex((count) => count > 0);
    return lowest <= 0 ? 0 : (upperBoundMicroseconds(lowest - 1) + 1) / 1000;
  }

  /** Only the buckets that hold something, as [index, count] pairs: what travels between processes. */
  toSparse(): SparseHistogram {
    const pairs: [number, number][] = [];
    for (let index = 0; index < histogramBucketsCount; index += 1) {
      if (this.buckets[index] !== 0) pairs.push([index, this.buckets[index]!]);
    }
    return { pairs, count: this.count, sumMicroseconds: this.sumMicroseconds };
  }

  static fromSparse(sparse: SparseHistogram): Histogram {
    const histogram = new Histogram();
    for (const [index, count] of sparse.pairs) {
      if (index >= 0 && index < histogramBucketsCount) histogram.buckets[index] = count;
    }
    histogram.count = sparse.count;
    histogram.sumMicroseconds = sparse.sumMicroseconds;
    return histogram;
  }
}

export interface SparseHistogram {
  readonly pairs: readonly (readonly [number, number])[];
  readonly count: number;
  readonly sumMicroseconds: number;
}

function bucketOf(microseconds: number): number {
  if (microseconds < steps) return microseconds;
  const power = 31 - Math.clz32(microseconds);
  return (power - stepsBits + 1) * steps + ((microseconds >> (power - stepsBits)) & (steps - 1));
}

function upperBoundMicroseconds(index: number): number {
  if (index < steps) return index;
  const power = Math.floor(index / steps) + stepsBits - 1;
  const step = index % steps;
  return 2 ** power + (step + 1) * 2 ** (power - stepsBits) - 1;
}
