import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type TestContext } from 'node:test';
import { sleep } from '#io/timers.ts';
import { startOrigin } from './origin.ts';
import { type Endpoint, Prober, type ProberOptions } from './prober.ts';

/** 127.0.1.1, 127.0.1.2 …: loopback addresses are many, and one server on all of them can be many endpoints. */
const endpointsOn = (port: number, count: number): Endpoint[] =>
  Array.from({ length: count }, (_, index) => ({
    name: `lb-${index + 1}`,
    host: `127.0.${1 + Math.floor(index / 250)}.${(index % 250) + 1}`,
    port,
  }));

function probe(context: TestContext, endpoints: readonly Endpoint[], options: Partial<ProberOptions> = {}): Prober {
  const prober = new Prober({ endpoints, requestsPerSecond: 2000, timeoutMs: 10_000, ...options });
  context.after(() => prober.stop());
  return prober;
}

async function until({ signal }: TestContext, condition: () => boolean): Promise<void> {
  while (!condition()) {
    signal.throwIfAborted();
    await sleep(5);
  }
}

type Answer = (response: ServerResponse) => void;

/** Load balancers by the address that they are asked at: good ones, unless a test says what one answers. */
async function startBalancers(context: TestContext) {
  const balancers = {
    port: 0,
    answers: new Map<string, Answer>(),
    asked: new Map<string, number>(),
    underWay: 0,
    underWayMax: 0,
  };
  const server = createServer((request, response) => {
    const address = request.socket.localAddress!;
    balancers.asked.set(address, (balancers.asked.get(address) ?? 0) + 1);
    balancers.underWay += 1;
    balancers.underWayMax = Math.max(balancers.underWayMax, balancers.underWay);
    response.on('close', () => (balancers.underWay -= 1));
    (balancers.answers.get(address) ?? ((good) => good.end('ok')))(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  balancers.port = (server.address() as AddressInfo).port;
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return balancers;
}

const unavailable: Answer = (response) => void response.writeHead(503).end();

test('prober: goes round an origin without a failure', async (context) => {
  const origin = await startOrigin({ segmentBytes: 1 });
  context.after(() => origin.stop());
  const prober = probe(context, [{ name: 'origin', host: '127.0.0.1', port: origin.port }]);
  await until(context, () => prober.snapshot().requests >= 50);
  const { requests, ...rest } = prober.snapshot();
  assert.deepEqual(rest, { failures: 0, impaired: 0, everImpaired: 0, failing: [] });
  assert.ok(origin.requests >= requests);
});

test('prober: every endpoint has its turn, and who fails is known by name and reason', async (context) => {
  const balancers = await startBalancers(context);
  balancers.answers.set('127.0.1.2', unavailable);
  balancers.answers.set('127.0.1.4', (response) => response.destroy());
  balancers.answers.set('127.0.1.6', () => {});
  const prober = probe(context, endpointsOn(balancers.port, 10), { timeoutMs: 500 });
  await until(context, () => prober.endpoints().every(({ requests }) => requests >= 3));
  const { impaired, everImpaired, failing } = prober.snapshot();
  assert.deepEqual([impaired, everImpaired, failing], [3, 3, ['lb-2', 'lb-4', 'lb-6']]);
  const reasons = prober.endpoints().map(({ last }) => (last.kind === 'failure' ? last.reason : last.kind));
  const [ok, no, reset, silent] = ['success', 'status 503', 'ECONNRESET', 'no answer within 500 ms'];
  assert.deepEqual(reasons, [ok, no, ok, reset, ok, silent, ok, ok, ok, ok]);
  for (const { requests, failures, last } of prober.endpoints()) {
    assert.equal(failures, last.kind === 'failure' ? requests : 0);
  }
});

test('prober: an endpoint that recovers is no longer impaired, and a mark forgets that it was', async (context) => {
  const balancers = await startBalancers(context);
  balancers.answers.set('127.0.1.1', unavailable);
  const prober = probe(context, endpointsOn(balancers.port, 2));
  await until(context, () => prober.snapshot().impaired === 1);
  balancers.answers.clear();
  await until(context, () => prober.snapshot().impaired === 0);
  assert.equal(prober.snapshot().everImpaired, 1);
  prober.mark();
  const { failures, everImpaired } = prober.snapshot();
  assert.equal(everImpaired, 0);
  assert.ok(failures > 0);
});

test('prober: a sweep asks each of a thousand once and names those that fail now', async (context) => {
  const balancers = await startBalancers(context);
  balancers.answers.set('127.0.3.1', unavailable);
  const prober = probe(context, endpointsOn(balancers.port, 1000), { requestsPerSecond: 0.001 });
  assert.deepEqual(await prober.sweep(), { asked: 1000, failed: [{ name: 'lb-501', reason: 'status 503' }] });
  assert.equal(balancers.asked.size, 1000);
  assert.deepEqual(new Set(balancers.asked.values()), new Set([1]));
  const { requests, failing } = prober.snapshot();
  assert.deepEqual([requests, failing], [1000, ['lb-501']]);
});

test('prober: a sweep asks sixty-four at a time', async (context) => {
  const balancers = await startBalancers(context);
  const endpoints = endpointsOn(balancers.port, 100);
  const waiting: ServerResponse[] = [];
  for (const { host } of endpoints) balancers.answers.set(host, (response) => void waiting.push(response));
  const prober = probe(context, endpoints, { requestsPerSecond: 0.001 });
  const sweep = prober.sweep();
  await until(context, () => waiting.length === 64);
  await sleep(50);
  assert.equal(waiting.length, 64);
  balancers.answers.clear();
  for (const response of waiting) response.end('ok');
  assert.deepEqual(await sweep, { asked: 100, failed: [] });
});

test('prober: a closed port is a failure at once', async (context) => {
  const balancers = await startBalancers(context);
  const closed = await startOrigin({ segmentBytes: 1 });
  await closed.stop();
  const [good] = endpointsOn(balancers.port, 1);
  const prober = probe(context, [good!, { name: 'closed', host: '127.0.0.1', port: closed.port }]);
  assert.deepEqual(await prober.sweep(), { asked: 2, failed: [{ name: 'closed', reason: 'ECONNREFUSED' }] });
});

test('prober: an old answer that comes late does not stand against a newer one', async (context) => {
  const balancers = await startBalancers(context);
  const late: ServerResponse[] = [];
  balancers.answers.set('127.0.1.1', (response) => void late.push(response));
  const prober = probe(context, endpointsOn(balancers.port, 1), { requestsPerSecond: 0.001 });
  const first = prober.sweep();
  await until(context, () => late.length === 1);
  balancers.answers.clear();
  await prober.sweep();
  unavailable(late[0]!);
  assert.equal((await first).failed.length, 1);
  const { failures, impaired, everImpaired } = prober.snapshot();
  assert.deepEqual([failures, impaired, everImpaired], [1, 0, 1]);
});

test('prober: when nobody answers, its round has a bounded number of connections', async (context) => {
  const balancers = await startBalancers(context);
  const endpoints = endpointsOn(balancers.port, 500);
  for (const { host } of endpoints) balancers.answers.set(host, () => {});
  const prober = probe(context, endpoints, { requestsPerSecond: 20_000 });
  await until(context, () => balancers.underWay === 256);
  await sleep(50);
  assert.equal(balancers.underWayMax, 256);
  await prober.stop();
  assert.equal(prober.snapshot().requests, 0);
});

test('prober: keeps to its rate by its clock, and does not make up for a pause', async (context) => {
  const balancers = await startBalancers(context);
  let nowMs = 0;
  const clock = { wallMs: () => 0, monotonicMs: () => nowMs };
  const prober = probe(context, endpointsOn(balancers.port, 10), { requestsPerSecond: 100, clock });
  for (let expected = 1; expected <= 5; expected += 1) {
    nowMs += 10;
    await until(context, () => prober.snapshot().requests >= expected);
  }
  await sleep(50);
  assert.equal(prober.snapshot().requests, 5);
  nowMs += 60_000;
  await until(context, () => prober.snapshot().requests >= 10);
  await sleep(50);
  assert.equal(prober.snapshot().requests, 10);
});

test('prober: stopped in the middle of a sweep, it counts what was asked and calls nothing a failure', async (context) => {
  const balancers = await startBalancers(context);
  balancers.answers.set('127.0.1.2', () => {});
  const prober = probe(context, endpointsOn(balancers.port, 2), { requestsPerSecond: 0.001 });
  const sweep = prober.sweep();
  await until(context, () => balancers.asked.size === 2 && prober.snapshot().requests === 1);
  await prober.stop();
  assert.deepEqual(await sweep, { asked: 1, failed: [] });
  assert.deepEqual(await prober.sweep(), { asked: 0, failed: [] });
});
