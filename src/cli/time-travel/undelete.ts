/** `ballast undelete`: brings back what was deleted, as the same. */
import { accept, type Result } from '#base/result.ts';
import type { Command } from '#cli/command.ts';
import { findFlags } from '#cli/find-ballast.ts';
import { type FoundFlags, textOf } from '#cli/flags.ts';
import type { OperatorRequest } from '#cli/operator-client.ts';
import { planFlags, runPlan } from './plan.ts';
import { momentNote } from './stream.ts';

export const undelete: Command = {
  name: 'undelete',
  saysEnvironment: true,
  summary: 'bring back what was deleted: same ARN, DNS name, addresses, listeners, rules and targets',
  arguments: [{ name: 'ARN', help: 'Of a load balancer, listener, rule or target group that was deleted' }],
  flags: [
    { name: 'at', argument: 'MOMENT', help: 'As it was then [default just before it was deleted]' },
    ...planFlags,
    ...findFlags,
  ],
  notes: [momentNote, "The ARNs of what was deleted are in 'ballast log' and 'ballast show REV'."],
  examples: [
    { line: 'ballast undelete ARN --dry-run', purpose: 'what it would bring back' },
    { line: 'ballast undelete ARN', purpose: 'bring it back' },
  ],
  run: (context) => runPlan(undelete, context, readUndelete),
};

function readUndelete(found: FoundFlags): Result<OperatorRequest, string> {
  const at = textOf(found, 'at');
  const reason = textOf(found, 'reason');
  return accept({
    path: '/v1/undelete',
    body: {
      resource: textOf(found, 'ARN')!,
      ...(at === undefined ? {} : { at }),
      ...(found.has('dry-run') ? { dryRun: true } : {}),
      ...(reason === undefined ? {} : { reason }),
    },
  });
}
