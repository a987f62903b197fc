/** Real targets and a steady load on a load balancer, counting every answer and every failure. */
import { Agent, createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Target {
  readonly name: string;
  readonly port: number;
  requests: number;
  /** Answers to `/slow` wait until this is called. */
  releaseSlow(): void;
  slowWaiting: number;
  stop(): Promise<void>;
}

/** An HTTP server that says its name, answers health checks, and can keep a request waiting. */
export function startTarget(name: string): Promise<Target> {
  let release: (() => void)[] = [];
  const server: Server = createServer((incoming, response) => {
    if (incoming.url === '/health') return response.end('ok');
    target.requests += 1;
    const finish = () => {
      response.setHeader('x-target', name);
      response.setHeader('x-seen', JSON.stringify(incoming.headers));
      incoming.pipe(response);
    };
    if (incoming.url !== '/slow') return finish();
    target.slowWaiting += 1;
    release.push(finish);
    return undefined;
  });
  const target: Target = {
    name,
    port: 0,
    requests: 0,
    slowWaiting: 0,
    releaseSlow: () => {
      for (const finish of release) finish();
      release = [];
      target.slowWaiting = 0;
    },
    stop: () =>
      new Promise((resolve) => {
        // Running requests finish; idle connections and the port go at once.
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      (target as { port: number }).port = (server.address() as AddressInfo).port;
      resolve(target);
    });
  });
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** One request; rejects when the connection fails. */
export function send(options: {
  readonly host: string;
  readonly port: number;
  readonly path?: string;
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Record<string, string>;
  readonly agent?: Agent;
}): Promise<Answer> {
  const { host, port, path = '/', method = 'GET', body, headers = {}, agent } = options;
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host, port, path, method, headers, ...(agent === undefined ? {} : { agent }) },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk));
        response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body: text }));
        response.on('error', reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Sends requests without pause over kept connections until it is stopped. */
export class Load {
  answered = 0;
  failures: string[] = [];
  readonly byTarget = new Map<string, number>();
  #running = true;
  readonly #agent: Agent;
  readonly #clients: Promise<void>[];

  constructor(options: { readonly host: string; readonly port: number; readonly connections: number }) {
    const { host, port, connections } = options;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
    this.#clients = Array.from({ length: connections }, async (_, index) => {
      for (let count = 0; this.#running; count += 1) {
        const isPost = (count + index) % 4 === 0;
        const body = isPost ? `body ${index} ${count}` : undefined;
        try {
          const answer = await send({
            host,
            port,
            path: `/${count}`,
            method: isPost ? 'POST' : 'GET',
            agent: this.#agent,
            ...(body === undefined ? {} : { body }),
          });
          if (answer.status !== 200 || answer.body !== (body ?? ''))
            this.#fail(isPost, `status ${answer.status}: ${answer.body}`);
          this.answered += 1;
          const name = String(answer.headers['x-target']);
          this.byTarget.set(name, (this.byTarget.get(name) ?? 0) + 1);
        } catch (error) {
          this.#fail(isPost, (error as Error).message);
          // A dead service must not fill the memory.
          await sleep(10);
        }
      }
    });
  }

  /** Takes back what failed so far of requests that may not be sent twice. */
  forgivePosts(): void {
    this.failures = this.failures.filter((failure) => !failure.startsWith('POST'));
  }

  #fail(isPost: boolean, what: string): void {
    if (this.failures.length < 100) this.failures.push(`${isPost ? 'POST' : 'GET'} ${what.slice(0, 100)}`);
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#clients);
    this.#agent.destroy();
  }
}
