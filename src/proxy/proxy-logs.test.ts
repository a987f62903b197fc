import assert from 'node:assert/strict';
import net from 'node:net';
import test from 'node:test';
import { type LogEntry, logging } from './test-logs.ts';
import { closedPort, exchange, forwardTo, RawClient, startRawTarget, startTarget, table, until } from './test-proxy.ts';

const close = 'Connection: close\r\n';

test('access log: a forwarded request has every field of an Application Load Balancer in its place', async (context) => {
  const target = await startTarget(context, (request, response) => {
    request.resume();
    request.on('end', () => response.writeHead(201, { 'x-trace': request.headers['x-amzn-trace-id'] }).end('made'));
  });
  const { port, entries, connections } = await logging(context, { targets: [target] });
  const text = `POST /items?a=b HTTP/1.1\r\nHost: web.test\r\nUser-Agent: tool/1.0 (x)\r\n${close}Content-Length: 5\r\n\r\nhello`;
  const answer = await exchange(context, port, text);
  const [entry] = (await entries(1)) as [LogEntry];
  const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
  assert.match(entry.time, moment);
  assert.match(entry.created, moment);
  assert.match(entry.client, /^127\.0\.0\.1:\d+$/);
  for (const time of [entry.requestTime, entry.targetTime, entry.responseTime]) assert.match(time, /^\d+\.\d{3}$/);
  assert.equal(entry.trace, /x-trace: (.*)\r\n/.exec(answer)![1]);
  assert.match(entry.connection, /^TID_[0-9a-f]{32}$/);
  const { time, created, client, requestTime, targetTime, responseTime, trace, connection, ...rest } = entry;
  assert.deepEqual(rest, {
    type: 'http',
    elb: 'app/web/balancer',
    target: `127.0.0.1:${target}`,
    status: '201',
    targetStatus: '201',
    received: String(text.length),
    sent: String(answer.length),
    request: 'POST http://web.test:0/items?a=b HTTP/1.1',
    userAgent: 'tool/1.0 (x)',
    cipher: '-',
    protocol: '-',
    group: 'arn:aws:elasticloadbalancing:eu-test-1:123456789012:targetgroup/group/group',
    domain: '-',
    certificate: '-',
    priority: '0',
    actions: 'forward',
    redirect: '-',
    error: '-',
    targets: `127.0.0.1:${target}`,
    statuses: '201',
    classification: '-',
    reason: '-',
    host: '-',
    uri: '-',
    transform: '-',
    address: '127.0.0.1',
  });
  const [opened] = await connections();
  assert.equal(
    opened!.replace(/^\S+ /, ''),
    `${client.replace(':', ' ')} 0 - - - - - - - ${connection} - app/web/balancer 127.0.0.1`,
  );
});

test('access log: what a client sends stays in its field, whatever it is', async (context) => {
  const target = await startTarget(context, (_request, response) => response.end());
  const { port, entries } = await logging(context, { targets: [target] });
  await exchange(context, port, `GET /"\\%22 HTTP/1.1\r\nHost: a\r\nUser-Agent: x" 200 "\xff\ty\r\n${close}\r\n`);
  const [entry] = (await entries(1)) as [LogEntry];
  assert.equal(entry.request, 'GET http://a:0/\\x22\\x5c%22 HTTP/1.1');
  assert.equal(entry.userAgent, 'x\\x22 200 \\x22\\xff\\x09y');
  assert.deepEqual([entry.classification, entry.reason], ['Acceptable', 'NonCompliantHeader']);
});

test('access log: answers of the load balancer itself name the rule, the action and no target', async (context) => {
  const rule = (id: string, priority: number, path: string) => ({
    id,
    priority,
    transforms: [],
    conditions: [{ field: 'path-pattern' as const, values: [path], regexes: [] }],
  });
  const { port, entries } = await logging(context, {
    rules: [
      {
        ...rule('a', 7, '/old'),
        action: {
          kind: 'redirect',
          protocol: 'HTTPS',
          host: '#{host}',
          port: '443',
          path: '/new',
          query: '',
          statusCode: 301,
        },
      },
      {
        ...rule('b', 9, '/fixed'),
        action: { kind: 'fixed-response', statusCode: 404, contentType: 'text/plain', body: 'no' },
      },
    ],
  });
  for (const path of ['/old', '/fixed', '/rest']) {
    await exchange(context, port, `GET ${path} HTTP/1.1\r\nHost: web.test\r\n${close}\r\n`);
  }
  const shown = (await entries(3)).map((each) =>
    [
      each.priority,
      each.actions,
      each.redirect,
      each.status,
      each.targetStatus,
      each.target,
      each.targetTime,
      each.userAgent,
    ].join(' '),
  );
  assert.deepEqual(shown, [
    '7 redirect https://web.test:443/new 301 - - -1 -',
    '9 fixed-response - 404 - - -1 -',
    '0 forward - 503 - - -1 -',
  ]);
  assert.match((await entries(3))[1]!.trace, /^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$/);
});

