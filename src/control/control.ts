/**
 * The control plane's decisions as one call: finds the operation, gives it the view and its context, and answers when
 * what it decided is durable. Everything that an operation may know is put together here.
 */
import { refuse } from '#base/result.ts';
import type { Clock } from '#io/clock.ts';
import type { Random } from '#io/random.ts';
import type { Journal } from '#journal/journal.ts';
import { fault } from '#model/fault.ts';
import type { HealthLookup } from '#model/health.ts';
import { elbv2Operations } from './elbv2/operations.ts';
import type { ApiVersion, Execute } from './execute.ts';
import type { AnyOperation, RegionSettings } from './operation.ts';

export interface ControlOptions {
  readonly journal: Journal;
  readonly settings: RegionSettings;
  readonly health: HealthLookup;
  readonly clock: Clock;
  readonly random: Random;
}

export interface Control {
  readonly execute: Execute;
  /** Whether the operation is there; one that is only in the API's schema is not. */
  readonly offers: (version: ApiVersion, action: string) => boolean;
}

const operations: Readonly<Record<ApiVersion, ReadonlyMap<string, AnyOperation>>> = {
  '2015-12-01': new Map(Object.entries(elbv2Operations)),
  '2012-06-01': new Map(),
};

export function createControl({ journal, settings, health, clock, random }: ControlOptions): Control {
  const execute: Execute = async ({ version, action, input, principal, account, requestId }) => {
    const operation = operations[version].get(action);
    if (operation === undefined) return refuse(fault('InvalidAction', `${action} is not offered here yet`));
    const context = { settings, account, nowMs: clock.wallMs(), newId: () => random.hex(16), health };
    if (operation.kind === 'read') return journal.read((view) => operation.answer(view, input, context));
    const cause = { principal, channel: 'api', action, requestId } as const;
    const result = await journal.transact(cause, (view) => operation.decide(view, input, context));
    return result.ok ? { ok: true, value: result.value.output } : result;
  };
  return { execute, offers: (version, action) => operations[version].has(action) };
}
