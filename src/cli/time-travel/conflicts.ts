/** A conflict as a small block: what was before, what was then written, what there is now, and how to decide it. */
import { shellWords } from '#cli/shell-words.ts';
import { alignColumns, type Style } from '#cli/style.ts';
import type { Conflict } from '#model/history.ts';
import { arnOf, nameOf } from './changes.ts';
import { formatValue, memberOf } from './values.ts';

const membersShown = 20;

/** What the words mean, before the first conflict. */
export function conflictLegend(style: Style): string {
  const text = `Conflicts: base is what was before, theirs what was then written, ours what there is now.
Ours stays, unless you decide otherwise: --keep base, theirs or ours, for all or for one.`;
  return `${style.strong(text)}\n\n`;
}

/** The three values of each member in question; of a document as a whole, whether it is there. */
export function formatConflict(conflict: Conflict, style: Style): string {
  const { explanation, why, key, members } = conflict;
  const title = `${style.bad(`! ${nameOf(conflict)}`)}${arnOf(conflict, style)}\n  ${explanation}\n`;
  if (why !== 'changed-since') return `${title}\n`;
  const shown = members.slice(0, membersShown).map((member) => formatMember(conflict, member));
  const values = members.length === 0 ? formatWhole(conflict) : shown.join('');
  const more = members.length > membersShown ? `  … and ${members.length - membersShown} more members\n` : '';
  const decide = `  To decide: ${style.strong(`--keep ${shellWords([`${key}=base`])}`)}, or =theirs, or =ours\n`;
  return `${title}${values}${more}${decide}\n`;
}

function formatMember({ base, theirs, ours }: Conflict, member: string): string {
  const value = (document: unknown) => formatValue(lastOf(member), memberOf(document, member));
  return `  ${member}\n${rows({ base: value(base), theirs: value(theirs), ours: value(ours) })}`;
}

function formatWhole({ base, theirs, ours }: Conflict): string {
  const value = (document: unknown) => (document === null ? '(not there)' : formatValue('', document));
  return rows({ base: value(base), theirs: value(theirs), ours: value(ours) });
}

function rows(values: { readonly base: string; readonly theirs: string; readonly ours: string }): string {
  return `${alignColumns(Object.entries(values).map(([name, value]) => [`  ${name}`, value]))}\n`;
}

function lastOf(member: string): string {
  return member.slice(member.lastIndexOf('.') + 1);
}
