/** How many requests each load balancer took within the last hour, from counters that are read once a minute. */
import type { HexId } from '#model/documents.ts';

const samplesMax = 61;

export class RecentTraffic {
  /** The oldest first: per load balancer what came since the sample before. */
  readonly #samples: ReadonlyMap<HexId, number>[] = [];
  #last: ReadonlyMap<HexId, number> = new Map();

  /** `totals` are counters that only grow, but begin again at nothing when a node is started anew. */
  sample(totals: ReadonlyMap<HexId, number>): void {
    const since = new Map<HexId, number>();
    for (const [id, total] of totals) {
      const before = this.#last.get(id) ?? 0;
      const more = total >= before ? total - before : total;
      if (more > 0) since.set(id, more);
    }
    this.#last = totals;
    this.#samples.push(since);
    if (this.#samples.length > samplesMax) this.#samples.shift();
  }

  requests(id: HexId): number {
    return this.#samples.reduce((sum, sample) => sum + (sample.get(id) ?? 0), 0);
  }
}
