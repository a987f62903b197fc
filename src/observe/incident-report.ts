/**
 * The report of an incident: what happened, whom it touched, what was done, what is still open. Every owner and every
 * load balancer is named. The page for one owner names nobody else, and says nothing of what is the operator's own.
 */
import { formatDuration } from '#base/duration.ts';
import type { AffectedLoadBalancer, Incident } from '#model/incident.ts';
import { type Block, type ReportDocument, toHtml, toMarkdown } from './report-document.ts';

export type ReportForm = 'markdown' | 'html';

/** The whole report, or with an account the page for that owner. */
export function incidentReport(incident: Incident, form: ReportForm, account?: string): string {
  const document = account === undefined ? wholeReport(incident) : ownerPage(incident, account);
  return form === 'html' ? toHtml(document) : toMarkdown(document);
}

function wholeReport(incident: Incident): ReportDocument {
  const { id, environment, region, storeId, title, openedBy, findings, affected, timeline, open } = incident;
  const owners = [...Map.groupBy(affected, ({ account }) => account)].sort(([one], [other]) => (one < other ? -1 : 1));
  const blocks: Block[] = [
    { kind: 'heading', level: 1, text: title },
    {
      kind: 'paragraph',
      text: `Incident ${id} in environment ${environment}, region ${region}, store ${storeId}. Opened by ${openedBy}.`,
    },
    {
      kind: 'figures',
      figures: [
        { label: 'State', value: incident.state },
        ...times(incident),
        { label: 'Owners touched', value: `${owners.length}` },
        { label: 'Load balancers touched', value: `${affected.length}` },
        { label: 'Requests failed', value: failedWords(affected) },
      ],
    },
    { kind: 'heading', level: 2, text: 'What was found' },
    findings.length === 0
      ? { kind: 'paragraph', text: 'Nothing was found by a check; it was opened by hand.' }
      : {
          kind: 'table',
          head: ['Found', 'Check', 'What', 'What did it'],
          rows: findings.map(({ foundAtMs, check, what, by }) => [clock(foundAtMs), check, what, by ?? 'not known']),
        },
    { kind: 'heading', level: 2, text: 'Whom it touched' },
    ...(owners.length === 0 ? [{ kind: 'paragraph', text: 'No load balancer was touched.' } as const] : []),
    ...owners.flatMap(([account, all]): Block[] => [
      { kind: 'heading', level: 3, text: `Owner ${account}: ${counted(all.length)}` },
      loadBalancerTable(all),
    ]),
    { kind: 'heading', level: 2, text: 'What was done, and by whom' },
    {
      kind: 'table',
      head: ['Time (UTC)', 'After', 'From', 'Who', 'What'],
      rows: timeline.map(({ atMs, source, who, text }) => [clock(atMs), since(incident, atMs), source, who, text]),
    },
    { kind: 'heading', level: 2, text: 'What is still open' },
    open.length === 0 ? { kind: 'paragraph', text: 'Nothing.' } : { kind: 'list', items: open },
  ];
  return { title: `${id}: ${title}`, blocks };
}

