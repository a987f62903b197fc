/**
 * A routing table with its names resolved to this worker's targets and counters: what a request is decided with. Made
 * anew for each table; what it points to outlives it.
 */

import { RuleMatcher } from '#routing/match/rule-matcher.ts';
import { pickLeastOutstanding } from '#routing/pick/least-outstanding.ts';
import { pickRandom } from '#routing/pick/random.ts';
import type { RoundRobinState } from '#routing/pick/round-robin.ts';
import { pickRoundRobin } from '#routing/pick/round-robin.ts';
import { pickWeighted } from '#routing/pick/weighted.ts';
import type {
  RoutingAction,
  RoutingAlgorithm,
  RoutingGroup,
  RoutingTable,
  RoutingTarget,
  RoutingTargetStickiness,
} from '#routing/table.ts';
import type { Transformed } from '#routing/transform.ts';
import type { GroupCounters } from './counters.ts';
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
export interface GroupState {
  readonly turns: RoundRobinState;
  readonly counters: GroupCounters;
  readonly retryBudget: RetryBudget;
}

/** One target group of a listener. */
export interface RouteGroup extends GroupState {
  readonly id: string;
  readonly refusesHttp1: boolean;
  readonly isOfFunctions: boolean;
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

/** Where the lasting things are found, by their ids. */
export interface RouteRegistry {
  target(target: RoutingTarget): HttpTarget;
  group(groupId: string): GroupState;
}

export function resolveRoutes(table: RoutingTable, registry: RouteRegistry, traceIds: TraceIds): Routes {
  return {
    table,
    rules: new RuleMatcher(table.rules),
    rewrite: rewriteSettings(table, traceIds),
    answerFields: table.responseFields && new AnswerFields(table.responseFields),
    groups: table.groups.map((group) => resolveGroup(group, registry, traceIds)),
  };
}

/** The group that a forward action gives a request to. */
export function groupFor(routes: Routes, action: ForwardAction, dice: Dice): RouteGroup | undefined {
  const { choices } = action;
  const choice = choices.length === 1 ? choices[0] : pickWeighted(choices, rollOf(dice));
  return choice === undefined ? undefined : routes.groups[choice.group];
}

function resolveGroup(group: RoutingGroup, registry: RouteRegistry, dice: Dice): RouteGroup {
  const targets = group.targets.map((target) => registry.target(target));
  const eligible = group.eligible.map((index) => targets[index]!);
  const state = registry.group(group.id);
  const { id, stickiness, refusesHttp1 = false, isOfFunctions = false } = group;
  const pick = picker(group.algorithm, state.turns, eligible, dice);
  return { ...state, id, refusesHttp1, isOfFunctions, stickiness, targets, eligible, pick };
}

function picker(
  algorithm: RoutingAlgorithm,
  turns: RoundRobinState,
  eligible: readonly HttpTarget[],
  dice: Dice,
): RouteGroup['pick'] {
  switch (algorithm) {
    case 'round_robin':
      return (tried) => pickRoundRobin(turns, eligible, tried);
    case 'least_outstanding_requests':
      return (tried) => pickLeastOutstanding(turns, eligible, tried);
    case 'weighted_random':
      return (tried) => pickRandom(eligible, tried, rollOf(dice));
  }
}

function rollOf(dice: Dice): number {
  return dice.next() / 2 ** 32;
}
