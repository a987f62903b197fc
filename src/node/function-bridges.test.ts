import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import test, { type TestContext } from 'node:test';
import { silentLog } from '#io/log.ts';
import { FunctionBridges } from './function-bridges.ts';
import { answerOf, eventOf } from './function-event.ts';

const targetGroupArn = 'arn:aws:elasticloadbalancing:eu-test-1:111111111111:targetgroup/functions/0123456789abcdef';

interface Asked {
  readonly event: Record<string, unknown>;
}
interface Told {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body: string;
}

/** An endpoint that invokes a function, and the bridge to it. */
async function bridgeTo(context: TestContext, invoke: (asked: Asked) => Told, hasMultiValues = false) {
  const endpoint = createServer(async (incoming, outgoing) => {
    const { status = 200, headers = {}, body } = invoke({ event: JSON.parse(await text(incoming)) });
    outgoing.writeHead(status, headers).end(body);
  });
  await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/2015-03-31/functions/hello/invocations`;
  const ready = Promise.withResolvers<string>();
  const bridges = new FunctionBridges(ready.resolve, silentLog);
  const target = { key: 'group/hello:0', url, targetGroupArn, hasMultiValues };
  bridges.set([target]);
  context.after(() => {
    bridges.close();
    endpoint.close();
  });
  assert.equal(await ready.promise, target.key);
  return { bridges, target, endpoint };
}

interface Wish {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string | Buffer;
}

function ask(port: number, { method = 'GET', path = '/', headers = {}, body = '' }: Wish = {}) {
  return new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: string }>((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, async (response) => {
      resolve({ status: response.statusCode!, headers: response.headers, body: await text(response) });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

test('functions: a request becomes the event, and what the function gives back the answer', async (context) => {
  const events: Record<string, unknown>[] = [];
  const { bridges, target } = await bridgeTo(context, ({ event }) => {
    events.push(event);
    const answer = { statusCode: 201, statusDescription: '201 Made', headers: { 'X-One': 'a' }, body: 'done' };
    return { body: JSON.stringify(answer) };
  });
  const port = bridges.port(target.key)!;
  const answer = await ask(port, {
    method: 'POST',
    path: '/a/b?x=1%202&y&x=2',
    headers: { 'Content-Type': 'application/json', 'X-Amzn-Trace-Id': 'Root=1' },
    body: '{"a":1}',
  });
  assert.deepEqual([answer.status, answer.body, answer.headers['x-one']], [201, 'done', 'a']);
  const { headers, ...event } = events[0]! as { headers: Record<string, string> };
  assert.deepEqual(event, {
    requestContext: { elb: { targetGroupArn } },
    httpMethod: 'POST',
    path: '/a/b',
    queryStringParameters: { x: '2', y: '' },
    body: '{"a":1}',
    isBase64Encoded: false,
  });
  assert.deepEqual(
    [headers['content-type'], headers['x-amzn-trace-id'], headers.connection],
    ['application/json', 'Root=1', undefined],
  );
});

test('functions: with multi-value headers every value arrives, and goes back', async (context) => {
  const events: Record<string, unknown>[] = [];
  const { bridges, target } = await bridgeTo(
    context,
    ({ event }) => {
      events.push(event);
      return {
        body: JSON.stringify({ statusCode: 200, multiValueHeaders: { 'Set-Cookie': ['a=1', 'b=2'] }, body: '' }),
      };
    },
    true,
  );
  const answer = await ask(bridges.port(target.key)!, { path: '/?k=1&k=2', headers: { accept: ['a', 'b'] } });
  assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2']);
  assert.deepEqual(events[0]!.multiValueQueryStringParameters, { k: ['1', '2'] });
  assert.equal(events[0]!.headers, undefined);
  assert.deepEqual((events[0]!.multiValueHeaders as Record<string, string[]>).accept, ['a', 'b']);
});

test('functions: what is no text travels in base64, both ways', async (context) => {
  const bytes = Buffer.from([0, 255, 128, 10]);
  const { bridges, target } = await bridgeTo(context, ({ event }) => {
    assert.deepEqual([event.isBase64Encoded, event.body], [true, bytes.toString('base64')]);
    return {
      body: JSON.stringify({ statusCode: 200, isBase64Encoded: true, body: Buffer.from('ok').toString('base64') }),
    };
  });
  const port = bridges.port(target.key)!;
  const headers = { 'content-type': 'image/png' };
  assert.equal((await ask(port, { method: 'POST', headers, body: bytes })).body, 'ok');
  const encoded = { 'content-type': 'text/plain', 'content-encoding': 'gzip' };
  assert.equal((await ask(port, { method: 'POST', headers: encoded, body: bytes })).body, 'ok');
});

test('functions: what is too large, fails or answers nothing readable is answered for it', async (context) => {
  const answers: [Told, error: string][] = [
    [{ body: 'no JSON' }, 'LambdaInvalidResponse'],
    [{ body: '[]' }, 'LambdaInvalidResponse'],
    [{ body: '{"statusCode":"x"}' }, 'LambdaInvalidResponse'],
    [{ body: '{"statusCode":199}' }, 'LambdaInvalidResponse'],
    [{ body: '{"statusCode":200,"body":1}' }, 'LambdaInvalidResponse'],
    [{ body: '{"statusCode":200,"headers":{"a b":"c"}}' }, 'LambdaInvalidResponse'],
    [{ body: '{"statusCode":200,"headers":{"a":"b\\r\\nc: d"}}' }, 'LambdaInvalidResponse'],
    [{ body: '{"statusCode":200}', headers: { 'x-amz-function-error': 'Unhandled' } }, 'LambdaUnhandled'],
    [{ body: '{"statusCode":200}', status: 500 }, 'LambdaServiceException'],
    [{ body: '', status: 429 }, 'LambdaThrottling'],
    [{ body: JSON.stringify({ statusCode: 200, body: 'a'.repeat(1024 * 1024) }) }, 'LambdaResponseTooLarge'],
  ];
  const told = answers.values();
  const { bridges, target, endpoint } = await bridgeTo(context, () => told.next().value![0]);
  const port = bridges.port(target.key)!;
  const failed = async (wish: Wish = {}) => {
    const { status, headers, body } = await ask(port, wish);
    assert.match(body, new RegExp(`<h1>${status} `));
    return [status, headers['x-ballast-function-error']];
  };
  for (const [{ body }, error] of answers) assert.deepEqual(await failed(), [502, error], body.slice(0, 60));
  const large = { method: 'POST', body: Buffer.alloc(1024 * 1024 + 1) };
  assert.deepEqual(await failed(large), [413, 'LambdaRequestTooLarge']);
  endpoint.close();
  endpoint.closeAllConnections();
  assert.deepEqual(await failed(), [502, 'LambdaUnhandledException']);
});

test('functions: a bridge goes with its target, and one that stays keeps its port', async (context) => {
  const { bridges, target } = await bridgeTo(context, () => ({ body: '{"statusCode":200,"body":"old"}' }));
  const port = bridges.port(target.key)!;
  bridges.set([{ ...target, hasMultiValues: true }]);
  assert.equal(bridges.port(target.key), port);
  assert.equal((await ask(port)).status, 200);
  bridges.set([]);
  assert.equal(bridges.port(target.key), undefined);
  await assert.rejects(ask(port), { code: 'ECONNREFUSED' });
});

test('functions: names that mean something in JavaScript are names like any other', () => {
  const place = { targetGroupArn, hasMultiValues: true };
  const event = JSON.parse(eventOf(place, { url: '/?__proto__=1&constructor=2', rawHeaders: [] }, Buffer.alloc(0)));
  assert.deepEqual(Object.keys(event.multiValueQueryStringParameters), ['__proto__', 'constructor']);
  const answer = answerOf(
    Buffer.from(
      '{"statusCode":200,"headers":{"Content-Length":"99","Transfer-Encoding":"chunked","X-Ballast-Function-Error":"x"}}',
    ),
  );
  assert(typeof answer !== 'string');
  assert.deepEqual(answer.headers, { 'content-length': '0' });
});

test('functions: what fails is counted by who is to blame, with the bytes that came and went', async (context) => {
  let told: Told = { body: '' };
  const { bridges, target, endpoint } = await bridgeTo(context, () => told);
  const port = bridges.port(target.key)!;
  const counts = () => {
    const [{ targetGroupId, userErrors, internalErrors }] = bridges.stats() as [ReturnType<typeof bridges.stats>[0]];
    return [targetGroupId, userErrors, internalErrors];
  };
  const fine = { statusCode: 200, body: 'x'.repeat(1_000) };
  told = { body: JSON.stringify(fine) };
  assert.equal((await ask(port)).status, 200);
  assert.deepEqual(counts(), ['group', 0, 0]);
  assert(bridges.stats()[0]!.bytes > 1_100);
  let users = 0;
  const wrong: Told[] = [
    { body: 'no JSON' },
    { body: '{}' },
    { body: JSON.stringify(fine), headers: { 'x-amz-function-error': 'Unhandled' } },
    { body: 'denied', status: 403 },
    { body: JSON.stringify({ statusCode: 200, headers: { 'bad name': 'x' } }) },
    { body: 'x'.repeat(1_100_000) },
  ];
  for (told of wrong) {
    assert.equal((await ask(port)).status, 502);
    users += 1;
    assert.deepEqual(counts(), ['group', users, 0], JSON.stringify(told).slice(0, 80));
  }
  told = { body: '', status: 500 };
  await ask(port);
  assert.deepEqual(counts(), ['group', users, 1]);
  assert.equal((await ask(port, { method: 'POST', body: 'x'.repeat(1_100_000) })).status, 413);
  assert.deepEqual(counts(), ['group', users + 1, 1]);
  endpoint.closeAllConnections();
  endpoint.close();
  assert.equal((await ask(port)).status, 502);
  assert.deepEqual(counts(), ['group', users + 1, 2]);
  bridges.set([]);
  assert.deepEqual(bridges.stats(), []);
});
