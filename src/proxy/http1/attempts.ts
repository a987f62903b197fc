/**
 * Who gets a request next when a target failed: the rules of retrying. A request that a target may have acted on is
 * sent again only when its method says that acting twice is the same as once.
 */
import type { RouteGroup } from '#proxy/routes.ts';
import type { HttpTarget, TargetConnection, TargetFailure } from './target-connection.ts';

const attemptsMax = 3;
const none: readonly HttpTarget[] = [];

export class Attempts {
  #group: RouteGroup | undefined;
  #tried = none;
  #hasRepeated = false;

  get group(): RouteGroup {
    return this.#group!;
  }

  /** The first target for a request; undefined when the group has none. */
  begin(group: RouteGroup): HttpTarget | undefined {
    this.#group = group;
    this.#tried = none;
    this.#hasRepeated = false;
    group.counters.requests += 1;
    return group.pick(none);
  }

  /**
   * Decides after a failure before the answer's head: another attempt, or the status to answer with. `isRepeatable`:
   * the method is idempotent and there is no body.
   */
  next(failure: TargetFailure, connection: TargetConnection, isRepeatable: boolean): HttpTarget | 502 | 504 {
    const { counters } = this.group;
    const mayRepeat = failure === 'lost' && !connection.hasAnswered && isRepeatable;
    if (mayRepeat && connection.isReused && !this.#hasRepeated) {
      // Most likely the target had closed the connection before the request came. A fresh one settles it.
      this.#hasRepeated = true;
      counters.retries += 1;
      return connection.target;
    }
    counters.connectionErrors += 1;
    const nothingWasSent = failure === 'connect-failed' || failure === 'connect-timeout';
    // A target that goes away resets even fresh connections that wait in its queue. One other target may have what
    // can be repeated (RFC 9110 section 9.2.2), no more: a request that kills targets must not visit them all.
    if (nothingWasSent || (mayRepeat && this.#tried.length === 0)) {
      this.#tried = [...this.#tried, connection.target];
      const target = this.#tried.length < attemptsMax ? this.group.pick(this.#tried) : undefined;
      if (target !== undefined) {
        counters.retries += 1;
        return target;
      }
    }
    return failure === 'connect-timeout' ? 504 : 502;
  }
}
