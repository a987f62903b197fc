/** The entry of `ballast`: gives the command line its commands, and the commands this machine. */
import { accept, refuse } from '#base/result.ts';
import { version } from '#base/version.ts';
import { accounts, keys } from '#cli/access.ts';
import type { Command, CommandContext, CommandGroup } from '#cli/command.ts';
import { refuseUsage, runCommandLine } from '#cli/command-line.ts';
import { approvals } from '#cli/guard/approvals.ts';
import { freeze, thaw } from '#cli/guard/freeze.ts';
import { incident } from '#cli/guard/incident.ts';
import { limits } from '#cli/guard/limits.ts';
import { maintenance } from '#cli/guard/maintenance.ts';
import { operators } from '#cli/guard/operators.ts';
import { rekey } from '#cli/rekey.ts';
import { status } from '#cli/status.ts';
import { blame } from '#cli/time-travel/blame.ts';
import { describe } from '#cli/time-travel/describe.ts';
import { diff } from '#cli/time-travel/diff.ts';
import { log } from '#cli/time-travel/log.ts';
import { restore } from '#cli/time-travel/restore.ts';
import { retention } from '#cli/time-travel/retention.ts';
import { revert } from '#cli/time-travel/revert.ts';
import { show } from '#cli/time-travel/show.ts';
import { undelete } from '#cli/time-travel/undelete.ts';
import { systemClock } from '#io/clock.ts';
import { readFileIfThere, writeFileWhole } from '#io/files.ts';
import {
  commandLine,
  coresCount,
  environment,
  homeFolder,
  setExitCode,
  standardError,
  standardOutput,
  workingFolder,
} from '#io/process.ts';
import { every } from '#io/timers.ts';
import { drill } from './drill.ts';
import { recover } from './recover.ts';
import { describeRunning, firstCommands } from './report.ts';
import { readSettings, settingFlags } from './settings.ts';
import { verify } from './verify.ts';

const upCommand: Command = {
  name: 'up',
  summary: 'run a region: control plane, DNS server and load balancer nodes',
  flags: settingFlags,
  examples: [
    { line: 'ballast up', purpose: 'on this machine, with its state in ~/.ballast' },
    { line: 'ballast up --data /var/lib/ballast --nodes 3 --environment staging', purpose: 'three nodes' },
  ],
  run: runUp,
};

const groups: readonly CommandGroup[] = [
  { title: 'Run', commands: [upCommand, status] },
  { title: 'Look', commands: [log, show, diff, blame, describe] },
  { title: 'Go back', commands: [revert, restore, undelete] },
  { title: 'Who may do what', commands: [accounts, keys, operators] },
  { title: 'Two people', commands: [approvals, limits, maintenance] },
  { title: 'When something is wrong', commands: [incident, freeze, thaw, drill] },
  { title: 'Keep safe', commands: [verify, recover, rekey, retention] },
];

setExitCode(
  await runCommandLine(groups, {
    args: commandLine,
    environment,
    homeFolder: homeFolder(),
    workingFolder: workingFolder(),
    readFile,
    writeSecretFile,
    output: standardOutput,
    errors: standardError,
    monotonicMs: systemClock.monotonicMs,
    every,
  }),
);

async function runUp(context: CommandContext): Promise<number> {
  const settings = readSettings(context.args, context.environment, { ...context, coresCount: coresCount() });
  if (!settings.ok) return refuseUsage(context, `up: ${settings.fault}`);
  // Only now: the other commands need nothing of what runs a region, and start faster without.
  const { up } = await import('./up.ts');
  const say = (text: string) => context.output.write(`${text}\n`);
  return up(settings.value, {
    ready: (report) => {
      say(
        `Ballast ${version} serves region ${report.region}, environment ${report.environment}; state in ${report.data}`,
      );
      say('');
      for (const line of describeRunning(report)) say(`  ${line}`);
      say('');
      if (report.madeCredentials) {
        // The one time that the secret is shown: to whoever started this Ballast first, and to no log.
        const file = context.readFile(report.credentialsFile);
        say(`Credentials, made now and kept in ${report.credentialsFile}:`);
        for (const line of (file.ok ? (file.value ?? '') : '').split('\n').filter((each) => each.startsWith('aws_')))
          say(`  ${line}`);
        say('');
      }
      say('To make a load balancer with the AWS CLI:');
      say('');
      for (const line of firstCommands(report)) say(`  ${line}`);
      say('');
      say('Ctrl-C stops everything.');
    },
    refused: (reason) => context.errors.write(`ballast: ${reason}\n`),
    stopping: () => say('Stopping: running requests may finish; Ctrl-C again stops at once.'),
  });
}

function writeSecretFile(path: string, text: string) {
  try {
    return accept(writeFileWhole(path, text, 0o600));
  } catch (error) {
    return refuse(`${path} cannot be written: ${(error as Error).message}`);
  }
}

function readFile(path: string) {
  try {
    return accept(readFileIfThere(path));
  } catch (error) {
    return refuse(`${path} cannot be read: ${(error as Error).message}`);
  }
}