function ownerPage(incident: Incident, account: string): ReportDocument {
  const { id, region, state, happenedAtMs, noticedAtMs, mendedAtMs } = incident;
  const own = incident.affected.filter((each) => each.account === account);
  const failed = sumOf(own, ({ failedRequests }) => failedRequests);
  const noticed =
    failed === undefined
      ? 'How many requests failed in that time is not known.'
      : failed === 0
        ? 'No request failed: your load balancers served all the time.'
        : `${failed} requests failed in that time; clients that try again have had their answers since.`;
  const shielded = own.filter(({ protectedAtMs }) => protectedAtMs !== undefined);
  const todo =
    state === 'open'
      ? 'We are still at it. Until then, changes of these load balancers may be refused with ServiceUnavailable; try them again later.'
      : 'You have nothing to do. Everything that you had set up is as it was.';
  const title = `Your load balancers in ${region}: incident ${id}`;
  return {
    title,
    blocks: [
      { kind: 'heading', level: 1, text: title },
      {
        kind: 'paragraph',
        text: `Data of ${counted(own.length)} of account ${account} was affected by a fault in the control plane of this load balancing service.`,
      },
      {
        kind: 'figures',
        figures: [
          { label: 'State', value: state },
          ...times(incident),
          { label: 'Requests failed', value: failedWords(own) },
        ],
      },
      { kind: 'heading', level: 2, text: 'What you may have noticed' },
      { kind: 'paragraph', text: noticed },
      ...(shielded.length === 0
        ? []
        : [
            {
              kind: 'paragraph',
              text: 'While their data was being mended, changes of these load balancers were refused with ServiceUnavailable.',
            } as const,
          ]),
      { kind: 'heading', level: 2, text: 'What you have to do' },
      { kind: 'paragraph', text: todo },
      { kind: 'heading', level: 2, text: 'Your load balancers' },
      loadBalancerTable(own),
      { kind: 'heading', level: 2, text: 'Times (UTC)' },
      {
        kind: 'table',
        head: ['Time', 'What'],
        rows: [
          ...(happenedAtMs === undefined ? [] : [[clock(happenedAtMs), 'it happened, at the earliest']]),
          [clock(noticedAtMs), 'it was noticed'],
          ...(mendedAtMs === undefined ? [] : [[clock(mendedAtMs), 'it was mended']]),
        ],
      },
    ],
  };
}

function loadBalancerTable(affected: readonly AffectedLoadBalancer[]): Block {
  return {
    kind: 'table',
    head: ['Load balancer', 'What became of it', 'Protected', 'Requests', 'Failed', 'ARN'],
    rows: affected.map((each) => [
      each.name,
      each.how,
      protectedWords(each),
      each.requests === undefined ? 'not known' : `${each.requests}`,
      failedWords([each]),
      each.arn,
    ]),
  };
}

function times({ happenedAtMs, noticedAtMs, mendedAtMs }: Incident): { label: string; value: string }[] {
  const from = happenedAtMs ?? noticedAtMs;
  return [
    { label: 'Happened', value: happenedAtMs === undefined ? 'not known' : clock(happenedAtMs) },
    { label: 'Noticed after', value: happenedAtMs === undefined ? 'not known' : formatDuration(noticedAtMs - from) },
    { label: 'Mended after', value: mendedAtMs === undefined ? 'not yet' : formatDuration(mendedAtMs - from) },
  ];
}

function since({ happenedAtMs, noticedAtMs }: Incident, atMs: number): string {
  const from = happenedAtMs ?? noticedAtMs;
  return atMs < from ? `${formatDuration(from - atMs)} before` : formatDuration(atMs - from);
}

function protectedWords({ protectedAtMs, unprotectedAtMs }: AffectedLoadBalancer): string {
  if (protectedAtMs === undefined) return 'no';
  return unprotectedAtMs === undefined ? 'still' : `for ${formatDuration(unprotectedAtMs - protectedAtMs)}`;
}

function failedWords(affected: readonly AffectedLoadBalancer[]): string {
  const failed = sumOf(affected, ({ failedRequests }) => failedRequests);
  if (failed === undefined) return 'not known';
  return failed === 0 ? 'none' : `${failed}`;
}

/** Undefined when not even one is known. */
function sumOf(
  affected: readonly AffectedLoadBalancer[],
  number: (each: AffectedLoadBalancer) => number | undefined,
): number | undefined {
  if (affected.length === 0) return 0;
  const known = affected.map(number).filter((each) => each !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, each) => sum + each, 0);
}

function counted(count: number): string {
  return `${count} load ${count === 1 ? 'balancer' : 'balancers'}`;
}

/** `2026-12-24 12:24:00` */
function clock(atMs: number): string {
  return new Date(atMs).toISOString().replace('T', ' ').slice(0, 19);
}
