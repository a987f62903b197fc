/**
 * Fuzz targets of whole connections through a real proxy. A client sends damaged requests in pieces and ends: what the
 * target gets is what the engine's reader says was asked, the same to llhttp and to every plausible server, and whoever
 * comes next gets the own answer. Or a target answers with something damaged: the client gets what the reader makes of
 * it, 502, or a connection that breaks off.
 */
import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { type EngineReading, readRequests, readResponse } from '#proxy/http1/test-engine-reading.ts';
import { RequestOracle } from '#proxy/http1/test-llhttp.ts';
import { requestMessages, responseMessages } from '#proxy/http1/test-messages.ts';
import { mutated, randomCuts } from '#proxy/http1/test-mutations.ts';
import { difference } from '#proxy/http1/test-reading-differences.ts';
import { AnswerReader, type ReadAnswer } from '#proxy/test-answers.ts';
import { RawClient, socketPaths, startPlayedTarget, startProxy, until, usualRequestFields } from '#proxy/test-proxy.ts';
import { smugglingPayloads } from '#proxy/test-smuggling-payloads.ts';
import {
  bodyFor,
  disagreements,
  type Front,
  frontOf,
  innocent,
  type Recorder,
  startRecorder,
} from '#proxy/test-smuggling-stand.ts';
import type { FuzzCheck, FuzzInput, FuzzTarget, Verdict } from './input.ts';

const next = 'GET /next HTTP/1.1\r\nHost: n\r\n\r\n';
const desyncModes = ['monitor', 'defensive', 'strictest'] as const;
const payloadTexts = smugglingPayloads.map(({ send }) => send).filter((text) => text.length < 2_000);

/** What a test would clean up at its end. */
class Cleanup {
  readonly #tasks: (() => unknown)[] = [];

