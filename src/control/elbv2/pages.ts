/**
 * Listings in pages. A marker holds the position (creation time and id) of the last result given, not a number of
 * results to skip, so what is created or deleted between two pages neither repeats nor hides anything else.
 */
import { accept, type Result, refuse } from '#base/result.ts';
import { type Fault, fault } from '#model/fault.ts';
import { checkRange, shown } from './checks.ts';
import { quotas } from './quotas.ts';

export interface Listed {
  readonly id: string;
  readonly document: { readonly createdAtMs: number };
}

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Undefined on the last page. */
  readonly nextMarker: string | undefined;
}

const positionPattern = /^(\d{1,16})\/([0-9a-f]{16})$/;

/**
 * One page of what was found, oldest first. Refuses a page size outside 1 to 400 and a marker that is none of ours.
 */
export function pageOf<Item extends Listed>(
  found: Iterable<Item>,
  input: { readonly Marker?: string | undefined; readonly PageSize?: number | undefined },
): Result<Page<Item>, Fault> {
  const size = input.PageSize ?? quotas.resultsPerPage;
  const wrong = checkRange('PageSize', size, { min: 1, max: quotas.resultsPerPage });
  if (wrong !== undefined) return refuse(wrong);
  const start = input.Marker === undefined ? undefined : decodeMarker(input.Marker);
  if (start === undefined && input.Marker !== undefined) {
    return refuse(fault('ValidationError', `Marker '${shown(input.Marker)}' is not valid; take it from an answer`));
  }
  const rest = [...found].filter((item) => start === undefined || comparePositions(item, start) > 0);
  rest.sort(comparePositions);
  const items = rest.slice(0, size);
  return accept({ items, nextMarker: rest.length > size ? encodeMarker(items[size - 1]!) : undefined });
}

function comparePositions(left: Listed, right: Listed): number {
  return left.document.createdAtMs - right.document.createdAtMs || (left.id < right.id ? -1 : +(left.id > right.id));
}

function encodeMarker({ id, document }: Listed): string {
  return Buffer.from(`${document.createdAtMs}/${id}`).toString('base64url');
}

function decodeMarker(marker: string): Listed | undefined {
  const match = positionPattern.exec(Buffer.from(marker, 'base64url').toString('latin1'));
  return match === null ? undefined : { id: match[2]!, document: { createdAtMs: Number(match[1]) } };
}
