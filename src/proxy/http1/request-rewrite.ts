/**
 * Writes the head that a target gets for a request: the client's own bytes without what concerns only the client's
 * connection, and with what the target must know about the client ("HTTP headers and Application Load Balancers"). The
 * head depends on the request alone, never on the target, so a retry sends the same bytes.
 */

import type { RoutingRequestFields, RoutingTable } from '#routing/table.ts';
import type { Transformed } from '#routing/transform.ts';
import { space, writeAscii, writeBytes } from './bytes.ts';
import { field } from './field-names.ts';
import type { RequestHead } from './request-head.ts';
import type { TraceIds } from './trace-id.ts';
import { traceGrowthBytesMax, writeTraceValue } from './trace-id.ts';

/** What a listener changes in each of its requests. */
export interface RewriteSettings {
  /** The lines X-Forwarded-Proto and X-Forwarded-Port, and the beginning of X-Forwarded-For if it says the client. */
  readonly forwarded: Buffer;
  readonly fields: RoutingRequestFields;
  /** The Host of a request that came without one. */
  readonly host: string;
  /** What a Host gets that names no port; undefined: it goes on as it came. */
  readonly hostPort: Buffer | undefined;
  readonly traceIds: TraceIds;
}

export function rewriteSettings(
  { address, port, loadBalancer }: Pick<RoutingTable, 'address' | 'port' | 'loadBalancer'>,
  traceIds: TraceIds,
): RewriteSettings {
  const fields = loadBalancer.requestFields;
  const lines = `X-Forwarded-Proto: http\r\nX-Forwarded-Port: ${port}\r\n`;
  return {
    forwarded: Buffer.from(fields.forwardedFor === 'append' ? `${lines}X-Forwarded-For: ` : lines),
    fields,
    host: `${address}:${port}`,
    // ALB names a port that is not the protocol's own (attribute `preserve_host_header`).
    hostPort: port === 80 || fields.preservesHost ? undefined : Buffer.from(`:${port}`),
    traceIds,
  };
}

/** The client as X-Forwarded-For names it. */
export function clientText({ hasClientPort }: RoutingRequestFields, { clientAddress, clientPort }: Client): string {
  if (!hasClientPort) return clientAddress;
  return clientAddress.includes(':') ? `[${clientAddress}]:${clientPort}` : `${clientAddress}:${clientPort}`;
}

/** Who sent the request. */
export interface Client {
  readonly clientAddress: string;
  readonly clientPort: number;
}

const traceLine = Buffer.from('X-Amzn-Trace-Id: ');
const rootPrefix = Buffer.from('X-Amzn-Trace-Id: Root=');
const connectionUpgrade = Buffer.from('Connection: Upgrade\r\n');
const acceptTrailers = Buffer.from('TE: trailers\r\nConnection: TE\r\n');
const httpVersion = ' HTTP/1.1\r\n';

/** What a rule's transforms made of a request; empty when nothing. */
const asItCame: Transformed = {};

/** By how much a head can grow at most: everything below that is not copied from the request, rounded up. */
const headGrowthBytesMax = 512 + traceGrowthBytesMax;

export function headGrowthBytes({ url = '', host = '' }: Transformed = asItCame): number {
  return headGrowthBytesMax + url.length + host.length;
}

/**
 * Writes what the target gets for `head`, which lies at `base` in `bytes`, to `target` from 0; returns the length. A
 * head grows by what was transformed, too.
 */
