/** `ballast approvals`: what waits for somebody's word, and the word. */
import { randomBytes } from 'node:crypto';
import { accept, type Result, refuse } from '#base/result.ts';
import { type Asking, asking } from '#cli/asking.ts';
import type { Command } from '#cli/command.ts';
import { type FindFault, findFlags } from '#cli/find-ballast.ts';
import { type FoundFlags, textOf } from '#cli/flags.ts';
import type { OperatorKey } from '#cli/operator-key.ts';
import { printable } from '#cli/printable.ts';
import { count, listOf, objectOf, oneOf, optional, text } from '#cli/shape.ts';
import { sayEnvironment } from '#cli/status.ts';
import { alignColumns, counted, type Style } from '#cli/style.ts';
import { askFor, carryOutWish, readAllLines, showLines } from '#cli/wish.ts';
import type { Statement } from '#model/approval.ts';
import type { ApprovalEntry, ApprovalsLine, Approved, PlaceEntry, WaitingEntry } from '#model/approvals.ts';

const harmedShownMax = 20;
/** An approval holds from a little before it is made, since clocks differ. */
const clocksDifferMs = 60_000;
const usualMs = 3_600_000;

export const approvals: Command = {
  name: 'approvals',
  saysEnvironment: true,
  summary: 'show what waits for a second person, approve or reject it',
  arguments: [
    { name: 'list|show|approve|reject|grant', isOptional: true, help: 'What to do; list when it is left out' },
    { name: 'ID', isOptional: true, help: 'Of what waits, as the list shows it' },
  ],
  flags: [
    { name: 'principal', argument: 'P', help: 'With grant: whose changes, ACCOUNT/NAME, ACCOUNT/* or operator/NAME' },
    { name: 'channel', argument: 'C', help: 'With grant: api or restore [default api]' },
    { name: 'load-balancers', argument: 'N', help: 'With grant: how many may stop serving by it' },
    { name: 'for', argument: 'TIME', help: 'How long it holds: 15m, 2h, at most 24h [default 1h]' },
    { name: 'reason', argument: 'TEXT', help: 'Why; stands in the history' },
    { name: 'environment', argument: 'NAME', help: 'Must be given, and right, to approve in production' },
    { name: 'json', help: 'Print what the operator API answers, one JSON object a line' },
    ...findFlags,
  ],
  notes: [
    'A change that would harm more than is usual is held for an hour. Somebody other than who asked for it looks at it',
    'and approves it, signing with their own key (--as NAME); then it is made. grant approves before it is asked for: a',
    'terraform destroy, a tenant that leaves. An approval is for one environment, and for nothing else.',
  ],
  examples: [
    { line: 'ballast approvals', purpose: 'what waits' },
    { line: 'ballast approvals show 3f2a90c1d4e5b677', purpose: 'all of what it would harm' },
    { line: 'ballast approvals approve 3f2a90c1d4e5b677 --as eve', purpose: 'and it is made' },
    {
      line: "ballast approvals grant --principal '111111111111/*' --load-balancers 40 --for 2h --as eve",
      purpose: 'the tenant may remove forty',
    },
  ],
  run: (context) => asking(approvals, context, readWish, carryOut),
};

type Wish =
  | { readonly action: 'list' }
  | { readonly action: 'show'; readonly id: string }
  | { readonly action: 'reject'; readonly id: string }
  | { readonly action: 'approve'; readonly id: string; readonly holds: Holds }
  | { readonly action: 'grant'; readonly covers: Statement['covers']; readonly max: number; readonly holds: Holds };

interface Holds {
  readonly durationMs: number;
  readonly reason: string | undefined;
  readonly environment: string | undefined;
}

const isPlace = objectOf<PlaceEntry>({
  type: oneOf('place'),
  environment: text,
  region: text,
  storeId: text,
  nowMs: count,
});
const isWaiting = objectOf<WaitingEntry>({
  type: oneOf('waiting'),
  what: text,
  id: text,
  digest: text,
  title: text,
  askedBy: text,
  why: text,
  right: text,
  harmedCount: count,
  harmed: listOf(objectOf<WaitingEntry['harmed'][number]>({ id: text, account: text, name: text, reason: text })),
  approvedBy: listOf(text),
  approvalsNeeded: count,
  since: text,
  expires: optional(text),
});
const isApproval = objectOf<ApprovalEntry>({
  type: oneOf('approval'),
  id: text,
  approver: text,
  covers: text,
  loadBalancersMax: count,
  usedBy: count,
  expires: text,
  reason: optional(text),
});
const isApproved = objectOf<Approved>({
  id: text,
  approver: text,
  approvalsHave: count,
  approvalsNeeded: count,
  revision: optional(count),
  message: text,
});
const isLine = (value: unknown): value is ApprovalsLine => isPlace(value) || isWaiting(value) || isApproval(value);

