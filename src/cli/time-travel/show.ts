/** `ballast show`: one transaction, with everything that it changed. */
import { accept, type Result, refuse } from '#base/result.ts';
import { type Asking, asking } from '#cli/asking.ts';
import type { Command } from '#cli/command.ts';
import { type FindFault, findFlags } from '#cli/find-ballast.ts';
import { type FoundFlags, textOf } from '#cli/flags.ts';
import { alignColumns, counted, type Style } from '#cli/style.ts';
import type { LogEntry } from '#model/history.ts';
import { formatChange } from './changes.ts';
import { readShowLine } from './lines.ts';
import { jsonFlag, showStream } from './stream.ts';
import { formatTime } from './values.ts';

export const show: Command = {
  name: 'show',
  summary: 'show one transaction and everything that it changed',
  arguments: [{ name: 'REV', help: "The transaction's revision, as 'ballast log' shows it" }],
  flags: [jsonFlag, ...findFlags],
  examples: [
    { line: 'ballast show 42', purpose: 'green: added; red: removed; yellow: changed, with each member' },
    { line: 'ballast show 42 --json', purpose: 'for a script' },
  ],
  run: (context) => asking(show, context, readRevision, showTransaction),
};

function readRevision(found: FoundFlags): Result<string, string> {
  const text = textOf(found, 'REV')!;
  return /^\d{1,15}$/.test(text) ? accept(text) : refuse(`found '${text}'; allowed: a revision, as 42`);
}

async function showTransaction(asked: Asking, revision: string): Promise<Result<number, FindFault>> {
  return showStream(
    asked,
    { path: `/v1/transactions/${revision}` },
    {
      read: readShowLine,
      format: (lines) =>
        lines
          .map((line) => (line.type === 'change' ? formatChange(line, asked.style) : formatHead(line, asked.style)))
          .join(''),
    },
  );
}

function formatHead(entry: LogEntry, style: Style): string {
  const rows = [
    ['Time', formatTime(entry.time)],
    ['Who', entry.principal],
    ['Through', `${entry.channel}, ${entry.action}`],
    ['Request', entry.requestId],
    ...(entry.reason === undefined ? [] : [['Reason', entry.reason]]),
    ['What', entry.summary],
    ...(entry.harmed === 0 ? [] : [['Harmed', style.bad(`${counted(entry.harmed, 'load balancer')} stopped serving`)]]),
  ];
  const title = style.strong(`Revision ${style.changed(`${entry.revision}`)}`);
  return `${title}, ${counted(entry.changes, 'change')}\n${alignColumns(rows)}\n\n`;
}
