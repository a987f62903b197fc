/**
 * The blast radius: how many different load balancers have stopped serving within a sliding window, by who did it and
 * through what. Time is an argument. What was approved does not count: somebody has looked at it.
 */
import type { Channel } from '#model/change.ts';
import type { HexId } from '#model/documents.ts';

/** One transaction that harmed. */
export interface HarmRecord {
  readonly revision: number;
  readonly timeMs: number;
  readonly principal: string;
  readonly channel: Channel;
  /** Where they are not known any more, as after a restart, there are as many of them as the journal says. */
  readonly loadBalancers: readonly HexId[];
}

export interface HarmFilter {
  /** From this moment on. */
  readonly sinceMs: number;
  readonly principal?: string;
  readonly channel?: Channel;
}

/** The load balancers harmed since then, each once. */
export function blastRadius(records: Iterable<HarmRecord>, filter: HarmFilter): ReadonlySet<HexId> {
  const harmed = new Set<HexId>();
  for (const { timeMs, principal, channel, loadBalancers } of records) {
    if (timeMs < filter.sinceMs) continue;
    if (filter.principal !== undefined && filter.principal !== principal) continue;
    if (filter.channel !== undefined && filter.channel !== channel) continue;
    for (const id of loadBalancers) harmed.add(id);
  }
  return harmed;
}

/** What was harmed lately, in the order of time. */
export class HarmWindow {
  readonly #keptMs: number;
  #records: HarmRecord[] = [];

  constructor(keptMs: number) {
    this.#keptMs = keptMs;
  }

  get records(): readonly HarmRecord[] {
    return this.#records;
  }

  add(record: HarmRecord): void {
    if (record.loadBalancers.length === 0) return;
    const oldestMs = record.timeMs - this.#keptMs;
    if (this.#records.length > 0 && this.#records[0]!.timeMs < oldestMs) {
      this.#records = this.#records.filter(({ timeMs }) => timeMs >= oldestMs);
    }
    this.#records.push(record);
  }

  /** A transaction that was not written after all has harmed nobody. */
  forget(revision: number): void {
    this.#records = this.#records.filter((record) => record.revision !== revision);
  }
}
