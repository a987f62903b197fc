/**
 * Targets that answer wrongly: too much, too little, twice, in two ways at once, or when nobody asked. Whoever asked
 * gets one answer that can be read in one way, a 502, or a connection that is cut; and nobody else notices.
 */
import assert from 'node:assert/strict';
import type net from 'node:net';
import test from 'node:test';
import { AnswerReader } from './test-answers.ts';
import { RawClient, socketPaths, startPlayedTarget, startProxy, startRawTarget, until } from './test-proxy.ts';

const poison = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nPOISON';
const ok = 'HTTP/1.1 200 OK\r\n';
const five = `${ok}Content-Length: 5\r\n\r\nhello`;
const chunked = `${ok}Transfer-Encoding: chunked\r\n\r\n`;

/** What the target does in turn: sends bytes, waits until the client has an answer, ends or resets its connection. */
type Step = string | typeof answered | typeof ends | typeof resets;
const answered = Symbol('answered');
const ends = Symbol('ends');
const resets = Symbol('resets');

interface Wrong {
  readonly name: string;
  readonly steps: readonly Step[];
  /** What the client gets: a status and, of 200, this body; `cut`: its connection is reset within an answer. */
  readonly gets: readonly [status: number, body?: string] | 'cut';
  readonly method?: 'HEAD';
}

const bad = [502] as const;
const head = (...fields: readonly string[]) => `${ok}${fields.map((field) => `${field}\r\n`).join('')}\r\n`;
const hello = [200, 'hello'] as const;

