/** `ballast restore`: makes things again what they were at a moment. */
import { accept, type Result, refuse } from '#base/result.ts';
import type { Command } from '#cli/command.ts';
import { findFlags } from '#cli/find-ballast.ts';
import { type FoundFlags, listOf, textOf } from '#cli/flags.ts';
import type { OperatorRequest } from '#cli/operator-client.ts';
import { onlyFlag, planFlags, runPlan } from './plan.ts';
import { momentNote } from './stream.ts';

export const restore: Command = {
  name: 'restore',
  saysEnvironment: true,
  summary: 'make everything, or some of it, what it was at a moment',
  flags: [
    { name: 'at', argument: 'MOMENT', help: 'The moment; must be given' },
    onlyFlag,
    { name: 'account', argument: 'ID', help: 'Only what belongs to this account' },
    ...planFlags,
    ...findFlags,
  ],
  notes: [
    momentNote,
    "Everything that was changed since is taken back, also what was right: 'ballast revert' takes back only some.",
    'Principals, access keys and nodes stay as they are. It is an ordinary transaction, so it can be reverted.',
  ],
  examples: [
    { line: 'ballast restore --at 15m --only ARN --dry-run', purpose: 'what it would do to one load balancer' },
    { line: 'ballast restore --at 2026-11-23T10:00:00Z --account 000000000000', purpose: 'all of an account' },
  ],
  run: (context) => runPlan(restore, context, readRestore),
};

function readRestore(found: FoundFlags): Result<OperatorRequest, string> {
  const at = textOf(found, 'at');
  if (at === undefined) return refuse('the moment is missing: --at MOMENT');
  const only = listOf(found, 'only');
  const account = textOf(found, 'account');
  const reason = textOf(found, 'reason');
  return accept({
    path: '/v1/restore',
    body: {
      at,
      ...(only.length === 0 ? {} : { only }),
      ...(account === undefined ? {} : { account }),
      ...(found.has('dry-run') ? { dryRun: true } : {}),
      ...(reason === undefined ? {} : { reason }),
    },
  });
}
