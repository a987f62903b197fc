/** The routes of the operator API about maintenance processes. */
import { accept } from '#base/result.ts';
import type { Maintenance } from '#control/maintenance/maintenance.ts';
import * as read from './parameters.ts';
import { asLines, asValue, type Route, route } from './routes.ts';

export function maintenanceRoutes(maintenance: Maintenance): readonly Route[] {
  const get = route('GET');
  const post = route('POST');
  const needed = { parse: read.text, isRequired: true } as const;
  const parameters = { parse: read.textsByName } as const;
  return [
    get('/v1/maintenance', {}, async () => accept({ lines: maintenance.list() })),
    post('/v1/maintenance/plan', { process: needed, parameters }, async (given) =>
      asLines(await maintenance.plan(given)),
    ),
    post(
      '/v1/maintenance/request',
      { process: needed, parameters, environment: needed, reason: needed },
      async (given, { by }) => asValue(await maintenance.request(by, given)),
    ),
    post('/v1/maintenance/apply', { id: needed }, async (given, { by }) => asLines(await maintenance.apply(by, given))),
  ];
}
