/** What every load gives, and how its times are told. */

export interface Load {
  /** Requests or messages that were answered. */
  readonly count: number;
  readonly seconds: number;
  /** Those that were not, or not with success. */
  readonly failures: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
}

/** For the programs of this folder that make load: prints what it came to. */
export function printLoad(timesMs: number[], seconds: number, failures: number): void {
  const sorted = Float64Array.from(timesMs).sort();
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  const load: Load = {
    count: sorted.length,
    seconds,
    failures,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    p999Ms: at(0.999),
  };
  console.log(JSON.stringify(load));
}
