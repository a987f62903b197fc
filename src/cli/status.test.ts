import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import test from 'node:test';
import { paths } from '#daemon/paths.ts';
import type { Status } from '#model/status.ts';
import { status } from './status.ts';
import { makeDataFolder, makeFolder, operatorKey, runCommand, startOperator } from './test-command.ts';

const well: Status = {
  version: '0.1.0',
  environment: 'staging',
  region: 'us-east-1',
  account: '000000000000',
  revision: 12,
  apiEndpoint: 'http://127.0.0.1:8400',
  operatorEndpoint: 'http://127.0.0.1:8401',
  dnsServer: '127.0.0.1:5380',
  uptimeSeconds: 90_061,
  processes: [{ name: 'control-plane', pid: 101, state: 'running', restarts: 0, uptimeSeconds: 61 }],
  nodes: [
    {
      id: 'node-1',
      zone: 'us-east-1a',
      prefix: '127.80.0.0/15',
      connected: true,
      revision: 12,
      lag: 0,
      diverged: false,
      held: 0,
      loadBalancers: 2,
    },
  ],
  openIncidents: [],
  counts: { loadBalancers: 2, listeners: 3, targetGroups: 4, targets: 5 },
};

test('status: shows what runs and ends with 0 when all is well', async (t) => {
  const data = await startOperator(t, answerWith(well));
  const { code, output, errors } = await run(['--data', data]);
  assert.deepEqual({ code, errors }, { code: 0, errors: '' });
  assert.match(output, /^Ballast 0\.1\.0, environment staging$/m);
  assert.match(output, /^ {2}Up for {10}1 d 1 h$/m);
  assert.match(output, /^ {2}control-plane {2}running {2}101 {2}0 {9}1 min 1 s$/m);
  assert.match(output, /^ {2}node-1 {2}us-east-1a {2}127\.80\.0\.0\/15 {2}in step {2}12 {8}2$/m);
  assert.match(output, /^All is well\.\n$/m);
});

test('status: --json gives everything to programs', async (t) => {
  const data = await startOperator(t, answerWith(well));
  const { code, output } = await run(['--json', '--data', data]);
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(output), well);
});

const troubles: [string, Status, string][] = [
  [
    'a process that does not run',
    { ...well, processes: [{ name: 'dns', pid: 0, state: 'restarting', restarts: 1, uptimeSeconds: 0 }] },
    'dns does not run; it was restarted once',
  ],
  ['a node that is behind', withNode({ lag: 3 }), 'node-1 is 3 revisions behind'],
  [
    'a node that has diverged',
    withNode({ diverged: true }),
    'node-1 serves something other than what the journal says',
  ],
  [
    'a node without connection',
    withNode({ connected: false, revision: 9 }),
    'node-1 is not connected; it serves revision 9, its last good one',
  ],
];
for (const [trouble, found, sentence] of troubles) {
  test(`status: ends with 1 and says so when there is ${trouble}`, async (t) => {
    const data = await startOperator(t, answerWith(found));
    const { code, output } = await run(['--data', data]);
    assert.equal(code, 1);
    assert(output.endsWith(`Not well: ${sentence}\n`), output);
    assert.equal((await run(['--json', '--data', data])).code, 1);
  });
}

test('status: ends with 3 and says how to start when no Ballast has the data folder', async (t) => {
  const data = makeFolder(t, "it's new");
  const { code, errors } = await run(['--data', data]);
  assert.equal(code, 3);
  const quoted = `'${data.replace("'", "'\\''")}'`;
  const sentence = `no Ballast runs with the data folder ${data}: start it with ballast up --data ${quoted}`;
  assert.equal(errors, `ballast: ${sentence}\n`);
});

test('status: ends with 3 when what the data folder names does not answer any more', async (t) => {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  const data = makeDataFolder(t, `http://127.0.0.1:${port}`);
  const { code, errors } = await run(['--data', data]);
  assert.equal(code, 3);
  assert.match(errors, /^ballast: no Ballast runs with the data folder .*: start it with ballast up --data \S+\n$/);
  const byAddress = await run(['--operator', `http://127.0.0.1:${port}`], { BALLAST_OPERATOR_KEY: operatorKey });
  assert.equal(byAddress.code, 3);
  assert.match(byAddress.errors, /nothing answers at http:\/\/127\.0\.0\.1:\d+: is it the operator API/);
});

test('status: the data folder comes from the flag, else the environment, else the home folder', async (t) => {
  const data = await startOperator(t, answerWith(well));
  assert.equal((await run([], { BALLAST_DATA: data })).code, 0);
  assert.equal((await run(['--data', data], { BALLAST_DATA: '/nowhere' })).code, 0);
  const { code, errors } = await run([], {});
  assert.equal(code, 3);
  const sentence = 'no Ballast runs with the data folder /nowhere/home/.ballast: start it with ballast up';
  assert.equal(errors, `ballast: ${sentence}\n`);
});

