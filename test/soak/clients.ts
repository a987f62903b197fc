/**
 * Clients of a soak: each makes one short connection, behaves as it was told, and says what went wrong. Those that stay
 * for an answer check that it is their own.
 */
import net from 'node:net';
import { AnswerReader } from '#proxy/test-answers.ts';
import { hugeAnswerBytes, largeAnswerBytes } from './targets.ts';
import type { Place } from './worker-process.ts';

/** What a client does is decided by one number from 0 to 99. */
export interface Errand {
  readonly place: Place;
  readonly number: number;
  readonly roll: number;
}

export interface Outcome {
  readonly behaviour: string;
  /** Requests of which an answer was wanted. */
  readonly requests: number;
  readonly problem: string | undefined;
}

/** One connection of a client. */
class Visit {
  readonly socket: net.Socket;
  readonly reader = new AnswerReader();
  problem: string | undefined;
  requests = 0;
  received = 0;
  isConnected = false;
  isClosed = false;
  /** What comes is counted and not read. */
  isCounting = false;
  #onNews: (() => void) | undefined;

  constructor({ address, port }: Place) {
    this.socket = net.connect({ host: address, port, allowHalfOpen: true, noDelay: true });
    this.socket.setEncoding('latin1');
    this.socket.on('connect', () => {
      this.isConnected = true;
      this.#tell();
    });
    this.socket.on('data', (text: string) => {
      this.received += text.length;
      if (!this.isCounting) this.reader.push(text);
      this.#tell();
    });
    this.socket.on('end', () => {
      this.reader.end();
      this.socket.end();
    });
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      if (!this.isConnected) this.problem = `no connection: ${error.code}`;
    });
    this.socket.on('close', () => {
      this.isClosed = true;
      this.#tell();
    });
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  get(path: string, fields = ''): void {
    this.reader.expect('GET');
    this.requests += 1;
    this.send(`GET ${path} HTTP/1.1\r\nHost: soak\r\n${fields}\r\n`);
  }

  post(path: string, framing: string, body: string): void {
    this.reader.expect('POST');
    this.requests += 1;
    this.send(`POST ${path} HTTP/1.1\r\nHost: soak\r\n${framing}\r\n\r\n${body}`);
  }

  /** True when it holds; false when the connection ended before. */
  async until(holds: () => boolean): Promise<boolean> {
    while (!holds()) {
      if (this.isClosed || this.reader.complaint !== undefined) return false;
      await new Promise<void>((resolve) => {
        this.#onNews = resolve;
      });
    }
    return true;
  }

  async toAnswers(count: number): Promise<boolean> {
    return this.until(() => this.reader.answers.length >= count);
  }

  async toEnd(): Promise<void> {
    await this.until(() => this.isClosed);
  }

  #tell(): void {
    const tell = this.#onNews;
    this.#onNews = undefined;
    tell?.();
  }
}

type Behaviour = (visit: Visit, number: number) => Promise<void>;

const uploadBytes = 300_000;
const upload = 'u'.repeat(uploadBytes);
const echo = (number: number) => `/echo/${number}`;

