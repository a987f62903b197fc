/** `ballast incident`: what was lost, whose it was, and what became of it. */
import { join, resolve } from 'node:path';
import { accept, type Result, refuse } from '#base/result.ts';
import { type Asking, asking } from '#cli/asking.ts';
import { type Command, exitCodes } from '#cli/command.ts';
import { type FindFault, findFlags } from '#cli/find-ballast.ts';
import { type FoundFlags, textOf } from '#cli/flags.ts';
import { askOperator } from '#cli/operator-client.ts';
import { printable, printableJson } from '#cli/printable.ts';
import { count, listOf, objectOf, oneOf, optional, text } from '#cli/shape.ts';
import { sayEnvironment } from '#cli/status.ts';
import { alignColumns, counted, type Style } from '#cli/style.ts';
import { carryOutWish, readAllLines, showLines, type Wish } from '#cli/wish.ts';
import type { AffectedLoadBalancer, Incident } from '#model/incident.ts';

export const incident: Command = {
  name: 'incident',
  saysEnvironment: true,
  summary: 'list incidents, open and close them, and write their report',
  arguments: [
    {
      name: 'list|show|report|open|close',
      isOptional: true,
      help: 'What to do; without, they are listed, the newest first',
    },
    { name: 'ID', isOptional: true, help: 'An incident; with report and show the newest when it is not given' },
  ],
  flags: [
    { name: 'title', argument: 'TEXT', help: 'With open: what it is about' },
    { name: 'to', argument: 'DIR', help: 'With report: the folder to write to [default: the working folder]' },
    { name: 'owners', help: 'With report: also a page for each owner, to be sent to that owner' },
    { name: 'json', help: 'Print what the operator API answers' },
    ...findFlags,
  ],
  notes: [
    'The sentinel opens an incident when it finds damage, and mends what vault, memory and nodes agree on. The report',
    'names every owner and load balancer that it touched, as Markdown and as HTML; the page of an owner names nobody else.',
  ],
  examples: [
    { line: 'ballast incident', purpose: 'all of them' },
    { line: 'ballast incident show inc-20261224-122400-1f2e', purpose: 'one on the terminal' },
    { line: 'ballast incident report --to /tmp/report --owners', purpose: 'the newest, as files' },
    {
      line: 'ballast incident close inc-20261224-122400-1f2e --as eve',
      purpose: 'it is over; nothing is protected for it',
    },
  ],
  run: (context) => asking(incident, context, readWish, carryOut),
};

type Chosen =
  | { readonly action: 'list' }
  | { readonly action: 'show'; readonly id: string | undefined }
  | { readonly action: 'report'; readonly id: string | undefined; readonly folder: string; readonly owners: boolean };

const isEntry = objectOf<{
  type: 'incident';
  id: string;
  title: string;
  state: string;
  noticed: string;
  mended?: string;
  affected: number;
}>({
  type: oneOf('incident'),
  id: text,
  title: text,
  state: text,
  noticed: text,
  mended: optional(text),
  affected: count,
});
const isIncident = objectOf<Incident>({
  id: text,
  environment: text,
  region: text,
  storeId: text,
  title: text,
  openedBy: text,
  state: text,
  happenedAtMs: optional(count),
  noticedAtMs: count,
  mendedAtMs: optional(count),
  closedAtMs: optional(count),
  findings: listOf(
    objectOf<Incident['findings'][number]>({ check: text, what: text, by: optional(text), foundAtMs: count }),
  ),
  affected: listOf(
    objectOf<AffectedLoadBalancer>({
      id: text,
      account: text,
      name: text,
      arn: text,
      how: text,
      protectedAtMs: optional(count),
      unprotectedAtMs: optional(count),
      requests: optional(count),
      failedRequests: optional(count),
    }),
  ),
  timeline: listOf(objectOf<Incident['timeline'][number]>({ atMs: count, source: text, who: text, text })),
  open: listOf(text),
});
const isReport = objectOf<{ id: string; form: string; text: string }>({ id: text, form: text, text });

function readWish(found: FoundFlags): Result<Chosen | Wish, string> {
  const [action = 'list', id] = [textOf(found, 'list|show|report|open|close'), textOf(found, 'ID')];
  const title = textOf(found, 'title');
  if (title !== undefined && action !== 'open') return refuse('--title goes with open');
  if ((found.has('to') || found.has('owners')) && action !== 'report')
    return refuse('--to and --owners go with report');
  switch (action) {
    case 'list':
      return accept({ action });
    case 'show':
      return accept({ action, id });
    case 'report':
      return accept({ action, id, folder: textOf(found, 'to') ?? '.', owners: found.has('owners') });
    case 'open':
      if (title === undefined) return refuse('open needs a --title');
      return accept({ request: { path: '/v1/incidents', body: { title } }, say: sayIncident('Opened') });
    case 'close':
      if (id === undefined) return refuse('close needs an ID');
      return accept({ request: { path: '/v1/incidents/close', body: { id } }, say: sayIncident('Closed') });
    default:
      return refuse(`found '${action}'; allowed: list, show, report, open, close`);
  }
}

function sayIncident(did: string): Wish['say'] {
  return ({ style }, answer) =>
    isIncident(answer) ? `${style.good(`${did} ${printable(answer.id)}`)}: ${printable(answer.title)}\n` : undefined;
}

