/** The routes of the operator API about what needs more than one person: operators, limits, approvals, freezing. */
import { accept } from '#base/result.ts';
import type { Approvals } from '#control/approval/approvals.ts';
import type { Freeze } from '#control/approval/freeze.ts';
import type { Limits } from '#control/approval/limits.ts';
import type { Operators } from '#control/approval/operators.ts';
import * as read from './parameters.ts';
import { asValue, type Route, route } from './routes.ts';

export interface GuardRoutesOptions {
  readonly freeze: Freeze;
  readonly operators: Operators;
  readonly limits: Limits;
  readonly approvals: Approvals;
}

export function guardRoutes(options: GuardRoutesOptions): readonly Route[] {
  const { freeze, operators, limits, approvals } = options;
  const name = { parse: read.text, isRequired: true } as const;
  const get = route('GET');
  const post = route('POST');
  return [
    get('/v1/operators', {}, async () => accept({ lines: operators.list() })),
    post('/v1/operators', { name, publicKey: name, rights: { parse: read.texts } }, async (given, { by }) =>
      asValue(await operators.create(by, given)),
    ),
    post('/v1/operators/revoke', { name }, async (given, { by }) => asValue(await operators.revoke(by, given))),
    get('/v1/limits', {}, async () => accept({ lines: limits.list() })),
    post(
      '/v1/limits',
      {
        id: name,
        percentMax: { parse: read.wholeNumber(0), isRequired: true },
        countMin: { parse: read.wholeNumber(1), isRequired: true },
        windowSeconds: { parse: read.wholeNumber(1), isRequired: true },
      },
      async (given, { by }) => asValue(await limits.set(by, given)),
    ),
    post('/v1/limits/reset', { id: name }, async (given, { by }) => asValue(await limits.reset(by, given))),
    get('/v1/approvals', {}, async () => accept({ lines: approvals.list() })),
    post(
      '/v1/approvals',
      { statement: { parse: read.longText, isRequired: true }, signature: name },
      async (given, { by }) => asValue(await approvals.approve(by, given)),
    ),
    post('/v1/approvals/reject', { id: name }, async (given, { by }) => asValue(await approvals.reject(by, given))),
    get('/v1/freeze', {}, async () => accept({ value: freeze.state })),
    post('/v1/freeze', { reason: name }, async (given, { by }) => asValue(await freeze.freeze(by, given))),
    post('/v1/thaw', {}, async (_, { by }) => asValue(await freeze.thaw(by))),
  ];
}
