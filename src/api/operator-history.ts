/** The routes of the operator API about the past and the way back to it. */
import { accept, type Result, refuse } from '#base/result.ts';
import type { Principals } from '#control/principals.ts';
import type { Rekeyed } from '#control/rekey.ts';
import type { Retention } from '#control/retention.ts';
import type { TimeTravel } from '#control/time-travel/carry-out.ts';
import type { Looking } from '#control/time-travel/looking.ts';
import { restore } from '#control/time-travel/restore.ts';
import { revert } from '#control/time-travel/revert.ts';
import type { Refusal } from '#control/time-travel/scope.ts';
import { undelete } from '#control/time-travel/undelete.ts';
import * as read from './parameters.ts';
import { asLines, asValue, type Route, route } from './routes.ts';

export interface HistoryRoutesOptions {
  readonly looking: Looking;
  readonly travel: TimeTravel;
  readonly rekey: (by: string) => Promise<Result<Rekeyed, string>>;
  readonly retention: Retention;
  readonly principals: Principals;
  /** In production, rekey and retention go through maintenance, where another person approves them. */
  readonly isProduction: boolean;
}

export function historyRoutes({
  looking,
  travel,
  rekey,
  retention,
  principals,
  isProduction,
}: HistoryRoutesOptions): readonly Route[] {
  const moment = read.moment(travel.nowMs);
  const revision = read.wholeNumber(0);
  const name = { parse: read.text, isRequired: true } as const;
  const plan = { dryRun: { parse: read.truth }, reason: { parse: read.text } } as const;
  const get = route('GET');
  const post = route('POST');
  return [
    get(
      '/v1/log',
      {
        resource: { parse: read.text },
        principal: { parse: read.text },
        since: { parse: moment },
        until: { parse: moment },
        kind: { parse: read.kind },
        limit: { parse: read.wholeNumber(1) },
      },
      async (given) => asLines(await looking.log(given)),
    ),
    get('/v1/transactions/REV', {}, async (_, { revision: shown }) => asLines(await looking.show(shown))),
    get(
      '/v1/diff',
      {
        from: { parse: moment, isRequired: true },
        to: { parse: moment },
        resource: { parse: read.texts },
      },
      async ({ resource, ...given }) =>
        asLines(await looking.diff({ ...given, ...(resource && { resources: resource }) })),
    ),
    get('/v1/blame', { resource: { parse: read.text, isRequired: true } }, async ({ resource }) =>
      asLines(await looking.blame(resource)),
    ),
    get(
      '/v1/describe',
      { resource: { parse: read.text, isRequired: true }, at: { parse: moment } },
      async ({ resource, at }) => asValue(await looking.describe(resource, at)),
    ),
    post(
      '/v1/revert',
      {
        from: { parse: revision, isRequired: true },
        to: { parse: revision, isRequired: true },
        only: { parse: read.texts },
        keep: { parse: read.keep },
        keepByKey: { parse: read.keepByKey },
        ...plan,
      },
      async (given, { by }) => asLines(await revert({ ...travel, principal: by }, given)),
    ),
    post(
      '/v1/restore',
      {
        at: { parse: moment, isRequired: true },
        only: { parse: read.texts },
        account: { parse: read.text },
        ...plan,
      },
      async (given, { by }) => asLines(await restore({ ...travel, principal: by }, given)),
    ),
    post(
      '/v1/undelete',
      { resource: { parse: read.text, isRequired: true }, at: { parse: moment }, ...plan },
      async ({ resource, ...given }, { by }) =>
        asLines(await undelete({ ...travel, principal: by }, { ...given, arn: resource })),
    ),
    get('/v1/principals', {}, async () => accept({ lines: principals.list() })),
    post('/v1/principals', { principal: name }, async (given, { by }) =>
      asValue(await principals.as(by).create(given)),
    ),
    post('/v1/principals/delete', { principal: name, withKeys: { parse: read.truth } }, async (given, { by }) =>
      asValue(await principals.as(by).delete(given)),
    ),
    post('/v1/principals/policy', { principal: name, policy: { parse: read.text } }, async (given, { by }) =>
      asValue(await principals.as(by).setPolicy(given)),
    ),
    post('/v1/keys', { principal: name }, async (given, { by }) => asValue(await principals.as(by).createKey(given))),
    post('/v1/keys/revoke', { accessKeyId: name }, async (given, { by }) =>
      asValue(await principals.as(by).revokeKey(given)),
    ),
    get('/v1/retention', {}, async () => accept({ lines: retention.list() })),
    post(
      '/v1/retention',
      { olderThanDays: { parse: read.wholeNumber(1), isRequired: true }, dryRun: { parse: read.truth } },
      async (given, { by }) =>
        isProduction && given.dryRun !== true
          ? throughMaintenance('fold-history')
          : asLines(await retention.fold({ ...given, by })),
    ),
    post(
      '/v1/retention/undo',
      { fold: { parse: revision, isRequired: true }, dryRun: { parse: read.truth } },
      async (given, { by }) => asLines(await retention.undo({ ...given, by })),
    ),
    post('/v1/rekey', {}, async (_, { by }) => {
      if (isProduction) return throughMaintenance('rekey');
      const done = await rekey(by);
      return done.ok ? accept({ value: done.value }) : refuse({ status: 409, error: done.fault });
    }),
  ];
}

function throughMaintenance(process: string): Result<never, Refusal> {
  const error = `in production this needs the approval of another person: ballast maintenance request ${process}`;
  return refuse({ status: 409, error });
}
