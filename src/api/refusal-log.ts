/**
 * Says in the log who could not show who they are: the first time for each key and reason, and then how often in a
 * minute. Of what a stranger sends only what looks like an access key's id is repeated.
 */
import type { Clock } from '#io/clock.ts';
import type { Log } from '#io/log.ts';

const periodMs = 60_000;
/** So many different ones a minute; the others are only counted together. */
const kindsMax = 100;
/** Of anything else, which may be a secret in the wrong place, nothing is repeated. */
const keyPattern = /^[A-Z0-9]{16,32}$/;

export class RefusalLog {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #counts = new Map<string, number>();
  #others = 0;
  #beganMs: number;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
    this.#beganMs = clock.monotonicMs();
  }

  /** `accessKeyId` as it was claimed; undefined when none was. */
  note(refused: { readonly code: string; readonly accessKeyId: string | undefined; readonly from: string }): void {
    this.#summarise();
    const kind = `${refused.code} with ${shownKey(refused.accessKeyId)} from ${refused.from}`;
    const count = this.#counts.get(kind);
    if (count !== undefined) this.#counts.set(kind, count + 1);
    else if (this.#counts.size >= kindsMax) this.#others += 1;
    else {
      this.#counts.set(kind, 1);
      this.#log.warn(`a request was refused: ${kind}`);
    }
  }

  #summarise(): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#beganMs < periodMs) return;
    for (const [kind, count] of this.#counts) {
      if (count > 1) this.#log.warn(`requests were refused ${count} times within a minute: ${kind}`);
    }
    if (this.#others > 0) this.#log.warn(`${this.#others} more requests were refused within a minute`);
    this.#counts.clear();
    this.#others = 0;
    this.#beganMs = nowMs;
  }
}

function shownKey(accessKeyId: string | undefined): string {
  if (accessKeyId === undefined) return 'no access key';
  return keyPattern.test(accessKeyId) ? accessKeyId : 'a malformed access key id';
}
