/** How EC2's describe calls find things: by ids, by filters, and in pages. */
import { accept, type Result, refuse } from '#base/result.ts';
import { pageAfter } from '#control/neighbours/pages.ts';
import { type Fault, type FaultCode, fault } from '#model/fault.ts';

export interface DescribeInput {
  readonly Filters?: readonly { readonly Name?: string; readonly Values?: readonly string[] }[];
  readonly NextToken?: string;
  readonly MaxResults?: number;
}

/** Something that can be described. */
export interface Described<Item> {
  readonly id: string;
  readonly item: Item;
  /** By the name of the filter: the values that it compares with. */
  readonly filters: Readonly<Record<string, readonly (string | undefined)[]>>;
  readonly tags?: Readonly<Record<string, string>>;
}

export interface Found<Item> {
  readonly items: readonly Item[];
  readonly nextToken: string | undefined;
}

const sizeMax = 1_000;

/**
 * Those with the ids, when some are given, that every filter finds. Refuses ids that are not there with `missing`, and
 * filters that nothing here has.
 */
export function find<Item>(
  all: readonly Described<Item>[],
  input: DescribeInput,
  named: { readonly ids: readonly string[] | undefined; readonly missing: FaultCode; readonly what: string },
): Result<Found<Item>, Fault> {
  const { ids = [], missing, what } = named;
  const stranger = ids.find((id) => !all.some((each) => each.id === id));
  if (stranger !== undefined) return refuse(fault(missing, `The ${what} ID '${stranger.slice(0, 64)}' does not exist`));
  const { Filters = [], NextToken: token, MaxResults: size = sizeMax } = input;
  const known = new Set(all.flatMap(({ filters }) => Object.keys(filters)));
  for (const { Name: name = '' } of Filters) {
    const isKnown = known.has(name) || name.startsWith('tag:') || name === 'tag-key';
    if (isKnown || all.length === 0) continue;
    const allowed = [...known, 'tag:KEY', 'tag-key'].join(', ');
    const message = `The filter '${name.slice(0, 64)}' is invalid; allowed: ${allowed}`;
    return refuse(fault('InvalidParameterValue', message));
  }
  if (size < 1 || size > sizeMax) {
    return refuse(fault('InvalidParameterValue', `MaxResults '${size}' must be between 1 and ${sizeMax}`));
  }
  const chosen = all.filter(
    (each) =>
      (ids.length === 0 || ids.includes(each.id)) &&
      Filters.every(({ Name: name = '', Values = [] }) => Values.some((value) => matches(each, name, value))),
  );
  const page = pageAfter(chosen, ({ id }) => id, { token, size });
  if (page === undefined) {
    return refuse(fault('InvalidParameterValue', 'NextToken is not valid; take it from an answer'));
  }
  return accept({ items: page.items.map(({ item }) => item), nextToken: page.next });
}

/** In a filter's value, `*` stands for any characters and `?` for one. */
function matches<Item>({ filters, tags = {} }: Described<Item>, name: string, value: string): boolean {
  const found = name.startsWith('tag:')
    ? [tags[name.slice('tag:'.length)]]
    : name === 'tag-key'
      ? Object.keys(tags)
      : (filters[name] ?? []);
  return found.some((text) => text !== undefined && isLike(text, value));
}

function isLike(text: string, pattern: string): boolean {
  if (!/[*?]/.test(pattern)) return text === pattern;
  // Patterns are short and have no alternatives: each star takes the first place where the rest begins.
  const parts = pattern.slice(0, 256).split('*');
  let at = 0;
  for (const [index, part] of parts.entries()) {
    const isLast = index === parts.length - 1;
    const from = index === 0 ? 0 : isLast ? Math.max(at, text.length - part.length) : at;
    const place = placeOf(text, part, from, index === 0 || isLast);
    if (place === -1) return false;
    at = place + part.length;
  }
  return at === text.length || parts.length > 1;
}

function placeOf(text: string, part: string, from: number, isFixed: boolean): number {
  const last = isFixed ? from : text.length - part.length;
  for (let at = from; at <= last; at += 1) {
    if ([...part].every((letter, index) => (letter === '?' ? at + index < text.length : text[at + index] === letter)))
      return at;
  }
  return -1;
}