function readWish(found: FoundFlags): Result<Wish, string> {
  const [action = 'list', id] = [textOf(found, 'list|show|approve|reject|grant'), textOf(found, 'ID')];
  const ofGrant = ['principal', 'channel', 'load-balancers'];
  const stray = ofGrant.find((name) => found.has(name));
  if (stray !== undefined && action !== 'grant') return refuse(`--${stray} goes with grant`);
  const durationMs = readDuration(textOf(found, 'for'));
  if (durationMs === undefined) return refuse(`--for: found '${textOf(found, 'for')}'; allowed: 15m, 2h, at most 24h`);
  const holds = { durationMs, reason: textOf(found, 'reason'), environment: textOf(found, 'environment') };
  switch (action) {
    case 'list':
      return accept({ action });
    case 'show':
    case 'reject':
      return id === undefined ? refuse(`${action} needs an ID`) : accept({ action, id });
    case 'approve':
      return id === undefined ? refuse('approve needs an ID') : accept({ action, id, holds });
    case 'grant': {
      const [principal, channel = 'api', max] = [
        textOf(found, 'principal'),
        textOf(found, 'channel'),
        textOf(found, 'load-balancers'),
      ];
      if (principal === undefined || max === undefined) return refuse('grant needs --principal and --load-balancers');
      if (channel !== 'api' && channel !== 'restore') {
        return refuse(`--channel: found '${channel}'; allowed: api, restore`);
      }
      if (!/^[1-9]\d{0,8}$/.test(max)) return refuse(`--load-balancers: found '${max}'; allowed: a number from 1 on`);
      if (!/^(\d{12}\/(\*|[\w+=,.@-]+)|operator\/[a-z][a-z0-9.-]*)$/.test(principal)) {
        return refuse(`--principal: found '${principal}'; allowed: ACCOUNT/NAME, ACCOUNT/*, operator/NAME`);
      }
      return accept({ action, covers: { kind: 'scope', principal, channel }, max: Number(max), holds });
    }
    default:
      return refuse(`found '${action}'; allowed: list, show, approve, reject, grant`);
  }
}

async function carryOut(asked: Asking, wish: Wish): Promise<Result<number, FindFault>> {
  if (wish.action === 'reject') {
    return carryOutWish(asked, {
      request: { path: '/v1/approvals/reject', body: { id: wish.id } },
      say: ({ style }) => `${style.good(`Rejected ${printable(wish.id)}`)}: it waits no more.\n`,
    });
  }
  const said = await sayEnvironment(asked);
  if (!said.ok) return said;
  const lines = await readAllLines(asked, { path: '/v1/approvals' }, isLine);
  if (!lines.ok) return lines;
  const place = lines.value.find((line) => line.type === 'place');
  if (place === undefined) return refuse({ kind: 'failed', message: 'the operator API does not say where it is' });
  if (wish.action === 'list') return showLines(asked, lines.value, (all) => overview(all, asked.style));
  if (wish.action === 'grant') {
    return sign(asked, place, { covers: wish.covers, max: wish.max, holds: wish.holds });
  }
  const waiting = lines.value.find((line) => line.type === 'waiting' && line.id === wish.id);
  if (waiting?.type !== 'waiting') {
    return refuse({
      kind: 'failed',
      message: `nothing with the id ${wish.id} waits; 'ballast approvals' lists what does`,
    });
  }
  if (wish.action === 'show') return showLines(asked, [waiting], ([one]) => details(one!, asked.style));
  if (!asked.found.has('json')) asked.context.output.write(details(waiting, asked.style, harmedShownMax));
  const { digest, harmedCount } = waiting;
  return sign(asked, place, { covers: { kind: 'digest', digest }, max: harmedCount, holds: wish.holds });
}

interface Word {
  readonly covers: Statement['covers'];
  readonly max: number;
  readonly holds: Holds;
}

