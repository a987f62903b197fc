/**
 * Actions, from the API's form to a rule's and back. A rule has exactly one that ends the request's way (forward,
 * redirect or fixed response), and at most one before it that asks who the client is. What comes back are the same
 * actions, with the API's defaults filled in.
 * Source: `Action` in the ELB API reference; "Action types for listener rules" in the guide.
 */
import type { Action, ForwardActionConfig } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, type Result, refuse } from '#base/result.ts';
import type { OperationContext } from '#control/operation.ts';
import type { RuleAction, WeightedGroup } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import type { View } from '#model/view.ts';
import { findByArn, targetGroupArn } from './arns.ts';
import { type ClientSecret, decodeCognito, decodeJwt, decodeOidc, encodeAuthenticate } from './authenticate-actions.ts';
import { checkChoice, checkRange } from './checks.ts';
import { decodeFixedResponse, decodeRedirect } from './fixed-actions.ts';
import { quotas } from './quotas.ts';
import type { Decoded } from './shape.ts';

type ActionInput = Decoded<Action>;
type ForwardAction = Extract<RuleAction, { kind: 'forward' }>;

/** Every type the API knows, with the members that belong to it. */
const membersOfType: Readonly<Record<string, readonly (keyof ActionInput)[]>> = {
  forward: ['TargetGroupArn', 'ForwardConfig'],
  redirect: ['RedirectConfig'],
  'fixed-response': ['FixedResponseConfig'],
  'authenticate-oidc': ['AuthenticateOidcConfig'],
  'authenticate-cognito': ['AuthenticateCognitoConfig'],
  'jwt-validation': ['JwtValidationConfig'],
};
const routingTypes = ['forward', 'redirect', 'fixed-response'];
const orderRange = { min: 1, max: 50_000 };
const weightRange = { min: 0, max: 999 };
const stickinessSecondsRange = { min: 1, max: 604_800 };

export interface DecodedActions {
  /** In the order in which they are carried out. */
  readonly actions: readonly RuleAction[];
  /** Undefined when none of them has one. */
  readonly secret?: ClientSecret;
}

/**
 * Reads the actions of a rule. Refuses more or less than one that routes, a type that is not known, and settings that
 * do not belong to its type; the target groups must exist.
 */
export function decodeActions(
  view: View,
  member: 'Actions' | 'DefaultActions',
  given: readonly ActionInput[],
  context: OperationContext,
): Result<DecodedActions, Fault> {
  if (given.length === 0) return refuse(fault('ValidationError', `${member} is empty; an action must be specified`));
  const known = Object.keys(membersOfType);
  for (const { Type, Order } of given) {
    const wrong =
      checkChoice('Action type', Type, known) ??
      (Order === undefined ? undefined : checkRange('Action order', Order, orderRange));
    if (wrong !== undefined) return refuse(wrong);
  }
  const sorted = inOrder(member, given);
  if (!sorted.ok) return sorted;
  const actions: RuleAction[] = [];
  let secret: ClientSecret | undefined;
  for (const action of sorted.value) {
    const decoded = decodeAction(view, action, context);
    if (!decoded.ok) return decoded;
    actions.push(withOrder(decoded.value.action, action.Order, actions.length + 1));
    secret = decoded.value.secret ?? secret;
  }
  return accept({ actions, ...(secret !== undefined && { secret }) });
}

/** By their order: what asks the client first, what routes last. */
function inOrder(member: string, given: readonly ActionInput[]): Result<readonly ActionInput[], Fault> {
  const routing = given.filter(({ Type }) => routingTypes.includes(Type));
  if (routing.length !== 1 || given.length > 2) {
    const allowed = `exactly one of '${routingTypes.join(', ')}' must be specified, and at most one that authenticates`;
    return refuse(fault('InvalidLoadBalancerAction', `${member} has ${given.length} actions; ${allowed}`));
  }
  if (given.length === 1) return accept(given);
  const orders = given.map(({ Order }) => Order);
  if (orders.some((order) => order === undefined) || orders[0] === orders[1]) {
    const message = `${member}: an order must be specified for each of several actions, each another`;
    return refuse(fault('InvalidLoadBalancerAction', message));
  }
  const sorted = given.toSorted((one, other) => one.Order! - other.Order!);
  if (routingTypes.includes(sorted[1]!.Type)) return accept(sorted);
  const message = `${member}: the action of type '${routing[0]!.Type}' must have the highest order`;
  return refuse(fault('InvalidLoadBalancerAction', message));
}

/** The actions as the API answers them; a target group that is not there any more is left out. */
export function encodeActions(view: View, actions: readonly RuleAction[], context: OperationContext): Action[] {
  return actions.map((action, index) => ({
    Type: action.kind,
    Order: action.order ?? index + 1,
    ...encodeConfig(view, action, context),
  }));
}

function decodeAction(
  view: View,
  action: ActionInput,
  context: OperationContext,
): Result<{ readonly action: RuleAction; readonly secret?: ClientSecret }, Fault> {
  const own = membersOfType[action.Type] ?? [];
  const stray = Object.values(membersOfType)
    .flat()
    .find((name) => action[name] !== undefined && !own.includes(name));
  if (stray !== undefined) {
    const message = `${stray} cannot be specified for an action of type '${action.Type}'`;
    return refuse(fault('InvalidLoadBalancerAction', message));
  }
  switch (action.Type) {
    case 'authenticate-oidc':
      return decodeOidc(action.AuthenticateOidcConfig);
    case 'authenticate-cognito':
      return decodeCognito(action.AuthenticateCognitoConfig);
    case 'jwt-validation':
      return decodeJwt(action.JwtValidationConfig);
    default: {
      const routing = decodeRouting(view, action, context);
      return routing.ok ? accept({ action: routing.value }) : routing;
    }
  }
}

