import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { RequestListener, ServerResponse } from 'node:http';
import test, { type TestContext } from 'node:test';
import { askOperator, type OperatorRequest, streamFromOperator } from './operator-client.ts';
import { operatorEndpointOf, operatorKey, startOperator } from './test-command.ts';

async function found(t: TestContext, answer: RequestListener) {
  const operatorEndpoint = operatorEndpointOf(await startOperator(t, answer));
  return { operatorEndpoint, operatorKey, notRunning: 'nothing runs', findWords: [] };
}

interface Numbered {
  readonly n: number;
}

/** What came until the end, and how it ended. */
async function collect(t: TestContext, answer: RequestListener, request: OperatorRequest = { path: '/v1/log' }) {
  const lines: unknown[] = [];
  const result = await streamFromOperator(await found(t, answer), request, {
    read: (value) => (typeof (value as Numbered).n === 'number' ? (value as Numbered) : undefined),
    take: async (some) => {
      lines.push(...some.map(({ line }) => line));
      return true;
    },
  });
  return { lines, fault: result.ok ? undefined : result.fault };
}

test('operator client: a stream comes line by line, wherever its bytes were parted', async (t) => {
  const text = '{"n":1,"text":"Größe 🙂"}\n{"n":2}\n';
  const bytes = Buffer.from(text);
  let split = 0;
  const answer: RequestListener = async (_, response) => {
    response.write(bytes.subarray(0, split));
    await new Promise((resolve) => setImmediate(resolve));
    response.end(bytes.subarray(split));
  };
  const operator = await found(t, answer);
  for (split = 1; split < bytes.length; split += 1) {
    const texts: string[] = [];
    const result = await streamFromOperator(
      operator,
      { path: '/v1/log' },
      {
        read: (value) => value,
        take: async (some) => {
          texts.push(...some.map((each) => each.text));
          return true;
        },
      },
    );
    assert.equal(result.ok, true);
    assert.deepEqual(texts, text.trimEnd().split('\n'));
  }
});

test('operator client: what is asked is sent as it is meant, with the key', async (t) => {
  let seen: unknown;
  const answer: RequestListener = (request, response) => {
    seen = { method: request.method, url: request.url, key: request.headers.authorization };
    response.end('{}');
  };
  const operator = await found(t, answer);
  await askOperator(operator, {
    path: '/v1/describe',
    query: [
      ['resource', 'a&b=c d'],
      ['at', '2h'],
    ],
  });
  assert.deepEqual(seen, {
    method: 'GET',
    url: '/v1/describe?resource=a%26b%3Dc+d&at=2h',
    key: `Bearer ${operatorKey}`,
  });
});

test('operator client: texts in lines are printable', async (t) => {
  const { lines } = await collect(t, (_, response) => response.end('{"n":1,"text":"\\u001b[2J\u009b"}\n'));
  assert.deepEqual(lines, [{ n: 1, text: '\\u001b[2J\\u009b' }]);
});

test('operator client: whoever has had enough ends the stream', async (t) => {
  let streaming: ServerResponse | undefined;
  const operator = await found(t, (_, response) => {
    streaming = response;
    response.write('{"n":1}\n');
  });
  const result = await streamFromOperator(
    operator,
    { path: '/v1/log' },
    {
      read: (value) => value,
      take: async () => false,
    },
  );
  assert.equal(result.ok, true);
  if (!streaming!.destroyed) await once(streaming!, 'close');
});

const good = '{"n":1}\n';
const brokenStreams: [string, RequestListener, RegExp][] = [
  ['is cut', (_, response) => response.write(good, () => response.destroy()), /broke off before its end$/],
  ['ends inside a line', (_, response) => response.end(`${good}{"n":`), /broke off in the middle of a line$/],
  [
    'says that it failed',
    (_, response) => response.end(`${good}{"type":"error","error":"the disk\\u001b"}\n`),
    /^the disk\\u001b$/,
  ],
  ['fails without a word', (_, response) => response.end(`${good}{"type":"error"}\n`), /failed in the middle/],
  ['is no JSON', (_, response) => response.end(`${good}<html>\n`), /a line that this version does not know$/],
  ['has an empty line', (_, response) => response.end(`${good}\n`), /a line that this version does not know$/],
  ['has another shape', (_, response) => response.end(`${good}{"m":1}\n`), /a line that this version does not know$/],
  [
    'never ends a line',
    (_, response) => {
      response.write(good);
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(100_000)));
      };
      response.on('drain', more);
      more();
    },
    /a line that never ends$/,
  ],
];
for (const [what, answer, message] of brokenStreams) {
  test(`operator client: of a stream that ${what} the good lines count, and it is said`, async (t) => {
    const { lines, fault } = await collect(t, answer);
    assert.deepEqual(lines, [{ n: 1 }]);
    assert.equal(fault?.kind, 'failed');
    assert.match(fault.message, message);
    assert(!fault.message.includes('\x1b'));
  });
}

test('operator client: a refusal is told in the words of the operator API', async (t) => {
  const refusals: [number, 'usage' | 'failed', RegExp][] = [
    [400, 'usage', /^since: found 'x'\\u001b$/],
    [404, 'failed', /^since: found 'x'\\u001b$/],
    [409, 'failed', /^since: found 'x'\\u001b$/],
    [503, 'failed', /\/v1\/log answered with status 503: since/],
    [401, 'failed', /refuses the operator key$/],
  ];
  for (const [status, kind, message] of refusals) {
    const body = JSON.stringify({ error: "since: found 'x'\x1b" });
    const { fault } = await collect(t, (_, response) => response.writeHead(status).end(body));
    assert.equal(fault?.kind, kind);
    assert.match(fault.message, message);
  }
  const { fault } = await collect(t, (_, response) => response.writeHead(404).end('<html>'));
  assert.match(fault!.message, /answered with status 404$/);
});

test('operator client: what was sent and not answered may have been done, and that is said', async (t) => {
  const cut: RequestListener = (request) => {
    request.on('end', () => request.socket.destroy()).resume();
  };
  const posted = await collect(t, cut, { path: '/v1/revert', body: { from: 1 } });
  assert.match(posted.fault!.message, /whether it was done, 'ballast log' says$/);
  const read = await collect(t, cut);
  assert.match(read.fault!.message, /cannot be reached/);
  assert.doesNotMatch(read.fault!.message, /whether/);
});

test('operator client: an answer that is too long or too deep is refused', async (t) => {
  const tooLong = await found(t, (_, response) => {
    const more = () => {
      while (!response.destroyed && response.write(' '.repeat(1_000_000)));
    };
    response.on('drain', more);
    more();
  });
  const long = await askOperator(tooLong, { path: '/v1/describe' });
  assert.match(long.ok ? '' : long.fault.message, /more than can be read$/);
  const tooDeep = await found(t, (_, response) => response.end(`${'['.repeat(100_000)}${']'.repeat(100_000)}`));
  const deep = await askOperator(tooDeep, { path: '/v1/describe' });
  assert.match(deep.ok ? '' : deep.fault.message, /does not answer like the operator API/);
});
