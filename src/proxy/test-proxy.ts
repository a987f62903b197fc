/** What the proxy's tests share: a proxy on a free port, real targets behind it, and raw clients before it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import type { TestContext } from 'node:test';
import { systemClock } from '#io/clock.ts';
import { silentLog } from '#io/log.ts';
import { systemRandom } from '#io/random.ts';
import { sleep } from '#io/timers.ts';
import type {
  RoutingAction,
  RoutingAlgorithm,
  RoutingLoadBalancer,
  RoutingLogs,
  RoutingRequestFields,
  RoutingResponseFields,
  RoutingRule,
  RoutingTable,
  RoutingTargetStickiness,
} from '#routing/table.ts';
import type { ProxySettings, ProxyWorker } from './proxy.ts';
import { createProxy } from './proxy.ts';
import type { LoadBalancerStats, TargetGroupStats } from './stats.ts';

export const socketPaths = ['fast', 'public'] as const;

export interface TableParts {
  readonly targets?: readonly (number | { readonly port: number; readonly isDraining: boolean })[];
  readonly action?: RoutingAction;
  /** Before the default one. */
  readonly rules?: readonly RoutingRule[];
  readonly loadBalancer?: Partial<RoutingLoadBalancer>;
  readonly algorithm?: RoutingAlgorithm;
  readonly stickiness?: RoutingTargetStickiness;
  readonly responseFields?: RoutingResponseFields;
  readonly sources?: readonly string[];
  readonly logs?: RoutingLogs;
  readonly listenerId?: string;
  readonly port?: number;
}

/** What a load balancer does with requests whose attributes nobody has set. */
export const usualRequestFields: RoutingRequestFields = {
  forwardedFor: 'append',
  hasClientPort: false,
  dropsInvalid: false,
  preservesHost: false,
  desyncMode: 'defensive',
};

/** All requests to the group with this index. */
export function forwardTo(group: number): RoutingAction {
  return { kind: 'forward', choices: [{ group, share: 1 }] };
}

/** A table of one group whose targets are ports on 127.0.0.1. */
export function table(parts: TableParts): RoutingTable {
  const targets = (parts.targets ?? []).map((target) => {
    const { port, isDraining } = typeof target === 'number' ? { port: target, isDraining: false } : target;
    const state = isDraining ? ('draining' as const) : ('healthy' as const);
    return { key: `group/127.0.0.1:${port}`, address: '127.0.0.1', port, state };
  });
  return {
    listenerId: parts.listenerId ?? 'listener',
    address: '127.0.0.1',
    port: parts.port ?? 0,
    protocol: 'HTTP',
    ...(parts.sources !== undefined && { sources: parts.sources }),
    ...(parts.logs !== undefined && { logs: parts.logs }),
    loadBalancer: {
      id: 'balancer',
      account: '123456789012',
      name: 'web',
      idleTimeoutMs: 60_000,
      clientKeepAliveMs: 3_600_000,
      requestFields: usualRequestFields,
      ...parts.loadBalancer,
    },
    ...(parts.responseFields && { responseFields: parts.responseFields }),
    rules: [
      ...(parts.rules ?? []),
      { id: 'default', conditions: [], action: parts.action ?? forwardTo(0), transforms: [] },
    ],
    groups: [
      {
        id: 'group',
        name: 'group',
        algorithm: parts.algorithm ?? 'round_robin',
        ...(parts.stickiness && { stickiness: parts.stickiness }),
        targets,
        eligible: targets.flatMap(({ state }, index) => (state === 'draining' ? [] : [index])),
      },
    ],
  };
}

export interface TestProxy {
  readonly proxy: ProxyWorker;
  readonly port: number;
  /** Replaces the listener's table. */
  swap(parts: TableParts): Promise<void>;
  balancer(): LoadBalancerStats;
  group(): TargetGroupStats;
}

export async function startProxy(
  t: TestContext,
  parts: TableParts,
  settings: Partial<ProxySettings> = {},
): Promise<TestProxy> {
  const proxy = createProxy({ clock: systemClock, log: silentLog, random: systemRandom, ...settings });
  t.after(() => proxy.drain(0));
  const outcome = await proxy.apply(table(parts));
  assert(outcome.kind === 'listening');
  const balancer = () => proxy.stats().loadBalancers[0]!;
  return {
    proxy,
    port: outcome.port,
    swap: async (next) => {
      assert.equal((await proxy.apply(table(next))).kind, 'listening');
    },
    balancer,
    group: () => balancer().targetGroups[0]!,
  };
}

