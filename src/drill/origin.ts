/**
 * An origin that serves live video, and health checks beside it. One stands behind a thousand load balancers: an answer
 * costs one write, and the origin never ends an idle connection of its own accord, since a load balancer that sends
 * into a connection just then would be blamed for it.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { assert } from '#base/assert.ts';
import { parseSegmentPath, segmentBytesMax, segmentContent } from './segment.ts';

export interface Origin {
  readonly port: number;
  /** All that were answered so far: segments, health checks and what is not there. */
  readonly requests: number;
  /** Ends at once, with every connection. */
  stop(): Promise<void>;
}

/** Probes of a thousand load balancers arrive together when they are all new; Linux bounds this by `somaxconn`. */
const backlog = 4096;

/**
 * Listens on a free port of 127.0.0.1. `GET /live/CHANNEL/NUMBER.ts` is answered with that segment, `GET /health` with
 * `ok`, and everything else with 404.
 */
export async function startOrigin({ segmentBytes }: { readonly segmentBytes: number }): Promise<Origin> {
  assert(segmentBytes > 0 && segmentBytes <= segmentBytesMax, 'a segment has from 1 byte to 16 MiB');
  let requests = 0;
  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    requests += 1;
    answer(request, response, segmentBytes);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port: 0, backlog }, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    get requests() {
      return requests;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer({ method, url = '' }: IncomingMessage, response: ServerResponse, segmentBytes: number): void {
  const isGet = method === 'GET';
  if (isGet && url === '/health') return send(response, 200, 'text/plain', healthy);
  const segment = isGet ? parseSegmentPath(url) : undefined;
  if (segment === undefined) return send(response, 404, 'text/plain', missing);
  send(response, 200, 'video/mp2t', segmentContent(segment, segmentBytes));
}

const healthy = Buffer.from('ok');
const missing = Buffer.from('there is no such segment\n');

function send(response: ServerResponse, status: number, type: string, body: Buffer): void {
  response.writeHead(status, { 'content-type': type, 'content-length': body.length }).end(body);
}
