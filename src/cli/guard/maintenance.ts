/** `ballast maintenance`: planned, requested by one person, approved by another, carried out in small steps. */
import { accept, type Result, refuse } from '#base/result.ts';
import { type Asking, asking } from '#cli/asking.ts';
import { type Command, exitCodes } from '#cli/command.ts';
import { type FindFault, findFlags } from '#cli/find-ballast.ts';
import { type FoundFlags, textOf } from '#cli/flags.ts';
import { type OperatorRequest, streamFromOperator } from '#cli/operator-client.ts';
import { printable, printableJson } from '#cli/printable.ts';
import { startProgress } from '#cli/progress.ts';
import { anything, count, listOf, objectOf, oneOf, optional, text, truth } from '#cli/shape.ts';
import { getStatus, sayEnvironment } from '#cli/status.ts';
import { alignColumns, counted, formatCount } from '#cli/style.ts';
import { carryOutWish, readAllLines, showLines, type Wish } from '#cli/wish.ts';
import type { ResourceChange } from '#model/history.ts';
import type {
  MaintenanceProgress,
  MaintenanceResult,
  PlannedHarm,
  PlanSummary,
  ProcessEntry,
} from '#model/maintenance.ts';

export const maintenance: Command = {
  name: 'maintenance',
  saysEnvironment: true,
  summary: 'plan, request and carry out maintenance processes',
  arguments: [
    { name: 'list|plan|request|apply', isOptional: true, help: 'What to do; list when it is left out' },
    { name: 'NAME', isOptional: true, help: 'Of a process; with apply the id of a request' },
  ],
  flags: [
    { name: 'set', argument: 'NAME=VALUE', isRepeatable: true, help: 'A parameter of the process' },
    { name: 'environment', argument: 'NAME', help: 'With request and apply: the environment that it is meant for' },
    { name: 'reason', argument: 'TEXT', help: 'With request: why; whoever approves it reads it' },
    { name: 'json', help: 'Print what the operator API answers, one JSON object a line' },
    ...findFlags,
  ],
  notes: [
    'plan shows exactly what would change and whom it would harm. request asks for it; somebody else approves it within',
    'an hour (ballast approvals). apply plans anew, and carries it out only when that is exactly what was approved: in',
    'small steps, with a look at everything that serves between them. At the first sign of harm it stops. revert undoes it.',
  ],
  examples: [
    { line: 'ballast maintenance', purpose: 'the processes, and what they take' },
    {
      line: 'ballast maintenance plan purge-unused-target-groups --set older-than-days=90',
      purpose: 'changes nothing',
    },
    {
      line: "ballast maintenance request purge-unused-target-groups --environment production --reason 'limit is near' --as pat",
      purpose: 'asks for it',
    },
    {
      line: 'ballast maintenance apply 3f2a90c1d4e5b677 --environment production --as pat',
      purpose: 'once it is approved',
    },
  ],
  run: (context) => asking(maintenance, context, readWish, carryOut),
};

type Chosen =
  | { readonly action: 'list' }
  | { readonly action: 'plan'; readonly request: OperatorRequest }
  | { readonly action: 'apply'; readonly id: string; readonly environment: string };

const isProcess = objectOf<ProcessEntry>({
  type: oneOf('process'),
  name: text,
  summary: text,
  parameters: listOf(objectOf<ProcessEntry['parameters'][number]>({ name: text, help: text, default: optional(text) })),
  isBuiltIn: truth,
});
const isChange = objectOf<ResourceChange>({
  type: oneOf('change'),
  kind: text,
  id: text,
  label: text,
  arn: optional(text),
  did: text,
  members: listOf(anything),
});
const isHarm = objectOf<PlannedHarm>({
  type: oneOf('harm'),
  account: text,
  name: text,
  arn: text,
  reason: text,
  requestsLastHour: count,
});
const isSummary = objectOf<PlanSummary>({
  type: oneOf('maintenance-plan'),
  process: text,
  environment: text,
  digest: text,
  changes: count,
  harmed: count,
  effects: listOf(text),
});
const isProgress = objectOf<MaintenanceProgress>({ type: oneOf('progress'), done: count, total: count, unit: text });
const isResult = objectOf<MaintenanceResult>({
  type: oneOf('maintenance-result'),
  done: truth,
  from: optional(count),
  to: optional(count),
  changes: count,
  notes: listOf(text),
});
const isRequest = objectOf<{ id: string; changesCount: number; harmedCount: number }>({
  id: text,
  changesCount: count,
  harmedCount: count,
});
type Line = ResourceChange | PlannedHarm | PlanSummary | MaintenanceProgress | MaintenanceResult;

