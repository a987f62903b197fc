import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import test, { type TestContext } from 'node:test';
import fc from 'fast-check';
import { sleep } from '#io/timers.ts';
import type { HealthCheckSettings } from '#model/documents.ts';
import type { HealthVerdict } from '#model/health.ts';
import { Checker } from './checker.ts';
import { parseMatcher } from './matcher.ts';
import { probe } from './probe.ts';
import { advanceStreak, type ProbeOutcome, startStreak } from './streak.ts';

const settings: HealthCheckSettings = {
  enabled: true,
  protocol: 'HTTP',
  port: 'traffic-port',
  path: '/health',
  intervalSeconds: 0.02,
  timeoutSeconds: 0.3,
  healthyThresholdCount: 3,
  unhealthyThresholdCount: 2,
  matcher: '200-299',
};

const healthy: HealthVerdict = { kind: 'healthy' };
const failed: HealthVerdict = {
  kind: 'unhealthy',
  reason: 'Target.FailedHealthChecks',
  description: 'Health checks failed',
};

async function listening(context: TestContext, server: Server): Promise<{ address: string; port: number }> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => server.close());
  return { address: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

function httpTarget(context: TestContext, listener: RequestListener) {
  const server = createServer(listener);
  context.after(() => server.closeAllConnections());
  return listening(context, server);
}

/** A target that answers with bytes of its own choice. */
function rawTarget(context: TestContext, answer: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  context.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  return listening(
    context,
    createTcpServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      answer(socket);
    }),
  );
}

const ask = (target: { address: string; port: number }, more: Partial<HealthCheckSettings> = {}) =>
  probe(target, { ...settings, ...more }, new AbortController().signal);

test('matcher: codes, lists and ranges of 200 to 499 are read, and everything else is refused', () => {
  const matches = (text: string, code: number) => parseMatcher(text)?.(code);
  assert.equal(matches('200', 200), true);
  assert.equal(matches('200', 201), false);
  assert.equal(matches('200,302', 302), true);
  assert.equal(matches('200-299,404', 250), true);
  assert.equal(matches('200-299,404', 404), true);
  assert.equal(matches('200-299,404', 405), false);
  for (const text of [
    '',
    ',',
    '200,',
    '99',
    '199',
    '500',
    '2000',
    '299-200',
    '200 - 299',
    '200-',
    'abc',
    '0x200',
    '200,'.repeat(500),
  ]) {
    assert.equal(parseMatcher(text), undefined, text);
  }
});

test('streak: it follows the thresholds exactly as a count of the last outcomes does', () => {
  const failure: ProbeOutcome = { kind: 'failure', verdict: failed as never };
  fc.assert(
    fc.property(
      fc.array(fc.boolean(), { maxLength: 60 }),
      fc.integer({ min: 2, max: 10 }),
      fc.integer({ min: 2, max: 10 }),
      (outcomes, up, down) => {
        let streak = startStreak();
        let expected: 'initial' | 'healthy' | 'unhealthy' = 'initial';
        const seen: boolean[] = [];
        for (const success of outcomes) {
          seen.push(success);
          const thresholds = { healthyThresholdCount: up, unhealthyThresholdCount: down };
          streak = advanceStreak(streak, success ? { kind: 'success' } : failure, thresholds);
          const last = (count: number, value: boolean) =>
            seen.length >= count && seen.slice(-count).every((each) => each === value);
          if (expected === 'initial' && success) expected = 'healthy';
          else if (expected === 'unhealthy' && last(up, true)) expected = 'healthy';
          else if (expected !== 'unhealthy' && last(down, false)) expected = 'unhealthy';
          assert.equal(streak.verdict.kind, expected);
        }
      },
    ),
  );
});

test('streak: success from initial counts once, and an initial target says what it waits for', () => {
  const begun = startStreak();
  assert.equal(begun.verdict.kind === 'initial' && begun.verdict.reason, 'Elb.RegistrationInProgress');
  const next = advanceStreak(begun, { kind: 'failure', verdict: failed as never }, settings);
  assert.equal(next.verdict.kind === 'initial' && next.verdict.reason, 'Elb.InitialHealthChecking');
});

test('probe: asks for the path with its host and name, and judges the status code', async (context) => {
  const seen: unknown[] = [];
  const target = await httpTarget(context, (request, response) => {
    seen.push([request.method, request.url, request.headers.host, request.headers['user-agent']]);
    response.statusCode = request.url === '/bad' ? 503 : 204;
    response.end();
  });
  assert.deepEqual(await ask(target), { kind: 'success' });
  assert.deepEqual(await ask(target, { path: '/bad' }), {
    kind: 'failure',
    verdict: {
      kind: 'unhealthy',
      reason: 'Target.ResponseCodeMismatch',
      description: 'Health checks failed with these codes: [503]',
    },
  });
  assert.deepEqual(seen[0], ['GET', '/health', `127.0.0.1:${target.port}`, 'ELB-HealthChecker/2.0']);
  assert.deepEqual(
    await ask({ ...target, port: 1 }, { port: String(target.port) }),
    { kind: 'success' },
    'a port of its own',
  );
});

