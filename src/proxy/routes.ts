/**
 * A routing table with its names resolved to this worker's targets and counters: what a request is decided with. Made
 * anew for each table; what it points to outlives it.
 */

import type { Clock } from '#io/clock.ts';
import { RuleMatcher } from '#routing/match/rule-matcher.ts';
import { layOut, pickByWeight } from '#routing/pick/by-weight.ts';
import { pickLeastOutstanding } from '#routing/pick/least-outstanding.ts';
import { pickRandom } from '#routing/pick/random.ts';
import type { RoundRobinState } from '#routing/pick/round-robin.ts';
import { pickRoundRobin } from '#routing/pick/round-robin.ts';
import { pickInSlowStart, shareAt } from '#routing/pick/slow-start.ts';
import { pickWeighted } from '#routing/pick/weighted.ts';
import type {
  RoutingAction,
  RoutingAlgorithm,
  RoutingGroup,
  RoutingSlowStart,
  RoutingTable,
  RoutingTarget,
  RoutingTargetStickiness,
} from '#routing/table.ts';
import type { Transformed } from '#routing/transform.ts';
import type { TargetOwner } from './counters.ts';
import { AnswerFields } from './http1/answer-fields.ts';
import type { RewriteSettings } from './http1/request-rewrite.ts';
import { rewriteSettings } from './http1/request-rewrite.ts';
import type { HttpTarget } from './http1/target-connection.ts';
import type { TraceIds } from './http1/trace-id.ts';
import type { RetryBudget } from './upstream/retry-budget.ts';

export type ForwardAction = Extract<RoutingAction, { readonly kind: 'forward' }>;

/** Where a request goes, and what is changed of it on the way. */
export interface Way {
  readonly action: ForwardAction;
  readonly changed: Transformed | undefined;
}

export interface Routes {
  readonly table: RoutingTable;
  readonly rules: RuleMatcher;
  readonly rewrite: RewriteSettings;
  readonly answerFields: AnswerFields | undefined;
  readonly groups: readonly RouteGroup[];
}

/** What lasts of a target group while tables come and go. */
export interface GroupState extends TargetOwner {
  readonly turns: RoundRobinState;
  readonly retryBudget: RetryBudget;
}

/** One target group of a listener. */
export interface RouteGroup extends GroupState {
  readonly id: string;
  readonly refusesHttp1: boolean;
  readonly isOfFunctions: boolean;
  /** Too few of its targets are healthy, so all of them get requests. */
  readonly isFailingOpen: boolean;
  readonly stickiness: RoutingTargetStickiness | undefined;
  readonly targets: readonly HttpTarget[];
  /** Those that may have new requests. */
  readonly eligible: readonly HttpTarget[];
  /** Who gets the next request, of those that may have one and were not tried for it. */
  readonly pick: (tried: readonly HttpTarget[]) => HttpTarget | undefined;
}

/** Gives 32 random bits a time. */
interface Dice {
  next(): number;
}

/** What choices depend on besides the table. */
interface Luck {
  readonly traceIds: TraceIds;
  readonly clock: Clock;
}

/** Where the lasting things are found, by their ids. */
export interface RouteRegistry {
  target(target: RoutingTarget, owner: TargetOwner): HttpTarget;
  group(groupId: string): GroupState;
}

export function resolveRoutes(table: RoutingTable, registry: RouteRegistry, luck: Luck): Routes {
  const { traceIds } = luck;
  return {
    table,
    rules: new RuleMatcher(table.rules),
    rewrite: rewriteSettings(table, traceIds),
    answerFields: table.responseFields && new AnswerFields(table.responseFields),
    groups: table.groups.map((group) => resolveGroup(group, registry, luck)),
  };
}

/** The group that a forward action gives a request to. */
export function groupFor(routes: Routes, action: ForwardAction, dice: Dice): RouteGroup | undefined {
  const { choices } = action;
  const choice = choices.length === 1 ? choices[0] : pickWeighted(choices, rollOf(dice));
  return choice === undefined ? undefined : routes.groups[choice.group];
}

function resolveGroup(group: RoutingGroup, registry: RouteRegistry, luck: Luck): RouteGroup {
  const state = registry.group(group.id);
  const targets = group.targets.map((target) => registry.target(target, state));
  const eligible = group.eligible.map((index) => targets[index]!);
  const { id, stickiness, refusesHttp1 = false, isOfFunctions = false, isFailingOpen = false } = group;
  const slowStarts = slowStartsOf(group, targets, luck.clock.wallMs());
  const pick = picker(group.algorithm, { turns: state.turns, eligible, slowStarts, weights: weightsOf(group) }, luck);
  return { ...state, id, refusesHttp1, isOfFunctions, isFailingOpen, stickiness, targets, eligible, pick };
}

/** Of the eligible targets; undefined when all have the same. */
function weightsOf({ eligible, targets }: RoutingGroup): readonly number[] | undefined {
  const weights = eligible.map((index) => targets[index]!.weight ?? 1);
  return weights.some((weight) => weight !== weights[0]) ? weights : undefined;
}

type SlowStarts = ReadonlyMap<HttpTarget, RoutingSlowStart>;

/** Those that are not over yet. */
function slowStartsOf({ targets }: RoutingGroup, resolved: readonly HttpTarget[], nowMs: number): SlowStarts {
  const slowStarts = new Map<HttpTarget, RoutingSlowStart>();
  for (const [index, { slowStart }] of targets.entries()) {
    if (slowStart !== undefined && shareAt(slowStart, nowMs) < 1) slowStarts.set(resolved[index]!, slowStart);
  }
  return slowStarts;
}

interface Choices {
  readonly turns: RoundRobinState;
  readonly eligible: readonly HttpTarget[];
  readonly slowStarts: SlowStarts;
  readonly weights: readonly number[] | undefined;
}

function picker(
  algorithm: RoutingAlgorithm,
  { turns, eligible, slowStarts, weights }: Choices,
  { traceIds: dice, clock }: Luck,
): RouteGroup['pick'] {
  switch (algorithm) {
    case 'round_robin': {
      if (slowStarts.size === 0) return (tried) => pickRoundRobin(turns, eligible, tried);
      const share = (target: HttpTarget) => {
        const slowStart = slowStarts.get(target);
        return slowStart === undefined ? 1 : shareAt(slowStart, clock.wallMs());
      };
      const roll = () => rollOf(dice);
      return (tried) => pickInSlowStart(turns, eligible, tried, { share, roll });
    }
    case 'least_outstanding_requests':
      return (tried) => pickLeastOutstanding(turns, eligible, tried);
    case 'weighted_random':
      if (weights !== undefined) {
        const choices = layOut(eligible, weights);
        return (tried) => pickByWeight(choices, tried, rollOf(dice));
      }
      return (tried) => pickRandom(eligible, tried, rollOf(dice));
  }
}

function rollOf(dice: Dice): number {
  return dice.next() / 2 ** 32;
}
