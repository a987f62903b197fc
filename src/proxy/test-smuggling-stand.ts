/**
 * What smuggling is tried on: a target that records every byte of every connection and answers what it reads, with all
 * plausible servers reading along; and clients with a payload, followed by innocent ones. It says what went wrong, and
 * is itself tried on a relay that has the weakness.
 */
import type net from 'node:net';
import type { TestContext } from 'node:test';
import { AnswerReader } from './test-answers.ts';
import {
  type Habits,
  oddServers,
  PlausibleServer,
  plausibleServers,
  type SeenRequest,
} from './test-plausible-servers.ts';
import { RawClient, startRawTarget, type TestProxy, until } from './test-proxy.ts';

/** What stands between the clients and the target. */
export interface Front {
  readonly port: number;
  /** How many requests it has given to the target. */
  requests(): number;
  /** How many bytes of clients it has read. */
  bytesIn(): number;
  /** Whether nobody is connected and nothing is under way. */
  isQuiet(): boolean;
}

/** A proxy as what stands there. */
export function frontOf({ port, proxy, balancer, group }: TestProxy): Front {
  return {
    port,
    requests: () => group().requests,
    bytesIn: () => balancer().bytesIn,
    isQuiet: () => {
      const { activeConnections, targets } = proxy.stats();
      return activeConnections === 0 && targets.every(({ outstanding }) => outstanding === 0);
    },
  };
}

/** One connection that came to the target. */
interface Recorded {
  readonly socket: net.Socket;
  readonly servers: ReadonlyMap<string, PlausibleServer>;
}

export interface Recorder {
  readonly port: number;
  /** Those that are open, or not judged yet. */
  readonly connections: Recorded[];
  /** What it has answered, in this order. */
  readonly answered: SeenRequest[];
  /** Whether the readers look at GET's bodies and underscores, too, as a load balancer in its strictest mode has to. */
  judgesOddities: boolean;
}

/** Answers each request, as one of the servers reads them, with its method and target; HEAD without a body. */
export async function startRecorder(
  t: TestContext,
  answers: keyof typeof plausibleServers = 'strict',
): Promise<Recorder> {
  const connections: Recorded[] = [];
  const inOrder: SeenRequest[] = [];
  const port = await startRawTarget(t, (socket) => {
    const all: Readonly<Record<string, Habits>> = { ...plausibleServers, ...oddServers };
    const servers = new Map(Object.entries(all).map(([name, habits]) => [name, new PlausibleServer(habits)]));
    const answering = servers.get(answers)!;
    connections.push({ socket, servers });
    const answered = new WeakSet<SeenRequest>();
    let continued: object | undefined;
    socket.setEncoding('latin1');
    socket.on('end', () => socket.end());
    socket.on('data', (text: string) => {
      for (const server of servers.values()) server.push(text);
      const { open, seen, complaint } = answering;
      for (const request of seen) {
        if (answered.has(request)) continue;
        answered.add(request);
        inOrder.push(request);
        socket.write(answerTo(request));
      }
      if (open !== undefined && open !== continued && open.fields.includes('expect')) {
        continued = open;
        socket.write('HTTP/1.1 100 Continue\r\n\r\n');
      }
      if (complaint !== undefined) {
        socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      }
    });
  });
  return { port, connections, answered: inOrder, judgesOddities: false };
}

/** What the target answers to this request. */
export function bodyFor({ method, target }: Pick<SeenRequest, 'method' | 'target'>): string {
  return `<${method} ${target}>`;
}