export function writeRequestHead(
  head: RequestHead,
  bytes: Buffer,
  base: number,
  settings: RewriteSettings,
  client: Client,
  target: Buffer,
  { url, host }: Transformed = asItCame,
): number {
  const { fields } = head;
  let length = 0;
  let kept = base + head.start;
  if (head.isAbsolute || head.minorVersion === 0 || url !== undefined) {
    length = writeRequestLine(head, bytes, base, target, url);
    kept = base + fields.start;
  }
  const hasNewHost = host !== undefined || head.isAbsolute;
  const { forwardedFor: mode } = settings.fields;
  let forwardedFor = 0;
  let trace = -1;
  let hasTrailers = false;
  for (let known = 0, count = inOrder(head); known < count; known += 1) {
    const index = fields.known[known]!;
    const id = fields.id(index);
    if (id === field.forwardedFor) forwardedFor += 1;
    else if (id === field.traceId && trace === -1) trace = index;
    else if (id === field.te) hasTrailers ||= takesTrailers(head, bytes, base, index);
    if (
      id === field.host &&
      !hasNewHost &&
      settings.hostPort !== undefined &&
      !head.namesPort(bytes, base) &&
      head.hostEnd > head.hostStart
    ) {
      const hostEnd = base + head.hostEnd;
      length += bytes.copy(target, length, kept, hostEnd);
      length = writeBytes(target, length, settings.hostPort);
      kept = hostEnd;
    }
    if (id === field.forwardedFor ? mode === 'preserve' : passes(head, id, hasNewHost)) continue;
    const lineStart = base + fields.lineStart(index);
    if (lineStart > kept) length += bytes.copy(target, length, kept, lineStart);
    kept = base + fields.lineEnd(index);
  }
  const linesEnd = base + fields.end - 2;
  if (linesEnd > kept) length += bytes.copy(target, length, kept, linesEnd);
  if (host !== undefined) length = writeAscii(target, length, `Host: ${host}\r\n`);
  else if (head.isAbsolute || head.hostField === -1) length = writeHost(head, bytes, base, settings, target, length);
  if (head.isUpgrade) length = writeBytes(target, length, connectionUpgrade);
  else if (hasTrailers) length = writeBytes(target, length, acceptTrailers);
  length = writeBytes(target, length, settings.forwarded);
  if (mode === 'append') {
    if (forwardedFor > 0) length = writeForwardedFor(head, bytes, base, target, length);
    length = writeAscii(target, writeAscii(target, length, clientText(settings.fields, client)), '\r\n');
  }
  if (trace === -1) {
    length = settings.traceIds.write(target, writeBytes(target, length, rootPrefix));
  } else {
    length = writeBytes(target, length, traceLine);
    const value = { start: base + fields.valueStart(trace), end: base + fields.valueEnd(trace) };
    length = writeTraceValue(settings.traceIds, bytes, value, target, length);
  }
  return writeAscii(target, length, '\r\n\r\n');
}

/** RFC 9110 section 10.1.4: whether a TE field says so; what else it says ends here, since nothing is coded anew. */
function takesTrailers({ fields, minorVersion }: RequestHead, bytes: Buffer, base: number, index: number): boolean {
  const value = bytes.toString('latin1', base + fields.valueStart(index), base + fields.valueEnd(index));
  return minorVersion === 1 && /(?:^|,)[\t ]*trailers[\t ]*(?:[;,]|$)/i.test(value);
}

/** Dropped fields were appended to `known`; puts it back into the order of the lines, and returns its length. */
function inOrder(head: RequestHead): number {
  const { known, knownCount } = head.fields;
  for (let index = 1; index < knownCount; index += 1) {
    if (known[index]! < known[index - 1]!) {
      known.subarray(0, knownCount).sort();
      break;
    }
  }
  return knownCount;
}

/** Whether a known field goes on to the target as it is. */
function passes(head: RequestHead, id: number, hasNewHost: boolean): boolean {
  switch (id) {
    case field.contentLength:
    case field.transferEncoding:
    case field.trailer:
      return true;
    case field.host:
      return !hasNewHost;
    case field.expect:
      // An HTTP/1.0 client would not understand the interim answer.
      return head.minorVersion === 1;
    case field.upgrade:
      return head.isUpgrade;
    default:
      return false;
  }
}

function writeRequestLine(head: RequestHead, bytes: Buffer, base: number, target: Buffer, url?: string): number {
  let length = bytes.copy(target, 0, base + head.start, base + head.methodEnd);
  target[length] = space;
  length += 1;
  if (url !== undefined) return writeAscii(target, writeAscii(target, length, url), httpVersion);
  if (head.isAbsolute && bytes[base + head.pathStart] !== 47) {
    // `http://host` and `http://host?query`: the origin form has a path. OPTIONS without one is about the whole server.
    const isServerWide = head.pathStart === head.targetEnd && bytes[base + head.start] === 79;
    length = writeAscii(target, length, isServerWide ? '*' : '/');
  }
  length += bytes.copy(target, length, base + head.pathStart, base + head.targetEnd);
  return writeAscii(target, length, httpVersion);
}

function writeHost(
  head: RequestHead,
  bytes: Buffer,
  base: number,
  settings: RewriteSettings,
  target: Buffer,
  at: number,
): number {
  let length = writeAscii(target, at, 'Host: ');
  if (head.isAbsolute) length += bytes.copy(target, length, base + head.hostStart, base + head.hostEnd);
  else length = writeAscii(target, length, settings.host);
  return writeAscii(target, length, '\r\n');
}

/** The addresses that came with the request, each followed by a comma; the client's own follows. */
function writeForwardedFor(head: RequestHead, bytes: Buffer, base: number, target: Buffer, at: number): number {
  const { fields } = head;
  let length = at;
  for (let known = 0; known < fields.knownCount; known += 1) {
    const index = fields.known[known]!;
    if (fields.id(index) !== field.forwardedFor) continue;
    const start = base + fields.valueStart(index);
    const end = base + fields.valueEnd(index);
    if (start === end) continue;
    length += bytes.copy(target, length, start, end);
    length = writeAscii(target, length, ', ');
  }
  return length;
}
