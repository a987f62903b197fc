/** `ballast status`: what runs, whether it is well, and how much it carries. */
import { accept, type Result, refuse } from '#base/result.ts';
import type { NodeStatus, ProcessStatus, Status, StatusCounts } from '#model/status.ts';
import { type Asking, asking, noWish } from './asking.ts';
import { type Command, exitCodes } from './command.ts';
import { type FindFault, type FoundBallast, findFlags } from './find-ballast.ts';
import { getFromOperator } from './operator-client.ts';
import { printable, printableJson, printableValue } from './printable.ts';
import { amount, count, listOf, objectOf, optional, text, truth } from './shape.ts';
import { alignColumns, counted, type Style, styleFor } from './style.ts';

/** Ends with 0 when all is well, 1 when something is not or it cannot be found out, 3 when no Ballast runs. */
export const status: Command = {
  name: 'status',
  saysEnvironment: true,
  summary: 'show what runs, whether it is well, and how much it carries',
  flags: [...findFlags, { name: 'json', help: 'Print the whole status as JSON' }],
  examples: [
    { line: 'ballast status', purpose: 'of the Ballast in ~/.ballast' },
    {
      line: 'ballast status --data /var/lib/ballast --json',
      purpose: 'for a script; the exit code is 0 when all is well',
    },
  ],
  run: (context) => asking(status, context, noWish, showStatus),
};

async function showStatus({ context, found, ballast, style }: Asking): Promise<Result<number, FindFault>> {
  const answer = await getStatus(ballast);
  if (!answer.ok) return answer;
  const troubles = troublesIn(answer.value);
  context.output.write(
    found.has('json')
      ? `${printableJson(JSON.stringify(answer.value, null, 2))}\n`
      : render(printableValue(answer.value) as Status, troubles.map(printable), style),
  );
  return accept(troubles.length === 0 ? exitCodes.ok : exitCodes.notWell);
}

/** How a running Ballast is. */
export async function getStatus(ballast: FoundBallast): Promise<Result<Status, FindFault>> {
  const answer = await getFromOperator(ballast, '/v1/status');
  if (!answer.ok || isStatus(answer.value)) return answer as Result<Status, FindFault>;
  const message = `${ballast.operatorEndpoint} answers with a status that this version does not know`;
  return refuse({ kind: 'failed', message });
}

/**
 * The first line of every command that changes something: which environment it is about to change. Production is not to
 * be overlooked. With --json it stands on standard error, beside what programs read.
 */
export async function sayEnvironment({ context, found, ballast }: Asking): Promise<Result<void, FindFault>> {
  const answer = await getStatus(ballast);
  if (!answer.ok) return answer;
  const place = found.has('json') ? context.errors : context.output;
  const style = styleFor(place, context.environment);
  const environment = printable(answer.value.environment);
  const name = environment === 'production' ? style.alarm('PRODUCTION') : style.strong(environment);
  place.write(`Environment ${name}, region ${printable(answer.value.region)}, at ${ballast.operatorEndpoint}\n\n`);
  return accept(undefined);
}

/** What is not well, one sentence each. */
function troublesIn({ processes, nodes, openIncidents, frozen }: Status): string[] {
  return [
    ...openIncidents.map((id) => `incident ${id} is open: see 'ballast incident show ${id}'`),
    ...(frozen === undefined ? [] : [`workflows are frozen ${frozen}; 'ballast thaw' ends it`]),
    ...processes
      .filter(({ state }) => state !== 'running')
      .map(({ name, restarts }) => `${name} does not run; it was restarted ${times(restarts)}`),
    ...nodes.flatMap((node) => {
      const trouble = nodeTrouble(node);
      return trouble === undefined ? [] : [`${node.id} ${trouble}`];
    }),
  ];
}

function nodeTrouble({ connected, diverged, lag, revision, held }: NodeStatus): string | undefined {
  if (!connected) return `is not connected; it serves revision ${revision}, its last good one`;
  if (diverged) return 'serves something other than what the journal says';
  if (held > 0) return `holds back ${counted(held, 'transaction')} and serves on: see 'ballast approvals'`;
  if (lag > 0) return `is ${lag} ${lag === 1 ? 'revision' : 'revisions'} behind`;
  return undefined;
}

function verdict(troubles: readonly string[], style: Style): string {
  if (troubles.length === 0) return style.good('All is well.');
  return troubles.map((trouble) => style.bad(`Not well: ${trouble}`)).join('\n');
}

function render(it: Status, troubles: readonly string[], style: Style): string {
  const { loadBalancers, listeners, targetGroups, targets } = it.counts;
  return `${style.strong(`Ballast ${it.version}`)}, environment ${style.strong(it.environment)}

${alignColumns([
  ['AWS API', it.apiEndpoint],
  ['Operator API', it.operatorEndpoint],
  ['DNS server', it.dnsServer],
  ['Region', `${it.region}, account ${it.account}`],
  ['Revision', `${it.revision}`],
  ['Up for', duration(it.uptimeSeconds)],
  ['Load balancers', `${loadBalancers}, with ${listeners} listeners`],
  ['Target groups', `${targetGroups}, with ${targets} targets`],
])}

${style.strong('Processes')}
${alignColumns([
  ['NAME', 'STATE', 'PID', 'RESTARTS', 'UP FOR'],
  ...it.processes.map((each) => processRow(each, style)),
])}

${style.strong('Nodes')}
${alignColumns([
  ['ID', 'ZONE', 'ADDRESSES', 'STATE', 'REVISION', 'LOAD BALANCERS'],
  ...it.nodes.map((node) => nodeRow(node, style)),
])}

${verdict(troubles, style)}
`;
}

function processRow({ name, state, pid, restarts, uptimeSeconds }: ProcessStatus, style: Style): string[] {
  return state === 'running'
    ? [name, style.good(state), `${pid}`, `${restarts}`, duration(uptimeSeconds)]
    : [name, style.bad(state), '-', `${restarts}`, '-'];
}

function nodeRow(node: NodeStatus, style: Style): string[] {
  const state = node.connected
    ? node.diverged
      ? 'diverged'
      : node.held > 0
        ? 'holds back'
        : node.lag > 0
          ? 'behind'
          : 'in step'
    : 'not connected';
  const paint = nodeTrouble(node) === undefined ? style.good : style.bad;
  return [node.id, node.zone, node.prefix, paint(state), `${node.revision}`, `${node.loadBalancers}`];
}

function duration(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  if (days > 0) return `${days} d ${hours % 24} h`;
  if (hours > 0) return `${hours} h ${minutes % 60} min`;
  return minutes > 0 ? `${minutes} min ${Math.floor(seconds) % 60} s` : `${Math.floor(seconds)} s`;
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

const isStatus = objectOf<Status>({
  version: text,
  environment: text,
  region: text,
  account: text,
  revision: count,
  apiEndpoint: text,
  operatorEndpoint: text,
  dnsServer: text,
  uptimeSeconds: amount,
  processes: listOf(
    objectOf<ProcessStatus>({ name: text, pid: count, state: text, restarts: count, uptimeSeconds: amount }),
  ),
  nodes: listOf(
    objectOf<NodeStatus>({
      id: text,
      zone: text,
      prefix: text,
      connected: truth,
      revision: count,
      lag: amount,
      diverged: truth,
      held: count,
      loadBalancers: count,
    }),
  ),
  openIncidents: listOf(text),
  frozen: optional(text),
  counts: objectOf<StatusCounts>({ loadBalancers: count, listeners: count, targetGroups: count, targets: count }),
});
