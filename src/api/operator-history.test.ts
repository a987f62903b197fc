import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { accept, refuse } from '#base/result.ts';
import { testSettings } from '#control/elbv2/test-region.ts';
import { Principals } from '#control/principals.ts';
import { Retention } from '#control/retention.ts';
import { Looking } from '#control/time-travel/looking.ts';
import { JournalRegion } from '#control/time-travel/test-journal-region.ts';
import { systemClock } from '#io/clock.ts';
import { systemRandom } from '#io/random.ts';
import { put } from '#model/change.ts';
import type { Status } from '#model/status.ts';
import { startOperatorServer } from './operator.ts';
import { historyRoutes } from './operator-history.ts';
import type { Route } from './routes.ts';

const operatorKey = 'the operator';

interface Said {
  readonly status: number;
  readonly lines: readonly Record<string, unknown>[];
  readonly headers: Headers;
}

async function start(context: TestContext, others: readonly Route[] = [], region = new JournalRegion(context)) {
  const logged: string[] = [];
  const log = { info: () => {}, warn: () => {}, error: (sentence: string) => void logged.push(sentence) };
  const looking = new Looking(region.journal, testSettings);
  let rekeyed = 0;
  const rekey = async () => {
    rekeyed += 1;
    return rekeyed > 1 ? refuse('the key file cannot be written') : accept({ keyId: 'k2', resealed: 1, revision: 9 });
  };
  const { travel } = region;
  const retention = new Retention({ ...travel, vault: join(region.folder, 'vault') });
  const sealer = { seal: (text: string) => `sealed:${text.length}`, unseal: () => '' };
  const principals = new Principals({ journal: region.journal, sealer, random: systemRandom, nowMs: travel.nowMs });
  const server = await startOperatorServer({
    host: '127.0.0.1',
    port: 0,
    operatorKey,
    clock: systemClock,
    log,
    identify: () => accept('operator'),
    status: () => ({}) as Status,
    routes: [...historyRoutes({ looking, travel, rekey, retention, principals, isProduction: false }), ...others],
    metrics: async () => '',
    upgradeLink: () => {},
  });
  context.after(() => server.close());
  const ask = async (path: string, { body, method, key = operatorKey }: Asked = {}): Promise<Said> => {
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: { authorization: `Bearer ${key}` },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    const lines = text.split('\n').filter((line) => line !== '');
    return { status: answer.status, headers: answer.headers, lines: lines.map((line) => JSON.parse(line)) };
  };
  return { region, server, ask, logged };
}

interface Asked {
  readonly body?: object | string;
  readonly method?: string;
  readonly key?: string;
}

test('operator API: the past is told in lines of JSON', async (context) => {
  const { region, ask } = await start(context);
  const arn = await region.loadBalancer('web');
  await region.call('AddTags', { ResourceArns: [arn], Tags: [{ Key: 'team', Value: 'video' }] });
  const log = await ask('/v1/log?kind=load-balancer&since=1&limit=5');
  assert.equal(log.headers.get('content-type'), 'application/x-ndjson');
  assert.deepEqual(
    log.lines.map(({ type, revision, time }) => [type, revision, time]),
    [
      ['transaction', 2, '1970-01-01T00:16:40.000Z'],
      ['transaction', 1, '1970-01-01T00:16:40.000Z'],
    ],
  );
  const types = async (path: string) => (await ask(path)).lines.map(({ type }) => type);
  assert.deepEqual(await types('/v1/transactions/2'), ['transaction', 'change']);
  assert.deepEqual(await types(`/v1/diff?from=1&resource=${arn}`), ['diff', 'change']);
  assert.deepEqual(await types('/v1/diff?from=1&to=1970-01-01T00:16:40Z'), ['diff', 'change']);
  assert.equal((await types(`/v1/blame?resource=${encodeURIComponent(arn)}`))[0], 'blame');
  const described = await ask(`/v1/describe?resource=${arn}&at=1`);
  assert.equal(described.headers.get('content-type'), 'application/json');
  assert(Array.isArray(described.lines[0]!.LoadBalancers));
});

