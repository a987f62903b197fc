/** `ballast revert`: takes transactions back, and leaves alone what was changed since. */
import { accept, type Result, refuse } from '#base/result.ts';
import type { Command } from '#cli/command.ts';
import { findFlags } from '#cli/find-ballast.ts';
import { type FoundFlags, listOf, textOf } from '#cli/flags.ts';
import type { OperatorRequest } from '#cli/operator-client.ts';
import type { KeepChoice } from '#model/history.ts';
import { onlyFlag, planFlags, runPlan } from './plan.ts';

const choices: readonly string[] = ['ours', 'theirs', 'base'] satisfies readonly KeepChoice[];

export const revert: Command = {
  name: 'revert',
  saysEnvironment: true,
  summary: 'take transactions back; what was changed since stays',
  arguments: [{ name: 'REV[..REV]', help: "A transaction's revision, or the first and the last of several" }],
  flags: [
    onlyFlag,
    {
      name: 'keep',
      argument: 'CHOICE',
      isRepeatable: true,
      help: 'Decides conflicts: ours, theirs or base for all, KIND/ID=ours … for one; again for more',
    },
    ...planFlags,
    ...findFlags,
  ],
  notes: [
    'It is an ordinary transaction, so it can be reverted too.',
    'In a conflict, base is what was before, theirs what the reverted transaction wrote, ours what there is now.',
    'Ends with 1 when conflicts are left; what does not conflict is done all the same.',
  ],
  examples: [
    { line: 'ballast revert 42 --dry-run', purpose: 'what it would do' },
    { line: 'ballast revert 40..42 --reason "wrong account"', purpose: 'three transactions together' },
    { line: 'ballast revert 42 --only ARN', purpose: 'for one load balancer' },
    { line: 'ballast revert 42 --keep base --keep listener/ID=ours', purpose: 'with its conflicts decided' },
  ],
  run: (context) => runPlan(revert, context, readRevert),
};

function readRevert(found: FoundFlags): Result<OperatorRequest, string> {
  const text = textOf(found, 'REV[..REV]')!;
  const range = /^(\d{1,15})(?:\.\.(\d{1,15}))?$/.exec(text);
  if (range === null) return refuse(`found '${text}'; allowed: a revision, as 42, or two, as 40..42`);
  const from = Number(range[1]);
  const to = Number(range[2] ?? range[1]);
  if (from > to) return refuse(`found '${text}'; allowed: the smaller revision first, as ${to}..${from}`);
  const keep = readKeep(found);
  if (!keep.ok) return keep;
  const only = listOf(found, 'only');
  const reason = textOf(found, 'reason');
  return accept({
    path: '/v1/revert',
    body: {
      from,
      to,
      ...keep.value,
      ...(only.length === 0 ? {} : { only }),
      ...(found.has('dry-run') ? { dryRun: true } : {}),
      ...(reason === undefined ? {} : { reason }),
    },
  });
}

/** Of several choices for the same, the last one counts. */
function readKeep(found: FoundFlags): Result<{ keep?: string; keepByKey?: Readonly<Record<string, string>> }, string> {
  let keep: string | undefined;
  const byKey = new Map<string, string>();
  for (const text of listOf(found, 'keep')) {
    const [, key, choice = ''] = /^(?:([a-z-]+\/.+)=)?([a-z]+)$/.exec(text) ?? [];
    if (!choices.includes(choice)) {
      return refuse(
        `--keep: found '${text}'; allowed: ours, theirs, base, or one of them for a document: KIND/ID=ours`,
      );
    }
    if (key === undefined) keep = choice;
    else byKey.set(key, choice);
  }
  return accept({
    ...(keep === undefined ? {} : { keep }),
    ...(byKey.size === 0 ? {} : { keepByKey: Object.fromEntries(byKey) }),
  });
}
