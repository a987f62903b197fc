/** `ballast log`: what happened, newest first. */
import { accept, type Result, refuse } from '#base/result.ts';
import { type Asking, asking } from '#cli/asking.ts';
import type { Command } from '#cli/command.ts';
import { type FindFault, findFlags } from '#cli/find-ballast.ts';
import { type FoundFlags, textOf } from '#cli/flags.ts';
import { Columns } from '#cli/style.ts';
import type { LogEntry } from '#model/history.ts';
import { readLogLine } from './lines.ts';
import { jsonFlag, momentNote, showStream } from './stream.ts';
import { formatTime } from './values.ts';

/** A terminal shows the newest: more would push just those out of it. */
const shownOnTerminal = 50;
const filters = ['resource', 'principal', 'since', 'until', 'kind'] as const;

export const log: Command = {
  name: 'log',
  summary: 'show what happened: who changed what, when, and whom it harmed',
  flags: [
    { name: 'resource', argument: 'ARN', help: 'Only what touched it or what belongs to it, deleted or not' },
    { name: 'principal', argument: 'NAME', help: 'Only what ACCOUNT/NAME did; ballast: the service itself' },
    { name: 'since', argument: 'MOMENT', help: 'Only from then on' },
    { name: 'until', argument: 'MOMENT', help: 'Only until then' },
    { name: 'kind', argument: 'KIND', help: 'Only what touched such, for instance listener' },
    { name: 'limit', argument: 'N', help: `At most so many [default ${shownOnTerminal} on a terminal, else all]` },
    jsonFlag,
    ...findFlags,
  ],
  notes: [momentNote, "Who: ACCOUNT/NAME, 'ballast' for the service's own workflows, or 'operator'."],
  examples: [
    { line: 'ballast log', purpose: 'the newest first' },
    { line: 'ballast log --since 2h --principal 000000000000/admin', purpose: 'what they did in the last two hours' },
    { line: 'ballast log --resource ARN --json', purpose: 'for a script' },
  ],
  run: (context) => asking(log, context, readLimit, showLog),
};

async function showLog(asked: Asking, limit: number | undefined): Promise<Result<number, FindFault>> {
  const { context, found, style } = asked;
  const isCut = limit === undefined && context.output.isTerminal && !found.has('json');
  // One more than is shown tells whether there are more.
  const asksFor = isCut ? shownOnTerminal + 1 : limit;
  const query: [string, string][] = filters.flatMap((name): [string, string][] => {
    const value = textOf(found, name);
    return value === undefined ? [] : [[name, value]];
  });
  if (asksFor !== undefined) query.push(['limit', `${asksFor}`]);

  const columns = new Columns('', [8, 20, 18, 8]);
  const heading = columns.format([['REVISION', 'TIME', 'WHO', 'THROUGH', 'WHAT'].map(style.strong)]);
  let shownCount = 0;
  return showStream(
    asked,
    { path: '/v1/log', query },
    {
      read: readLogLine,
      format: (entries) => {
        const shown = isCut ? entries.slice(0, shownOnTerminal - shownCount) : entries;
        const rows = columns.format(shown.map((entry) => rowOf(entry, asked)));
        const text = shown.length === 0 ? '' : `${shownCount === 0 ? `${heading}\n` : ''}${rows}\n`;
        shownCount += entries.length;
        return text;
      },
      end: () => {
        if (shownCount === 0) return 'No transaction is like that.\n';
        const isMore = isCut && shownCount > shownOnTerminal;
        return isMore ? `${style.faint('… and older ones; --limit N shows more')}\n` : '';
      },
    },
  );
}

function rowOf({ revision, time, principal, channel, summary, harmed }: LogEntry, { style }: Asking): string[] {
  const what = harmed === 0 ? summary : `${summary}  ${style.bad(`harmed ${harmed}`)}`;
  return [style.changed(`${revision}`), formatTime(time), principal, channel, what];
}

function readLimit(found: FoundFlags): Result<number | undefined, string> {
  const text = textOf(found, 'limit');
  if (text === undefined) return accept(undefined);
  if (/^[1-9]\d{0,8}$/.test(text)) return accept(Number(text));
  return refuse(`--limit: found '${text}'; allowed: a whole number from 1 to 999999999`);
}