test('operator API: the way back is planned, and gone', async (context) => {
  const { region, ask } = await start(context);
  const arn = await region.loadBalancer('web');
  await region.call('DeleteLoadBalancer', { LoadBalancerArn: arn });
  const plan = await ask('/v1/undelete', { body: { resource: arn, dryRun: true } });
  assert.deepEqual(
    plan.lines.map(({ type, done }) => [type, done]),
    [
      ['change', undefined],
      ['plan', false],
    ],
  );
  const done = await ask('/v1/revert', { body: { from: 2, to: 2, reason: 'it was the wrong one', keep: 'base' } });
  assert.deepEqual(
    done.lines.map(({ type, revision }) => [type, revision]),
    [['plan', 3]],
  );
  const restored = await ask('/v1/restore', { body: { at: '2', account: '111111111111' } });
  assert.equal(restored.lines[0]!.revision, 4);
  assert.equal(region.view.count('load-balancer'), 0);
  assert.deepEqual((await ask('/v1/rekey', { body: {} })).lines, [{ keyId: 'k2', resealed: 1, revision: 9 }]);
  const refusedRekey = await ask('/v1/rekey', { body: {} });
  assert.deepEqual([refusedRekey.status, refusedRekey.lines[0]!.error], [409, 'the key file cannot be written']);
});

test('operator API: what is asked wrongly is refused in one sentence, and changes nothing', async (context) => {
  const { region, ask, logged } = await start(context);
  const arn = await region.loadBalancer('web');
  const refusals: [path: string, body: object | string | undefined, status: number, error: RegExp][] = [
    [
      '/v1/log?colour=red',
      undefined,
      400,
      /^there is no 'colour'; allowed: resource, principal, since, until, kind, limit$/,
    ],
    ['/v1/log?limit=0', undefined, 400, /^limit: found "0"; allowed: a whole number from 1 on$/],
    ['/v1/log?limit=1&limit=2', undefined, 400, /^limit: found \["1","2"\]; allowed/],
    ['/v1/log?since=soon', undefined, 400, /^since: found "soon"; allowed: a revision \(42\), a time/],
    ['/v1/log?kind=cat', undefined, 400, /^kind: found "cat"; allowed: principal, access-key, node, certificate, /],
    ['/v1/log?until=9', undefined, 404, /^there is no revision 9: the last is 1$/],
    ['/v1/log?__proto__=x', undefined, 400, /^there is no '__proto__'/],
    ['/v1/transactions/9', undefined, 404, /^there is no revision 9/],
    ['/v1/transactions/-1', undefined, 404, /^there is no \/v1\/transactions\/-1; there is \/v1\/log/],
    ['/v1/diff', undefined, 400, /^from is missing$/],
    ['/v1/blame?resource=web', undefined, 400, /^'web' is not the ARN/],
    [`/v1/describe?resource=${arn}&at=1&at=2`, undefined, 400, /^at: found \["1","2"\]; allowed: a revision/],
    ['/v1/revert', {}, 400, /^from is missing$/],
    ['/v1/revert', { from: 1 }, 400, /^to is missing$/],
    ['/v1/revert', { from: 1.5, to: 2 }, 400, /^from: found 1.5; allowed: a whole number from 0 on$/],
    ['/v1/revert', { from: 2, to: 1 }, 400, /^the range 2\.\.1 ends before it begins$/],
    ['/v1/revert', { from: 7, to: 7 }, 404, /^there is no revision 7/],
    ['/v1/revert', { from: 1, to: 1, keep: 'mine' }, 400, /^keep: found "mine"; allowed: ours, theirs, base$/],
    [
      '/v1/revert',
      { from: 1, to: 1, keepByKey: { 'rule/1': 'mine' } },
      400,
      /^keepByKey: found .*; allowed: an object/,
    ],
    ['/v1/revert', { from: 1, to: 1, only: [] }, 400, /^only: found \[\]; allowed: 1 to 1000 texts$/],
    ['/v1/revert', { from: 1, to: 1, dryRun: 'yes' }, 400, /^dryRun: found "yes"; allowed: true or false$/],
    [
      '/v1/revert',
      { from: 1, to: 1, reason: 'x'.repeat(1_001) },
      400,
      /^reason: found .{0,210}; allowed: a text of 1 to/,
    ],
    ['/v1/restore', { at: 1 }, 400, /^at: found 1; allowed: a revision/],
    ['/v1/restore', { at: '1', account: '1', only: [arn] }, 400, /^only and account cannot both be given$/],
    ['/v1/undelete', { resource: arn }, 409, /is there: nothing to undelete$/],
    ['/v1/undelete', '{"resource":', 400, /^the body must be one JSON object$/],
    ['/v1/undelete', '[]', 400, /^the body must be one JSON object$/],
    ['/v1/undelete', ' '.repeat(1024 * 1024 + 1), 400, /^the body has 1048577 bytes; at most 1048576 are allowed$/],
    ['/v1/nothing', undefined, 404, /^there is no \/v1\/nothing; there is \/v1\/log, /],
  ];
  for (const [path, body, status, error] of refusals) {
    const answer = await ask(path, body === undefined ? {} : { body });
    const said = String(answer.lines[0]!.error);
    assert.match(said, error, path);
    assert.equal(answer.status, status, said);
  }
  const wrongMethod = await ask('/v1/revert', { method: 'GET' });
  assert.deepEqual([wrongMethod.status, wrongMethod.headers.get('allow')], [405, 'POST']);
  assert.equal((await ask('/v1/log', { method: 'DELETE' })).status, 405);
  assert.equal((await ask('/v1/status', { method: 'POST' })).status, 405);
  assert.equal((await ask('/v1/log', { key: 'guessed' })).status, 401);
  assert.equal((await ask('/v1/nothing', { key: 'guessed' })).status, 401, 'strangers learn no names');
  assert.equal(region.revision, 1);
  assert.deepEqual(logged, []);
});

