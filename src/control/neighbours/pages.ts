/**
 * Pages of what is found, for services with tokens. A token names the last result given, so what comes or goes between
 * two pages neither repeats nor hides anything else.
 */

export interface TokenPage<Item> {
  readonly items: readonly Item[];
  /** Undefined on the last page. */
  readonly next: string | undefined;
}

/** One page of the items in the order of their keys; undefined when the token is none of ours. */
export function pageAfter<Item>(
  found: Iterable<Item>,
  keyOf: (item: Item) => string,
  { token, size }: { readonly token: string | undefined; readonly size: number },
): TokenPage<Item> | undefined {
  const last = token === undefined ? '' : readToken(token);
  if (last === undefined) return undefined;
  const rest = [...found]
    .map((item) => ({ key: keyOf(item), item }))
    .filter(({ key }) => key > last)
    .sort((one, other) => (one.key < other.key ? -1 : 1));
  const page = rest.slice(0, size);
  return {
    items: page.map(({ item }) => item),
    next: rest.length > size ? makeToken(page.at(-1)!.key) : undefined,
  };
}

/** Sorts as the times do. */
export function timeKey({ id, timeMs }: { readonly id: string; readonly timeMs: number }): string {
  return `${timeMs.toString().padStart(15, '0')}/${id}`;
}

const prefix = 'after ';

/** A token that holds the text. */
export function makeToken(key: string): string {
  return Buffer.from(`${prefix}${key}`).toString('base64url');
}

/** What a token holds; undefined when it is none of ours. */
export function readToken(token: string): string | undefined {
  const text = Buffer.from(token, 'base64url').toString('utf8');
  return text.startsWith(prefix) ? text.slice(prefix.length) : undefined;
}
