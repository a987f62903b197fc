import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import test from 'node:test';
import { makeCertificate } from '#control/test-certificates.ts';
import { every } from '#io/timers.ts';
import type { HealthCheckSettings } from '#model/documents.ts';
import { probe } from './probe.ts';
import { httpTarget, rawTarget, secureTarget, settings, type TestTarget } from './test-target.ts';

/** Longer than any of these tests: where it is set, something other than time must end the probe. */
const neverSeconds = 3_600;

async function ask(target: TestTarget, more: Partial<HealthCheckSettings> = {}): Promise<string> {
  const outcome = await probe(target, { ...settings, ...more }, new AbortController().signal);
  return outcome.kind === 'success' ? 'success' : `${outcome.verdict.reason}: ${outcome.verdict.description}`;
}

const timedOut = 'Target.Timeout: Request timed out';
const failed = 'Target.FailedHealthChecks: Health checks failed';

/** Sends the same bytes for as long as somebody takes them. */
function flood(socket: Socket, bytes: string): void {
  const send = () => {
    while (!socket.destroyed && socket.write(bytes));
    if (!socket.destroyed) socket.once('drain', send);
  };
  send();
}

test('probe: asks for the path with its host and name, and judges the status code', async (context) => {
  const seen: unknown[] = [];
  const target = await httpTarget(context, (request, response) => {
    seen.push([request.method, request.url, request.headers.host, request.headers['user-agent']]);
    response.statusCode = request.url === '/bad' ? 503 : 204;
    response.end();
  });
  assert.equal(await ask(target), 'success');
  assert.equal(
    await ask(target, { path: '/bad' }),
    'Target.ResponseCodeMismatch: Health checks failed with these codes: [503]',
  );
  assert.deepEqual(seen[0], ['GET', '/health', `127.0.0.1:${target.port}`, 'ELB-HealthChecker/2.0']);
  const ownPort = { port: String(target.port) };
  assert.equal(await ask({ ...target, port: 1 }, ownPort), 'success', 'a port of its own');
});

test('probe: each one comes on a connection of its own', async (context) => {
  const connections = new Set<unknown>();
  const target = await httpTarget(context, (request, response) => {
    connections.add(request.socket);
    response.end();
  });
  for (let count = 1; count <= 3; count += 1) await ask(target);
  assert.equal(connections.size, 3);
});

test('probe: silence, and a head or body that trickles for ever, run into one limit on the whole', async (context) => {
  const trickling = (first: string) =>
    rawTarget(context, (socket) => {
      socket.write(first);
      const drip = every(20, () => {
        socket.write('x-more: y\r\n');
      });
      socket.on('close', () => drip.stop());
    });
  assert.equal(await ask(await rawTarget(context, () => {})), timedOut);
  assert.equal(await ask(await trickling('HTTP/1.1 200 OK\r\n')), timedOut);
  assert.equal(await ask(await trickling('HTTP/1.1 200 OK\r\n\r\n')), timedOut);
});

test('probe: a head without end is a failure, a body without end is not read to it', async (context) => {
  const head = await rawTarget(context, (socket) =>
    flood(socket, `HTTP/1.1 200 OK\r\nx-more: ${'y'.repeat(1_000)}\r\n`),
  );
  assert.equal(await ask(head, { timeoutSeconds: neverSeconds }), failed);
  const body = await rawTarget(context, (socket) => flood(socket, `HTTP/1.1 200 OK\r\n\r\n${'z'.repeat(20_000)}`));
  assert.equal(await ask(body, { timeoutSeconds: neverSeconds }), 'success');
});

test('probe: refusal, reset, rubbish, half an answer and a change of protocol are failures', async (context) => {
  const answers = {
    reset: (socket: Socket) => socket.resetAndDestroy(),
    rubbish: (socket: Socket) => socket.end('what?\r\n\r\n'),
    nothing: (socket: Socket) => socket.end(),
    half: (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'),
    upgrade: (socket: Socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n'),
  };
  for (const [name, answer] of Object.entries(answers)) {
    const target = await rawTarget(context, (socket) => {
      // Once it was asked: what is sent before may be lost in a reset.
      socket.once('data', () => answer(socket));
    });
    assert.equal(await ask(target, { timeoutSeconds: neverSeconds }), failed, name);
  }
  assert.equal(await ask({ address: '127.0.0.1', port: 1 }, { timeoutSeconds: neverSeconds }), failed);
});

test('probe: settings that cannot be used are a failed check, never an exception', async (context) => {
  const target = await httpTarget(context, (_request, response) => response.end());
  assert.equal(await ask(target, { path: '/with a space' }), failed);
  assert.equal(await ask(target, { port: '70000' }), failed);
  assert.equal(await ask(target, { port: 'none' }), failed);
  assert.match(await ask(target, { matcher: 'none' }), /^Target\.ResponseCodeMismatch/);
});

test('probe: by TCP, whoever accepts a connection is healthy, and nothing is asked', async (context) => {
  let received = 0;
  const target = await rawTarget(context, (socket) => socket.on('data', (chunk) => (received += chunk.length)));
  const tcp = { protocol: 'TCP', path: '', matcher: '' } as const;
  assert.equal(await ask(target, tcp), 'success');
  assert.equal(received, 0);
  assert.equal(await ask({ ...target, port: 1 }, tcp), failed);
});

test('probe: by HTTPS the certificate is not looked at, and the answer is', async (context) => {
  const { certificate: cert, privateKey: key } = makeCertificate({ name: 'another.test' });
  const target = await secureTarget(context, { cert, key }, (request, response) => {
    response.statusCode = request.url === '/health' ? 200 : 500;
    response.end();
  });
  assert.equal(await ask(target, { protocol: 'HTTPS' }), 'success');
  assert.equal(
    await ask(target, { protocol: 'HTTPS', path: '/bad' }),
    'Target.ResponseCodeMismatch: Health checks failed with these codes: [500]',
  );
  assert.equal(await ask(target), failed);
});