test('probe: silence, endless heads and bodies, refusal, reset and rubbish each have their reason', async (context) => {
  const reason = async (outcome: Promise<ProbeOutcome>) => {
    const found = await outcome;
    return found.kind === 'failure' ? found.verdict.reason : found.kind;
  };
  const silent = await rawTarget(context, () => {});
  assert.equal(await reason(ask(silent)), 'Target.Timeout');
  const endlessHead = await rawTarget(context, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n');
    const drip = setInterval(() => socket.write('x-more: y\r\n'), 20);
    socket.on('close', () => clearInterval(drip));
  });
  assert.equal(await reason(ask(endlessHead)), 'Target.Timeout');
  const endlessBody = await rawTarget(context, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    const flood = setInterval(() => socket.write(Buffer.alloc(20_000)), 1);
    socket.on('close', () => clearInterval(flood));
  });
  assert.equal(await reason(ask(endlessBody)), 'success');
  const closed = await rawTarget(context, (socket) => socket.resetAndDestroy());
  assert.equal(await reason(ask(closed)), 'Target.FailedHealthChecks');
  const rubbish = await rawTarget(context, (socket) => socket.end('what?\r\n\r\n'));
  assert.equal(await reason(ask(rubbish)), 'Target.FailedHealthChecks');
  const short = await rawTarget(context, (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'));
  assert.equal(await reason(ask(short)), 'Target.FailedHealthChecks');
  assert.equal(await reason(ask({ address: '127.0.0.1', port: 1 })), 'Target.FailedHealthChecks');
  assert.equal(await reason(ask(silent, { path: '/with a space' })), 'Target.FailedHealthChecks');
});

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 2_000; tries += 1) {
    if (condition()) return;
    await sleep(5);
  }
  assert.fail(`never: ${what}`);
}

test('checker: a target becomes healthy, unhealthy after its threshold, healthy again after the other, and is dropped', async (context) => {
  let status = 200;
  let probes = 0;
  const target = await httpTarget(context, (_request, response) => {
    probes += 1;
    response.statusCode = status;
    response.end();
  });
  const verdicts: string[] = [];
  const checker = new Checker((_key, verdict) => verdicts.push(verdict.kind));
  context.after(() => checker.stop());
  checker.setTargets([{ key: 't', ...target, settings }]);
  await until(() => verdicts.at(-1) === 'healthy', 'healthy');
  assert.deepEqual(verdicts, ['initial', 'healthy']);
  status = 500;
  await until(() => verdicts.at(-1) === 'unhealthy', 'unhealthy');
  const failing = probes;
  status = 200;
  await until(() => verdicts.at(-1) === 'healthy', 'healthy again');
  assert(probes - failing >= settings.healthyThresholdCount);
  assert.deepEqual(verdicts, ['initial', 'healthy', 'unhealthy', 'healthy']);
  checker.setTargets([]);
  const after = probes;
  await sleep(settings.intervalSeconds * 5_000);
  assert(probes <= after + 1);
});

test('checker: what was known is kept over a restart and over changed settings, and changed settings hold at once', async (context) => {
  const verdicts: HealthVerdict[] = [];
  const paths: string[] = [];
  const target = await httpTarget(context, (request, response) => {
    paths.push(request.url!);
    response.end();
  });
  const checker = new Checker((_key, verdict) => verdicts.push(verdict));
  context.after(() => checker.stop());
  const slow = { ...settings, intervalSeconds: 3_600 };
  checker.setTargets([{ key: 't', ...target, settings: slow, known: healthy }]);
  await until(() => paths.length === 1, 'a first probe');
  await sleep(20);
  checker.setTargets([{ key: 't', ...target, settings: { ...slow, path: '/other' }, known: healthy }]);
  await until(() => paths.includes('/other'), 'a probe by the new settings');
  assert.deepEqual(verdicts, []);
  checker.setTargets([{ key: 't', ...target, settings: { ...slow, enabled: false } }]);
});

test('checker: two thousand targets are probed with a bounded number of connections', async (context) => {
  let open = 0;
  let openMax = 0;
  let probes = 0;
  const target = await httpTarget(context, (_request, response) => {
    open += 1;
    openMax = Math.max(openMax, open);
    probes += 1;
    setImmediate(() => {
      open -= 1;
      response.end();
    });
  });
  const checker = new Checker(() => {});
  context.after(() => checker.stop());
  checker.setTargets(
    Array.from({ length: 2_000 }, (_, index) => ({
      key: `t${index}`,
      ...target,
      settings: { ...settings, intervalSeconds: 3_600, timeoutSeconds: 60 },
    })),
  );
  await until(() => probes === 2_000, 'all are probed');
  assert(openMax <= 256, `${openMax}`);
});
