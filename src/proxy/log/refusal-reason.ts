/**
 * Why a request could not be read, in the words of an Application Load Balancer's access log. Looked into only where
 * requests are logged and one was refused, so it may take its time; what it says changes nothing.
 * Source: "Classification reasons" in its documentation.
 */
import { isSuspicious } from '#proxy/http1/desync.ts';

export interface RefusalReason {
  readonly classification: 'Acceptable' | 'Ambiguous' | 'Severe';
  readonly reason: string;
}

const severe = (reason: string): RefusalReason => ({ classification: 'Severe', reason });
const ambiguous = (reason: string): RefusalReason => ({ classification: 'Ambiguous', reason });
const acceptable = (reason: string): RefusalReason => ({ classification: 'Acceptable', reason });

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const visible = /^[!-~]*$/;
const fieldLine = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*$/;
const unfinished = /^[!#$%&'*+.^_`|~0-9A-Za-z-]*(?:(?<=.):[\t -~\x80-\xff]*)?$/;

/** `text`: as much of the head as has come. Undefined when it is none of these. */
export function refusalReason(text: string): RefusalReason | undefined {
  const [requestLine = '', ...rest] = text.replace(/^\r\n/, '').split('\r\n');
  const end = rest.indexOf('');
  // A last line that may still become a field is none that is bad.
  const isCut = end === -1 && unfinished.test(rest.at(-1) ?? '');
  const lines = rest.slice(0, isCut ? -1 : end === -1 ? rest.length : end);
  const found = requestLineReason(requestLine) ?? lines.map(fieldReason).find((each) => each !== undefined);
  return found ?? framingReason(valuesOf(lines, 'content-length'), valuesOf(lines, 'transfer-encoding'));
}

function requestLineReason(line: string): RefusalReason | undefined {
  const [method = '', ...parts] = line.split(' ');
  if (!token.test(method)) return severe('BadMethod');
  const version = parts.length > 1 ? parts.pop()! : undefined;
  const uri = parts.join(' ');
  if (/[\0\r]/.test(uri)) return severe('BadUri');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for
  if (/[\x01-\x1f\x7f]/.test(uri)) return ambiguous('AmbiguousUri');
  if (version !== undefined && !/^HTTP\/1\.[01]$/.test(version)) {
    return /^HTTP\/1\.[2-9]$/.test(version) ? acceptable('NonCompliantVersion') : severe('BadVersion');
  }
  if (parts.length > 1) return acceptable('SpaceInUri');
  return visible.test(uri) ? undefined : severe('BadUri');
}

function fieldReason(line: string): RefusalReason | undefined {
  if (fieldLine.test(line)) return undefined;
  const [name = '', ...values] = line.split(':');
  if (/^[\t ]*$/.test(name)) return ambiguous('EmptyHeader');
  if (values.length > 0 && isSuspicious(name)) return ambiguous('SuspiciousHeader');
  return token.test(name) && values.length > 0 && !/[\0\r\n]/.test(line)
    ? acceptable('NonCompliantHeader')
    : severe('BadHeader');
}

function framingReason(lengths: readonly string[], codings: readonly string[]): RefusalReason | undefined {
  if (lengths.some((length) => !/^\d+$/.test(length))) return severe('BadContentLength');
  if (lengths.length > 1) {
    return new Set(lengths).size === 1 ? ambiguous('DuplicateContentLength') : severe('MultipleContentLength');
  }
  if (codings.length > 1) return severe('MultipleTransferEncodingChunked');
  if (codings.some((coding) => !/^(?:chunked|identity)$/i.test(coding))) return severe('BadTransferEncoding');
  return lengths.length > 0 && codings.length > 0 ? ambiguous('BothTeClPresent') : undefined;
}

function valuesOf(lines: readonly string[], name: string): string[] {
  const own = lines.filter((line) => line.slice(0, line.indexOf(':')).toLowerCase() === name);
  return own.map((line) => line.slice(line.indexOf(':') + 1).trim());
}
