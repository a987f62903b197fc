/** Load by wrk: as many requests as are answered, and how long they took. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Work } from './http-cases.ts';
import type { Load } from './load.ts';
import type { Bench } from './machine.ts';

/** wrk's own report rounds, and leaves the last percentile out. */
const report = `
done = function(summary, latency)
  local errors = summary.errors
  local failures = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format('{"count":%d,"seconds":%f,"failures":%d,"p50Ms":%f,"p99Ms":%f,"p999Ms":%f}\\n',
    summary.requests, summary.duration / 1e6, failures,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency:percentile(99.9) / 1e3))
end
`;

export async function runWrk(
  bench: Bench,
  cpu: number,
  { path, connections, headers, uploadBytes }: Extract<Work, { kind: 'requests' }>,
  { port, seconds }: { readonly port: number; readonly seconds: number },
): Promise<Load> {
  const script = join(bench.folder, `wrk-${uploadBytes ?? 'get'}.lua`);
  const upload = `wrk.method = "POST"\nwrk.body = string.rep("ballast!", ${(uploadBytes ?? 0) / 8})\n`;
  writeFileSync(script, uploadBytes === undefined ? report : upload + report);
  const fields = headers.flatMap((header) => ['-H', header]);
  const words = ['-t1', `-c${connections}`, `-d${seconds}`, '--timeout', '10s', '-s', script, ...fields];
  const output = await bench.run(cpu, ['wrk', ...words, `http://127.0.0.1:${port}${path}`]);
  return JSON.parse(output.trimEnd().split('\n').at(-1)!);
}
