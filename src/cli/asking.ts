/**
 * What every command that asks a running Ballast does first and last: it reads its flags, finds the Ballast, and says
 * in one line what went wrong, with the exit code for that.
 */
import { accept, type Result } from '#base/result.ts';
import { type Command, type CommandContext, exitCodes } from './command.ts';
import { refuseUsage } from './command-line.ts';
import { type FindFault, type FoundBallast, findBallast } from './find-ballast.ts';
import { type FoundFlags, readFlags } from './flags.ts';
import { getFromOperator } from './operator-client.ts';
import { type Style, styleFor } from './style.ts';

/** A command line that was understood, and the Ballast that it is for. */
export interface Asking {
  readonly context: CommandContext;
  readonly found: FoundFlags;
  readonly ballast: FoundBallast;
  /** For standard output. */
  readonly style: Style;
}

/**
 * Reads from the command line what is wanted, and runs `task` with it, which gives the exit code. What is wrong with a
 * wish is told before anyone is asked.
 */
export async function asking<Wish>(
  command: Command,
  context: CommandContext,
  readWish: (found: FoundFlags) => Result<Wish, string>,
  task: (asked: Asking, wish: Wish) => Promise<Result<number, FindFault>>,
): Promise<number> {
  const { name } = command;
  const found = readFlags(context.args, command.flags, command.arguments);
  if (!found.ok) return refuseUsage(context, `${name}: ${found.fault}`);
  const wish = readWish(found.value);
  if (!wish.ok) return refuseUsage(context, `${name}: ${wish.fault}`);
  const ballast = findBallast(found.value, context);
  if (!ballast.ok) return explain(name, ballast.fault, context);
  const style = styleFor(context.output, context.environment);
  await warnOfProduction(context, ballast.value, command);
  const code = await task({ context, found: found.value, ballast: ballast.value, style }, wish.value);
  return code.ok ? code.value : explain(name, code.fault, context);
}

/**
 * A production store is told apart by the first line of every command. Those that change something say where they are
 * themselves, whatever it is; the others only when it is production. Who does not answer this fails at the question.
 */
async function warnOfProduction(context: CommandContext, ballast: FoundBallast, command: Command): Promise<void> {
  if (command.saysEnvironment === true) return;
  const answer = await getFromOperator(ballast, '/v1/status');
  const status = answer.ok ? (answer.value as { readonly environment?: unknown } | null) : null;
  if (status?.environment !== 'production') return;
  const style = styleFor(context.errors, context.environment);
  context.errors.write(`Environment ${style.alarm('PRODUCTION')}, at ${ballast.operatorEndpoint}\n`);
}

/** Of a command that has nothing to read but the flags themselves. */
export function noWish(): Result<undefined, string> {
  return accept(undefined);
}

function explain(name: string, { kind, message }: FindFault, context: CommandContext): number {
  if (kind === 'usage') return refuseUsage(context, `${name}: ${message}`);
  context.errors.write(`ballast: ${message}\n`);
  return kind === 'not-running' ? exitCodes.notRunning : exitCodes.failed;
}