const wrongs: readonly Wrong[] = [
  { name: 'sends a second answer behind the first', steps: [five + poison], gets: hello },
  { name: 'sends a second answer behind an empty line', steps: [`${five}\r\n${poison}`], gets: hello },
  { name: 'sends nonsense behind its answer', steps: [`${five}x`], gets: hello },
  { name: 'sends an empty line behind its answer', steps: [`${five}\r\n`], gets: hello },
  { name: 'sends a second answer behind chunks', steps: [`${chunked}5\r\nhello\r\n0\r\n\r\n${poison}`], gets: hello },
  { name: 'sends a second answer behind nothing', steps: [`${head('Content-Length: 0')}${poison}`], gets: [200, ''] },
  { name: 'sends another answer later', steps: [five, answered, poison], gets: hello },
  { name: 'sends half of another answer later', steps: [five, answered, poison.slice(0, 20)], gets: hello },
  { name: 'sends one byte later', steps: [five, answered, 'H'], gets: hello },
  {
    name: 'says later that it has waited in vain',
    steps: [five, answered, 'HTTP/1.1 408 Request Timeout\r\n\r\n', ends],
    gets: hello,
  },
  { name: 'ends its connection behind the answer', steps: [five, ends], gets: hello },
  { name: 'resets its connection later', steps: [five, answered, resets], gets: hello },
  { name: 'sends a body with 204', steps: [`HTTP/1.1 204 No Content\r\nContent-Length: 6\r\n\r\nPOISON`], gets: [204] },
  {
    name: 'sends chunks with 204',
    steps: [`HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nPOISON\r\n0\r\n\r\n`],
    gets: [204],
  },
  {
    name: 'sends a body with 304',
    steps: [`HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\nPOISON`],
    gets: [304],
  },
  { name: 'sends a second answer behind 304', steps: [`HTTP/1.1 304 Not Modified\r\n\r\n${poison}`], gets: [304] },
  { name: 'sends a body to HEAD', method: 'HEAD', steps: [`${head('Content-Length: 6')}POISON`], gets: [200, ''] },
  {
    name: 'sends a body to HEAD later',
    method: 'HEAD',
    steps: [head('Content-Length: 6'), answered, 'POISON'],
    gets: [200, ''],
  },
  {
    name: 'sends an answer as the body to HEAD',
    method: 'HEAD',
    steps: [`${head(`Content-Length: ${poison.length}`)}${poison}`],
    gets: [200, ''],
  },
  { name: 'sends chunks to HEAD', method: 'HEAD', steps: [`${chunked}6\r\nPOISON\r\n0\r\n\r\n`], gets: [200, ''] },
  {
    name: 'sends a body with 100',
    steps: [`HTTP/1.1 100 Continue\r\nContent-Length: 6\r\n\r\nPOISON${five}`],
    gets: bad,
  },
  { name: 'sends 100 for ever', steps: ['HTTP/1.1 100 Continue\r\n\r\n'.repeat(1_000)], gets: bad },
  {
    name: 'sends 102 for ever, one at a time',
    steps: Array.from({ length: 40 }, () => 'HTTP/1.1 102 Processing\r\n\r\n'),
    gets: bad,
  },
  {
    name: 'sends hints before its answer',
    steps: [`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${five}`],
    gets: hello,
  },
  {
    name: 'switches protocols unasked',
    steps: [`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n${poison}`],
    gets: bad,
  },
  {
    name: 'sends both framings',
    steps: [`${head('Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n${poison}`],
    gets: bad,
  },
  {
    name: 'sends both framings, the other way round',
    steps: [`${head('Transfer-Encoding: chunked', 'Content-Length: 5')}0\r\n\r\n`],
    gets: bad,
  },
  { name: 'sends two lengths', steps: [`${head('Content-Length: 0', 'Content-Length: 5')}hello`], gets: bad },
  {
    name: 'sends two lengths that agree',
    steps: [`${head('Content-Length: 5', 'Content-Length: 5')}hello`],
    gets: bad,
  },
  { name: 'sends a list of lengths', steps: [`${head('Content-Length: 5, 5')}hello`], gets: bad },
  ...['+5', '-5', '0x5', '5 5', '', '5\0', '5.0', '18446744073709551621'].map(
    (length): Wrong => ({
      name: `sends the length ${JSON.stringify(length)}`,
      steps: [`${head(`Content-Length: ${length}`)}hello`],
      gets: bad,
    }),
  ),
  ...['xchunked', 'chunked, identity', 'gzip, chunked', 'identity', '"chunked"', 'chunked;a', '\x0bchunked', ''].map(
    (coding): Wrong => ({
      name: `sends the coding ${JSON.stringify(coding)}`,
      steps: [`${head(`Transfer-Encoding: ${coding}`)}5\r\nhello\r\n0\r\n\r\n`],
      gets: bad,
    }),
  ),
  { name: 'sends chunks in HTTP/1.0', steps: [`${chunked.replace('1.1', '1.0')}5\r\nhello\r\n0\r\n\r\n`], gets: bad },
  {
    name: 'lets Connection name the length',
    steps: [`${head('Connection: content-length', 'Content-Length: 5')}hello`],
    gets: bad,
  },
  {
    name: 'lets Connection name the coding',
    steps: [`${head('Connection: transfer-encoding', 'Transfer-Encoding: chunked')}0\r\n\r\n`],
    gets: bad,
  },
  ...[
    '0x5\r\nhello',
    '+5\r\nhello',
    '-5\r\nhello',
    '5 \r\nhello',
    '5;\nx\r\nhello',
    '5\nhello',
    '\r\nhello',
    '100000005\r\nhello',
    'g\r\nhello',
  ].map(
    (chunk): Wrong => ({
      name: `begins a chunk with ${JSON.stringify(chunk)}`,
      steps: [`${chunked}${chunk}\r\n0\r\n\r\n`],
      gets: bad,
    }),
  ),
  {
    name: 'goes on wrongly behind a chunk',
    steps: [`${chunked}5\r\nhello\r\n`, 'zz\r\nPOISON\r\n0\r\n\r\n'],
    gets: 'cut',
  },
  { name: 'ends a chunk without a line end', steps: [`${chunked}5\r\n`, `hello0\r\n\r\n${poison}`], gets: 'cut' },
  {
    name: 'repeats its framing in a trailer',
    steps: [`${chunked}5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n`],
    gets: bad,
  },
  ...['X: a\nb', 'X: a\rb', 'X: a\0b', 'X : a', ' X: a', 'X', ': a', 'X: a\r\n b', 'X\xe9: a'].map(
    (line): Wrong => ({
      name: `sends the line ${JSON.stringify(line)}`,
      steps: [`${head(line, 'Content-Length: 5')}hello`],
      gets: bad,
    }),
  ),
  { name: 'sends a head with bare line feeds', steps: ['HTTP/1.1 200 OK\nContent-Length: 5\n\nhello'], gets: bad },
  { name: 'sends 300 fields', steps: [`${ok}${'X: y\r\n'.repeat(300)}Content-Length: 5\r\n\r\nhello`], gets: bad },
  {
    name: 'sends an endless line',
    steps: [`${ok}X: ${'y'.repeat(100_000)}\r\nContent-Length: 5\r\n\r\nhello`],
    gets: bad,
  },
  ...[
    'HTTP/2.0 200 OK',
    'HTTP/1.1 99 X',
    'HTTP/1.1 600 X',
    'HTTP/1.1 2000 X',
    'HTTP/1.1  200 OK',
    'http/1.1 200 OK',
    'HTTP/1.1 200\tOK',
    'ICY 200 OK',
    '<html>',
    ' HTTP/1.1 200 OK',
  ].map(
    (line): Wrong => ({
      name: `begins with ${JSON.stringify(line)}`,
      steps: [`${line}\r\nContent-Length: 5\r\n\r\nhello`],
      gets: bad,
    }),
  ),
  { name: 'sends an empty line first', steps: [`\r\n${five}`], gets: bad },
  { name: 'ends in its head', steps: [`${ok}Content-Le`, ends], gets: bad },
  { name: 'ends in its body', steps: [`${head('Content-Length: 50')}hello`, ends], gets: 'cut' },
  { name: 'ends in a chunk', steps: [`${chunked}50\r\nhello`, ends], gets: 'cut' },
  { name: 'ends before the last chunk', steps: [`${chunked}5\r\nhello\r\n`, ends], gets: 'cut' },
  { name: 'resets in its body', steps: [`${head('Content-Length: 50')}hello`, resets], gets: 'cut' },
  { name: 'resets in a body without a length', steps: [`${ok}\r\nhello`, resets], gets: 'cut' },
  { name: 'ends a body without a length', steps: [`${ok}\r\nhello`, ends], gets: hello },
  {
    name: 'keeps HTTP/1.0 without a length',
    steps: [`HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nhello`, ends],
    gets: hello,
  },
];

