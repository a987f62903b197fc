import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import test, { type TestContext } from 'node:test';
import { sleep } from '#io/timers.ts';
import { startOrigin } from './origin.ts';
import { Player, type PlayerFigures, type PlayerOptions } from './player.ts';
import { parseSegmentPath, segmentContent } from './segment.ts';

const segmentBytes = 100_000;

/** Plays from the server at `port`, with little patience, until the test is over. */
function play(context: TestContext, port: number, options: Partial<PlayerOptions> = {}): Player {
  const player = new Player({
    host: '127.0.0.1',
    port,
    channel: 'news',
    segmentBytes,
    segmentMs: 40,
    bufferSegments: 3,
    ...options,
  });
  context.after(() => player.stop());
  return player;
}

async function until(
  { signal }: TestContext,
  player: Player,
  condition: (figures: PlayerFigures) => boolean,
): Promise<PlayerFigures> {
  for (;;) {
    const figures = player.figures();
    if (condition(figures)) return figures;
    signal.throwIfAborted();
    await sleep(5);
  }
}

type Answer = (response: ServerResponse, segment: Buffer) => void;

const good: Answer = (response, segment) => void response.end(segment);

/** A server of segments that can be told to misbehave, and that knows its connections and what it was asked for. */
async function startServer(context: TestContext) {
  const server = {
    answer: good,
    port: 0,
    connections: new Set<Socket>(),
    connectionsCount: 0,
    asked: [] as number[],
    hosts: new Set<string | undefined>(),
  };
  const listener = createServer((request, response) => {
    const segment = parseSegmentPath(request.url!)!;
    server.asked.push(segment.number);
    server.hosts.add(request.headers.host);
    server.answer(response, segmentContent(segment, segmentBytes));
  });
  listener.on('connection', (socket) => {
    server.connectionsCount += 1;
    server.connections.add(socket);
    socket.on('close', () => server.connections.delete(socket));
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  server.port = (listener.address() as AddressInfo).port;
  context.after(() => {
    listener.close();
    listener.closeAllConnections();
  });
  return server;
}

test('player: plays what an origin serves, in order, over one connection, and misses nothing', async (context) => {
  const origin = await startOrigin({ segmentBytes });
  context.after(() => origin.stop());
  const figures = await until(context, play(context, origin.port), ({ played }) => played >= 20);
  const { requests, failures, stalls, stalledMs, wrongBytes } = figures;
  assert.deepEqual(
    { failures, stalls, stalledMs, wrongBytes },
    { failures: 0, stalls: 0, stalledMs: 0, wrongBytes: 0 },
  );
  assert.ok(requests >= figures.played && requests <= figures.played + 4, 'it fetches no more than it has room for');
});

test('player: asks for each segment once, one after the other, over one connection', async (context) => {
  const server = await startServer(context);
  const player = play(context, server.port);
  await until(context, player, ({ played }) => played >= 10);
  await player.stop();
  assert.deepEqual(server.asked, [...server.asked.keys()]);
  assert.equal(server.connectionsCount, 1);
});

const misbehaviour: Readonly<Record<string, { readonly answer: Answer; readonly failure: RegExp }>> = {
  'a status other than 200': {
    answer: (response, segment) => void response.writeHead(503).end(segment),
    failure: /^status 503$/,
  },
  'a wrong byte': {
    answer: (response, segment) => {
      segment[segmentBytes - 1]! ^= 1;
      response.end(segment);
    },
    failure: /^wrong bytes: 1$/,
  },
  'an answer that is too short': {
    answer: (response, segment) => void response.end(segment.subarray(0, 10)),
    failure: /^wrong bytes: 99990$/,
  },
  'an answer that breaks off': {
    answer: (response, segment) => {
      response.writeHead(200, { 'content-length': segmentBytes });
      response.write(segment.subarray(0, 10), () => response.destroy());
    },
    failure: /^the answer broke off$/,
  },
  'a closed connection': {
    answer: (response) => void response.destroy(),
    failure: /^ECONNRESET$/,
  },
  'no answer at all': {
    answer: () => {},
    failure: /^no answer within 200 ms$/,
  },
};

for (const [what, { answer, failure }] of Object.entries(misbehaviour)) {
  test(`player: ${what} is a failure, and with a long buffer no stall`, async (context) => {
    const server = await startServer(context);
    const player = play(context, server.port, { bufferSegments: 60, requestTimeoutMs: 200 });
    await until(context, player, ({ played }) => played > 0);
    server.answer = answer;
    const before = (await until(context, player, ({ failures }) => failures >= 2)).played;
    server.answer = good;
    const figures = await until(context, player, ({ played }) => played > before + 5);
    assert.match(figures.lastFailure!, failure);
    assert.equal(figures.wrongBytes > 0, what === 'a wrong byte' || what === 'an answer that is too short');
    assert.equal(figures.stalls, 0);
    assert.ok(figures.requests >= figures.played + figures.failures);
  });
}

test('player: an outage longer than the buffer is one stall, which ends when it is over', async (context) => {
  const server = await startServer(context);
  const player = play(context, server.port);
  await until(context, player, ({ played }) => played > 0);
  server.answer = misbehaviour['a closed connection']!.answer;
  const during = await until(context, player, ({ stalledMs }) => stalledMs > 50);
  assert.equal(during.stalls, 1);
  server.answer = good;
  const { stalls, stalledMs } = await until(context, player, ({ played }) => played > during.played + 5);
  assert.equal(stalls, 1);
  assert.ok(stalledMs >= during.stalledMs);
});

test('player: a pause of its own process holds the picture and is no stall', async (context) => {
  const server = await startServer(context);
  const player = play(context, server.port);
  const before = await until(context, player, ({ played }) => played > 3);
  const busyUntilMs = performance.now() + 1000;
  while (performance.now() < busyUntilMs);
  const after = await until(context, player, ({ played }) => played > before.played + 10);
  assert.ok(after.heldMs >= before.heldMs + 900);
  assert.deepEqual([after.stalls, after.failures], [0, 0]);
});

test('player: an answer that arrived while its own process was busy is not taken for late', async (context) => {
  const server = await startServer(context);
  const player = play(context, server.port, { requestTimeoutMs: 300 });
  await until(context, player, ({ played }) => played > 3);
  const asked = server.asked.length;
  server.answer = (response, segment) => {
    server.answer = good;
    response.end(segment);
    const busyUntilMs = performance.now() + 600;
    while (performance.now() < busyUntilMs);
  };
  await until(context, player, () => server.asked.length > asked + 5);
  assert.equal(player.figures().failures, 0);
});

test('player: a name is asked for at each new connection, and its last good address outlives a failing resolver', async (context) => {
  const server = await startServer(context);
  const answers: (() => Promise<string>)[] = [
    () => Promise.reject(new Error('SERVFAIL')),
    () => Promise.resolve('127.0.0.1'),
    () => Promise.reject(new Error('SERVFAIL')),
    () => Promise.resolve('not an address'),
    () => {
      throw new Error('thrown at once');
    },
    () => new Promise(() => {}),
  ];
  let asked = 0;
  const resolve = () => answers[asked++]!();
  const player = play(context, server.port, {
    host: 'news.example',
    resolve,
    bufferSegments: 60,
    requestTimeoutMs: 400,
  });
  await until(context, player, ({ played }) => played > 0);
  assert.deepEqual([player.figures().failures, player.figures().lastFailure], [1, 'the name has no address']);
  assert.equal(asked, 2);
  for (let connection = 2; connection <= 5; connection += 1) {
    for (const socket of server.connections) socket.destroy();
    await until(context, player, () => server.connectionsCount === connection);
  }
  assert.equal(asked, 6);
  assert.deepEqual(server.hosts, new Set([`news.example:${server.port}`]));
});

test('player: when it is stopped, its figures stay, nothing is a failure, and no connection is left', async (context) => {
  const server = await startServer(context);
  const player = play(context, server.port);
  await until(context, player, ({ played }) => played > 0);
  server.answer = () => {};
  await until(context, player, ({ stalls }) => stalls > 0);
  await player.stop();
  const figures = player.figures();
  assert.equal(figures.failures, 0);
  while (server.connections.size > 0) await sleep(5);
  await sleep(5);
  assert.deepEqual(player.figures(), figures);
});
