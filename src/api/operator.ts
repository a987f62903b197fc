/**
 * The operator API: what tenants must never reach. `/v1/...` needs the operator's key; `/metrics` and `/healthz` tell
 * nothing secret and need none, so that a monitoring system can read them; `/link` belongs to nodes and has a key of
 * its own.
 */
import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { accept, type Result, refuse } from '#base/result.ts';
import type { Credentials, SignedRequest } from '#control/approval/operators.ts';
import type { Clock } from '#io/clock.ts';
import type { Log } from '#io/log.ts';
import type { Status } from '#model/status.ts';
import { sendLines } from './lines.ts';
import { bodyMembers, queryMembers } from './parameters.ts';
import type { Route } from './routes.ts';

export interface OperatorServerOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly operatorKey: string;
  readonly clock: Clock;
  readonly log: Log;
  /** The principal who sends a request; refuses, in a sentence, one who is not who they say. */
  readonly identify: (request: SignedRequest, credentials: Credentials | undefined) => Result<string, string>;
  readonly status: () => Status;
  /** Everything below `/v1` but the status. */
  readonly routes: readonly Route[];
  /** The text of `/metrics`, or of `/metrics?targets=…`. */
  readonly metrics: (targets: string | undefined) => Promise<string>;
  /** Takes over `/link`. */
  readonly upgradeLink: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

export interface OperatorServer {
  readonly port: number;
  close(): Promise<void>;
}

const bodySizeBytesMax = 1024 * 1024;
/** Streams at once: each keeps the event loop busy for a part of the time. */
const streamsMax = 8;

/** Listens; rejects with the system's error when the address cannot be had. */
export function startOperatorServer(options: OperatorServerOptions): Promise<OperatorServer> {
  const desk = new OperatorDesk(options);
  const server = createServer(
    { requestTimeout: 10_000, headersTimeout: 5_000, maxHeaderSize: 16 * 1024 },
    (request, response) => {
      desk.answer(request, response).catch((error: Error) => {
        options.log.error(`operator API: ${request.method} ${request.url} failed: ${error.message}`);
        if (!response.headersSent)
          sendJson(response, 500, { error: 'the request failed; the log of the control plane says why' });
        else response.destroy();
      });
    },
  );
  server.maxConnections = 1_000;
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => {});
    if (pathOf(request) === '/link') options.upgradeLink(request, socket, head);
    else socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.off('error', reject);
      resolve({ port: (server.address() as AddressInfo).port, close: () => close(server) });
    });
  });
}

class OperatorDesk {
  readonly #options: OperatorServerOptions;
  #streams = 0;

  constructor(options: OperatorServerOptions) {
    this.#options = options;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const options = this.#options;
    const path = pathOf(request);
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (isRead && path === '/healthz') return send(response, 200, 'text/plain; charset=utf-8', 'ok\n');
    if (isRead && path === '/metrics') {
      const targets = new URLSearchParams(queryOf(request)).get('targets') ?? undefined;
      return send(response, 200, 'text/plain; version=0.0.4; charset=utf-8', await options.metrics(targets));
    }
    if (!isOperator(request, options.operatorKey)) {
      response.setHeader('www-authenticate', 'Bearer');
      return sendJson(response, 401, { error: 'this needs the operator key, as `Authorization: Bearer KEY`' });
    }
    if (isRead && path === '/v1/status') return sendJson(response, 200, options.status());
    const routes = options.routes.filter((route) => matches(route, path) !== undefined);
    const route = routes.find(({ method }) => method === request.method);
    if (route !== undefined) return this.#answerRoute(route, request, response);
    const { length } = routes;
    const isKnown = length > 0 || ['/healthz', '/metrics', '/v1/status'].includes(path);
    if (!isKnown)
      return sendJson(response, 404, { error: `there is no ${shortened(path)}; there is ${offered(options)}` });
    const allowed = length > 0 ? routes.map(({ method }) => method).join(' and ') : 'GET';
    response.setHeader('allow', allowed);
    return sendJson(response, 405, { error: `${request.method} is not offered here; ${allowed} is` });
  }

  #identify(request: IncomingMessage, body: string): Result<string, string> {
    const signed = { method: request.method ?? '', url: request.url ?? '', body };
    return this.#options.identify(signed, credentialsOf(request));
  }

  async #answerRoute(route: Route, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    if (body === undefined) return;
    const who = this.#identify(request, body.ok ? body.value : '');
    if (!who.ok) return sendJson(response, 401, { error: who.fault });
    const given = !body.ok ? body : route.method === 'POST' ? bodyMembers(body.value) : queryMembers(queryOf(request));
    if (!given.ok) return sendJson(response, 400, { error: given.fault });
    if (this.#streams >= streamsMax) {
      return sendJson(response, 503, { error: `${streamsMax} answers are under way already: try again` });
    }
    this.#streams += 1;
    try {
      const asked = { revision: matches(route, pathOf(request))!, by: who.value };
      const answered = await route.answer(given.value, asked);
      if (!answered.ok) return sendJson(response, answered.fault.status, { error: answered.fault.error });
      if ('value' in answered.value) return sendJson(response, 200, answered.value.value);
      await sendLines(response, answered.value.lines, this.#options);
    } finally {
      this.#streams -= 1;
    }
  }
}

/** What an operator's own signature comes with; a header that is there twice is none. */
function credentialsOf({ headers }: IncomingMessage): Credentials | undefined {
  const name = headers['x-ballast-operator'];
  if (name === undefined) return undefined;
  const text = (header: string | string[] | undefined) => (typeof header === 'string' ? header : '');
  return {
    name: text(name),
    time: text(headers['x-ballast-time']),
    signature: text(headers['x-ballast-signature']),
  };
}

/** What stands for `REV` in the path, 0 where nothing does; undefined when the route has another path. */
function matches({ path: wanted }: Route, path: string): number | undefined {
  if (!wanted.endsWith('/REV')) return path === wanted ? 0 : undefined;
  const digits = path.startsWith(wanted.slice(0, -3)) ? path.slice(wanted.length - 3) : '';
  return /^\d{1,15}$/.test(digits) ? Number(digits) : undefined;
}

function offered({ routes }: OperatorServerOptions): string {
  return [...routes.map(({ path }) => path), '/v1/status', '/metrics', '/healthz'].join(', ');
}

function shortened(path: string): string {
  return path.length <= 200 ? path : `${path.slice(0, 200)}…`;
}

/** The body as text; a refusal when it is too long or not UTF-8; undefined when the client broke off. */
async function readBody(request: IncomingMessage): Promise<Result<string, string> | undefined> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of request) {
      sizeBytes += (chunk as Buffer).length;
      if (sizeBytes <= bodySizeBytesMax) chunks.push(chunk as Buffer);
    }
    if (sizeBytes > bodySizeBytesMax) {
      return refuse(`the body has ${sizeBytes} bytes; at most ${bodySizeBytesMax} are allowed`);
    }
  } catch {
    return undefined;
  }
  try {
    return accept(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)));
  } catch {
    return refuse('the body is not UTF-8');
  }
}

function queryOf(request: IncomingMessage): string {
  const url = request.url ?? '';
  return url.includes('?') ? url.slice(url.indexOf('?') + 1) : '';
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1)[0]!;
}

function isOperator(request: IncomingMessage, operatorKey: string): boolean {
  const given = Buffer.from(request.headers.authorization ?? '');
  const wanted = Buffer.from(`Bearer ${operatorKey}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  send(response, status, 'application/json', `${JSON.stringify(value)}\n`);
}

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
