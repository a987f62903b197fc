/**
 * Who gets a request: first by the client's session, where one is kept, else by the weights and the algorithm; then,
 * when a target failed, by the rules of retrying. A request that a target may have acted on is sent again only when its
 * method says that acting twice is the same as once.
 */
import { type ForwardAction, groupFor, type RouteGroup, type Routes } from '#proxy/routes.ts';
import type { WorkerContext } from '#proxy/worker-context.ts';
import type { RoutingTargetStickiness } from '#routing/table.ts';
import type { ResponseHead } from './response-head.ts';
import { cookieIn, type Session, setsCookie } from './session-cookies.ts';
import type { HttpTarget, TargetConnection, TargetFailure } from './target-connection.ts';

const attemptsMax = 3;
/** Who refused a connection is left in peace for so long, if there are others. Health checks decide about the rest. */
const avoidedMs = 1_000;
/** So many targets are passed over at most. */
const passedOverMax = 8;
const none: readonly HttpTarget[] = [];
const noSessions: readonly Session[] = [];

export class Attempts {
  #group: RouteGroup | undefined;
  #action: ForwardAction | undefined;
  #loadBalancerId = '';
  #tried = none;
  #hasRepeated = false;
  /** The client came with a session of the application's, with whichever target. */
  #isInSession = false;
  /** What else the client's cookie says of sessions of applications. */
  #otherSessions = noSessions;

  get group(): RouteGroup {
    return this.#group!;
  }

  /** What a request is answered with that no target can have. */
  get refusal(): 464 | 503 {
    return this.#group?.refusesHttp1 === true ? 464 : 503;
  }

  /** The first target for the request that the context's facts tell of; undefined when there is none. */
  begin(routes: Routes, action: ForwardAction, context: WorkerContext): HttpTarget | undefined {
    this.#action = action;
    this.#loadBalancerId = routes.table.loadBalancer.id;
    const { stickiness } = action;
    const known = stickiness && this.#groupOfSession(routes, action, stickiness.durationSeconds, context);
    const group = known ?? groupFor(routes, action, context.traceIds);
    this.#group = group;
    this.#tried = none;
    this.#hasRepeated = false;
    if (group === undefined) return undefined;
    group.counters.requests += 1;
    let target: HttpTarget | undefined;
    if (group.stickiness !== undefined) {
      target = this.#targetOfSession(group, group.stickiness, context);
      if (target === undefined) group.counters.nonSticky += 1;
    }
    target ??= group.pick(none);
    if (target === undefined) group.counters.withoutTarget += 1;
    else if (group.isFailingOpen) group.counters.unhealthyRouting += 1;
    // Who did not refuse lately pays nothing for this, not even a look at the clock.
    if (target === undefined || target.avoidedUntilMs === 0) return target;
    return passOver(group, target, context.clock.monotonicMs());
  }