  /** What the tests' own helpers take: they ask for nothing else. */
  get context(): TestContext {
    return { after: (task: () => unknown) => this.#tasks.push(task) } as unknown as TestContext;
  }

  async run(): Promise<void> {
    for (const task of this.#tasks.splice(0).reverse()) await task();
  }
}

/** What clients meet, and the target behind it. */
export interface Stand {
  readonly front: Front;
  readonly recorder: Recorder;
}

/** Makes the stand for such circumstances. */
export type StandMaker = (t: TestContext, circumstances: FuzzInput['circumstances']) => Promise<Stand>;

const proxyStand: StandMaker = async (t, { mode, path }) => {
  const desyncMode = desyncModes.find((each) => each === mode) ?? 'defensive';
  const socketPath = socketPaths.find((each) => each === path) ?? 'fast';
  const recorder = await startRecorder(t);
  recorder.judgesOddities = desyncMode === 'strictest';
  const loadBalancer = { requestFields: { ...usualRequestFields, desyncMode } };
  return { front: frontOf(await startProxy(t, { targets: [recorder.port], loadBalancer }, { socketPath })), recorder };
};

export function connectionTargets(makeStand: StandMaker = proxyStand): readonly FuzzTarget[] {
  return [
    {
      name: 'connection',
      about: 'damaged requests through a proxy, in pieces, to a target that records them',
      turn: 20,
      make: (luck) => {
        // Behind good ones, so that the connection to the target is one that is used again.
        const good = Array.from({ length: luck.below(3) }, () => luck.pick(requestMessages)).join('');
        const damaged = luck.once(6)
          ? luck.pick(payloadTexts)
          : mutated(luck, luck.once(2) ? payloadTexts : requestMessages);
        const text = good + damaged + (luck.once(2) ? next : '');
        const circumstances = { mode: luck.pick(desyncModes), path: luck.pick(socketPaths) };
        return { text, cuts: randomCuts(luck, text.length), circumstances };
      },
      open: async () => new Connections(makeStand),
    },
    {
      name: 'answer',
      about: 'damaged answers through a proxy, in pieces, to a client that reads strictly',
      turn: 20,
      make: (luck) => {
        const text = mutated(luck, responseMessages) + (luck.once(4) ? responseMessages[0]! : '');
        const circumstances = { method: luck.once(5) ? 'HEAD' : 'GET', path: luck.pick(socketPaths) };
        return { text, cuts: randomCuts(luck, text.length), circumstances };
      },
      open: async () => new Answers(),
    },
  ];
}

/** A client that knows how its answers are to be read. */
class Client extends RawClient {
  readonly reader = new AnswerReader();

  constructor(cleanup: Cleanup, port: number) {
    super(cleanup.context, port);
    this.socket.on('data', (text: string) => this.reader.push(text));
    this.socket.on('end', () => this.reader.end());
  }

  get isOver(): boolean {
    return this.isEnded || this.isClosed;
  }
}

class Connections implements FuzzCheck {
  readonly #makeStand: StandMaker;
  readonly #cleanup = new Cleanup();
  readonly #oracle = new RequestOracle();
  readonly #stands = new Map<string, Promise<Stand>>();

  constructor(makeStand: StandMaker) {
    this.#makeStand = makeStand;
  }

  async check(input: FuzzInput): Promise<Verdict> {
    const own = new Cleanup();
    try {
      return await this.#attack(own, input);
    } finally {
      await own.run();
    }
  }

  async close(): Promise<void> {
    await this.#cleanup.run();
  }

  async #attack(own: Cleanup, { text, cuts, circumstances }: FuzzInput): Promise<Verdict> {
    const { front, recorder } = await this.#standFor(circumstances);
    const expected = requestsIn(Buffer.from(text, 'latin1'));
    const client = new Client(own, front.port);
    for (const { line } of expected) client.reader.expect(methodOf(line));
    // And one that says what was wrong with the rest.
    client.reader.expect('GET');
    await sendInPieces(client.socket, text, cuts);
    client.socket.end();
    await until(() => client.isOver, 'a client that sends no more is told that its connection ends');
    client.socket.destroy();
    await until(() => front.isQuiet(), 'nothing is left of it');
    const answered = recorder.answered.slice();
    const faults = [
      ...requestFaults(expected, answered),
      ...answerFaults(client, answered),
      ...(await innocent(own.context, front)),
      ...(await this.#oracleFaults(recorder)),
      ...disagreements(recorder),
    ];
    return { fault: faults[0], isAccepted: answered.length > 0 };
  }

  /** What came to the target reads as the same requests to llhttp, and to the engine's own reader. */
  async #oracleFaults({ connections }: Recorder): Promise<string[]> {
    const faults: string[] = [];
    for (const { servers } of connections) {
      const { seen } = servers.get('strict')!;
      if (seen.length === 0) continue;
      const bytes = Buffer.from(seen.map(({ raw }) => raw).join(''), 'latin1');
      const messages = requestsIn(bytes);
      const isSame = messages.length === seen.length && messages.every(({ body }, index) => body === seen[index]!.body);
      if (!isSame) faults.push(`what was passed on as ${seen.length} requests reads as ${messages.length}`);
      const fault = difference(readRequests(bytes), await this.#oracle.read(bytes));
      if (fault !== undefined) faults.push(`what was passed on: ${fault}`);
    }
    return faults;
  }

  #standFor(circumstances: FuzzInput['circumstances']): Promise<Stand> {
    const key = JSON.stringify(circumstances);
    let stand = this.#stands.get(key);
    if (stand === undefined) {
      stand = this.#makeStand(this.#cleanup.context, circumstances);
      this.#stands.set(key, stand);
    }
    return stand;
  }
}

/** Everything that is asked, also behind an upgrade that nobody makes; the last one may be incomplete. */
function requestsIn(bytes: Buffer): EngineReading['messages'] {
  const { messages, refusal, end, isOver } = readRequests(bytes);
  const last = messages.at(-1);
  const isUpgrade = isOver && refusal === undefined && last?.isComplete === true && last.keepsAlive;
  return isUpgrade ? [...messages, ...requestsIn(bytes.subarray(end))] : messages;
}

/** The target saw nothing but what was asked, from the first on. */
function requestFaults(expected: EngineReading['messages'], answered: Recorder['answered']): string[] {
  const faults: string[] = [];
  for (const [index, { method, target, body }] of answered.entries()) {
    const same = expected[index];
    const isSame = same?.isComplete === true && methodOf(same.line) === method && same.body === body;
    if (!isSame) faults.push(`the target saw ${method} ${target}, and ${same?.line ?? 'nothing'} was asked`);
  }
  return faults;
}

/** The client got the answers of the target in their order, and at most one that says what was wrong. */
function answerFaults({ reader }: Client, answered: Recorder['answered']): string[] {
  if (reader.complaint !== undefined) return [`its answers are odd: ${reader.complaint}`];
  const good = reader.answers.filter(({ status }) => status === 200);
  const isOwn = ({ body }: ReadAnswer, index: number) => {
    const request = answered[index];
    return request !== undefined && body === (request.method === 'HEAD' ? '' : bodyFor(request));
  };
  const bad = reader.answers.length - good.length;
  return [
    ...(good.every(isOwn) ? [] : ['an answer is not that to the own request']),
    ...(good.length === answered.length ? [] : [`${answered.length} requests, and ${good.length} good answers`]),
    ...(bad <= 1 ? [] : [`${bad} answers of a proxy that should have ended with the first`]),
  ];
}

function methodOf(line: string): string {
  return line.slice(0, line.indexOf(' '));
}

class Answers implements FuzzCheck {
  readonly #cleanup = new Cleanup();
  readonly #ports = new Map<string, Promise<number>>();
  #input: FuzzInput | undefined;
  /** Those over which something damaged was sent. */
  readonly #damaged = new Set<Socket>();
  #count = 0;

