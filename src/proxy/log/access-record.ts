/**
 * One entry of an access log, while its request is under way. What is not known is `-`, and a time that never came is
 * `-1`. Source: "Access log entries" in the documentation of Application Load Balancers.
 */
import { lf } from '#proxy/http1/bytes.ts';
import { isAmbiguous, type Oddity } from '#proxy/http1/desync.ts';
import type { LocalResponse } from '#proxy/http1/local-response.ts';
import type { RequestHead } from '#proxy/http1/request-head.ts';
import type { TargetConnection } from '#proxy/http1/target-connection.ts';
import type { RouteGroup } from '#proxy/routes.ts';
import type { RoutingRule } from '#routing/table.ts';
import type { Transformed } from '#routing/transform.ts';
import type { AccessLog, ConnectionIdentity } from './access-log.ts';
import { EntryBytes } from './entry-bytes.ts';
import { refusalReason } from './refusal-reason.ts';

/** What is longer is cut, as there. */
const userAgentBytesMax = 8 * 1024;
const never = -1;
const endLength = '\r\n\r\n'.length;
const traceLineLength = 'X-Amzn-Trace-Id: '.length;
const asItCame: Transformed = {};

export class AccessRecord {
  receivedBytes = 0;
  sentBytes = 0;
  /** What the client was answered with; 460 when it did not wait. */
  status = 0;
  readonly #log: AccessLog;
  /** Of the request: its line as the log shows it, then its user agent, then its trace id. */
  readonly #texts = new EntryBytes();
  #requestEnd = 0;
  #userAgentEnd = 0;
  #client = '';
  #connectionId = '';
  #createdAtMs = 0;
  #createdMs = 0;
  #type = '';
  #sentMs = never;
  #answeredMs = never;
  #priority = '';
  #action = '';
  #redirectUrl = '';
  #errorReason = '';
  #target = '';
  #groupArn = '';
  #targetStatus = '';
  #classification = '';
  #reason = '';
  #transformed = asItCame;
  #transformStatus = '';

  constructor(log: AccessLog) {
    this.#log = log;
  }

  begin({ label, id }: ConnectionIdentity): void {
    const { clock } = this.#log;
    this.receivedBytes = this.sentBytes = this.status = 0;
    this.#client = label;
    this.#connectionId = id;
    this.#createdAtMs = clock.wallMs();
    this.#createdMs = clock.monotonicMs();
    this.#type = 'http';
    this.#sentMs = this.#answeredMs = never;
    this.#priority = this.#action = this.#redirectUrl = this.#target = this.#groupArn = this.#targetStatus = '-';
    this.#classification = this.#reason = this.#transformStatus = this.#errorReason = '-';
    this.#transformed = asItCame;
  }

  /** Of a request whose head, which lies at `base`, has been read. */
  ofRequest(head: RequestHead, bytes: Buffer, base: number, oddity: Oddity | undefined): this {
    const { port, address } = this.#log;
    const { fields, hostStart, hostEnd, pathStart, targetEnd } = head;
    this.receivedBytes = fields.end - head.start;
    const texts = this.#texts;
    texts.clear();
    texts.escaped(bytes, base + head.start, base + head.methodEnd).text(' http://');
    if (hostEnd === hostStart) texts.text(address);
    else texts.escaped(bytes, base + hostStart, base + hostEnd);
    if (!head.namesPort(bytes, base)) texts.text(port);
    // `http://host` and `http://host?query` have a path all the same.
    if (head.isAbsolute && bytes[base + pathStart] !== 47) texts.text('/');
    texts.escaped(bytes, base + pathStart, base + targetEnd).text(head.minorVersion === 0 ? ' HTTP/1.0' : ' HTTP/1.1');
    this.#requestEnd = texts.length;
    const userAgent = fields.indexOf(bytes, base, 'user-agent');
    if (userAgent === -1) {
      texts.text('-');
    } else {
      const start = base + fields.valueStart(userAgent);
      texts.escaped(bytes, start, Math.min(base + fields.valueEnd(userAgent), start + userAgentBytesMax));
    }
    this.#userAgentEnd = texts.length;
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
    const texts = this.#texts;
    texts.clear();
    texts.text('- http://').text(this.#log.address).text(this.#log.port).text('- -');
    this.#requestEnd = texts.length;
    texts.text('-');
    this.#userAgentEnd = texts.length;
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
  sent({ target, requestBytes, headLength }: TargetConnection, group: RouteGroup, isWaiting: boolean): void {
    this.#target = group.isOfFunctions ? '-' : target.label;
    this.#groupArn = this.#log.groupArn(group.id);
    // It is the last line of the head.
    const end = headLength - endLength;
    let start = end;
    while (requestBytes[start - 1] !== lf) start -= 1;
    this.#texts.length = this.#userAgentEnd;
    this.#texts.escaped(requestBytes, start + traceLineLength, end);
    if (!isWaiting) this.taken();
  }

  /** The load balancer answered itself. */
  answeredHere({ status, location }: LocalResponse): void {
    this.status = status;
    if (location !== undefined) this.#redirectUrl = location;
  }

  /** A function gave no answer; the load balancer answered with this status. */
  functionFailed(status: number, reason: string): void {
    this.status = status;
    this.#errorReason = reason;
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
    this.#log.end(this);
  }

  /** In the order of the documentation, `type` to `ip_address`. */
  writeTo(entry: EntryBytes, atMs: number): void {
    const { balancer, address, traceIds } = this.#log;
    const texts = this.#texts;
    if (texts.length === this.#userAgentEnd) texts.text('Root=').text(traceIds.text());
    entry.text(this.#type).text(' ').moment(atMs).text(' ').text(balancer).text(' ').text(this.#client).text(' ');
    entry.text(this.#target).text(' ');
    writeSeconds(entry, this.#createdMs, this.#sentMs);
    writeSeconds(entry, this.#sentMs, this.#answeredMs);
    // An answer goes on as soon as it comes.
    entry.text(this.#answeredMs === never ? '-1 ' : '0.000 ');
    if (this.status === 0) entry.text('-');
    else entry.number(this.status);
    entry.text(' ').text(this.#targetStatus).text(' ').number(this.receivedBytes).text(' ').number(this.sentBytes);
    entry.text(' "').copy(texts, 0, this.#requestEnd).text('" "').copy(texts, this.#requestEnd, this.#userAgentEnd);
    // A listener in the clear knows no cipher and no certificate.
    entry.text('" - - ').text(this.#groupArn).text(' "').copy(texts, this.#userAgentEnd, texts.length);
    entry.text('" "-" "-" ').text(this.#priority).text(' ').moment(this.#createdAtMs);
    entry.text(' "').text(this.#action).text('" "').escapedText(this.#redirectUrl);
    entry.text('" "').escapedText(this.#errorReason).text('" "').text(this.#target);
    entry.text('" "').text(this.#targetStatus).text('" "').text(this.#classification).text('" "').text(this.#reason);
    entry
      .text('" ')
      .text(this.#connectionId)
      .text(' "')
      .escapedText(this.#transformed.host ?? '-');
    entry
      .text('" "')
      .escapedText(this.#transformed.url ?? '-')
      .text('" "')
      .text(this.#transformStatus)
      .text('" ');
    entry.text(address);
  }
}

/** -1 unless both moments came. */
function writeSeconds(entry: EntryBytes, fromMs: number, toMs: number): void {
  if (fromMs === never || toMs === never) entry.text('-1 ');
  else entry.seconds(toMs - fromMs).text(' ');
}
