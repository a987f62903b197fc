/**
 * Answers that the load balancer gives itself: error pages, redirects and fixed responses, in the form that an
 * Application Load Balancer gives them.
 */
import { STATUS_CODES } from 'node:http';
import type { RoutingAction } from '#routing/table.ts';
import type { AnswerFields } from './answer-fields.ts';
import type { RequestHead } from './request-head.ts';
import type { ConnectionLine } from './response-rewrite.ts';

type RedirectAction = Extract<RoutingAction, { readonly kind: 'redirect' }>;

export interface LocalResponse {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  /** Only with a redirect. */
  readonly location?: string;
  /** Which action of a rule it is, and what became of it; undefined: an error's. */
  readonly action?: 'fixed-response' | 'redirect' | 'redirect-too-long';
}

/** The page for an error, or for a redirect that nobody follows. */
export function errorPage(status: number): LocalResponse {
  const title = `${status} ${STATUS_CODES[status] ?? ''}`.trim();
  return {
    status,
    contentType: 'text/html',
    body: `<!doctype html>\n<html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>\n`,
  };
}

/** What an action answers to a request; `listener` is where it came in. */
export function localResponse(
  action: Exclude<RoutingAction, { readonly kind: 'forward' }>,
  head: RequestHead,
  bytes: Buffer,
  base: number,
  listener: { readonly address: string; readonly port: number },
): LocalResponse {
  return action.kind === 'redirect'
    ? redirect(action, requestParts(head, bytes, base, listener))
    : { status: action.statusCode, contentType: action.contentType, body: action.body, action: 'fixed-response' };
}

/** The bytes of an answer; the answer to HEAD keeps its fields and loses its body. `date` is an IMF-fixdate. */
export function formatResponse(
  response: LocalResponse,
  connection: ConnectionLine,
  date: string,
  isHeadRequest: boolean,
  fields?: AnswerFields,
): Buffer {
  const body = Buffer.from(response.body);
  const head = [
    `HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? ''}`,
    ...(fields?.hidesServer === true ? [] : ['Server: ballast']),
    `Date: ${date}`,
    ...(response.contentType === '' ? [] : [`Content-Type: ${response.contentType}`]),
    // RFC 9110 section 8.6: no length where there can be no body.
    ...(response.status === 204 ? [] : [`Content-Length: ${body.length}`]),
    ...(connection === 'none' ? [] : [`Connection: ${connection}`]),
    ...(response.location === undefined ? [] : [`Location: ${response.location}`]),
    `${fields?.lines.toString('latin1') ?? ''}\r\n`,
  ].join('\r\n');
  const hasBody = !isHeadRequest && response.status !== 204 && response.status !== 304;
  return hasBody ? Buffer.concat([Buffer.from(head, 'latin1'), body]) : Buffer.from(head, 'latin1');
}

/** What is put into a redirect's placeholders: the parts of the request's own address. */
interface RequestParts {
  readonly protocol: string;
  readonly host: string;
  readonly port: string;
  /** Without its leading slash. */
  readonly path: string;
  /** Without its question mark. */
  readonly query: string;
}

/** A longer address is answered with 507 (metric HTTP_Redirect_Url_Limit_Exceeded_Count). */
const locationBytesMax = 8 * 1024;

/** Puts the URI together and fills in the placeholders ("Redirect actions" in the documentation of listener rules). */
function redirect(action: RedirectAction, parts: RequestParts): LocalResponse {
  const fill = (text: string) =>
    text.replace(/#\{(protocol|host|port|path|query)\}/g, (_, name: keyof RequestParts) => parts[name]);
  const query = fill(action.query);
  const location =
    `${fill(action.protocol).toLowerCase()}://${fill(action.host)}:${fill(action.port)}${fill(action.path)}` +
    (query === '' ? '' : `?${query}`);
  if (location.length > locationBytesMax) return { ...errorPage(507), action: 'redirect-too-long' };
  return { ...errorPage(action.statusCode), location, action: 'redirect' };
}

function requestParts(
  head: RequestHead,
  bytes: Buffer,
  base: number,
  listener: { readonly address: string; readonly port: number },
): RequestParts {
  const host = bytes.toString('latin1', base + head.hostStart, base + head.hostEnd).replace(/:\d*$/, '');
  const target = bytes.toString('latin1', base + head.pathStart, base + head.targetEnd);
  const question = target.indexOf('?');
  const path = question === -1 ? target : target.slice(0, question);
  return {
    protocol: 'http',
    host: host === '' ? listener.address : host,
    port: String(listener.port),
    path: path.replace(/^\//, ''),
    query: question === -1 ? '' : target.slice(question + 1),
  };
}
