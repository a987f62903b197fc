/** `ballast blame`: which transaction gave each member of a resource the value it has. */
import type { Result } from '#base/result.ts';
import { type Asking, asking, noWish } from '#cli/asking.ts';
import type { Command } from '#cli/command.ts';
import { type FindFault, findFlags } from '#cli/find-ballast.ts';
import { textOf } from '#cli/flags.ts';
import { Columns, type Style } from '#cli/style.ts';
import type { BlameHeader, BlameLine } from '#model/history.ts';
import { arnOf, formatPoint, nameOf } from './changes.ts';
import { readBlameLine } from './lines.ts';
import { jsonFlag, showStream } from './stream.ts';
import { formatTime, formatValue } from './values.ts';

/** More than any resource has members. */
const rowsAtOnceMax = 1_000;

export const blame: Command = {
  name: 'blame',
  summary: 'show who set each member of a resource to what it is, and when',
  arguments: [{ name: 'ARN', help: 'Of a load balancer, listener, rule or target group, deleted or not' }],
  flags: [jsonFlag, ...findFlags],
  examples: [
    { line: 'ballast blame ARN', purpose: 'one line for each member' },
    { line: 'ballast blame ARN --json', purpose: 'for a script' },
  ],
  run: (context) => asking(blame, context, noWish, showBlame),
};

async function showBlame(asked: Asking): Promise<Result<number, FindFault>> {
  const { style } = asked;
  const heading = ['MEMBER', 'VALUE', 'REVISION', 'TIME', 'WHO', 'ACTION'].map(style.strong);
  const columns = new Columns('  ');
  let rows: string[][] = [heading];
  const flush = () => {
    const text = rows.length === 0 ? '' : `${columns.format(rows)}\n`;
    rows = [];
    return text;
  };
  return showStream(
    asked,
    { path: '/v1/blame', query: [['resource', textOf(asked.found, 'ARN')!]] },
    {
      read: readBlameLine,
      format: (lines) => {
        let text = '';
        for (const line of lines) {
          if (line.type === 'blame') text += formatHeader(line, style);
          else rows.push(rowOf(line, style));
          if (rows.length > rowsAtOnceMax) text += flush();
        }
        return text;
      },
      end: flush,
    },
  );
}

function formatHeader(header: BlameHeader, style: Style): string {
  const title = `${style.strong(nameOf(header))}${arnOf(header, style)}\n`;
  if (header.present) return `${title}\n`;
  const { deletedBy } = header;
  const by = deletedBy === undefined ? '' : ` in ${formatPoint(deletedBy)}, by ${deletedBy.principal}`;
  return `${title}${style.bad(`Deleted${by}`)}: what follows is how it was last\n\n`;
}

function rowOf({ member, value, setBy }: BlameLine, style: Style): string[] {
  const { revision, time, principal, action } = setBy;
  return [member, formatValue(member, value), style.changed(`${revision}`), formatTime(time), principal, action];
}