function sign(asked: Asking, place: PlaceEntry, { covers, max, holds }: Word): Promise<Result<number, FindFault>> {
  const { key } = asked.ballast;
  const { environment, region, storeId, nowMs } = place;
  const usage = (message: string) => Promise.resolve(refuse<FindFault>({ kind: 'usage', message }));
  if (key === undefined) return usage('an approval is signed: say who you are with --as NAME');
  if (environment === 'production' && holds.environment === undefined) {
    return usage('this is PRODUCTION: say so with --environment production');
  }
  if (holds.environment !== undefined && holds.environment !== environment) {
    return usage(`--environment: found '${holds.environment}', but this is '${environment}'`);
  }
  const statement: Statement = {
    type: 'ballast-approval',
    id: randomBytes(8).toString('hex'),
    environment,
    region,
    storeId,
    approver: key.name,
    covers,
    loadBalancersMax: max,
    notBeforeMs: nowMs - clocksDifferMs,
    notAfterMs: nowMs + holds.durationMs - clocksDifferMs,
    ...(holds.reason !== undefined && { reason: holds.reason }),
  };
  return askFor(asked, {
    request: { path: '/v1/approvals', body: signed(statement, key) },
    say: ({ style }, answer) => {
      if (!isApproved(answer)) return undefined;
      const { approvalsHave, approvalsNeeded, message } = answer;
      const of = approvalsNeeded > 1 ? ` (${approvalsHave} of ${approvalsNeeded})` : '';
      return `${style.good(`Approved as ${printable(key.name)}`)}${of}. ${printable(message)}\n`;
    },
  });
}

function signed(statement: Statement, key: OperatorKey): { readonly statement: string; readonly signature: string } {
  const words = JSON.stringify(statement);
  return { statement: words, signature: key.sign(words) };
}

function overview(lines: readonly ApprovalsLine[], style: Style): string {
  const waiting = lines.filter((line) => line.type === 'waiting');
  const given = lines.filter((line) => line.type === 'approval');
  const parts = [waiting.length === 0 ? style.good('Nothing waits for an approval.') : ''];
  if (waiting.length > 0) {
    const head = ['ID', 'WHAT', 'ASKED BY', 'HARMS', 'APPROVED', 'UNTIL'].map((title) => style.faint(title));
    const rows = waiting.map((each) => [
      each.id,
      each.title,
      each.askedBy,
      each.harmedCount === 0 ? 'nobody' : style.bad(counted(each.harmedCount, 'load balancer')),
      `${each.approvedBy.length} of ${each.approvalsNeeded}`,
      each.expires === undefined ? '-' : shortTime(each.expires),
    ]);
    parts.push(`${style.strong('Waiting')}\n${alignColumns([head, ...rows])}`);
  }
  if (given.length > 0) {
    const head = ['ID', 'BY', 'COVERS', 'LOAD BALANCERS', 'UNTIL'].map((title) => style.faint(title));
    const rows = given.map((each) => [
      each.id,
      each.approver,
      each.covers,
      `${each.usedBy} of ${each.loadBalancersMax}`,
      shortTime(each.expires),
    ]);
    parts.push(`${style.strong('Approvals that hold')}\n${alignColumns([head, ...rows])}`);
  }
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function details(waiting: WaitingEntry, style: Style, shownMax = Number.POSITIVE_INFINITY): string {
  const { id, title, askedBy, why, harmed, harmedCount, approvedBy, approvalsNeeded, since, expires } = waiting;
  const rows = [
    ['Id', id],
    ['What', title],
    ['Asked by', askedBy],
    ['Since', shortTime(since)],
    ...(expires === undefined ? [] : [['Until', shortTime(expires)]]),
    [
      'Approved',
      `${approvedBy.length} of ${approvalsNeeded}${approvedBy.length === 0 ? '' : `: ${approvedBy.join(', ')}`}`,
    ],
    ['Why it waits', why],
  ];
  const shown = harmed.slice(0, shownMax).map(({ account, name, reason }) => [account, name, reason]);
  const more = harmedCount - shown.length;
  const head = style.bad(`${counted(harmedCount, 'load balancer')} would stop serving`);
  const list = harmedCount === 0 ? style.good('Nobody is harmed by it.') : `${head}\n${alignColumns(shown)}`;
  return `${alignColumns(rows)}\n\n${list}${more > 0 ? `\n  and ${more} more` : ''}\n\n`;
}

/** `2026-11-23 10:00:00Z` */
function shortTime(iso: string): string {
  return iso.replace('T', ' ').replace(/\.\d+Z$/, 'Z');
}

function readDuration(given: string | undefined): number | undefined {
  if (given === undefined) return usualMs;
  const [, number, unit] = /^(\d{1,4})(m|h)$/.exec(given) ?? [];
  const durationMs = Number(number) * (unit === 'h' ? 3_600_000 : 60_000);
  return durationMs > 0 && durationMs <= 24 * 3_600_000 ? durationMs : undefined;
}