async function carryOut(asked: Asking, wish: Chosen | Wish): Promise<Result<number, FindFault>> {
  if ('request' in wish) return carryOutWish(asked, wish);
  const environment = await sayEnvironment(asked);
  if (!environment.ok) return environment;
  const entries = await readAllLines(asked, { path: '/v1/incidents' }, isEntry);
  if (!entries.ok) return entries;
  const { style } = asked;
  if (wish.action === 'list') {
    return showLines(asked, entries.value, (all) => {
      if (all.length === 0) return `${style.good('There was none.')}\n`;
      const head = ['ID', 'STATE', 'NOTICED', 'TOUCHES', 'WHAT'].map((title) => style.faint(title));
      const rows = all.map(({ id, state, noticed, affected, title }) => [
        id,
        painted(state, style),
        shortTime(noticed),
        counted(affected, 'load balancer'),
        title,
      ]);
      return `${alignColumns([head, ...rows])}\n`;
    });
  }
  const id = wish.id ?? entries.value[0]?.id;
  if (id === undefined) return refuse({ kind: 'failed', message: 'there is no incident' });
  const answer = await askOperator(asked.ballast, { path: '/v1/incident', query: [['id', id]] });
  if (!answer.ok) return answer;
  if (!isIncident(answer.value)) return notKnown(asked);
  if (wish.action === 'report') return writeReport(asked, answer.value, wish);
  const json = printableJson(JSON.stringify(answer.value));
  asked.context.output.write(asked.found.has('json') ? `${json}\n` : describe(JSON.parse(json) as Incident, style));
  return accept(exitCodes.ok);
}

function notKnown({ ballast }: Asking): Result<never, FindFault> {
  const message = `${ballast.operatorEndpoint} answers with something that this version does not know`;
  return refuse({ kind: 'failed', message });
}

async function writeReport(
  asked: Asking,
  { id, affected }: Incident,
  { folder, owners }: { readonly folder: string; readonly owners: boolean },
): Promise<Result<number, FindFault>> {
  const { context, ballast, style } = asked;
  const accounts = owners ? [...new Set(affected.map(({ account }) => account))].sort() : [];
  const written: string[] = [];
  for (const account of [undefined, ...accounts]) {
    for (const form of ['markdown', 'html'] as const) {
      const of = account === undefined ? [] : [['account', account] as const];
      const answer = await askOperator(ballast, {
        path: '/v1/incident/report',
        query: [['id', id], ['form', form], ...of],
      });
      if (!answer.ok) return answer;
      if (!isReport(answer.value)) return notKnown(asked);
      const name = `${id}${account === undefined ? '' : `-${account.replace(/\D/g, '')}`}.${form === 'html' ? 'html' : 'md'}`;
      const path = join(resolve(context.workingFolder, folder), name);
      const done = context.writeSecretFile(path, answer.value.text);
      if (!done.ok) return refuse({ kind: 'failed', message: done.fault });
      written.push(path);
    }
  }
  context.output.write(`${style.good('Written')}\n${written.map((path) => `  ${path}`).join('\n')}\n`);
  return accept(exitCodes.ok);
}

function describe(it: Incident, style: Style): string {
  const { affected, findings, timeline, open } = it;
  const rows = [
    ['State', painted(it.state, style)],
    ['Happened', it.happenedAtMs === undefined ? 'not known' : clockTime(it.happenedAtMs)],
    ['Noticed', `${clockTime(it.noticedAtMs)}${after(it.happenedAtMs, it.noticedAtMs)}`],
    [
      'Mended',
      it.mendedAtMs === undefined ? 'not yet' : `${clockTime(it.mendedAtMs)}${after(it.happenedAtMs, it.mendedAtMs)}`,
    ],
  ];
  const owners = Map.groupBy(affected, ({ account }) => account);
  const touched = [...owners].flatMap(([account, all]) =>
    all.map(({ name, how, requests, failedRequests }, index) => [
      index === 0 ? account : '',
      name,
      requests === undefined
        ? 'traffic not known'
        : `${failedRequests === 0 ? 'none' : failedRequests} of ${requests} requests failed`,
      how,
    ]),
  );
  const parts = [
    `${style.strong(it.id)}: ${it.title}\n${alignColumns(rows)}`,
    findings.length === 0
      ? 'It was opened by hand: no check has found anything.'
      : `${style.strong('Found')}\n${alignColumns(findings.map(({ check, what, by }) => [check, by === undefined ? what : `${what} (by ${by})`]))}`,
    touched.length === 0 ? 'No load balancer is touched.' : `${style.strong('Touches')}\n${alignColumns(touched)}`,
    `${style.strong('Timeline')}\n${alignColumns(timeline.map(({ atMs, who, text: what }) => [clockTime(atMs), who, what]))}`,
    ...(open.length === 0 ? [] : [`${style.bad('Still to do')}\n${open.map((each) => `  ${each}`).join('\n')}`]),
  ];
  return `${parts.join('\n\n')}\n`;
}

function painted(state: string, style: Style): string {
  return state === 'open' ? style.bad(state) : style.good(state);
}

function clockTime(atMs: number): string {
  return new Date(atMs).toISOString().replace('T', ' ');
}

function after(fromMs: number | undefined, toMs: number): string {
  return fromMs === undefined ? '' : `, ${((toMs - fromMs) / 1_000).toFixed(1)} s after`;
}

function shortTime(iso: string): string {
  return iso.replace('T', ' ').replace(/\.\d+Z$/, 'Z');
}
