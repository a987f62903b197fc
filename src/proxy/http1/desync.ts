/**
 * What is odd about a request that could be read in one way: servers behind may still differ over it. The three modes
 * of desync mitigation say what becomes of it. What can be read in two ways never comes this far, whatever the mode:
 * the parser has refused it.
 *
 *                monitor   defensive                          strictest
 *   acceptable   passes    passes                             400
 *   ambiguous    passes    passes, and both connections end   400
 *
 * Source: "Desync mitigation mode" and "Classification reasons" in the documentation of Application Load Balancers.
 */
import type { LoadBalancerCounters } from '#proxy/counters.ts';
import type { RoutingRequestFields } from '#routing/table.ts';
import { field } from './field-names.ts';
import type { RequestHead } from './request-head.ts';

export type Oddity =
  | 'GetHeadZeroContentLength'
  | 'NonCompliantHeader'
  | 'UndefinedContentLengthSemantics'
  | 'UndefinedTransferEncodingSemantics'
  | 'SuspiciousHeader';

/** `ends`: it is the last request on both of its connections. */
export type DesyncVerdict = 'passes' | 'ends' | 'refused';

const ambiguous: ReadonlySet<Oddity> = new Set([
  'UndefinedContentLengthSemantics',
  'UndefinedTransferEncodingSemantics',
  'SuspiciousHeader',
]);

export function isAmbiguous(oddity: Oddity): boolean {
  return ambiguous.has(oddity);
}

/** Counts what is odd; what is refused is counted where it is answered. */
export function judgeDesync(
  head: RequestHead,
  bytes: Buffer,
  base: number,
  { desyncMode }: Pick<RoutingRequestFields, 'desyncMode'>,
  counters: LoadBalancerCounters,
): DesyncVerdict {
  // In the usual mode, bytes of values are looked at by nobody: what would come of it is a number alone.
  const oddity = oddityOf(head, bytes, base, desyncMode !== 'defensive');
  if (oddity === undefined) return 'passes';
  if (desyncMode === 'strictest') return 'refused';
  counters.nonCompliantRequests += 1;
  return desyncMode === 'defensive' && isAmbiguous(oddity) ? 'ends' : 'passes';
}

/** The first oddity, the ambiguous before the acceptable; unusual bytes in values are looked for only on request. */
export function oddityOf(head: RequestHead, bytes: Buffer, base: number, isThorough: boolean): Oddity | undefined {
  const { fields } = head;
  const isGetOrHead = head.isHead || isGet(head, bytes, base);
  if (isGetOrHead && head.bodyKind === 'chunked') return 'UndefinedTransferEncodingSemantics';
  if (isGetOrHead && head.bodyKind === 'length') return 'UndefinedContentLengthSemantics';
  for (let index = 0; index < fields.count; index += 1) {
    if (fields.id(index) !== field.other) continue;
    const start = base + fields.lineStart(index);
    const end = base + fields.nameEnd(index);
    if (mayBeSuspicious(bytes, start, end) && isSuspicious(bytes.toString('latin1', start, end))) {
      return 'SuspiciousHeader';
    }
  }
  if (isGetOrHead && hasLength(head)) return 'GetHeadZeroContentLength';
  if (!isThorough) return undefined;
  for (let at = base + fields.start; at < base + fields.end; at += 1) if (bytes[at]! > 126) return 'NonCompliantHeader';
  return undefined;
}

/** By length and ends alone, without making a text: of what clients usually send, nothing passes. */
function mayBeSuspicious(bytes: Buffer, start: number, end: number): boolean {
  const length = end - start;
  if (length < 13 || length > 20) return false;
  const first = bytes[start]! | 32;
  const last = bytes[end - 1]! | 32;
  return (first === 99 || first === 116 || !isLetter(first)) && (last === 104 || last === 103 || !isLetter(last));
}

function isLetter(byte: number): boolean {
  return byte >= 97 && byte <= 122;
}

/** Whether a name that is neither Content-Length nor Transfer-Encoding is one of them to whoever tidies names up. */
export function isSuspicious(name: string): boolean {
  const letters = name.toLowerCase().replace(/[^a-z]/g, '');
  return letters === 'contentlength' || letters === 'transferencoding';
}

function isGet(head: RequestHead, bytes: Buffer, base: number): boolean {
  const at = base + head.start;
  return head.methodEnd - head.start === 3 && bytes[at] === 71 && bytes[at + 1] === 69 && bytes[at + 2] === 84;
}

function hasLength({ fields }: RequestHead): boolean {
  for (let known = 0; known < fields.knownCount; known += 1) {
    if (fields.id(fields.known[known]!) === field.contentLength) return true;
  }
  return false;
}
