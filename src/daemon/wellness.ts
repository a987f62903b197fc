/** Whether everything that serves is as well as it was: asked between the steps of a maintenance process. */
import type { Traffic } from '#control/sentinel/alarm.ts';
import type { IncidentBook } from '#control/sentinel/incident-book.ts';
import type { Clock } from '#io/clock.ts';
import { sleep } from '#io/timers.ts';
import type { FollowerStatus } from '#link/server.ts';

/** So long the nodes may take to have a step in service. */
const inStepMs = 10_000;
const pollMs = 20;
/** More errors than these since the step before, as a share of the requests and as a number, are a sign of harm. */
const failedMax = { share: 0.01, count: 10 };

export interface WellnessOptions {
  readonly book: IncidentBook;
  readonly followers: () => ReadonlyMap<string, FollowerStatus>;
  readonly traffic: () => Promise<ReadonlyMap<string, Traffic>>;
  readonly clock: Clock;
}

export class Wellness {
  readonly #options: WellnessOptions;
  #before: Traffic | undefined;

  constructor(options: WellnessOptions) {
    this.#options = options;
  }

  /** What is not well, a sentence; undefined when all followers serve `revision` and nothing fails. */
  async whyUnwell(revision: number): Promise<string | undefined> {
    const { book, followers, clock } = this.#options;
    const [incident] = book.open;
    if (incident !== undefined) return `incident ${incident.id} is open: ${incident.title}`;
    for (const endMs = clock.monotonicMs() + inStepMs; ; await sleep(pollMs)) {
      const unwell = [...followers()].find(
        ([, { held, connected, diverged }]) => held.length > 0 || !connected || diverged,
      );
      if (unwell !== undefined) {
        const [id, { held }] = unwell;
        return held.length > 0 ? `${id} holds back revision ${held[0]!.revision}` : `${id} is not in step`;
      }
      const behind = [...followers()].find(([, status]) => status.revision < revision);
      if (behind === undefined) break;
      if (clock.monotonicMs() > endMs) return `${behind[0]} does not have revision ${revision} in service`;
    }
    return this.#whyFailing();
  }

  async #whyFailing(): Promise<string | undefined> {
    const now = { requests: 0, failedRequests: 0 };
    for (const { requests, failedRequests } of (await this.#options.traffic()).values()) {
      now.requests += requests;
      now.failedRequests += failedRequests;
    }
    const before = this.#before;
    this.#before = now;
    if (before === undefined) return undefined;
    const failed = now.failedRequests - before.failedRequests;
    const requests = now.requests - before.requests;
    const isMany = failed >= failedMax.count && failed > requests * failedMax.share;
    return isMany ? `${failed} of ${requests} requests failed since the step before` : undefined;
  }
}