test('access log: transforms are told with what they made of the request', async (context) => {
  const target = await startTarget(context, (_request, response) => response.end());
  const transforms = [
    { kind: 'url-rewrite' as const, regex: '^/a/', replacement: '/b/' },
    { kind: 'host-header-rewrite' as const, regex: '^web', replacement: 'app' },
  ];
  const { port, entries } = await logging(context, {
    targets: [target],
    rules: [{ id: 'r', priority: 1, conditions: [], action: forwardTo(0), transforms }],
  });
  await exchange(context, port, `GET /a/x HTTP/1.1\r\nHost: web.test\r\n${close}\r\n`);
  const [{ host, uri, transform, request }] = (await entries(1)) as [LogEntry];
  assert.deepEqual(
    [host, uri, transform, request],
    ['app.test', '/b/x', 'TransformSuccess', 'GET http://web.test:0/a/x HTTP/1.1'],
  );
});

test('access log: what is no request, is refused, or finds no target is there as well', async (context) => {
  const target = await startTarget(context, (_request, response) => response.end());
  const { port, swap, entries } = await logging(context, { targets: [await closedPort()] });
  await exchange(context, port, 'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n');
  await exchange(context, port, `GET / HTTP/1.1\r\nHost: a\r\n${close}\r\n`);
  const logs = { region: 'eu-test-1', access: 'access' };
  await swap({ logs, targets: [target] });
  await exchange(context, port, 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n');
  const shown = (await entries(3)).map(({ request, status, actions, classification, reason }) =>
    [request, status, actions, classification, reason].join('; '),
  );
  assert.deepEqual(shown, [
    '- http://127.0.0.1:0- -; 400; -; Severe; BadContentLength',
    'GET http://a:0/ HTTP/1.1; 502; forward; -; -',
    'POST http://a:0/ HTTP/1.1; 400; forward; -; -',
  ]);
});

test('access log: a client that does not wait for its answer is noted with 460', async (context) => {
  let asked = 0;
  const target = await startTarget(context, () => {
    asked += 1;
  });
  const { port, entries } = await logging(context, { targets: [target] });
  const client = new RawClient(context, port);
  client.send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
  await until(() => asked === 1, 'the target has the request');
  // A regular end would only say that nothing more is sent: such a client still gets its answer.
  client.socket.resetAndDestroy();
  const [entry] = (await entries(1)) as [LogEntry];
  assert.deepEqual([entry.status, entry.targetStatus, entry.sent, entry.targetTime], ['460', '-', '0', '-1']);
});

test('access log: a WebSocket has one entry, when it ends, with all that went through it', async (context) => {
  const target = await startRawTarget(context, (socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      socket.on('data', (bytes) => socket.write(bytes));
      socket.on('end', () => socket.end());
    });
  });
  const { port, entries } = await logging(context, { targets: [target] });
  const socket = net.connect({ host: '127.0.0.1', port });
  context.after(() => socket.destroy());
  let received = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    received += text;
  });
  const head = 'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
  socket.write(head);
  await until(() => received.endsWith('\r\n\r\n'), 'the tunnel is open');
  socket.write('ping');
  await until(() => received.endsWith('ping'), 'it carries');
  socket.end();
  const [entry] = (await entries(1)) as [LogEntry];
  assert.deepEqual(
    [entry.type, entry.status, entry.received, entry.sent],
    ['ws', '101', String(head.length + 4), String(received.length)],
  );
});

test('access log: each request of a kept connection has its entry, and a listener whose logs are turned off has none', async (context) => {
  const target = await startTarget(context, (_request, response) => response.end('ok'));
  const { port, swap, entries, connections } = await logging(context, { targets: [target] });
  const client = new RawClient(context, port);
  const ask = async (path: string) => {
    client.received = '';
    client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await client.toHave('ok');
  };
  await ask('/1');
  await ask('/2');
  const [first, second] = (await entries(2)) as [LogEntry, LogEntry];
  assert.equal(first.connection, second.connection);
  assert.equal((await connections()).length, 1);
  await swap({ targets: [target] });
  await ask('/3');
  assert.equal((await entries(2)).length, 2);
});

test('access log: where a function gave no answer the load balancer did, for the reason that is there', async (context) => {
  const target = await startTarget(context, (incoming, outgoing) => {
    if (incoming.url === '/fine') return void outgoing.end('fine');
    return void outgoing.writeHead(413, { 'x-ballast-function-error': 'LambdaRequestTooLarge' }).end('large');
  });
  const logs = { region: 'eu-test-1', access: 'access' };
  const parts = { logs, targets: [target] };
  const { port, proxy, entries, balancer } = await logging(context, parts);
  const plain = table(parts);
  await proxy.apply({ ...plain, groups: plain.groups.map((group) => ({ ...group, isOfFunctions: true as const })) });
  const ask = (path: string) => exchange(context, port, `GET ${path} HTTP/1.1\r\nHost: a\r\n${close}\r\n`);
  const answer = await ask('/large');
  assert.match(answer, /^HTTP\/1\.1 413 [\s\S]*large/);
  assert.doesNotMatch(answer, /ballast-function-error/i);
  assert.match(await ask('/fine'), /^HTTP\/1\.1 200 /);
  const shown = (await entries(2)).map((each) => [each.status, each.targetStatus, each.error, each.target].join(' '));
  assert.deepEqual(shown, ['413 - LambdaRequestTooLarge -', '200 200 - -']);
  assert.deepEqual(balancer().elbResponses, { 413: 1 });
  assert.equal(balancer().targetGroups[0]!.responses['4xx'], 0);
});
