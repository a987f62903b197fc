/** Values of documents as people read them: short, in one line, and times as times. */

const charactersMax = 300;

/** A value of this member; undefined is none. */
export function formatValue(member: string, value: unknown): string {
  if (value === undefined) return '(none)';
  const text = flow(member, value);
  return text.length <= charactersMax ? text : `${text.slice(0, charactersMax - 1)}…`;
}

/** The time in UTC, in seconds. */
export function formatTime(time: string): string {
  return time.replace(/^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d+Z$/, '$1Z');
}

/**
 * What a document has under a member's path: `port`, `attributes.idle_timeout.timeout_seconds`, `tags.team`. The name
 * of an attribute or tag may itself hold dots.
 */
export function memberOf(document: unknown, path: string): unknown {
  if (typeof document !== 'object' || document === null) return undefined;
  if (Array.isArray(document)) return tagOf(document, path);
  if (Object.hasOwn(document, path)) return (document as Record<string, unknown>)[path];
  const dot = path.indexOf('.');
  if (dot === -1 || !Object.hasOwn(document, path.slice(0, dot))) return undefined;
  return memberOf((document as Record<string, unknown>)[path.slice(0, dot)], path.slice(dot + 1));
}

function tagOf(list: readonly unknown[], key: string): unknown {
  const tag = list.find((each) => typeof each === 'object' && each !== null && 'key' in each && each.key === key);
  return (tag as { readonly value?: unknown } | undefined)?.value;
}

function flow(member: string, value: unknown): string {
  if (typeof value === 'string') return isPlain(value) ? value : JSON.stringify(value);
  if (typeof value === 'number' && member.endsWith('Ms')) return formatMs(value);
  if (Array.isArray(value)) return `[${value.map((each) => flow('', each)).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const parts = Object.entries(value).map(([name, part]) => `${name}: ${flow(name, part)}`);
  return `{${parts.join(', ')}}`;
}

/** Members in milliseconds are mostly moments; what is too small for one is a duration. */
function formatMs(value: number): string {
  const isMoment = value > 100_000_000_000 && value < 10_000_000_000_000;
  return isMoment ? formatTime(new Date(value).toISOString()) : String(value);
}

/** Nothing that could be taken for a number, a word of JSON, or the punctuation around it. */
function isPlain(text: string): boolean {
  return (
    /^[^\s"{}[\],](?:[^"{}[\],]*[^\s"{}[\],])?$/.test(text) && !/^(?:-?[\d.]+|true|false|null|\(none\))$/.test(text)
  );
}
