/**
 * Pages of what stands in a table of ours, where everything has a name. A marker holds the name of the last result
 * given, so that a table that grows between two pages neither repeats nor hides anything.
 */
import { accept, type Result, refuse } from '#base/result.ts';
import { type Fault, fault } from '#model/fault.ts';
import { checkRange, shown } from './checks.ts';
import type { Page } from './pages.ts';
import { quotas } from './quotas.ts';

/** One page, in the order given. Refuses a page size outside 1 to 400 and a marker that names none of the items. */
export function tablePageOf<Item>(
  items: readonly Item[],
  nameOf: (item: Item) => string,
  input: { readonly Marker?: string | undefined; readonly PageSize?: number | undefined },
): Result<Page<Item>, Fault> {
  const size = input.PageSize ?? quotas.resultsPerPage;
  const wrong = checkRange('PageSize', size, { min: 1, max: quotas.resultsPerPage });
  if (wrong !== undefined) return refuse(wrong);
  const last = items.findIndex((item) => encodeMarker(nameOf(item)) === input.Marker);
  if (input.Marker !== undefined && last === -1) {
    return refuse(fault('ValidationError', `Marker '${shown(input.Marker)}' is not valid; take it from an answer`));
  }
  const page = items.slice(last + 1, last + 1 + size);
  const isLast = last + 1 + size >= items.length;
  return accept({ items: page, nextMarker: isLast ? undefined : encodeMarker(nameOf(page.at(-1)!)) });
}

function encodeMarker(name: string): string {
  return Buffer.from(name).toString('base64url');
}
