/**
 * The operator API: what tenants must never reach. `/v1/...` needs the operator's key; `/metrics` and `/healthz` tell
 * nothing secret and need none, so that a monitoring system can read them; `/link` belongs to nodes and has a key of
 * its own.
 */
import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Log } from '#io/log.ts';
import type { Status } from '#model/status.ts';

export interface OperatorServerOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly operatorKey: string;
  readonly log: Log;
  readonly status: () => Status;
  /** The text of `/metrics`. */
  readonly metrics: () => Promise<string>;
  /** Takes over `/link`. */
  readonly upgradeLink: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

export interface OperatorServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Listens; rejects with the system's error when the address cannot be had. */
export function startOperatorServer(options: OperatorServerOptions): Promise<OperatorServer> {
  const server = createServer(
    { requestTimeout: 10_000, headersTimeout: 5_000, maxHeaderSize: 16 * 1024 },
    (request, response) => {
      answer(options, request, response).catch((error: Error) => {
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

async function answer(
  options: OperatorServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = pathOf(request);
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return sendJson(response, 405, { error: `${request.method} is not offered here; GET is` });
  }
  if (path === '/healthz') return send(response, 200, 'text/plain; charset=utf-8', 'ok\n');
  if (path === '/metrics')
    return send(response, 200, 'text/plain; version=0.0.4; charset=utf-8', await options.metrics());
  if (!isOperator(request, options.operatorKey)) {
    response.setHeader('www-authenticate', 'Bearer');
    return sendJson(response, 401, { error: 'this needs the operator key, as `Authorization: Bearer KEY`' });
  }
  if (path === '/v1/status') return sendJson(response, 200, options.status());
  return sendJson(response, 404, { error: `there is no ${path}; there is /v1/status, /metrics and /healthz` });
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