for (const socketPath of socketPaths) {
  test(`hostile targets (${socketPath}): nobody gets what was not meant for them, whatever a target sends`, async (t) => {
    const faults: string[] = [];
    let script: readonly Step[] = [];
    let client: Client;
    const evil = new Set<net.Socket>();
    const target = await startPlayedTarget(t, '/evil', (socket) => {
      evil.add(socket);
      return play(socket, script, client);
    });
    const { port, proxy } = await startProxy(t, { targets: [target] }, { socketPath });
    for (const { name, steps, gets, method = 'GET' } of wrongs) {
      const isLate = steps.includes(answered);
      script = steps;
      client = new Client(t, port);
      client.ask(method, '/evil');
      if (!isLate) client.ask('GET', '/own');
      await until(() => client.isOver || client.reader.answers.length > 0, `the client of a target that ${name} knows`);
      // What comes late must have come before anybody else asks; from then on the connection is none to be used.
      if (isLate) await until(() => [...evil].every(({ destroyed }) => destroyed), `a target that ${name} is left`);
      if (isLate && !client.isOver) client.ask('GET', '/own');
      await until(
        () => client.isOver || client.reader.answers.length === 2,
        `both answers of one that ${name} are there`,
      );
      client.socket.destroy();
      const { answers, complaint } = client.reader;
      const [first, second] = answers;
      const said = `a target that ${name}:`;
      if (gets === 'cut') {
        if (!client.wasReset || answers.length > 0) faults.push(`${said} the client got ${client.received}`);
      } else {
        const [status, body] = gets;
        const isRight = first?.status === status && (body === undefined || first.body === body);
        if (!isRight || complaint !== undefined) faults.push(`${said} the client got ${complaint} ${client.received}`);
        const mayEnd = first?.isLast === true;
        if (second === undefined ? !mayEnd : second.body !== '/own') faults.push(`${said} then ${client.received}`);
      }
      for (const path of ['/innocent/1', '/innocent/2']) {
        const other = new Client(t, port);
        other.ask('GET', path);
        await until(() => other.isOver || other.reader.answers.length > 0, `${path} is answered`);
        if (other.reader.answers[0]?.body !== path) faults.push(`${said} ${path} got ${other.received}`);
        other.socket.destroy();
      }
      await until(() => proxy.stats().activeConnections === 0, 'all clients are gone');
      const { outstanding } = proxy.stats().targets[0]!;
      if (outstanding !== 0) faults.push(`${said} ${outstanding} requests are outstanding`);
    }
    assert.deepEqual(faults, []);
  });

  test(`hostile targets (${socketPath}): what is sent while a slow client reads is no answer to the next request`, async (t) => {
    let size = 0;
    let slow: net.Socket | undefined;
    const target = await startRawTarget(t, (socket) => {
      socket.setEncoding('latin1');
      socket.on('end', () => socket.end());
      socket.on('data', (text: string) => {
        if (text.startsWith('GET /large')) {
          slow = socket;
          socket.write(head(`Content-Length: ${size}`));
          socket.write(Buffer.alloc(size, 'x'));
        } else {
          slow = undefined;
          socket.write(`${head('Content-Length: 4')}/own`);
        }
      });
    });
    const { port, balancer } = await startProxy(t, { targets: [target] }, { socketPath });
    let held = 0;
    // An answer is held when the kernel has taken so much of it that the worker has read all, and not all is written.
    for (size = 1_000_000; held === 0; size += 200_000) {
      assert(size < 50_000_000, 'some answer is too large for the kernel and not for the worker');
      const client = new Client(t, port);
      client.socket.pause();
      const before = balancer().bytesOut;
      client.ask('GET', '/large');
      client.ask('GET', '/own');
      await stands(() => balancer().bytesOut);
      if (slow !== undefined && balancer().bytesOut >= before + size) {
        held += 1;
        await new Promise((resolve) => slow!.write(poison, resolve));
      }
      client.socket.resume();
      await until(() => client.isOver || client.reader.answers.length === 2, 'both answers are there');
      assert.equal(client.reader.answers[1]?.body, '/own', `behind ${size} bytes`);
      client.socket.destroy();
    }
  });

  test(`hostile targets (${socketPath}): the rest of a body that was answered early is no request`, async (t) => {
    let received = '';
    const target = await startRawTarget(t, (socket) => {
      socket.setEncoding('latin1');
      socket.on('end', () => socket.end());
      socket.on('data', (text: string) => {
        received += text;
        if (/^(?:GET|POST) /.test(text)) socket.write(five);
      });
    });
    const { port, proxy } = await startProxy(t, { targets: [target] }, { socketPath });
    const rest = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
    for (const framing of [
      `Content-Length: ${rest.length + 1}`,
      'Transfer-Encoding: chunked',
      `Expect: 100-continue\r\nContent-Length: ${rest.length}`,
    ]) {
      const client = new Client(t, port);
      client.reader.expect('POST');
      client.write(`POST /early HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n`);
      await until(() => client.reader.answers.length === 1, 'the early answer is there');
      assert.equal(client.reader.answers[0]!.isLast, true, 'and is the last on its connection');
      client.write(rest);
      const other = new Client(t, port);
      other.ask('GET', '/innocent');
      await until(() => other.reader.answers.length === 1, 'another client is answered');
      client.socket.destroy();
      other.socket.destroy();
    }
    await until(() => proxy.stats().activeConnections === 0, 'all clients are gone');
    assert(!received.includes('/smuggled'), received);
  });
}