test('operator API: a stream that its client leaves ends, and so many at once are answered', async (context) => {
  let made = 0;
  let ended = 0;
  function* endless() {
    try {
      for (;;) yield { line: made++ };
    } finally {
      ended += 1;
    }
  }
  const endlessRoute: Route = {
    method: 'GET',
    path: '/v1/endless',
    answer: async () => accept({ lines: endless() }),
  };
  const { server, ask } = await start(context, [endlessRoute]);
  const clients = Array.from({ length: 8 }, () => {
    const socket = connect(server.port, '127.0.0.1');
    socket.write(`GET /v1/endless HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${operatorKey}\r\n\r\n`);
    return socket;
  });
  await Promise.all(clients.map((socket) => new Promise((resolve) => socket.once('readable', resolve))));
  // Nobody reads any more: what is made stops growing.
  let before = -1;
  while (before !== made) {
    before = made;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const full = await ask('/v1/log');
  assert.deepEqual([full.status, full.lines[0]!.error], [503, '8 answers are under way already: try again']);
  assert.equal((await fetch(`http://127.0.0.1:${server.port}/healthz`)).status, 200);
  for (const socket of clients) socket.destroy();
  while (ended < 8) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal((await ask('/v1/log')).status, 200);
});

test('operator API: a stream that fails in the middle says so in its last line', async (context) => {
  function* failing() {
    yield { line: 1 };
    throw new Error('disk I/O error');
  }
  const route: Route = { method: 'GET', path: '/v1/failing', answer: async () => accept({ lines: failing() }) };
  const { ask, logged } = await start(context, [route]);
  const { status, lines } = await ask('/v1/failing');
  assert.deepEqual(
    [status, lines],
    [200, [{ line: 1 }, { type: 'error', error: 'reading failed; the log of the control plane says why' }]],
  );
  assert.match(logged[0]!, /disk I\/O error/);
});

test('operator API: a hundred thousand lines come whole', async (context) => {
  const { region, ask } = await start(context);
  await region.step((view) =>
    Array.from({ length: 100_000 }, (_, index) => put(view, 'node', `node-${index}`, { zone: 'a', prefix: 'p' })),
  );
  const { lines } = await ask('/v1/transactions/1');
  assert.equal(lines.length, 100_001);
  assert.equal(lines.at(-1)!.id, 'node-99999');
});
