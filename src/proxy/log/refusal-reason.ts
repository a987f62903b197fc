/**
 * Why a request could not be read, in the words of an Application Load Balancer's access log. Looked into only where
 * requests are logged and one was refused, so it may take its time; what it says changes nothing.
 * Source: "Classification reasons" in its documentation.
 */

export interface RefusalReason {
  readonly classification: 'Ambiguous' | 'Severe';
  readonly reason: string;
}

const severe = (reason: string): RefusalReason => ({ classification: 'Severe', reason });
const ambiguous = (reason: string): RefusalReason => ({ classification: 'Ambiguous', reason });

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const visible = /^[!-~]+$/;
const fieldLine = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*$/;

/** `text`: as much of the head as has come. Undefined when it is none of these. */
export function refusalReason(text: string): RefusalReason | undefined {
  const [requestLine = '', ...rest] = text.replace(/^\r\n/, '').split('\r\n');
  const [method = '', uri, version] = requestLine.split(' ');
  if (!token.test(method)) return severe('BadMethod');
  if (uri !== undefined && !visible.test(uri)) return severe('BadUri');
  if (version !== undefined && !/^HTTP\/1\.[01]$/.test(version)) return severe('BadVersion');
  const end = rest.indexOf('');
  const lines = end === -1 ? rest : rest.slice(0, end);
  if (lines.some((line) => !fieldLine.test(line))) return severe('BadHeader');
  return framingReason(valuesOf(lines, 'content-length'), valuesOf(lines, 'transfer-encoding'));
}

function framingReason(lengths: readonly string[], codings: readonly string[]): RefusalReason | undefined {
  if (lengths.some((length) => !/^\d+$/.test(length))) return severe('BadContentLength');
  if (lengths.length > 1) {
    return new Set(lengths).size === 1 ? ambiguous('DuplicateContentLength') : severe('MultipleContentLength');
  }
  if (codings.length > 1) return severe('MultipleTransferEncodingChunked');
  if (codings.some((coding) => coding.toLowerCase() !== 'chunked')) return severe('BadTransferEncoding');
  return lengths.length > 0 && codings.length > 0 ? ambiguous('BothTeClPresent') : undefined;
}

function valuesOf(lines: readonly string[], name: string): string[] {
  const own = lines.filter((line) => line.slice(0, line.indexOf(':')).toLowerCase() === name);
  return own.map((line) => line.slice(line.indexOf(':') + 1).trim());
}
