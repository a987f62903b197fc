/**
 * Whether a worker that served many connections is as small as before. Samples are taken while it serves nobody, so
 * whatever is there then is kept by mistake. The first quarter is left out: until then code is compiled, buffers are
 * made and pools are filled.
 */

/** Two in each quarter. */
export const samplesMin = 8;

export interface Sample {
  /** Connections made so far. */
  readonly connections: number;
  readonly rssBytes: number;
  /** What is in use of the heap. */
  readonly heapBytes: number;
  /** Buffers, which lie outside the heap. */
  readonly externalBytes: number;
  readonly descriptors: number;
  /** What keeps the event loop alive. */
  readonly handles: number;
  readonly activeConnections: number;
  readonly idleTargetConnections: number;
  readonly outstanding: number;
}

/** By how much it may grow. */
export interface Bounds {
  readonly heapBytesMax: number;
  readonly externalBytesMax: number;
  readonly rssBytesMax: number;
}

/**
 * Two megabytes of heap over half a million connections are four bytes a connection, less than anything that could be
 * leaked. A worker's pools keep up to 16 buffers of 1 MiB and 64 of 72 KiB for whoever needs one next, and how many
 * there are at the moment is luck: buffers are leaked only beyond that. The kernel and the allocator round what the
 * process holds to more.
 */
export const usualBounds: Bounds = {
  heapBytesMax: 2 * 1024 * 1024,
  externalBytesMax: 21 * 1024 * 1024,
  rssBytesMax: 32 * 1024 * 1024,
};

export interface Growth {
  readonly heapBytes: number;
  readonly externalBytes: number;
  readonly rssBytes: number;
}

/** From the second quarter of the samples to the last one, by their medians. */
export function growthOf(samples: readonly Sample[]): Growth {
  const quarter = Math.floor(samples.length / 4);
  const second = samples.slice(quarter, quarter * 2);
  const last = samples.slice(-quarter);
  const grown = (of: (sample: Sample) => number) => median(last.map(of)) - median(second.map(of));
  return {
    heapBytes: grown((sample) => sample.heapBytes),
    externalBytes: grown((sample) => sample.externalBytes),
    rssBytes: grown((sample) => sample.rssBytes),
  };
}

/** What is wrong; nothing, when the list is empty. `before`: sampled before the first connection. */
export function faultsOf(before: Sample, samples: readonly Sample[], bounds: Bounds = usualBounds): string[] {
  const faults: string[] = [];
  for (const sample of samples) {
    const at = `after ${sample.connections} connections`;
    for (const name of ['activeConnections', 'idleTargetConnections', 'outstanding'] as const) {
      if (sample[name] !== 0) faults.push(`${at} ${name} is ${sample[name]}, and nobody is connected`);
    }
    for (const name of ['descriptors', 'handles'] as const) {
      if (sample[name] !== before[name]) faults.push(`${at} ${sample[name]} ${name} are open, ${before[name]} before`);
    }
  }
  if (samples.length < samplesMin) return [...faults, `${samples.length} samples are too few to see growth by`];
  const { heapBytes, externalBytes, rssBytes } = growthOf(samples);
  if (heapBytes > bounds.heapBytesMax) faults.push(`its heap grew by ${megabytes(heapBytes)} MB`);
  if (externalBytes > bounds.externalBytesMax) faults.push(`its buffers grew by ${megabytes(externalBytes)} MB`);
  if (rssBytes > bounds.rssBytesMax) faults.push(`the process grew by ${megabytes(rssBytes)} MB`);
  return faults;
}

export function megabytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
