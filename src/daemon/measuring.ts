/**
 * Fills the book of CloudWatch's metrics: looks at the counters of every node, and keeps what was counted minute by
 * minute, in memory alone.
 */
import type { Clock } from '#io/clock.ts';
import { soon } from '#io/timers.ts';
import type { LinkServer } from '#link/server.ts';
import type { MetricsReader } from '#model/metrics.ts';
import type { NodeStats } from '#node/node.ts';
import { MinuteBook } from '#observe/cloudwatch/minute-book.ts';
import { Sampler } from '#observe/cloudwatch/sampler.ts';

/** A node that is slower is not heard this time; what it counted comes with the next. */
const statsTimeoutMs = 2_000;

export function startMeasuring(options: {
  readonly link: Pick<LinkServer, 'stats'>;
  /** Up to a minute. */
  readonly periodMs: number;
  readonly clock: Clock;
}): { readonly reader: MetricsReader; readonly stop: () => void } {
  const { link, periodMs, clock } = options;
  const book = new MinuteBook({ sinceMs: clock.wallMs() });
  const look = async (atMs: number) => {
    const stats = (await link.stats(statsTimeoutMs)) as ReadonlyMap<string, NodeStats>;
    for (const _ of book.lookInSteps(atMs, stats)) await new Promise<void>(soon);
  };
  const sampler = new Sampler({ periodMs, clock, look });
  return { reader: book, stop: () => sampler.stop() };
}
