/** `ballast diff`: what is different between two moments, whatever happened in between. */
import type { Result } from '#base/result.ts';
import { type Asking, asking, noWish } from '#cli/asking.ts';
import type { Command } from '#cli/command.ts';
import { type FindFault, findFlags } from '#cli/find-ballast.ts';
import { listOf, textOf } from '#cli/flags.ts';
import { formatCount } from '#cli/style.ts';
import { formatChange, formatPoint } from './changes.ts';
import { readDiffLine } from './lines.ts';
import { jsonFlag, momentNote, showStream } from './stream.ts';

export const diff: Command = {
  name: 'diff',
  summary: 'show what is different between two moments',
  arguments: [
    { name: 'A', help: 'The moment to compare from' },
    { name: 'B', isOptional: true, help: 'The moment to compare to [default now]' },
  ],
  flags: [
    { name: 'resource', argument: 'ARN', isRepeatable: true, help: 'Only this and what belongs to it; again for more' },
    jsonFlag,
    ...findFlags,
  ],
  notes: [momentNote.replace('MOMENT', 'Each'), 'What was changed and changed back in between is not different.'],
  examples: [
    { line: 'ballast diff 2h', purpose: 'what the last two hours came to' },
    { line: 'ballast diff 40 45', purpose: 'what the transactions 41 to 45 came to' },
    { line: 'ballast diff 45 40', purpose: 'what it would take to go back' },
  ],
  run: (context) => asking(diff, context, noWish, showDiff),
};

async function showDiff(asked: Asking): Promise<Result<number, FindFault>> {
  const { found, style } = asked;
  const to = textOf(found, 'B');
  const query: [string, string][] = [
    ['from', textOf(found, 'A')!],
    ...(to === undefined ? [] : [['to', to] as [string, string]]),
    ...listOf(found, 'resource').map((arn): [string, string] => ['resource', arn]),
  ];
  const counts = { added: 0, removed: 0, changed: 0 };
  return showStream(
    asked,
    { path: '/v1/diff', query },
    {
      read: readDiffLine,
      format: (lines) =>
        lines
          .map((line) => {
            if (line.type === 'diff') {
              const [from, until] = [formatPoint(line.from), formatPoint(line.to)];
              return `${style.strong('From')} ${from}\n${style.strong('To')}   ${until}\n\n`;
            }
            counts[line.did] += 1;
            return formatChange(line, style);
          })
          .join(''),
      end: () => {
        const { added, removed, changed } = counts;
        if (added + removed + changed === 0) return 'Nothing is different.\n';
        return `\n${formatCount(added)} added, ${formatCount(removed)} removed, ${formatCount(changed)} changed.\n`;
      },
    },
  );
}
