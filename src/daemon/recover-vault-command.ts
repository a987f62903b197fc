/** What `ballast recover --from vault` says and does, once its flags are read. Nothing is written before a yes. */
import { type CommandContext, exitCodes } from '#cli/command.ts';
import { printable, printableJson } from '#cli/printable.ts';
import { type Progress, startProgress } from '#cli/progress.ts';
import type { Moment } from '#model/moment.ts';
import { applyVaultPlan, planFromVault, type VaultRecovered } from './recover-vault.ts';
import { describeVaultPlan, reportVaultPlan } from './recover-vault-report.ts';

export interface RecoverFromVault {
  readonly data: string;
  readonly vault: string;
  readonly storeId: string | undefined;
  readonly to: Moment | undefined;
  /** Folders with last good states of other machines. */
  readonly lastGood: readonly string[];
  /** Plan, progress and result as a JSON line each. */
  readonly json: boolean;
  readonly nowMs: number;
  /** Asks a person, or answers for them as `--yes` does. */
  readonly confirm: (question: string) => Promise<boolean>;
}

/** Prints the plan, asks, writes. Resolves with the exit code; what stands in the way is said in one sentence. */
export async function recoverFromVault(
  context: Pick<CommandContext, 'output' | 'errors' | 'every' | 'monotonicMs'>,
  options: RecoverFromVault,
): Promise<number> {
  const { data, json, nowMs, confirm } = options;
  const { output, errors } = context;
  const refused = (reason: string) => {
    errors.write(`ballast: ${printable(reason)}\n`);
    return exitCodes.failed;
  };
  const tell = (type: string, value: object) => output.write(`${printableJson(JSON.stringify({ type, ...value }))}\n`);
  const watched = async <Value>(waitingFor: string, task: (report: Progress['update']) => Promise<Value>) => {
    const progress = startProgress(json ? { ...context, json: output } : context, waitingFor);
    try {
      return await task(progress.update);
    } finally {
      progress.end();
    }
  };

  const plan = await watched('reading the vault', (report) =>
    planFromVault({ ...options, otherFolders: options.lastGood, report }),
  );
  if (!plan.ok) return refused(plan.fault);
  const planReport = reportVaultPlan(plan.value, data);
  if (json) tell('plan', planReport);
  else for (const line of describeVaultPlan(planReport)) output.write(`${printable(line)}\n`);
  if (!(await confirm(`Write this into ${data}?`))) return refused('nothing was written');
  const done = await watched('writing', (report) => applyVaultPlan(plan.value, { data, nowMs, report }));
  if (!done.ok) return refused(done.fault);
  if (json) tell('result', resultOf(done.value));
  else output.write(`\n${sayDone(done.value)}\nNow: ballast up\n`);
  return exitCodes.ok;
}

function resultOf({ revision, hash, bridged }: VaultRecovered) {
  return { revision, hash, lost: bridged?.lost, learned: bridged?.learned.length ?? 0 };
}

function sayDone({ revision, hash, bridged }: VaultRecovered): string {
  const written = `Wrote the store up to revision ${revision}, hash ${hash.slice(0, 16)}…, and read all of it back.`;
  if (bridged === undefined) return written;
  const { lost, learned } = bridged;
  return `${written}\nRevisions ${lost.from} to ${lost.to} are lost; ${learned.length} documents of them are known from nodes.`;
}