  /** What the answer of the target, whose offset 0 lies at `base`, tells the client to come back with. */
  sessionLines(
    target: HttpTarget,
    { cookies }: WorkerContext,
    head: ResponseHead,
    bytes: Buffer,
    base: number,
  ): Buffer | undefined {
    const { id, stickiness } = this.group;
    const scope = this.#loadBalancerId;
    const ofGroup = this.#action!.stickiness;
    if (stickiness === undefined && ofGroup === undefined) return undefined;
    const lines: Buffer[] = [];
    if (ofGroup !== undefined) lines.push(cookies.lines('group', scope, id));
    if (stickiness !== undefined) {
      const { applicationCookie: name } = stickiness;
      if (name === undefined) lines.push(cookies.lines('target', scope, target.key));
      else if (this.#isInSession || setsCookie(head, bytes, base, name)) {
        lines.push(cookies.lines('application', scope, target.key, this.#otherSessions));
      }
    }
    return Buffer.concat(lines);
  }

  /**
   * Decides after a failure before the answer's head: another attempt, or the status to answer with. `isRepeatable`:
   * the method is idempotent and there is no body.
   */
  next(
    failure: TargetFailure,
    connection: TargetConnection,
    isRepeatable: boolean,
    nowMs: number,
  ): HttpTarget | 502 | 504 {
    const { counters } = this.group;
    const mayRepeat = failure === 'lost' && !connection.hasAnswered && isRepeatable;
    if (mayRepeat && connection.isReused && !this.#hasRepeated) {
      // Most likely the target had closed the connection before the request came. A fresh one settles it.
      this.#hasRepeated = true;
      if (this.#mayRetry(nowMs)) return connection.target;
    }
    counters.connectionErrors += 1;
    connection.target.counters!.unanswered += 1;
    const nothingWasSent = failure === 'connect-failed' || failure === 'connect-timeout';
    if (nothingWasSent) {
      connection.target.avoidedUntilMs = nowMs + avoidedMs;
      connection.target.counters!.connectErrors += 1;
      counters.connectErrors += 1;
    }
    // A target that goes away resets even fresh connections that wait in its queue. One other target may have what
    // can be repeated (RFC 9110 section 9.2.2), no more: a request that kills targets must not visit them all.
    if (nothingWasSent || (mayRepeat && this.#tried.length === 0)) {
      this.#tried = [...this.#tried, connection.target];
      const target = this.#tried.length < attemptsMax ? this.group.pick(this.#tried) : undefined;
      if (target !== undefined && this.#mayRetry(nowMs)) return target;
    }
    return failure === 'connect-timeout' ? 504 : 502;
  }

  #mayRetry(nowMs: number): boolean {
    const { counters, retryBudget } = this.group;
    const isGranted = retryBudget.take(counters.requests, nowMs);
    if (isGranted) counters.retries += 1;
    else counters.retriesRefused += 1;
    return isGranted;
  }

  #groupOfSession(
    routes: Routes,
    { choices }: ForwardAction,
    durationSeconds: number,
    { cookies, facts }: WorkerContext,
  ): RouteGroup | undefined {
    const id = cookies.find('group', this.#loadBalancerId, durationSeconds, facts);
    if (id === undefined) return undefined;
    // A group that has no weight any more keeps the sessions that it has.
    return choices.map(({ group }) => routes.groups[group]!).find((group) => group.id === id);
  }

  #targetOfSession(
    group: RouteGroup,
    { applicationCookie, durationSeconds }: RoutingTargetStickiness,
    { cookies, facts }: WorkerContext,
  ): HttpTarget | undefined {
    if (applicationCookie === undefined) {
      return eligible(group, cookies.find('target', this.#loadBalancerId, durationSeconds, facts));
    }
    // Of this request: the connection may have had another before.
    const sessions = cookies.sessions('application', this.#loadBalancerId, facts);
    const isOwn = ({ value }: Session) => value.startsWith(`${group.id}/`);
    const own = sessions.find(isOwn);
    this.#otherSessions = sessions.filter((session) => !isOwn(session));
    // Without the application's cookie its session has ended, whatever ours says.
    this.#isInSession =
      own !== undefined && cookies.lasts(own, durationSeconds) && cookieIn(facts, applicationCookie) !== undefined;
    return this.#isInSession ? eligible(group, own!.value) : undefined;
  }
}

/** The target with this key, if it may have requests. */
function eligible(group: RouteGroup, key: string | undefined): HttpTarget | undefined {
  return key === undefined ? undefined : group.eligible.find((target) => target.key === key);
}

/** Another target than this one, which refused a connection lately; this one when others are no better. */
function passOver(group: RouteGroup, refused: HttpTarget, nowMs: number): HttpTarget {
  const passed: HttpTarget[] = [];
  for (let next: HttpTarget | undefined = refused; next !== undefined; next = group.pick(passed)) {
    if (next.avoidedUntilMs <= nowMs) {
      next.avoidedUntilMs = 0;
      return next;
    }
    passed.push(next);
    if (passed.length === passedOverMax) break;
  }
  return refused;
}