/** A target that is an ordinary Node server. */
export async function startTarget(
  t: TestContext,
  handler: http.RequestListener,
  onUpgrade?: (incoming: http.IncomingMessage, socket: Duplex) => void,
): Promise<number> {
  const server = http.createServer({ keepAliveTimeout: 60_000 }, handler);
  if (onUpgrade !== undefined) server.on('upgrade', onUpgrade);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as net.AddressInfo).port;
}

/** A target that is a bare socket for each connection. */
export async function startRawTarget(t: TestContext, onConnection: (socket: net.Socket) => void): Promise<number> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    onConnection(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as net.AddressInfo).port;
}

/** A target that answers each request with its path, but those for `played`: to them `play` answers. */
export function startPlayedTarget(
  t: TestContext,
  played: string,
  play: (socket: net.Socket) => Promise<void>,
): Promise<number> {
  return startRawTarget(t, (socket) => {
    let text = '';
    socket.setEncoding('latin1');
    socket.on('end', () => socket.end());
    socket.on('data', async (piece: string) => {
      text += piece;
      for (let end = text.indexOf('\r\n\r\n'); end !== -1; end = text.indexOf('\r\n\r\n')) {
        const [, path = ''] = text.split(' ', 2);
        text = text.slice(end + 4);
        if (path === played) await play(socket);
        else socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${path.length}\r\n\r\n${path}`);
      }
    });
  });
}

/** To the same address by HTTPS. */
export const redirectToHttps = {
  kind: 'redirect',
  protocol: 'HTTPS',
  host: '#{host}',
  port: '443',
  path: '/#{path}',
  query: '#{query}',
  statusCode: 301,
} as const satisfies RoutingAction;

/** A target that answers each request, recorded in `requests`, with 200 and `ok`; it reads no bodies. */
export async function startRecordingTarget(t: TestContext): Promise<{ port: number; received: () => string }> {
  let received = '';
  const port = await startRawTarget(t, (socket) => {
    socket.setEncoding('latin1');
    let head = '';
    socket.on('data', (text: string) => {
      received += text;
      head += text;
      const heads = head.split('\r\n\r\n');
      head = heads.pop()!;
      for (const each of heads) {
        if (/^[A-Z]+ /.test(each)) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      }
    });
  });
  return { port, received: () => received };
}

/** A port on which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export class RawClient {
  readonly socket: net.Socket;
  received = '';
  isEnded = false;
  isClosed = false;

  constructor(t: TestContext, port: number) {
    this.socket = net.connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true });
    this.socket.setEncoding('latin1');
    this.socket.on('error', () => {});
    this.socket.on('data', (text: string) => {
      this.received += text;
    });
    this.socket.on('end', () => {
      this.isEnded = true;
    });
    this.socket.on('close', () => {
      this.isClosed = true;
    });
    t.after(() => this.socket.destroy());
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** Everything received up to the end of the connection. */
  async toEnd(): Promise<string> {
    await until(() => this.isEnded || this.isClosed, 'the connection ends');
    return this.received;
  }

  async toHave(text: string): Promise<string> {
    await until(() => this.received.includes(text), `${JSON.stringify(text)} comes`);
    return this.received;
  }
}

/** Sends bytes over a connection of their own and returns all that comes back until its regular end. */
export async function exchange(t: TestContext, port: number, text: string): Promise<string> {
  const client = new RawClient(t, port);
  client.send(text);
  const answer = await client.toEnd();
  assert(client.isEnded, 'a regular end, no reset');
  client.socket.destroy();
  return answer;
}

/** Waits for a condition; far above any time that it can take, it fails with what was awaited. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  for (let attempts = 0; !holds(); attempts += 1) {
    assert(attempts < 4200, `waited in vain until ${what}`);
    // Most of what is awaited is there when the event loop has gone round a few times.
    if (attempts < 200) await new Promise((resolve) => setImmediate(resolve));
    else await sleep(5);
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A request by Node's own client, over a connection of its own unless `agent` is given. */
export async function request(
  port: number,
  options: http.RequestOptions = {},
  body?: Buffer | ((outgoing: http.ClientRequest) => void),
): Promise<Answer> {
  const outgoing = http.request({ host: '127.0.0.1', port, agent: false, ...options });
  if (typeof body === 'function') body(outgoing);
  else outgoing.end(body);
  const [incoming] = (await once(outgoing, 'response')) as [http.IncomingMessage];
  const pieces: Buffer[] = [];
  for await (const piece of incoming) pieces.push(piece as Buffer);
  return { status: incoming.statusCode!, headers: incoming.headers, body: Buffer.concat(pieces) };
}
