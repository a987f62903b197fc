/**
 * The entry of every process that the supervisor starts. It is told its role, starts it, and stops when it is told to.
 * When the supervisor is gone the process goes on, until another supervisor has taken charge of the data folder.
 */
import { unreachable } from '#base/assert.ts';
import { connectParent } from '#io/children.ts';
import { makeFolderOf } from '#io/files.ts';
import { type Lock, takeLock } from '#io/lock.ts';
import { type Log, processLog } from '#io/log.ts';
import { exitProcess } from '#io/process.ts';
import { systemRandom } from '#io/random.ts';
import { watchForSuccessor } from '#io/succession.ts';
import { sleep } from '#io/timers.ts';
import { startControlPlane } from './control-plane.ts';
import { startDns } from './dns.ts';
import type { FromProcess, Info, ProcessesNews, RoleSettings, ToProcess } from './messages.ts';
import { startNode } from './node.ts';
import { paths } from './paths.ts';

const predecessorLeavesMs = 20_000;
const predecessorPollMs = 50;

/** A role that runs. */
export interface Running {
  readonly info: Info;
  stop(): Promise<void>;
  /** The role leaves to a successor what it can go on with: workers keep serving until others do. */
  yieldToSuccessor?(): Promise<void>;
  onProcesses?(news: ProcessesNews): void;
}

/** `storeDamaged`: only the control plane is affected; what serves can go on without it. */
export type Started = Running | { readonly refused: string; readonly storeDamaged?: true };

/** What a role may use. */
export interface RoleContext {
  readonly log: Log;
  /** Random; tells this process from every other that ever had its name. */
  readonly instance: string;
  readonly tell: (message: FromProcess) => void;
  /** What must not outlive this process when it is to end at once. */
  readonly onKill: (kill: () => void) => void;
}

let start: Extract<ToProcess, { type: 'start' }> | undefined;
let running: Promise<Started> | undefined;
let leaving = false;
let kill = () => {};
/** Held until the process ends. */
let lock: Lock | undefined;

const parent = connectParent({
  onMessage: (message) => receive(message as ToProcess),
  onGone: () => {
    if (start === undefined) exitProcess(1);
    const { name, supervisor, settings } = start;
    processLog(name).warn('the supervisor is gone; this process goes on');
    watchForSuccessor(paths.supervisor(settings.data), supervisor, () => {
      processLog(name).info('another supervisor has taken charge; this process leaves');
      void leave((role) => role.yieldToSuccessor?.() ?? role.stop());
    });
  },
});

function receive(message: ToProcess): void {
  switch (message.type) {
    case 'start':
      start = message;
      running = begin(message);
      return;
    case 'processes':
      void running?.then((role) => 'refused' in role || role.onProcesses?.(message.news));
      return;
    case 'stop':
      void leave((role) => role.stop());
      return;
    case 'kill':
      kill();
      return exitProcess(1);
  }
}

async function begin({ name, settings }: Extract<ToProcess, { type: 'start' }>): Promise<Started> {
  const log = processLog(name);
  const context: RoleContext = {
    log,
    instance: systemRandom.hex(16),
    tell: (message) => parent.send(message),
    onKill: (how) => (kill = how),
  };
  const started = (await isAlone(name, settings.data))
    ? await startRole(settings, context)
    : { refused: `another ${name} still runs on ${settings.data} and does not leave` };
  if ('refused' in started) {
    context.tell({ type: 'refused', reason: started.refused, storeDamaged: started.storeDamaged === true });
    exitProcess(1);
  }
  context.tell({ type: 'ready', info: started.info });
  return started;
}

/** Waits for a predecessor that lost its supervisor and is on its way out. */
async function isAlone(name: string, data: string): Promise<boolean> {
  const path = paths.processLock(data, name);
  makeFolderOf(path);
  for (let waitedMs = 0; waitedMs < predecessorLeavesMs; waitedMs += predecessorPollMs) {
    lock = takeLock(path);
    if (lock !== undefined) return true;
    await sleep(predecessorPollMs);
  }
  return false;
}

function startRole(settings: RoleSettings, context: RoleContext): Promise<Started> {
  switch (settings.role) {
    case 'control-plane':
      return startControlPlane(settings, context);
    case 'dns':
      return startDns(settings, context);
    case 'node':
      return startNode(settings, context);
    default:
      return unreachable(settings);
  }
}

async function leave(how: (role: Running) => Promise<void>): Promise<void> {
  if (leaving) return;
  leaving = true;
  const role = await running;
  if (role !== undefined && !('refused' in role)) await how(role);
  exitProcess(0);
}