test('status: finds one on another machine by its address, with the key from the environment or a file', async (t) => {
  const data = await startOperator(t, answerWith(well));
  const address = JSON.parse(readFileSync(paths.running(data), 'utf8')).operatorEndpoint;
  assert.equal((await run(['--operator', address], { BALLAST_OPERATOR_KEY: operatorKey })).code, 0);
  assert.equal((await run(['--operator', address, '--operator-key-file', paths.operatorKey(data)])).code, 0);
});

test('status: says in one line what is wrong with how it was asked', async (t) => {
  const file = join(makeFolder(t, 'empty'), 'key');
  const operator = ['--operator', 'http://127.0.0.1:1'];
  const refusals: [string[], number, RegExp][] = [
    [operator, 2, /--operator needs a key: set BALLAST_OPERATOR_KEY or give --operator-key-file FILE/],
    [[...operator, '--data', '/x'], 2, /--operator and --data name two places/],
    [['--operator-key-file', file], 2, /--operator-key-file goes with --operator URL/],
    [[...operator, '--operator-key-file', file], 1, /there is no operator key in .*key/],
    [['--operator', 'http://user:word@127.0.0.1:1'], 2, /allowed: an address like/],
    [['--operator', 'http://127.0.0.1:1/path'], 2, /allowed: an address like/],
    [['--operator', '127.0.0.1:1'], 2, /allowed: an address like/],
    [['--nodes', '3'], 2, /unknown flag --nodes/],
  ];
  for (const [args, code, message] of refusals) {
    const refused = await run(args);
    assert.deepEqual([refused.code, refused.output], [code, ''], args.join(' '));
    assert.match(refused.errors, message);
    assert.match(refused.errors, /^ballast: [^\n]*\n$/);
  }
});

test('status: a damaged data folder is named as what it is', async (t) => {
  const data = makeDataFolder(t, 'http://127.0.0.1:1');
  writeFileSync(paths.running(data), '{');
  assert.match((await run(['--data', data])).errors, /ballast\.json is damaged/);
  writeFileSync(paths.running(data), '{"operatorEndpoint": "http://127.0.0.1:1/evil?"}');
  assert.match((await run(['--data', data])).errors, /ballast\.json is damaged/);
});

const wrongAnswers: [string, RequestListener, RegExp][] = [
  ['refuses the key', (_, response) => response.writeHead(401).end('{}'), /refuses the operator key/],
  [
    'fails',
    (_, response) => response.writeHead(500).end('{"error":"the disk is full"}'),
    /status 500: the disk is full/,
  ],
  ['speaks no JSON', (_, response) => response.end('<html>'), /does not answer like the operator API/],
  ['says something else', answerWith({ ...well, nodes: [{}] }), /a status that this version does not know/],
  [
    'sends elsewhere',
    ({ url }, response) =>
      url === '/v1/status'
        ? response.writeHead(302, { location: '/elsewhere' }).end()
        : response.end(JSON.stringify(well)),
    /cannot be reached/,
  ],
  ['hangs up', (request) => request.socket.destroy(), /cannot be reached/],
];
for (const [what, answer, message] of wrongAnswers) {
  test(`status: an operator API that ${what} is told from one that does not run`, async (t) => {
    const data = await startOperator(t, answer);
    const { code, output, errors } = await run(['--data', data]);
    assert.deepEqual([code, output], [1, '']);
    assert.match(errors, message);
  });
}

test('status: nothing that a server writes reaches a terminal as more than text', async (t) => {
  const evil = { ...withNode({ id: 'node\x1b[2J', connected: false }), environment: 'pro\u009b\u202educ' };
  const data = await startOperator(t, answerWith(evil));
  for (const flags of [[], ['--json']]) {
    const { output } = await run(['--data', data, ...flags]);
    assert(output.includes('node\\u001b[2J') && output.includes('pro\\u009b\\u202educ'));
    assert(!/[\p{Cc}\p{Cf}]/u.test(output.replaceAll('\n', '')));
  }
});

function withNode(part: Partial<Status['nodes'][number]>): Status {
  return { ...well, nodes: [{ ...well.nodes[0]!, ...part }] };
}

function answerWith(content: unknown): RequestListener {
  return (request, response) => {
    const isAsked = request.url === '/v1/status' && request.headers.authorization === `Bearer ${operatorKey}`;
    response.writeHead(isAsked ? 200 : 401).end(JSON.stringify(content));
  };
}

function run(args: readonly string[], environment: Record<string, string> = {}) {
  return runCommand(status, args, { environment });
}
