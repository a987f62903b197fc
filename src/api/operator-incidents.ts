/** The routes of the operator API about incidents. */
import { accept, refuse } from '#base/result.ts';
import type { Incidents } from '#control/sentinel/incidents.ts';
import type { Incident } from '#model/incident.ts';
import * as read from './parameters.ts';
import { asValue, type Route, route } from './routes.ts';

export type ReportForm = 'markdown' | 'html';

export interface IncidentRoutesOptions {
  readonly incidents: Incidents;
  /** The report for everybody, or the page for one owner. */
  readonly report: (incident: Incident, form: ReportForm, account: string | undefined) => string;
}

const form: read.Parse<ReportForm> = (given) =>
  given === 'markdown' || given === 'html' ? accept(given) : refuse('markdown, html');

export function incidentRoutes({ incidents, report }: IncidentRoutesOptions): readonly Route[] {
  const get = route('GET');
  const post = route('POST');
  const needed = { parse: read.text, isRequired: true } as const;
  return [
    get('/v1/incidents', {}, async () => accept({ lines: incidents.list() })),
    get('/v1/incident', { id: needed }, async ({ id }) => asValue(await incidents.show(id))),
    get(
      '/v1/incident/report',
      { id: needed, form: { parse: form }, account: { parse: read.text } },
      async ({ id, form: wanted = 'markdown', account }) => {
        const shown = await incidents.show(id);
        if (!shown.ok) return shown;
        const { affected } = shown.value;
        if (account !== undefined && !affected.some((each) => each.account === account)) {
          return refuse({ status: 404, error: `no load balancer of account ${account} is affected by ${id}` });
        }
        return accept({ value: { id, form: wanted, text: report(shown.value, wanted, account) } });
      },
    ),
    post('/v1/incidents', { title: needed }, async (given, { by }) => accept({ value: incidents.open(by, given) })),
    post('/v1/incidents/close', { id: needed }, async (given, { by }) => asValue(await incidents.close(by, given))),
  ];
}
