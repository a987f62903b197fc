/** `ballast freeze` and `ballast thaw`: stop and start all workflows. */
import { accept, type Result, refuse } from '#base/result.ts';
import { asking, noWish } from '#cli/asking.ts';
import type { Command } from '#cli/command.ts';
import { findFlags } from '#cli/find-ballast.ts';
import { type FoundFlags, textOf } from '#cli/flags.ts';
import { count, objectOf, optional, text, truth } from '#cli/shape.ts';
import { carryOutWish, type Wish } from '#cli/wish.ts';

export const freeze: Command = {
  name: 'freeze',
  saysEnvironment: true,
  summary: 'stop all workflows at once',
  flags: [
    { name: 'reason', argument: 'TEXT', help: 'Why; everybody who wonders is told' },
    { name: 'json', help: 'Print the answer as JSON' },
    ...findFlags,
  ],
  notes: [
    'Placement, draining and healing change nothing any more, until thaw. What serves goes on serving, and tenants can',
    'change what is theirs; load balancers that they make meanwhile get their addresses after the thaw.',
  ],
  examples: [{ line: "ballast freeze --reason 'we look into it'", purpose: 'before anything else, when in doubt' }],
  run: (context) => asking(freeze, context, readReason, carryOutWish),
};

export const thaw: Command = {
  name: 'thaw',
  saysEnvironment: true,
  summary: 'start all workflows again',
  flags: [{ name: 'json', help: 'Print the answer as JSON' }, ...findFlags],
  examples: [{ line: 'ballast thaw', purpose: 'everything goes on' }],
  run: (context) =>
    asking(thaw, context, noWish, (asked) =>
      carryOutWish(asked, {
        request: { path: '/v1/thaw', body: {} },
        say: ({ style }, answer) =>
          isState(answer)
            ? `${style.good('Thawed')}: workflows run again, since revision ${answer.revision}.\n`
            : undefined,
      }),
    ),
};

const isState = objectOf<{ frozen: boolean; by?: string; reason?: string; revision?: number }>({
  frozen: truth,
  by: optional(text),
  reason: optional(text),
  revision: optional(count),
});

function readReason(found: FoundFlags): Result<Wish, string> {
  const reason = textOf(found, 'reason');
  if (reason === undefined) return refuse('a freeze needs a --reason');
  return accept({
    request: { path: '/v1/freeze', body: { reason } },
    say: ({ style }, answer) =>
      isState(answer)
        ? `${style.changed('Frozen')}: no workflow changes anything, since revision ${answer.revision}. 'ballast thaw' ends it.\n`
        : undefined,
  });
}