/** Waits until a number stays the same while the event loop goes round and round. */
async function stands(number: () => number): Promise<void> {
  let before = -1;
  for (let same = 0; same < 100; same += 1) {
    if (number() !== before) same = 0;
    before = number();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function play(socket: net.Socket, steps: readonly Step[], client: Client): Promise<void> {
  for (const step of steps) {
    if (socket.destroyed) return;
    if (step === answered)
      await until(() => client.isOver || client.reader.answers.length > 0, 'the client has its answer');
    else if (step === ends) socket.end();
    else if (step === resets) socket.resetAndDestroy();
    else {
      await new Promise((resolve) => socket.write(step, 'latin1', resolve));
      // So that the next step is another read.
      if (steps.length > 1)
        for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

class Client extends RawClient {
  readonly reader = new AnswerReader();
  wasReset = false;

  constructor(...circumstances: ConstructorParameters<typeof RawClient>) {
    super(...circumstances);
    this.socket.on('data', (text: string) => this.reader.push(text));
    this.socket.on('end', () => this.reader.end());
    this.socket.on('error', () => {
      this.wasReset = true;
    });
  }

  get isOver(): boolean {
    return this.isEnded || this.isClosed;
  }

  ask(method: string, path: string): void {
    this.reader.expect(method);
    this.write(`${method} ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
  }

  write(text: string): void {
    this.socket.write(text, 'latin1');
  }
}