function readWish(found: FoundFlags): Result<Chosen | Wish, string> {
  const [action = 'list', name] = [textOf(found, 'list|plan|request|apply'), textOf(found, 'NAME')];
  const [environment, reason] = [textOf(found, 'environment'), textOf(found, 'reason')];
  const parameters: Record<string, string> = {};
  for (const pair of found.get('set') ?? []) {
    const at = pair.indexOf('=');
    if (at < 1) return refuse(`--set: found '${pair}'; allowed: NAME=VALUE`);
    parameters[pair.slice(0, at)] = pair.slice(at + 1);
  }
  if (reason !== undefined && action !== 'request') return refuse('--reason goes with request');
  if (action === 'list') return accept({ action });
  if (name === undefined) return refuse(`${action} needs a NAME`);
  const body = { process: name, ...(Object.keys(parameters).length > 0 && { parameters }) };
  if (action === 'plan') return accept({ action, request: { path: '/v1/maintenance/plan', body } });
  if (action !== 'request' && action !== 'apply')
    return refuse(`found '${action}'; allowed: list, plan, request, apply`);
  if (environment === undefined) return refuse(`${action} needs --environment: the one that it is meant for`);
  if (action === 'apply') return accept({ action, id: name, environment });
  if (reason === undefined) return refuse('request needs a --reason');
  return accept({
    request: { path: '/v1/maintenance/request', body: { ...body, environment, reason } },
    say: ({ style }, answer) => {
      if (!isRequest(answer)) return undefined;
      const { id, changesCount, harmedCount } = answer;
      const harmed = harmedCount === 0 ? 'harms nobody' : `harms ${counted(harmedCount, 'load balancer')}`;
      return (
        `${style.good(`Requested as ${printable(id)}`)}: ${counted(changesCount, 'change')}, ${harmed}.\n` +
        `Somebody else approves it with: ballast approvals approve ${printable(id)}\n`
      );
    },
  });
}

async function carryOut(asked: Asking, wish: Chosen | Wish): Promise<Result<number, FindFault>> {
  if ('say' in wish) return carryOutWish(asked, wish);
  const environment = await sayEnvironment(asked);
  if (!environment.ok) return environment;
  if (wish.action === 'list') return list(asked);
  if (wish.action === 'plan') return stream(asked, wish.request);
  const status = await getStatus(asked.ballast);
  if (!status.ok) return status;
  if (status.value.environment !== wish.environment) {
    const message = `--environment: found '${wish.environment}', but this is '${status.value.environment}'`;
    return refuse({ kind: 'usage', message });
  }
  return stream(asked, { path: '/v1/maintenance/apply', body: { id: wish.id } });
}

async function list(asked: Asking): Promise<Result<number, FindFault>> {
  const { style } = asked;
  const lines = await readAllLines(asked, { path: '/v1/maintenance' }, isProcess);
  if (!lines.ok) return lines;
  return showLines(asked, lines.value, (all) => {
    const parts = all.map(({ name, summary, parameters, isBuiltIn }) => {
      const rows = parameters.map((each) => [
        `--set ${each.name}=…`,
        `${each.help}${each.default === undefined ? '' : ` [default ${each.default}]`}`,
      ]);
      const own = isBuiltIn ? '' : style.faint(' (your own)');
      return `${style.strong(name)}${own}\n  ${summary}${rows.length === 0 ? '' : `\n${alignColumns(rows)}`}`;
    });
    return `${parts.join('\n\n')}\n`;
  });
}

/** Shows a plan, or a run, as it comes. */
async function stream(
  { context, found, ballast, style }: Asking,
  request: OperatorRequest,
): Promise<Result<number, FindFault>> {
  const progress = startProgress(context, 'working');
  let last: Line | undefined;
  const answer = await streamFromOperator<Line>(ballast, request, {
    read: (value) =>
      isChange(value) || isHarm(value) || isSummary(value) || isProgress(value) || isResult(value) ? value : undefined,
    take: async (lines) => {
      for (const { line } of lines) {
        last = line;
        if (line.type === 'progress') progress.update({ done: line.done, total: line.total, unit: line.unit });
        if (found.has('json')) context.output.write(`${printableJson(JSON.stringify(line))}\n`);
        else context.output.write(format(line, style));
      }
      return true;
    },
  });
  progress.end();
  if (!answer.ok) return answer;
  const isStopped = last?.type === 'maintenance-result' && !last.done;
  return accept(isStopped ? exitCodes.failed : exitCodes.ok);
}

function format(line: Line, style: Asking['style']): string {
  switch (line.type) {
    case 'change': {
      const paint = line.did === 'removed' ? style.bad : line.did === 'added' ? style.good : style.changed;
      return `  ${paint(line.did.padEnd(7))}  ${line.kind} ${line.label}\n`;
    }
    case 'harm': {
      const traffic = `${formatCount(line.requestsLastHour)} requests in the last hour`;
      return `  ${style.bad('HARMS')}    ${line.account}/${line.name} (${line.reason}), ${traffic}\n`;
    }
    case 'maintenance-plan': {
      const effects = line.effects.map((effect) => `  ${effect}\n`).join('');
      const nothing = line.changes === 0 && line.effects.length === 0;
      const verdict = nothing
        ? style.good('It would change nothing.')
        : line.harmed === 0
          ? `${style.good('It harms nobody.')} ${counted(line.changes, 'change')}.`
          : `${style.alarm(`It would take ${counted(line.harmed, 'load balancer')} out of service.`)} ${counted(line.changes, 'change')}.`;
      return `${effects}${verdict} Nothing was changed.\nDigest ${line.digest}\n`;
    }
    case 'progress':
      return '';
    case 'maintenance-result': {
      const head = line.done ? style.good('Done') : style.bad('Stopped');
      const range = line.from === undefined ? '' : ` as revisions ${line.from} to ${line.to}`;
      const what = line.changes === 0 ? '' : `: ${counted(line.changes, 'change')}${range}`;
      return `${head}${what}.\n${line.notes.map((note) => `  ${note}\n`).join('')}`;
    }
  }
}
