/**
 * One entry of an access log, while its request is under way. Whatever a client sends stays inside its field and its
 * line; what is not known is `-`, and a time that never came is `-1`.
 * Source: "Access log entries" in the documentation of Application Load Balancers.
 */
import { isAmbiguous, type Oddity } from '#proxy/http1/desync.ts';
import type { LocalResponse } from '#proxy/http1/local-response.ts';
import type { HeadFacts } from '#proxy/http1/request-facts.ts';
import type { Client } from '#proxy/http1/request-rewrite.ts';
import type { TargetConnection } from '#proxy/http1/target-connection.ts';
import type { RouteGroup } from '#proxy/routes.ts';
import type { RoutingRule } from '#routing/table.ts';
import type { Transformed } from '#routing/transform.ts';
import type { AccessLog } from './access-log.ts';
import { refusalReason } from './refusal-reason.ts';

/** What is longer is cut, as there. */
const userAgentLengthMax = 8 * 1024;
const never = -1;
const emptyLine = Buffer.from('\r\n\r\n');
const traceLine = Buffer.from('X-Amzn-Trace-Id: ');

export class AccessRecord {
  receivedBytes = 0;
  sentBytes = 0;
  /** What the client was answered with; 460 when it did not wait. */
  status = 0;
  readonly #log: AccessLog;
  readonly #client: string;
  readonly #connectionId: string;
  readonly #createdAtMs: number;
  readonly #createdMs: number;
  #type = 'http';
  #sentMs = never;
  #answeredMs = never;
  #request = '';
  #userAgent = '-';
  #traceId = '-';
  #priority = '-';
  #action = '-';
  #redirectUrl = '-';
  #target = '-';
  #groupArn = '-';
  #targetStatus = '-';
  #classification = '-';
  #reason = '-';
  #transformed: Transformed = {};
  #transformStatus = '-';

  constructor(log: AccessLog, { clientAddress, clientPort }: Client, connectionId: string) {
    this.#log = log;
    this.#client = clientAddress === '' ? '-' : addressAndPort(clientAddress, clientPort);
    this.#connectionId = connectionId;
    this.#createdAtMs = log.clock.wallMs();
    this.#createdMs = log.clock.monotonicMs();
  }

  /** Of a request whose head has been read. */
  ofRequest(request: HeadFacts, oddity: Oddity | undefined): this {
    const { port, address } = this.#log;
    this.receivedBytes = request.headBytes;
    const authority = request.authority === '' ? address : request.authority;
    const place = /:\d+$/.test(authority) ? authority : `${authority}:${port}`;
    this.#request = escaped(`${request.method} http://${place}${request.url} HTTP/1.${request.minorVersion}`);
    const userAgent = request.values('user-agent')[0];
    if (userAgent !== undefined) this.#userAgent = escaped(userAgent.slice(0, userAgentLengthMax));
    if (oddity !== undefined) {
      this.#classification = isAmbiguous(oddity) ? 'Ambiguous' : 'Acceptable';
      this.#reason = oddity;
    }
    return this;
  }

  /** Of something that is no request, or never became a whole one: `text`. */
  ofUnread(text: string): this {
    const found = refusalReason(text);
    if (found !== undefined) {
      this.#classification = found.classification;
      this.#reason = found.reason;
    }
    this.#request = `- http://${this.#log.address}:${this.#log.port}- -`;
    return this;
  }

  matched({ priority = 0, action, transforms }: RoutingRule, changed: Transformed | 'failed' | undefined): void {
    this.#priority = String(priority);
    this.#action = action.kind;
    if (transforms.length === 0) return;
    this.#transformStatus = changed === 'failed' ? 'TransformReplaceError' : 'TransformSuccess';
    if (changed !== 'failed' && changed !== undefined) this.#transformed = changed;
  }

  /** A target was chosen, and given the request; `isWaiting`: it has not taken it yet. */
  sent({ target, request }: TargetConnection, group: RouteGroup, isWaiting: boolean): void {
    this.#target = group.isOfFunctions ? '-' : addressAndPort(target.address, target.port);
    this.#groupArn = this.#log.groupArn(group.id);
    const headEnd = request.indexOf(emptyLine);
    // It is the last line of the head.
    const at = request.lastIndexOf(traceLine, headEnd) + traceLine.length;
    this.#traceId = escaped(request.toString('latin1', at, headEnd));
    if (!isWaiting) this.taken();
  }

  /** The load balancer answered itself. */
  answeredHere({ status, location }: LocalResponse): void {
    this.status = status;
    if (location !== undefined) this.#redirectUrl = escaped(location);
  }

  /** The request is with the target. */
  taken(): void {
    if (this.#sentMs === never) this.#sentMs = this.#log.clock.monotonicMs();
  }

  answered(status: number, nowMs: number): void {
    this.#answeredMs = nowMs;
    this.#targetStatus = String(status);
    this.status = status;
    if (status === 101) this.#type = 'ws';
  }

  end(): void {
    const log = this.#log;
    const atMs = log.clock.wallMs();
    const { url, host } = this.#transformed;
    if (this.#traceId === '-') this.#traceId = `Root=${log.traceIds.text()}`;
    // In the order of the documentation, `type` to `ip_address`. An answer goes on as soon as it comes, and a listener
    // in the clear knows no cipher and no certificate.
    const entry =
      `${this.#type} ${moment(atMs)} ${log.balancer} ${this.#client} ${this.#target} ` +
      `${seconds(this.#createdMs, this.#sentMs)} ${seconds(this.#sentMs, this.#answeredMs)} ` +
      `${seconds(this.#answeredMs, this.#answeredMs)} ` +
      `${this.status === 0 ? '-' : this.status} ${this.#targetStatus} ${this.receivedBytes} ${this.sentBytes} ` +
      `"${this.#request}" "${this.#userAgent}" - - ${this.#groupArn} "${this.#traceId}" "-" "-" ${this.#priority} ` +
      `${moment(this.#createdAtMs)} "${this.#action}" "${this.#redirectUrl}" "-" "${this.#target}" ` +
      `"${this.#targetStatus}" "${this.#classification}" "${this.#reason}" ${this.#connectionId} "${host ?? '-'}" ` +
      `"${url === undefined ? '-' : escaped(url)}" "${this.#transformStatus}" ${log.address}`;
    log.add(entry, atMs);
  }
}

/** Seconds with three decimals; -1 unless both moments came. */
function seconds(fromMs: number, toMs: number): string {
  return fromMs === never || toMs === never ? '-1' : (Math.max(0, toMs - fromMs) / 1000).toFixed(3);
}

/** ISO 8601 with six decimals. */
function moment(atMs: number): string {
  return new Date(atMs).toISOString().replace('Z', '000Z');
}

export function addressAndPort(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Quotes and what is not visible ASCII, as `\xHH`: no field and no line ends before its end. */
function escaped(text: string): string {
  return unsafe.test(text) ? text.replace(everyUnsafe, escapeCharacter) : text;
}

const unsafe = /[^ -~]|["\\]/;
const everyUnsafe = new RegExp(unsafe, 'g');

function escapeCharacter(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}
