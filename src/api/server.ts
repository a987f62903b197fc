/**
 * The AWS API on the wire: plain HTTP/1.1, every request bounded in size and time. What a request means is the desk's
 * business.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { accept, type Result, refuse } from '#base/result.ts';
import type { Random } from '#io/random.ts';
import { after } from '#io/timers.ts';
import { type Fault, fault } from '#model/fault.ts';
import { type ApiStats, Desk, type DeskOptions } from './desk.ts';

export type { ApiStats } from './desk.ts';

/** With `connectionsMax`, the memory that strangers can fill: a body is read before its signature can be checked. */
const bodySizeBytesMax = 1024 * 1024;
const connectionsMax = 500;
const downloadsPath = '/downloads/';
/** How long running requests may take when the server closes. */
const closeTimeoutMs = 5_000;

export interface ApiServerOptions extends DeskOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly random: Random;
  /** The text that is offered under a path. */
  readonly findDownload: (path: string) => string | undefined;
}

export interface ApiServer {
  readonly port: number;
  stats(): ApiStats;
  /** Takes no more requests, and lets running ones finish within five seconds. */
  close(): Promise<void>;
}

/** Listens; rejects with the system's error when the address cannot be had. */
export function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const desk = new Desk(options);
  const server = createServer({
    requestTimeout: 30_000,
    headersTimeout: 10_000,
    keepAliveTimeout: 20_000,
    connectionsCheckingInterval: 5_000,
    maxHeaderSize: 64 * 1024,
  });
  server.maxConnections = connectionsMax;
  server.on('request', async (request, response) => {
    const body = await readBody(request);
    // The client broke off; there is nobody to answer.
    if (body === undefined) return;
    if (request.method === 'GET' && request.url?.startsWith(downloadsPath)) {
      return sendDownload(response, options.findDownload(request.url));
    }
    const id = uuid(options.random);
    const { method = '', url = '' } = request;
    const headers = headersOf(request);
    const {
      status,
      contentType,
      headers: more = {},
      text,
      revision,
    } = body.ok
      ? await desk.answer({
          id,
          clientAddress: request.socket.remoteAddress ?? '',
          method,
          url,
          headers,
          body: body.value,
        })
      : desk.refuse({ id, headers }, body.fault);
    response.writeHead(status, {
      'content-type': contentType,
      'content-length': Buffer.byteLength(text),
      'x-amzn-requestid': id,
      ...more,
      ...(revision !== undefined && { 'x-ballast-revision': revision }),
      // A connection that its client would keep must not hold up a server that closes.
      ...(!server.listening && { connection: 'close' }),
    });
    response.end(text);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.off('error', reject);
      const { port } = server.address() as AddressInfo;
      resolve({ port, stats: () => desk.stats(), close: () => close(server) });
    });
  });
}

function sendDownload(response: ServerResponse, text: string | undefined): void {
  const body = text ?? 'There is nothing to download here, or its time is up.\n';
  response.writeHead(text === undefined ? 404 : 200, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  });
  response.end(body);
}

/** Every line as it was sent: Node's own table of headers joins some that come twice, and drops others. */
function headersOf({ rawHeaders }: IncomingMessage): ReadonlyMap<string, readonly string[]> {
  const headers = new Map<string, string[]>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!.toLowerCase();
    const values = headers.get(name);
    if (values === undefined) headers.set(name, [rawHeaders[index + 1]!]);
    else values.push(rawHeaders[index + 1]!);
  }
  return headers;
}

/** The whole body; a fault when it is too long; undefined when the client broke off. */
function readBody(request: IncomingMessage): Promise<Result<Buffer, Fault> | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    request.on('data', (chunk: Buffer) => {
      sizeBytes += chunk.length;
      if (sizeBytes <= bodySizeBytesMax) chunks.push(chunk);
      else chunks.length = 0;
    });
    // What is too long is read to its end all the same, within the request's time: a connection that is closed on
    // unread data is reset, and the client would never see the answer.
    request.on('end', () => {
      const message = `the body has ${sizeBytes} bytes; at most ${bodySizeBytesMax} are allowed`;
      const isTooLong = sizeBytes > bodySizeBytesMax;
      resolve(isTooLong ? refuse(fault('RequestEntityTooLarge', message)) : accept(Buffer.concat(chunks)));
    });
    request.on('close', () => resolve(undefined));
  });
}

function uuid(random: Random): string {
  const hex = random.hex(32);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const bound = after(closeTimeoutMs, () => server.closeAllConnections());
    server.close(() => {
      bound.stop();
      resolve();
    });
  });
}
