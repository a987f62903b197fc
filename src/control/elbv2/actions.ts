/**
 * Actions, from the API's form to a rule's and back. A rule has exactly one, and it ends the request's way: forward,
 * redirect or fixed response. What comes back is the same action, with the API's defaults filled in.
 * Source: `Action` in the ELB API reference; "Action types for listener rules" in the guide.
 */
import type { Action, ForwardActionConfig } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, type Result, refuse } from '#base/result.ts';
import type { OperationContext } from '#control/operation.ts';
import type { RuleAction, WeightedGroup } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import type { View } from '#model/view.ts';
import { findByArn, targetGroupArn } from './arns.ts';
import { checkChoice, checkRange, notOffered } from './checks.ts';
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
const offeredTypes = ['forward', 'redirect', 'fixed-response'];
const orderRange = { min: 1, max: 50_000 };
const weightRange = { min: 0, max: 999 };
const stickinessSecondsRange = { min: 1, max: 604_800 };

/**
 * Reads the actions of a rule. Refuses more or less than one, a type that is not offered, and settings that do not
 * belong to its type; the target groups must exist.
 */
export function decodeActions(
  view: View,
  member: 'Actions' | 'DefaultActions',
  actions: readonly ActionInput[],
  context: OperationContext,
): Result<readonly RuleAction[], Fault> {
  const [action] = actions;
  if (action === undefined) return refuse(fault('ValidationError', `${member} is empty; an action must be specified`));
  const known = Object.keys(membersOfType);
  for (const { Type, Order } of actions) {
    const wrong =
      checkChoice('Action type', Type, known) ??
      (offeredTypes.includes(Type) ? undefined : notOffered('Action type', Type, offeredTypes.join(', '))) ??
      (Order === undefined ? undefined : checkRange('Action order', Order, orderRange));
    if (wrong !== undefined) return refuse(wrong);
  }
  if (actions.length > 1) {
    const allowed = `exactly one of '${offeredTypes.join(', ')}' must be specified`;
    return refuse(fault('InvalidLoadBalancerAction', `${member} has ${actions.length} actions; ${allowed}`));
  }
  const decoded = decodeAction(view, action, context);
  return decoded.ok ? accept([withOrder(decoded.value, action.Order)]) : decoded;
}

/** The actions as the API answers them; a target group that is not there any more is left out. */
export function encodeActions(view: View, actions: readonly RuleAction[], context: OperationContext): Action[] {
  return actions.map((action, index) => ({
    Type: action.kind,
    Order: action.order ?? index + 1,
    ...encodeConfig(view, action, context),
  }));
}

function decodeAction(view: View, action: ActionInput, context: OperationContext): Result<RuleAction, Fault> {
  const own = membersOfType[action.Type] ?? [];
  const stray = Object.values(membersOfType)
    .flat()
    .find((name) => action[name] !== undefined && !own.includes(name));
  if (stray !== undefined) {
    const message = `${stray} cannot be specified for an action of type '${action.Type}'`;
    return refuse(fault('InvalidLoadBalancerAction', message));
  }
  if (action.Type === 'forward') return decodeForward(view, action, context);
  if (action.Type === 'redirect') return decodeRedirect(action.RedirectConfig);
  return decodeFixedResponse(action.FixedResponseConfig);
}

/** The order is kept only where it says more than the action's place in the list. */
function withOrder(action: RuleAction, order: number | undefined): RuleAction {
  return order === undefined || order === 1 ? action : { ...action, order };
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
      return {};
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
