/** `ballast verify`: reads the journal of a data folder by itself, whether or not a Ballast runs there. */
import { join, resolve } from 'node:path';
import { type Command, type CommandContext, exitCodes } from '#cli/command.ts';
import { refuseUsage } from '#cli/command-line.ts';
import { defaultDataFolder } from '#cli/find-ballast.ts';
import { readFlags, textOf } from '#cli/flags.ts';
import { printable, printableJson } from '#cli/printable.ts';
import { type Progress, startProgress } from '#cli/progress.ts';
import { formatCount } from '#cli/style.ts';
import { isFileThere } from '#io/files.ts';
import { sleep } from '#io/timers.ts';
import { type Verified, verifyStore } from '#journal/verify.ts';
import { sayBreak } from '#journal/verify-break.ts';
import { paths } from './paths.ts';

/** Between them the progress is drawn, and Ctrl-C heard. */
const turnMs = 50;

export const verify: Command = {
  name: 'verify',
  summary: 'check that the journal is whole, and name the first damage',
  flags: [
    { name: 'from', argument: 'REV', help: 'Begin at this revision; default: at the first' },
    { name: 'data', argument: 'DIR', help: 'Data folder of the journal [BALLAST_DATA; default ~/.ballast]' },
    { name: 'json', help: 'Print progress and result as JSON lines' },
  ],
  notes: [
    'It only reads, also while Ballast runs. Exit code 0: whole; 1: damaged; 2: the command line was not understood;',
    '3: there is no journal, or it cannot be opened.',
  ],
  examples: [
    { line: 'ballast verify', purpose: 'all of it' },
    { line: 'ballast verify --from 120000 --json', purpose: 'what came since the last time, for a program' },
  ],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const found = readFlags(context.args, verify.flags);
  if (!found.ok) return refuseUsage(context, `verify: ${found.fault}`);
  const fromText = textOf(found.value, 'from');
  const from = fromText === undefined ? undefined : Number(fromText);
  if (fromText !== undefined && (!/^\d+$/.test(fromText) || !Number.isSafeInteger(from))) {
    return refuseUsage(context, `verify: --from is not a revision: '${fromText}'`);
  }
  const folder = textOf(found.value, 'data') ?? (context.environment.BALLAST_DATA || undefined);
  const data = resolve(context.workingFolder, folder ?? defaultDataFolder(context.homeFolder));
  const path = paths.journal(data);
  const refused = (reason: string) => {
    context.errors.write(`ballast: ${printable(reason)}\n`);
    return exitCodes.unreadable;
  };
  if (!isFileThere(path)) return refused(`there is no journal in ${join(data)}`);
  const isJson = found.value.has('json');
  const progress = startProgress(isJson ? { ...context, json: context.output } : context, 'opening the journal');
  try {
    const verified = await drive(path, from, progress);
    progress.end();
    return report(context, verified, isJson);
  } catch (error) {
    progress.end();
    // Only what SQLite says about the file; anything else is a bug of ours.
    if ((error as { errcode?: number }).errcode === undefined) throw error;
    return refused(`${path} cannot be read: ${(error as Error).message}`);
  }
}

async function drive(path: string, from: number | undefined, progress: Progress): Promise<Verified> {
  const pass = verifyStore(from === undefined ? { path } : { path, from });
  let endMs = performance.now() + turnMs;
  while (true) {
    const step = pass.next();
    if (step.done === true) return step.value;
    if (performance.now() < endMs) continue;
    const { phase, done, total } = step.value;
    progress.update({ done, total, unit: phase === 'log' ? 'transactions' : 'keys of the index' });
    await sleep(0);
    endMs = performance.now() + turnMs;
  }
}

function report({ output }: CommandContext, verified: Verified, isJson: boolean): number {
  const { from, through, changes, broken } = verified;
  if (isJson)
    output.write(`${printableJson(JSON.stringify({ type: 'result', whole: broken === undefined, ...verified }))}\n`);
  else if (broken !== undefined) for (const line of sayBreak(broken)) output.write(`${printable(line)}\n`);
  else if (through < from) output.write(`Nothing to verify: the last revision is ${through}.\n`);
  else output.write(`The journal is whole: revisions ${from} to ${through}, ${formatCount(changes)} changes.\n`);
  return broken === undefined ? exitCodes.ok : exitCodes.damaged;
}
