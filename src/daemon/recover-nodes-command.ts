/** What `ballast recover --from nodes` says and does, once its flags are read. Nothing is written before a yes. */
import type { CommandContext } from '#cli/command.ts';
import { exitCodes } from '#cli/command.ts';
import { printable, printableJson } from '#cli/printable.ts';
import { applyNodesPlan, planFromNodes } from './recover-nodes.ts';
import { describeNodesPlan, reportNodesPlan } from './recover-nodes-report.ts';

export interface RecoverFromNodes {
  readonly data: string;
  /** Folders with last good states of other machines. */
  readonly lastGood: readonly string[];
  readonly environment: string;
  /** Undefined: as the load balancers' names say. */
  readonly region: string | undefined;
  readonly account: string;
  /** The plan and the result as a JSON line each. */
  readonly json: boolean;
  readonly nowMs: number;
  /** Asks a person, or answers for them as `--yes` does. */
  readonly confirm: (question: string) => Promise<boolean>;
}

/**
 * Prints the plan, asks, writes. Resolves with the exit code; what stands in the way is said in one sentence. Throws
 * when the disk does not let it, and has then put nothing in place.
 */
export async function recoverFromNodes(
  context: Pick<CommandContext, 'output' | 'errors'>,
  options: RecoverFromNodes,
): Promise<number> {
  const { data, lastGood, environment, region, account, json, nowMs, confirm } = options;
  const { output, errors } = context;
  const refused = (reason: string) => {
    errors.write(`ballast: ${printable(reason)}\n`);
    return exitCodes.failed;
  };
  const tell = (type: string, value: object) => output.write(`${printableJson(JSON.stringify({ type, ...value }))}\n`);

  const plan = planFromNodes({ data, otherFolders: lastGood, environment, region, account });
  if (!plan.ok) return refused(plan.fault);
  const report = reportNodesPlan(plan.value);
  if (json) tell('plan', report);
  else for (const line of describeNodesPlan(report)) output.write(`${printable(line)}\n`);
  if (!(await confirm(`Write this into ${data}?`))) return refused('nothing was written');
  const done = await applyNodesPlan(plan.value, { data, nowMs });
  if (!done.ok) return refused(done.fault);
  const { revision, documents } = done.value;
  if (json) tell('result', done.value);
  else output.write(`\nWrote ${documents} documents as revision ${revision}, and read them back. Now: ballast up\n`);
  return exitCodes.ok;
}
