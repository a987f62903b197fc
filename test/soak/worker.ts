/**
 * The worker that a soak holds under load: the one that nodes start, and beside it an answer to how large the process
 * is when everything unreachable is gone.
 */
import { runWorker } from '#node/worker.ts';

/** Beside what nodes ask (`ToWorker`). */
export interface MeasureOrder {
  readonly type: 'measure';
}

export interface Measured {
  readonly type: 'measured';
  readonly memory: NodeJS.MemoryUsage;
  /** What keeps the event loop alive: sockets, timers, files. */
  readonly handles: number;
}

runWorker();
process.on('message', (order: { readonly type: string }) => {
  if (order.type === 'measure') void measure();
});
// A worker goes on without its node; without its soak it has nothing to go on for.
process.on('disconnect', () => process.exit(0));

async function measure(): Promise<void> {
  // What a round frees may free more; and the stacks of this turn hold on to some of it.
  for (let round = 0; round < 4; round += 1) {
    globalThis.gc!();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const handles = process.getActiveResourcesInfo().length;
  process.send!({ type: 'measured', memory: process.memoryUsage(), handles } satisfies Measured);
}
