/**
 * ELB's matcher text: which status codes count as healthy. `200`, `200,202`, `200-299`, and mixtures of them.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Matcher.html
 */

const codePattern = /^([2-4]\d\d)(?:-([2-4]\d\d))?$/;
const partsMax = 100;

export type Matches = (statusCode: number) => boolean;

/** Reads the text; undefined when it is not one, or names codes outside 200 to 499. */
export function parseMatcher(text: string): Matches | undefined {
  const ranges: (readonly [first: number, last: number])[] = [];
  const parts = text.split(',');
  if (parts.length > partsMax) return undefined;
  for (const part of parts) {
    const match = codePattern.exec(part);
    if (match === null) return undefined;
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (last < first) return undefined;
    ranges.push([first, last]);
  }
  return (statusCode) => ranges.some(([first, last]) => statusCode >= first && statusCode <= last);
}
