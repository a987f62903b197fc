/**
 * How many requests a target group may have tried again: at most a fifth as many as it gets, so that a group whose
 * targets all fail is not asked several times as much by its own load balancer. Looked at only when a request failed;
 * requests that succeed pay nothing for it.
 *
 *     window ─ 10 s ─▶ next window      allowed: 10 and a fifth of this window's requests, or of the last one's
 */

const windowMs = 10_000;
/** Allowed in each window however few the requests are. */
const floorCount = 10;
const shareMax = 0.2;
/** The first time, nothing is known of when the requests came. */
const firstPassedMs = 3_600_000;

export class RetryBudget {
  #beganMs = Number.NEGATIVE_INFINITY;
  #requestsBefore = 0;
  #lastRequests = 0;
  #retries = 0;

  /** Whether one more retry may be made, which then is; `requests`: how many the group has had since it is counted. */
  take(requests: number, nowMs: number): boolean {
    const passedMs = nowMs - this.#beganMs;
    if (passedMs >= windowMs) {
      // Nobody has looked since: what came meanwhile is taken to have come evenly.
      this.#lastRequests = ((requests - this.#requestsBefore) * windowMs) / Math.min(passedMs, firstPassedMs);
      this.#beganMs = nowMs;
      this.#requestsBefore = requests;
      this.#retries = 0;
    }
    const counted = Math.max(requests - this.#requestsBefore, this.#lastRequests);
    if (this.#retries >= floorCount + counted * shareMax) return false;
    this.#retries += 1;
    return true;
  }
}
