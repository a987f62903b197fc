/** `ballast status`: what runs, whether it is well, and how much it carries. */
import type { NodeStatus, ProcessStatus, Status } from '#model/status.ts';
import { type Command, type CommandContext, exitCodes } from './command.ts';
import { refuseUsage } from './command-line.ts';
import { type FindFault, findBallast, findFlags } from './find-ballast.ts';
import { readFlags } from './flags.ts';
import { getFromOperator } from './operator-client.ts';
import { alignColumns, type Style, styleFor } from './style.ts';

/** Ends with 0 when all is well, 1 when something is not or it cannot be found out, 3 when no Ballast runs. */
export const status: Command = {
  name: 'status',
  summary: 'show what runs, whether it is well, and how much it carries',
  flags: [...findFlags, { name: 'json', help: 'Print the whole status as JSON' }],
  examples: [
    { line: 'ballast status', purpose: 'of the Ballast in ~/.ballast' },
    {
      line: 'ballast status --data /var/lib/ballast --json',
      purpose: 'for a script; the exit code is 0 when all is well',
    },
  ],
  run: runStatus,
};

async function runStatus(context: CommandContext): Promise<number> {
  const found = readFlags(context.args, status.flags);
  if (!found.ok) return refuseUsage(context, `status: ${found.fault}`);
  const ballast = findBallast(found.value, context);
  if (!ballast.ok) return explain(ballast.fault, context);
  const answer = await getFromOperator(ballast.value, '/v1/status');
  if (!answer.ok) return explain(answer.fault, context);
  if (!isStatus(answer.value)) {
    const message = `${ballast.value.operatorEndpoint} answers with a status that this version does not know`;
    return explain({ kind: 'failed', message }, context);
  }
  const troubles = troublesIn(answer.value);
  context.output.write(
    found.value.has('json')
      ? `${JSON.stringify(answer.value, null, 2)}\n`
      : render(answer.value, troubles, styleFor(context.output, context.environment)),
  );
  return troubles.length === 0 ? exitCodes.ok : exitCodes.notWell;
}

function explain({ kind, message }: FindFault, context: CommandContext): number {
  if (kind === 'usage') return refuseUsage(context, `status: ${message}`);
  context.errors.write(`ballast: ${message}\n`);
  return kind === 'not-running' ? exitCodes.notRunning : exitCodes.notWell;
}

/** What is not well, one sentence each. */
function troublesIn({ processes, nodes }: Status): string[] {
  return [
    ...processes
      .filter(({ state }) => state !== 'running')
      .map(({ name, restarts }) => `${name} does not run; it was restarted ${times(restarts)}`),
    ...nodes.flatMap((node) => {
      const trouble = nodeTrouble(node);
      return trouble === undefined ? [] : [`${node.id} ${trouble}`];
    }),
  ];
}

function nodeTrouble({ connected, diverged, lag, revision }: NodeStatus): string | undefined {
  if (!connected) return `is not connected; it serves revision ${revision}, its last good one`;
  if (diverged) return 'serves something other than what the journal says';
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
  const state = node.connected ? (node.diverged ? 'diverged' : node.lag > 0 ? 'behind' : 'in step') : 'not connected';
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

/** The parts of a status and their types; a list stands for any number of its one element. */
const statusShape = {
  version: '',
  environment: '',
  region: '',
  account: '',
  revision: 0,
  apiEndpoint: '',
  operatorEndpoint: '',
  dnsServer: '',
  uptimeSeconds: 0,
  processes: [{ name: '', pid: 0, state: '', restarts: 0, uptimeSeconds: 0 }],
  nodes: [{ id: '', zone: '', prefix: '', connected: true, revision: 0, lag: 0, diverged: true, loadBalancers: 0 }],
  counts: { loadBalancers: 0, listeners: 0, targetGroups: 0, targets: 0 },
};

/** What answers may be another program, or another version. */
function isStatus(value: unknown): value is Status {
  return hasShape(value, statusShape);
}

function hasShape(value: unknown, shape: unknown): boolean {
  if (Array.isArray(shape)) return Array.isArray(value) && value.every((each) => hasShape(each, shape[0]));
  if (typeof shape !== 'object' || shape === null) return typeof value === typeof shape;
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(shape).every(([name, part]) => hasShape((value as Record<string, unknown>)[name], part));
}