/** `share`: of a hundred connections. */
const behaviours: Readonly<Record<string, { readonly share: number; readonly run: Behaviour }>> = {
  'asks and leaves': {
    share: 18,
    run: async (visit, number) => {
      visit.get(echo(number));
      await expectAnswers(visit, [echo(number)]);
    },
  },
  'asks four times': {
    share: 14,
    run: async (visit, number) => {
      const paths = ['echo', 'chunks', 'last', 'echo'].map((kind, index) => `/${kind}/${number}.${index}`);
      for (const [index, path] of paths.entries()) {
        visit.get(path);
        if (!(await expectAnswers(visit, paths.slice(0, index + 1)))) return;
      }
    },
  },
  'asks for the last time': {
    share: 14,
    run: async (visit, number) => {
      visit.get(echo(number), 'Connection: close\r\n');
      await expectAnswers(visit, [echo(number)]);
      await visit.toEnd();
    },
  },
  'is half closed': {
    share: 6,
    run: async (visit, number) => {
      visit.get(echo(number));
      visit.socket.end();
      await expectAnswers(visit, [echo(number)]);
      await visit.toEnd();
    },
  },
  'pipelines three': {
    share: 5,
    run: async (visit, number) => {
      const paths = [0, 1, 2].map((index) => `/echo/${number}.${index}`);
      for (const path of paths) visit.get(path);
      await expectAnswers(visit, paths);
    },
  },
  'sends a body': {
    share: 6,
    run: async (visit, number) => {
      const body = 'b'.repeat(1 + (number % 3_000));
      visit.post(echo(number), `Content-Length: ${body.length}`, body);
      visit.post(`/echo/${number}.1`, 'Transfer-Encoding: chunked', `5\r\nhello\r\n0\r\n\r\n`);
      const answers = [`${echo(number)} ${body.length}`, `/echo/${number}.1 5`];
      await visit.toAnswers(2);
      for (const [index, { status, body: own }] of visit.reader.answers.entries()) {
        // It may meet a target that has left, and nobody sends a body twice.
        if (status !== 502 && own !== answers[index]) visit.problem = `expected '${answers[index]}' and got '${own}'`;
      }
      if (visit.reader.answers.length < 2) visit.problem = 'a body was not answered';
    },
  },
  uploads: {
    share: 1,
    run: async (visit, number) => {
      visit.post(echo(number), `Content-Length: ${uploadBytes}`, upload);
      await visit.toAnswers(1);
      const [answer] = visit.reader.answers;
      const isRight = answer?.status === 502 || answer?.body === `${echo(number)} ${uploadBytes}`;
      if (!isRight) visit.problem = `an upload was answered with '${answer?.body}'`;
    },
  },
  'leaves an upload': {
    share: 1,
    run: async (visit, number) => {
      visit.post(echo(number), `Content-Length: ${uploadBytes * 10}`, upload);
      if (!(await visit.until(() => visit.isConnected))) return;
      if (number % 2 === 0) visit.socket.resetAndDestroy();
      else visit.socket.end();
    },
  },
  'meets a target that leaves': {
    share: 4,
    run: async (visit, number) => {
      visit.get(`/leaves/${number}`);
      await expectAnswers(visit, [`/leaves/${number}`]);
    },
  },
  'meets a target that ends its answer by leaving': {
    share: 3,
    run: async (visit, number) => {
      visit.get(`/until-end/${number}`);
      await expectAnswers(visit, [`/until-end/${number}`]);
    },
  },
  'meets a target that breaks': {
    share: 2,
    run: async (visit, number) => {
      visit.get(number % 2 === 0 ? `/reset/${number}` : `/cut/${number}`);
      await visit.until(() => visit.reader.answers.length > 0 || visit.received > 0);
      const [first] = visit.reader.answers;
      if (first !== undefined && first.status !== 502) visit.problem = `${first.status} from a target that broke`;
    },
  },
  'meets a target that refuses it': {
    share: 1,
    run: async (visit, number) => {
      visit.get(`/refused/${number}`);
      await visit.toAnswers(1);
      if (visit.reader.answers[0]?.status !== 502) visit.problem = 'a refused connection was not answered with 502';
    },
  },
  'resets in a head': {
    share: 4,
    run: async (visit, number) => {
      visit.send(`GET ${echo(number)} HTTP/1.1\r\nHo`);
      if (await visit.until(() => visit.isConnected)) visit.socket.resetAndDestroy();
    },
  },
  'resets without its answer': {
    share: 4,
    run: async (visit, number) => {
      visit.get(echo(number));
      if (await visit.until(() => visit.isConnected)) visit.socket.resetAndDestroy();
    },
  },
  'leaves in a body': {
    share: 4,
    run: async (visit, number) => {
      visit.post(echo(number), 'Content-Length: 50000', 'half of it');
      if (await visit.until(() => visit.isConnected)) visit.socket.destroy();
    },
  },
  'leaves without a word': {
    share: 3,
    run: async (visit) => {
      if (await visit.until(() => visit.isConnected)) visit.socket.destroy();
    },
  },
  'talks nonsense': {
    share: 3,
    run: async (visit) => {
      visit.reader.expect('GET');
      visit.send('GET / HTTP/1.1\r\nHost : soak\r\nContent-Length: 5\r\n\r\nhello');
      await visit.toEnd();
      if (visit.reader.answers[0]?.status !== 400) visit.problem = 'nonsense was not answered with 400';
    },
  },
  'is slow': {
    share: 2,
    run: async (visit, number) => {
      for (const letter of ['GE', 'T ', `/echo/${number}`, ' HTTP/1.1\r', '\nHost: so', 'ak\r\n\r']) {
        visit.send(letter);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      visit.requests += 1;
      visit.reader.expect('GET');
      visit.send('\n');
      await expectAnswers(visit, [echo(number)]);
    },
  },
  downloads: {
    share: 1,
    run: async (visit, number) => {
      visit.get(`/large/${number}`);
      await visit.toAnswers(1);
      if (visit.reader.answers[0]?.body.length !== largeAnswerBytes) visit.problem = 'a large answer is not whole';
    },
  },
  'reads slowly': {
    share: 1,
    run: async (visit, number) => {
      // Each of the huge ones is as much work as a hundred others.
      const isHuge = number % 16 === 0;
      const length = isHuge ? hugeAnswerBytes : largeAnswerBytes;
      visit.isCounting = true;
      visit.get(`/${isHuge ? 'huge' : 'large'}/${number}`);
      if (!(await visit.until(() => visit.received > 0))) return;
      visit.socket.pause();
      await new Promise((resolve) => setTimeout(resolve, 50));
      visit.socket.resume();
      if (!(await visit.until(() => visit.received > length))) visit.problem = 'a large answer is not whole';
    },
  },
  'leaves a download': {
    share: 1,
    run: async (visit, number) => {
      visit.get(`/large/${number}`);
      if (!(await visit.until(() => visit.received > 0))) return;
      if (number % 2 === 0) visit.socket.resetAndDestroy();
      else visit.socket.destroy();
    },
  },
  tunnels: {
    share: 2,
    run: async (visit, number) => {
      visit.get(`/tunnel/${number}`, 'Connection: Upgrade\r\nUpgrade: echo\r\n');
      if (!(await visit.toAnswers(1)) || !visit.reader.isTunnel) {
        visit.problem = 'no tunnel';
        return;
      }
      visit.send(`through ${number}`);
      if (!(await visit.until(() => visit.reader.rest === `through ${number}`))) visit.problem = 'the tunnel broke';
      if (number % 2 === 0) visit.socket.end();
      else visit.socket.resetAndDestroy();
    },
  },
};

const byRoll = Object.entries(behaviours).flatMap(([name, { share, run }]) =>
  Array.from({ length: share }, () => ({ name, run })),
);

/** Makes one connection, from its beginning until both sides have closed it. */
export async function visit({ place, number, roll }: Errand): Promise<Outcome> {
  const { name, run } = byRoll[roll % byRoll.length]!;
  const visiting = new Visit(place);
  await run(visiting, number);
  if (!visiting.isClosed && !visiting.socket.writableEnded) visiting.socket.end();
  if (visiting.socket.readyState !== 'closed') await visiting.toEnd();
  const { reader, requests, isConnected } = visiting;
  const problem = visiting.problem ?? reader.complaint ?? (isConnected ? undefined : 'it never connected');
  return {
    behaviour: name,
    requests,
    problem: problem === undefined ? undefined : `a client that ${name}: ${problem}`,
  };
}

/** Waits for the answers to these paths and compares them. */
async function expectAnswers(visit: Visit, paths: readonly string[]): Promise<boolean> {
  await visit.toAnswers(paths.length);
  for (const [index, path] of paths.entries()) {
    const answer = visit.reader.answers[index];
    const expected = `${path} 0`;
    if (answer?.status === 200 && answer.body === expected) continue;
    visit.problem ??= `expected '${expected}' and got ${answer === undefined ? 'nothing' : `${answer.status} '${answer.body.slice(0, 100)}'`}`;
    return false;
  }
  return true;
}