  async check(input: FuzzInput): Promise<Verdict> {
    const own = new Cleanup();
    try {
      return await this.#answer(own, input);
    } finally {
      await own.run();
    }
  }

  async close(): Promise<void> {
    await this.#cleanup.run();
  }

  async #answer(own: Cleanup, input: FuzzInput): Promise<Verdict> {
    this.#input = input;
    this.#count += 1;
    const port = await this.#portFor(input.circumstances.path ?? 'fast');
    const { method = 'GET' } = input.circumstances;
    const client = new Client(own, port);
    ask(client, method, '/damaged');
    await until(() => client.isOver || client.reader.answers.length > 0, 'a damaged answer has come to something');
    const [first] = client.reader.answers;
    const reading = readResponse(Buffer.from(input.text, 'latin1'), { method, isWhole: true });
    const faults = firstFaults(client, reading, first);
    // What comes behind an answer may come when the next request is already there; that nobody can tell.
    await until(() => [...this.#damaged].every(({ destroyed }) => destroyed), 'the target is left');
    this.#damaged.clear();
    if (first !== undefined && !first.isLast && !client.isOver) {
      ask(client, 'GET', `/own/${this.#count}`);
      await until(() => client.isOver || client.reader.answers.length > 1, 'the next request is answered');
      const body = client.reader.answers[1]?.body;
      if (body !== `/own/${this.#count}`) faults.push(`the next request was answered with ${JSON.stringify(body)}`);
    }
    const other = new Client(own, port);
    ask(other, 'GET', `/innocent/${this.#count}`);
    await until(() => other.isOver || other.reader.answers.length > 0, 'another client is answered');
    const innocentBody = other.reader.answers[0]?.body;
    if (innocentBody !== `/innocent/${this.#count}`) {
      faults.push(`another client was answered with ${JSON.stringify(innocentBody)}`);
    }
    if (client.reader.complaint !== undefined) faults.push(`the client reads ${client.reader.complaint}`);
    return { fault: faults[0], isAccepted: first !== undefined && first.status !== 502 };
  }

  #portFor(path: string): Promise<number> {
    let port = this.#ports.get(path);
    if (port === undefined) {
      port = this.#start(path);
      this.#ports.set(path, port);
    }
    return port;
  }

  async #start(path: string): Promise<number> {
    const { context } = this.#cleanup;
    const target = await startPlayedTarget(context, '/damaged', async (socket) => {
      this.#damaged.add(socket);
      const { text: answer, cuts } = this.#input!;
      await sendInPieces(socket, answer, cuts);
      socket.end();
    });
    const socketPath = socketPaths.find((each) => each === path) ?? 'fast';
    return (await startProxy(context, { targets: [target] }, { socketPath })).port;
  }
}

function ask({ reader, socket }: Client, method: string, path: string): void {
  reader.expect(method);
  socket.write(`${method} ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
}

/** The first answer is 502, cut off, or what the engine's reader makes of what the target sent. */
function firstFaults(
  { isEnded }: Client,
  { messages, refusal }: EngineReading,
  first: ReadAnswer | undefined,
): string[] {
  if (first === undefined) return isEnded ? ['the connection ended regularly without an answer'] : [];
  const final = messages.find(({ line }) => Number(line.split(' ')[0]) >= 200);
  const isGood = final?.isComplete === true;
  if (first.status === 502 && !isGood) return [];
  const isSame = isGood && `${first.status}` === final.line.split(' ')[0] && first.body === final.body;
  return isSame ? [] : [`the client got ${first.status} ${first.body} of ${final?.line ?? refusal ?? 'nothing'}`];
}

/** Each piece is another read at the other side, as far as the sender can do anything about it. */
async function sendInPieces(socket: Socket, text: string, cuts: readonly number[]): Promise<void> {
  let start = 0;
  for (const end of [...cuts, text.length]) {
    if (socket.destroyed) return;
    if (end <= start) continue;
    socket.write(text.slice(start, end), 'latin1');
    start = end;
    if (end === text.length) return;
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
}