function answerTo({ method, target }: SeenRequest): string {
  const body = bodyFor({ method, target });
  return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${method === 'HEAD' ? '' : body}`;
}

export interface Attack {
  readonly name: string;
  readonly send: string;
  readonly answers: readonly number[];
}

let innocents = 0;

/** Sends the payload and then innocent requests; returns what went wrong. */
export async function attack(t: TestContext, front: Front, recorder: Recorder, what: Attack): Promise<string[]> {
  const faults: string[] = [];
  const before = { requests: front.requests(), bytes: front.bytesIn(), seen: seenCount(recorder) };
  const client = new Client(t, front.port, what.send.startsWith('HEAD'));
  client.raw.send(what.send);
  await until(() => client.isEnded || front.bytesIn() >= before.bytes + what.send.length, `${what.name} has been read`);
  if (what.answers.length === 0) {
    await until(() => client.hasSomething || isOpen(recorder), `${what.name} has come to the target`);
  } else {
    await until(
      () => client.isEnded || client.reader.answers.length >= what.answers.length,
      `${what.name} is answered`,
    );
  }
  const last = client.reader.answers.at(-1);
  if (last?.isLast === true) await until(() => client.isEnded, `the connection of ${what.name} ends`);
  const statuses = client.reader.answers.map(({ status }) => status);
  if (`${statuses}` !== `${what.answers}`) faults.push(`it was answered with ${statuses}, expected ${what.answers}`);
  if (client.reader.complaint !== undefined) faults.push(`its answers are odd: ${client.reader.complaint}`);
  const opened = isOpen(recorder) ? 1 : 0;
  const seen = seenCount(recorder) - before.seen + opened;
  const given = front.requests() - before.requests;
  if (seen !== given) faults.push(`the target saw ${seen} requests and ${given} were given to it`);
  client.raw.socket.destroy();
  await until(() => front.isQuiet(), `nothing is left of ${what.name}`);
  for (let count = 0; count < 2; count += 1) faults.push(...(await innocent(t, front)));
  faults.push(...disagreements(recorder));
  return faults.map((fault) => `${what.name}: ${fault}`);
}

/** A client that knows nothing of all this asks something of its own. */
export async function innocent(t: TestContext, front: Pick<Front, 'port'>): Promise<string[]> {
  innocents += 1;
  const path = `/innocent/${innocents}`;
  const client = new Client(t, front.port, false);
  client.raw.send(`GET ${path} HTTP/1.1\r\nHost: innocent\r\nConnection: close\r\n\r\n`);
  await until(() => client.isEnded, `${path} is answered`);
  client.raw.socket.destroy();
  const { answers, complaint } = client.reader;
  if (complaint !== undefined) return [`${path} got ${complaint}`];
  const own = answers.map(({ body }) => body).join();
  return own === `<GET ${path}>` ? [] : [`${path} got ${JSON.stringify(client.raw.received)}`];
}

class Client {
  readonly raw: RawClient;
  readonly reader = new AnswerReader();

  constructor(t: TestContext, port: number, beginsWithHead: boolean) {
    this.raw = new RawClient(t, port);
    if (beginsWithHead) this.reader.expect('HEAD');
    for (let count = 0; count < 8; count += 1) this.reader.expect('GET');
    this.raw.socket.on('data', (text: string) => this.reader.push(text));
    this.raw.socket.on('end', () => this.reader.end());
  }

  get isEnded(): boolean {
    return this.raw.isEnded || this.raw.isClosed;
  }

  get hasSomething(): boolean {
    return this.isEnded || this.reader.answers.length > 0;
  }
}

function strictOf({ servers }: Recorded): PlausibleServer {
  return servers.get('strict')!;
}

function seenCount({ connections }: Recorder): number {
  return connections.reduce((total, recorded) => total + strictOf(recorded).seen.length, 0);
}

function isOpen({ connections }: Recorder): boolean {
  return connections.some((recorded) => !recorded.socket.destroyed && strictOf(recorded).open !== undefined);
}

/** Where any server sees anything else than the strict one, which must be able to read it all. */
export function disagreements({ connections, answered, judgesOddities }: Recorder): string[] {
  const faults: string[] = [];
  for (const { servers, socket } of connections.slice()) {
    const strict = servers.get('strict')!;
    if (strict.complaint !== undefined) faults.push(`a strict server refuses what came: ${strict.complaint}`);
    const expected = strict.seen.map(({ raw }) => raw);
    const rest = strict.rest;
    for (const [name, server] of servers) {
      if (!judgesOddities && Object.hasOwn(oddServers, name)) continue;
      const own = server.seen.map(({ raw }) => raw);
      const isSame = own.length === expected.length && own.every((raw, index) => raw === expected[index]);
      if (isSame && server.rest === rest && server.complaint === undefined) continue;
      const seen = server.seen.map(({ method, target }) => `${method} ${target}`);
      faults.push(`a server that ${name} sees ${seen.join(', ')} and ${server.complaint ?? 'nothing more'}`);
    }
    for (const { method, target, fields } of strict.seen) faults.push(...oddFields(`${method} ${target}`, fields));
    // What was judged is forgotten; a connection that has ended for good, too.
    for (const server of servers.values()) server.seen.length = 0;
    if (socket.destroyed) {
      connections.splice(
        connections.findIndex((each) => each.servers === servers),
        1,
      );
    }
  }
  answered.length = 0;
  return faults;
}

/** What concerns a client's connection alone has no business on the target's. */
function oddFields(what: string, fields: readonly string[]): string[] {
  const hops = ['keep-alive', 'proxy-connection', 'te', 'http2-settings'];
  // A proxy may say the one word of TE by itself.
  const isOwn = (name: string, value: string | undefined) => name === 'te' && value === 'trailers';
  const found = fields.filter(
    (name, index) => index % 2 === 0 && hops.includes(name) && !isOwn(name, fields[index + 1]),
  );
  const hosts = fields.filter((name, index) => index % 2 === 0 && name === 'host');
  return [
    ...found.map((name) => `${what} came with ${name}`),
    ...(hosts.length === 1 ? [] : [`${what} came with ${hosts.length} hosts`]),
  ];
}
