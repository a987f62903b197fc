/** Changes of resources as people read them: what was added, removed, or changed in which members. */
import type { Style } from '#cli/style.ts';
import type { LogEntry, ResourceChange, ResourceName } from '#model/history.ts';
import { formatTime, formatValue } from './values.ts';

/** As long as the longest kind that there is, so that the labels stand under each other. */
const kindWidth = 13;

/** One line, and for a change in members one line more for each. */
export function formatChange({ did, members, ...name }: ResourceChange, style: Style): string {
  switch (did) {
    case 'added':
      return `${style.good(`+ ${paddedName(name)}`)}${arnOf(name, style)}\n`;
    case 'removed':
      return `${style.bad(`- ${paddedName(name)}`)}${arnOf(name, style)}\n`;
    case 'changed': {
      const lines = members.map(({ member, before, after }) => {
        const values = `${formatValue(member, before)} ${style.faint('→')} ${formatValue(member, after)}`;
        return `    ${member}: ${values}\n`;
      });
      return `${style.changed(`~ ${paddedName(name)}`)}${arnOf(name, style)}\n${lines.join('')}`;
    }
  }
}

/** `load-balancer 000000000000/web`. */
export function nameOf({ kind, label }: ResourceName): string {
  return `${kind} ${label}`;
}

/** `  arn:aws:…` behind a name, to be copied into the next command; nothing when it has none. */
export function arnOf({ arn }: Pick<ResourceName, 'arn'>, style: Style): string {
  return arn === undefined ? '' : `  ${style.faint(arn)}`;
}

/** `revision 12, 2026-11-23T10:00:00Z`. */
export function formatPoint({ revision, time }: Pick<LogEntry, 'revision' | 'time'>): string {
  return `revision ${revision}, ${formatTime(time)}`;
}

function paddedName({ kind, label }: Pick<ResourceName, 'kind' | 'label'>): string {
  return `${kind.padEnd(kindWidth)}  ${label}`;
}
