/**
 * The control plane's decisions as one call: finds the operation, gives it the view and its context, and answers when
 * what it decided is durable. Everything that an operation may know is put together here.
 */
import { accept, type Result, refuse } from '#base/result.ts';
import type { Clock } from '#io/clock.ts';
import type { Random } from '#io/random.ts';
import type { Journal } from '#journal/journal.ts';
import type { Sealer } from '#journal/seal.ts';
import type { AnomalyLookup } from '#model/anomaly.ts';
import { type Fault, fault } from '#model/fault.ts';
import type { HealthLookup } from '#model/health.ts';
import type { MetricsReader } from '#model/metrics.ts';
import type { Moment } from '#model/moment.ts';
import type { View } from '#model/view.ts';
import { checkAccess } from './access/authorize.ts';
import { elbv2Operations } from './elbv2/operations.ts';
import type { ApiAnswer, ApiCall, ApiVersion, Execute } from './execute.ts';
import { limitsOf } from './limits.ts';
import { acmOperations } from './neighbours/acm/operations.ts';
import { cloudwatchOperations } from './neighbours/cloudwatch/operations.ts';
import { ec2Operations } from './neighbours/ec2/operations.ts';
import { iamOperations } from './neighbours/iam/operations.ts';
import { stsOperations } from './neighbours/sts/operations.ts';
import type { AnyOperation, Gathered, OperationContext, RegionSettings, TargetCondition } from './operation.ts';
import { openHistory } from './time-travel/scope.ts';
import type { World } from './world.ts';

export interface ControlOptions {
  readonly journal: Journal;
  readonly settings: RegionSettings;
  readonly health: HealthLookup;
  /** Undefined: nothing is measured. */
  readonly metrics?: MetricsReader;
  readonly anomaly: AnomalyLookup;
  readonly clock: Clock;
  readonly random: Random;
  readonly sealer: Pick<Sealer, 'seal'>;
  readonly world: World;
  /** Makes the text downloadable for some minutes; gives the URL. */
  readonly download: (text: string) => string;
}

export interface Control {
  readonly execute: Execute;
  /** Whether the operation is there; one that is only in the API's schema is not. */
  readonly offers: (version: ApiVersion, action: string) => boolean;
}

const operations: Readonly<Record<ApiVersion, ReadonlyMap<string, AnyOperation>>> = {
  '2015-12-01': new Map(Object.entries(elbv2Operations)),
  '2012-06-01': new Map(),
  '2015-12-08': new Map(Object.entries(acmOperations)),
  '2010-05-08': new Map(Object.entries(iamOperations)),
  '2011-06-15': new Map(Object.entries(stsOperations)),
  '2016-11-15': new Map(Object.entries(ec2Operations)),
  '2010-08-01': new Map(Object.entries(cloudwatchOperations)),
};

export function createControl(options: ControlOptions): Control {
  const { journal, settings, health, anomaly, clock, random, sealer, world } = options;
  const execute: Execute = async (call) => {
    const { version, action, input, principal, account, requestId, at } = call;
    const operation = operations[version].get(action);
    if (operation === undefined) return refuse(fault('InvalidAction', `${action} is not offered here yet`));
    const context: OperationContext = {
      settings,
      account,
      principal,
      nowMs: clock.wallMs(),
      newId: () => random.hex(16),
      seal: (secret, id) => sealer.seal(secret, id),
      network: world.known,
      limits: limitsOf(world.limits, account),
      download: options.download,
      health,
      ...(options.metrics && { metrics: options.metrics }),
      anomaly,
    };
    const isRead = operation.kind === 'read';
    // Of the state as it is, also where the past is asked about: who has lost a right has lost it for all times.
    const check = (view: View) => checkAccess(view, call, { region: settings.region, isRead });
    if (operation.kind === 'read') {
      const denied = check(journal.view);
      if (denied !== undefined) return refuse(denied);
      if (at !== undefined) return answerAt(journal, at, (view) => operation.answer(view, input, inThePast(context)));
      return answered(await journal.read((view) => operation.answer(view, input, context)));
    }
    if (at !== undefined) {
      return refuse(
        fault('ValidationError', `x-ballast-at goes with calls that only read; ${action} changes the state`),
      );
    }
    const cause = { principal, channel: 'api', action, requestId } as const;
    const gathered = await gather(operation, call, { world, check: () => check(journal.view) });
    if (!gathered.ok) return gathered;
    const result = await journal.transact(cause, (view) => {
      const denied = check(view);
      return denied === undefined ? operation.decide(view, input, { ...context, ...gathered.value }) : refuse(denied);
    });
    return result.ok ? accept({ output: result.value.output }) : result;
  };
  return { execute, offers: (version, action) => operations[version].has(action) };
}

/** What the decision needs of the world; whoever may not make the call asks nobody anything. */
async function gather(
  operation: Extract<AnyOperation, { kind: 'write' }>,
  { input }: ApiCall,
  { world, check }: { readonly world: World; readonly check: () => Fault | undefined },
): Promise<Result<Gathered, Fault>> {
  if (operation.gather === undefined) return accept({});
  const denied = check();
  return denied === undefined ? operation.gather(input, world) : refuse(denied);
}

/** Answers from the state of a moment. Refuses one that is not known. */
async function answerAt(
  journal: Journal,
  at: Moment,
  answer: (view: View) => Result<unknown, Fault>,
): Promise<Result<ApiAnswer, Fault>> {
  const history = await openHistory(journal);
  if (!history.ok) return refuse(fault('ServiceUnavailable', history.fault.error));
  const revision = history.value.revisionAt(at);
  if (!revision.ok) return refuse(fault('ValidationError', `x-ballast-at: ${revision.fault}`));
  return answered(answer(history.value.viewAt(revision.value)), revision.value);
}

function answered(answer: Result<unknown, Fault>, revision?: number): Result<ApiAnswer, Fault> {
  return answer.ok ? accept({ output: answer.value, ...(revision !== undefined && { revision }) }) : answer;
}

/** How targets were is not part of the state: nothing is known of it afterwards. */
function inThePast(context: OperationContext): OperationContext {
  return { ...context, health: () => unknownThen, anomaly: undefined };
}

const unknownThen: TargetCondition = {
  kind: 'unavailable',
  description: 'How targets were in the past is not recorded',
};
