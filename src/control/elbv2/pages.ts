/**
 * Listings in pages. A marker holds the position (creation time or rank, and id) of the last result given, not a number
 * of results to skip, so what is created or deleted between two pages neither repeats nor hides anything else.
 */
import { accept, type Result, refuse } from '#base/result.ts';
import { type Fault, fault } from '#model/fault.ts';
import { checkRange, shown } from './checks.ts';
import { quotas } from './quotas.ts';

/** Where a result stands among the others: by rank, then by id. */
interface Position {
  readonly rank: number;
  readonly id: string;
}

interface Created {
  readonly id: string;
  readonly document: { readonly createdAtMs: number };
}

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Undefined on the last page. */
  readonly nextMarker: string | undefined;
}

const positionPattern = /^(\d{1,16})\/([0-9a-f]{16})$/;

interface PageInput {
  readonly Marker?: string | undefined;
  readonly PageSize?: number | undefined;
}

/** One page of what was found, oldest first. Refuses a page size outside 1 to 400 and a marker that is none of ours. */
export function pageOf<Item extends Created>(found: Iterable<Item>, input: PageInput): Result<Page<Item>, Fault> {
  return rankedPageOf(found, input, ({ document }) => document.createdAtMs);
}

/** The same, by another whole number than the time of creation. */
export function rankedPageOf<Item extends { readonly id: string }>(
  found: Iterable<Item>,
  input: PageInput,
  rankOf: (item: Item) => number,
): Result<Page<Item>, Fault> {
  const size = input.PageSize ?? quotas.resultsPerPage;
  const wrong = checkRange('PageSize', size, { min: 1, max: quotas.resultsPerPage });
  if (wrong !== undefined) return refuse(wrong);
  const start = input.Marker === undefined ? undefined : decodeMarker(input.Marker);
  if (start === undefined && input.Marker !== undefined) {
    return refuse(fault('ValidationError', `Marker '${shown(input.Marker)}' is not valid; take it from an answer`));
  }
  const rest: { readonly position: Position; readonly item: Item }[] = [];
  for (const item of found) {
    const position = { rank: rankOf(item), id: item.id };
    if (start === undefined || comparePositions(position, start) > 0) rest.push({ position, item });
  }
  rest.sort((left, right) => comparePositions(left.position, right.position));
  const items = rest.slice(0, size).map(({ item }) => item);
  return accept({ items, nextMarker: rest.length > size ? encodeMarker(rest[size - 1]!.position) : undefined });
}

function comparePositions(left: Position, right: Position): number {
  return left.rank - right.rank || (left.id < right.id ? -1 : +(left.id > right.id));
}

function encodeMarker({ rank, id }: Position): string {
  return Buffer.from(`${rank}/${id}`).toString('base64url');
}

function decodeMarker(marker: string): Position | undefined {
  const match = positionPattern.exec(Buffer.from(marker, 'base64url').toString('latin1'));
  return match === null ? undefined : { rank: Number(match[1]), id: match[2]! };
}
