/** The journal's memory: how long it takes to take back a large mistake, and to look at any moment of a long past. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Figure } from './history-work.ts';
import type { Bench } from './machine.ts';

export interface HistoryCase {
  readonly name: string;
  readonly what: string;
  readonly size: number;
  readonly quickSize: number;
}

export const historyCases: readonly HistoryCase[] = [
  {
    name: 'revert',
    what: 'one transaction deletes SIZE load balancers with 10 targets each and all that belongs to them, and is reverted',
    size: 100_000,
    quickSize: 10_000,
  },
  {
    name: 'past',
    what: 'one load balancer, its listener, rules, placements, target group and targets, at random moments of SIZE changes',
    size: 10_000_000,
    quickSize: 1_000_000,
  },
];

export interface HistoryResult {
  readonly case: string;
  readonly what: string;
  readonly figures: readonly Figure[];
}

/** Runs the case in a process of its own, on one processor. */
export async function measureHistory(bench: Bench, historyCase: HistoryCase, isQuick: boolean): Promise<HistoryResult> {
  const size = isQuick ? historyCase.quickSize : historyCase.size;
  const folder = join(bench.folder, historyCase.name);
  mkdirSync(folder);
  const script = join(import.meta.dirname, 'history-work.ts');
  // As the control plane is started where it has one processor.
  const flags = ['--expose-gc', '--max-old-space-size=8192', '--single-threaded-gc'];
  const output = await bench.run(0, [process.execPath, ...flags, script, historyCase.name, folder, `${size}`]);
  const what = historyCase.what.replace('SIZE', size.toLocaleString('en-US'));
  return { case: historyCase.name, what, figures: JSON.parse(output) as Figure[] };
}
