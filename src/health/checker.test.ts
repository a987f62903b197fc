import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import test, { type TestContext } from 'node:test';
import { systemClock } from '#io/clock.ts';
import { sleep } from '#io/timers.ts';
import type { HealthVerdict } from '#model/health.ts';
import { Checker, type Probed } from './checker.ts';
import { httpTarget, settings } from './test-target.ts';

const rarely = { ...settings, intervalSeconds: 3_600 };

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 4_000; tries += 1) {
    if (condition()) return;
    await sleep(5);
  }
  assert.fail(`never: ${what}`);
}

function checking(context: TestContext) {
  const verdicts: HealthVerdict[] = [];
  const probes: Probed[] = [];
  const checker = new Checker(
    (_key, verdict) => verdicts.push(verdict),
    (probed) => probes.push(probed),
    systemClock,
  );
  context.after(() => checker.stop());
  const isNow = (kind: string) => until(() => verdicts.at(-1)?.kind === kind, kind);
  const told = () => verdicts.map((verdict) => (verdict.kind === 'initial' ? verdict.reason : verdict.kind));
  return { checker, verdicts, probes, isNow, told };
}

test('checker: a target becomes healthy, unhealthy and healthy again by its thresholds', async (context) => {
  let status = 200;
  let probes = 0;
  const target = await httpTarget(context, (_request, response) => {
    probes += 1;
    response.statusCode = status;
    response.end();
  });
  const { checker, probes: finished, isNow, told } = checking(context);
  checker.setTargets([{ key: 't', ...target, settings }]);
  await isNow('healthy');
  status = 500;
  await isNow('unhealthy');
  assert.deepEqual([finished[0]!.outcome.statusCode, finished.at(-1)!.outcome.statusCode], [200, 500]);
  assert(finished[0]!.durationMs > 0 && finished[0]!.target.key === 't');
  const failing = probes;
  status = 200;
  await isNow('healthy');
  assert(probes - failing >= settings.healthyThresholdCount);
  assert.deepEqual(told(), [
    'Elb.RegistrationInProgress',
    'Elb.InitialHealthChecking',
    'healthy',
    'unhealthy',
    'healthy',
  ]);
});

test('checker: a target that does not answer yet says that it is being checked', async (context) => {
  const target = await httpTarget(context, () => {});
  const { checker, told } = checking(context);
  checker.setTargets([{ key: 't', ...target, settings: { ...rarely, timeoutSeconds: 3_600 } }]);
  await until(() => told().includes('Elb.InitialHealthChecking'), 'the first probe is under way');
  assert.deepEqual(told(), ['Elb.RegistrationInProgress', 'Elb.InitialHealthChecking']);
});

test('checker: a target that is taken out is left alone, also in the middle of a probe', async (context) => {
  const probes = { stays: 0, goes: 0 };
  const target = await httpTarget(context, (request, response) => {
    const isStaying = request.url === '/stays';
    probes[isStaying ? 'stays' : 'goes'] += 1;
    if (isStaying) response.end();
  });
  const { checker, told } = checking(context);
  const stays = { key: 'stays', ...target, settings: { ...settings, path: '/stays' } };
  const goes = { key: 'goes', ...target, settings: { ...settings, path: '/goes', timeoutSeconds: 3_600 } };
  checker.setTargets([stays, goes]);
  await until(() => probes.goes === 1, 'it is being probed');
  checker.setTargets([stays]);
  const before = probes.stays;
  await until(() => probes.stays >= before + 10, 'ten more rounds of the other');
  assert.equal(probes.goes, 1);
  assert(!told().includes('unhealthy'), 'a probe that was cut off is no verdict');
});

test('checker: a target whose health checks are disabled is not probed, and nothing is said of it', async (context) => {
  const paths: string[] = [];
  const target = await httpTarget(context, (request, response) => {
    paths.push(request.url!);
    response.end();
  });
  const { checker, told } = checking(context);
  checker.setTargets([
    { key: 'disabled', ...target, settings: { ...settings, enabled: false, path: '/disabled' } },
    { key: 'enabled', ...target, settings },
  ]);
  await until(() => paths.length >= 10, 'ten rounds of the other');
  assert(!paths.includes('/disabled'));
  assert.deepEqual(told(), ['Elb.RegistrationInProgress', 'Elb.InitialHealthChecking', 'healthy']);
});

test('checker: what was known is kept over a restart and over changed settings, which hold at once', async (context) => {
  const paths: string[] = [];
  const target = await httpTarget(context, (request, response) => {
    paths.push(request.url!);
    response.end();
  });
  const { checker, verdicts } = checking(context);
  const known = { kind: 'healthy' } as const;
  const asks = (path: string) => checker.setTargets([{ key: 't', ...target, settings: { ...rarely, path }, known }]);
  asks('/first');
  await until(() => paths.includes('/first'), 'a first probe');
  // Whether the first probe has been judged by now or is still under way.
  asks('/second');
  await until(() => paths.includes('/second'), 'a probe by the new settings');
  assert.deepEqual(verdicts, []);
});

test('checker: settings that change while a probe is under way make its outcome void', async (context) => {
  let fail = () => {};
  const target = await httpTarget(context, (request, response) => {
    if (request.url === '/new') {
      response.end();
      return;
    }
    fail = () => {
      response.statusCode = 500;
      response.end();
    };
  });
  const { checker, told, isNow } = checking(context);
  const patient = { ...rarely, timeoutSeconds: 3_600, unhealthyThresholdCount: 1 };
  checker.setTargets([{ key: 't', ...target, settings: { ...patient, path: '/old' } }]);
  const idle = fail;
  await until(() => fail !== idle, 'the old settings are being asked by');
  checker.setTargets([{ key: 't', ...target, settings: { ...patient, path: '/new' } }]);
  fail();
  await isNow('healthy');
  assert.deepEqual(told(), ['Elb.RegistrationInProgress', 'Elb.InitialHealthChecking', 'healthy']);
});

test('checker: of two thousand targets only so many are probed at once, and all in the end', async (context) => {
  const held: ServerResponse[] = [];
  let probes = 0;
  let isHolding = true;
  const target = await httpTarget(context, (_request, response) => {
    probes += 1;
    if (isHolding) held.push(response);
    else response.end();
  });
  const { checker } = checking(context);
  const patient = { ...rarely, timeoutSeconds: 3_600 };
  checker.setTargets(Array.from({ length: 2_000 }, (_, index) => ({ key: `t${index}`, ...target, settings: patient })));
  await until(() => held.length === 256, 'as many as may be');
  // Longer than first probes are spread over: more would have come by now.
  await sleep(200);
  assert.equal(held.length, 256);
  isHolding = false;
  for (const response of held) response.end();
  await until(() => probes === 2_000, 'all are probed');
});