function decodeRouting(view: View, action: ActionInput, context: OperationContext): Result<RuleAction, Fault> {
  if (action.Type === 'forward') return decodeForward(view, action, context);
  if (action.Type === 'redirect') return decodeRedirect(action.RedirectConfig);
  return decodeFixedResponse(action.FixedResponseConfig);
}

/** The order is kept only where it says more than the action's place in the list. */
function withOrder(action: RuleAction, order: number | undefined, place: number): RuleAction {
  return order === undefined || order === place ? action : { ...action, order };
}

function decodeForward(view: View, action: ActionInput, context: OperationContext): Result<ForwardAction, Fault> {
  const tuples = namedGroups(action);
  if (!tuples.ok) return tuples;
  const groups: WeightedGroup[] = [];
  for (const { arn, weight } of tuples.value) {
    const wrong = checkRange('Weight', weight, weightRange);
    if (wrong !== undefined) return refuse(wrong);
    const group = findByArn(view, 'target-group', arn, context);
    if (!group.ok) return group;
    if (groups.some(({ targetGroupId }) => targetGroupId === group.value.id)) {
      return refuse(fault('ValidationError', `Target group '${arn}' is specified more than once in one action`));
    }
    groups.push({ targetGroupId: group.value.id, weight });
  }
  const stickiness = decodeStickiness(action.ForwardConfig?.TargetGroupStickinessConfig);
  if (!stickiness.ok) return stickiness;
  return accept({ kind: 'forward', groups, ...(stickiness.value && { stickiness: stickiness.value }) });
}

/** A single group may be named by TargetGroupArn, by ForwardConfig, or alike by both. */
function namedGroups({
  TargetGroupArn: single,
  ForwardConfig,
}: ActionInput): Result<readonly { readonly arn: string; readonly weight: number }[], Fault> {
  const tuples = ForwardConfig?.TargetGroups ?? [];
  if (tuples.length === 0) {
    if (single !== undefined) return accept([{ arn: single, weight: 1 }]);
    return refuse(fault('ValidationError', 'A target group ARN must be specified for an action of type forward'));
  }
  if (tuples.length > quotas.targetGroupsPerAction) {
    const limit = `the limit is ${quotas.targetGroupsPerAction}`;
    return refuse(fault('TooManyTargetGroups', `ForwardConfig has ${tuples.length} target groups; ${limit}`));
  }
  if (single !== undefined && (tuples.length > 1 || tuples[0]!.TargetGroupArn !== single)) {
    const message = 'With TargetGroupArn, ForwardConfig can only name the same single target group';
    return refuse(fault('ValidationError', message));
  }
  const named = [];
  for (const { TargetGroupArn: arn, Weight: weight = 1 } of tuples) {
    if (arn === undefined) {
      return refuse(fault('ValidationError', 'A target group ARN must be specified for each target group'));
    }
    named.push({ arn, weight });
  }
  return accept(named);
}

function decodeStickiness(
  config: Decoded<ForwardActionConfig>['TargetGroupStickinessConfig'],
): Result<ForwardAction['stickiness'], Fault> {
  if (config === undefined) return accept(undefined);
  const { Enabled: enabled = false, DurationSeconds: durationSeconds } = config;
  if (durationSeconds === undefined) {
    if (!enabled) return accept(undefined);
    return refuse(fault('ValidationError', 'DurationSeconds must be specified to enable target group stickiness'));
  }
  const wrong = checkRange('Target group stickiness DurationSeconds', durationSeconds, stickinessSecondsRange);
  return wrong === undefined ? accept({ enabled, durationSeconds }) : refuse(wrong);
}

function encodeConfig(view: View, action: RuleAction, context: OperationContext): Partial<Action> {
  switch (action.kind) {
    case 'forward':
      return encodeForward(view, action, context);
    case 'redirect':
      return {
        RedirectConfig: {
          Protocol: action.protocol,
          Port: action.port,
          Host: action.host,
          Path: action.path,
          Query: action.query,
          StatusCode: `HTTP_${action.statusCode}`,
        },
      };
    case 'fixed-response':
      return {
        FixedResponseConfig: {
          StatusCode: `${action.statusCode}`,
          ContentType: action.contentType,
          MessageBody: action.body,
        },
      };
    case 'authenticate-oidc':
    case 'authenticate-cognito':
    case 'jwt-validation':
      return encodeAuthenticate(action);
  }
}

/** One group is answered as TargetGroupArn and as ForwardConfig, several as ForwardConfig alone. */
function encodeForward(view: View, action: ForwardAction, context: OperationContext): Partial<Action> {
  const groups = action.groups.flatMap(({ targetGroupId, weight }) => {
    const group = view.get('target-group', targetGroupId);
    if (group === undefined) return [];
    return [{ TargetGroupArn: targetGroupArn(context.settings.region, targetGroupId, group), Weight: weight }];
  });
  const { enabled = false, durationSeconds } = action.stickiness ?? {};
  const stickiness = { Enabled: enabled, ...(durationSeconds !== undefined && { DurationSeconds: durationSeconds }) };
  return {
    ...(action.groups.length === 1 && { TargetGroupArn: groups[0]?.TargetGroupArn }),
    ForwardConfig: { TargetGroups: groups, TargetGroupStickinessConfig: stickiness },
  };
}
