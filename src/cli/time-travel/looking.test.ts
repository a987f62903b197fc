import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type TestContext } from 'node:test';
import type { Command } from '#cli/command.ts';
import { type RunOptions, runCommand, startOperator } from '#cli/test-command.ts';
import { blame } from './blame.ts';
import { describe } from './describe.ts';
import { diff } from './diff.ts';
import { log } from './log.ts';
import { show } from './show.ts';
import {
  added,
  answerWithLines,
  blameHeader,
  blameLines,
  changed,
  creation,
  deletion,
  diffHeader,
  type Question,
  removed,
  webArn,
} from './test-past.ts';

/** Runs a command against an operator API that answers with these lines. */
async function ask(
  t: TestContext,
  { command, args, lines, ...options }: RunOptions & { command: Command; args: string[]; lines: readonly unknown[] },
) {
  const questions: Question[] = [];
  const data = await startOperator(t, answerWithLines(lines, questions));
  const ran = await runCommand(command, [...args, '--data', data], options);
  return { ...ran, urls: questions.map(({ method, url }) => `${method} ${url}`) };
}

test('log: one line for each transaction, in columns, and whom it harmed', async (t) => {
  const { code, output, errors, urls } = await ask(t, { command: log, args: [], lines: [deletion, creation] });
  assert.deepEqual({ code, errors, urls }, { code: 0, errors: '', urls: ['GET /v1/log'] });
  assert.equal(
    output,
    `REVISION  TIME                  WHO                 THROUGH   WHAT
42        2026-11-23T10:00:05Z  000000000000/admin  api       ${deletion.summary}  harmed 1
7         2026-11-23T09:00:00Z  ballast             workflow  ${creation.summary}
`,
  );
});

test('log: what is asked for is passed on as it was given', async (t) => {
  const args = ['--resource', 'a:b/c', '--principal', '000000000000/admin', '--since', '2h', '--until', '2026-11-23'];
  const { urls } = await ask(t, { command: log, args: [...args, '--kind', 'rule', '--limit', '7'], lines: [] });
  const query = 'resource=a%3Ab%2Fc&principal=000000000000%2Fadmin&since=2h&until=2026-11-23&kind=rule&limit=7';
  assert.deepEqual(urls, [`GET /v1/log?${query}`]);
});

test('log: without a transaction it says so, in JSON it says nothing', async (t) => {
  assert.equal((await ask(t, { command: log, args: [], lines: [] })).output, 'No transaction is like that.\n');
  assert.equal((await ask(t, { command: log, args: ['--json'], lines: [] })).output, '');
});

test('log: a terminal shows the newest fifty and says that there are more', async (t) => {
  const lines = Array.from({ length: 51 }, (_, index) => ({ ...creation, revision: 60 - index }));
  const { output, urls } = await ask(t, { command: log, args: [], lines, isTerminal: true });
  assert.deepEqual(urls, ['GET /v1/log?limit=51']);
  const shown = output.split('\n');
  assert.equal(shown.length, 1 + 50 + 1 + 1);
  assert.match(shown[51]!, /… and older ones; --limit N shows more/);
  const forPrograms = await ask(t, { command: log, args: ['--json'], lines, isTerminal: true });
  assert.deepEqual(forPrograms.urls, ['GET /v1/log'], 'programs get all');
  const harmful = await ask(t, { command: log, args: [], lines: [deletion], isTerminal: true });
  assert(harmful.output.includes('\x1b[31mharmed 1\x1b[0m\n'));
});

test('log: it ends quietly when nobody reads any more', async (t) => {
  const server = createServer((_, response) => {
    const more = () => {
      while (!response.destroyed && response.write(`${JSON.stringify(deletion)}\n`.repeat(100)));
    };
    response.on('drain', more);
    more();
  }).listen(0, '127.0.0.1');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ballast = new URL('../../../bin/ballast', import.meta.url).pathname;
  const child = spawn(process.execPath, [ballast, 'log', '--operator', address], {
    env: { ...process.env, BALLAST_OPERATOR_KEY: 'key' },
  });
  let errors = '';
  child.stderr.on('data', (text: Buffer) => (errors += text));
  const ended = once(child, 'close');
  await Promise.race([once(child.stdout, 'data'), ended]);
  child.stdout.destroy();
  assert.deepEqual(await ended, [0, null]);
  assert.equal(errors, '');
});

test('show: says who did it through what, and every change with its members', async (t) => {
  const { code, output, urls } = await ask(t, {
    command: show,
    args: ['42'],
    lines: [{ ...deletion, reason: 'clean up' }, removed, added, changed],
  });
  assert.deepEqual({ code, urls }, { code: 0, urls: ['GET /v1/transactions/42'] });
  assert.equal(
    output,
    `Revision 42, 3 changes
  Time     2026-11-23T10:00:05Z
  Who      000000000000/admin
  Through  api, DeleteLoadBalancer
  Request  b0b0b0b0-0000-4000-8000-000000000001
  Reason   clean up
  What     ${deletion.summary}
  Harmed   1 load balancer stopped serving

- load-balancer  000000000000/web  ${webArn}
+ target         10.0.0.1:80 in 000000000000/web-targets
~ listener       web :80  ${changed.arn}
    port: 80 → 8080
    tags.team: (none) → video
    attributes.routing.http.server: "80" → a b
    state: {kind: registered, sinceMs: 2026-11-23T09:00:00Z} → {kind: draining}
`,
  );
});

test('diff: says what is compared, what is different, and how much of it', async (t) => {
  const lines = [diffHeader, removed, added, added];
  const { output, urls } = await ask(t, {
    command: diff,
    args: ['7', '42', '--resource', 'x,y', '--resource', 'z'],
    lines,
  });
  assert.deepEqual(urls, ['GET /v1/diff?from=7&to=42&resource=x&resource=y&resource=z']);
  assert(output.startsWith('From revision 7, 2026-11-23T09:00:00Z\nTo   revision 42, 2026-11-23T10:00:05Z\n\n- load'));
  assert(output.endsWith('\n\n2 added, 1 removed, 0 changed.\n'));
  const same = await ask(t, { command: diff, args: ['2h'], lines: [diffHeader] });
  assert.deepEqual(same.urls, ['GET /v1/diff?from=2h']);
  assert(same.output.endsWith('\n\nNothing is different.\n'));
});

test('blame: one line for each member, and of what was deleted by whom', async (t) => {
  const { output, urls } = await ask(t, { command: blame, args: [webArn], lines: [blameHeader, ...blameLines] });
  assert.deepEqual(urls, [`GET /v1/blame?resource=${encodeURIComponent(webArn)}`]);
  assert.equal(
    output,
    `load-balancer 000000000000/web  ${webArn}

  MEMBER                                   VALUE  REVISION  TIME                  WHO                 ACTION
  name                                     web    7         2026-11-23T09:00:00Z  ballast             PlaceLoadBalancer
  attributes.idle_timeout.timeout_seconds  "30"   42        2026-11-23T10:00:05Z  000000000000/admin  DeleteLoadBalancer
`,
  );
  const gone = { ...blameHeader, present: false, deletedBy: deletion };
  const deleted = await ask(t, { command: blame, args: [webArn], lines: [gone, ...blameLines] });
  const sentence =
    'Deleted in revision 42, 2026-11-23T10:00:05Z, by 000000000000/admin: what follows is how it was last';
  assert.equal(deleted.output.split('\n')[1], sentence);
});

test('describe: prints the JSON of the API, as it was at the moment', async (t) => {
  const answer = { LoadBalancers: [{ LoadBalancerName: 'web', CreatedTime: '2026-11-23T09:00:00.000Z' }] };
  const { code, output, urls } = await ask(t, { command: describe, args: [webArn, '--at', '41'], lines: [answer] });
  assert.equal(code, 0);
  assert.equal(output, `${JSON.stringify(answer, null, 2)}\n`);
  assert.deepEqual(urls, [`GET /v1/describe?resource=${encodeURIComponent(webArn)}&at=41`]);
});

/** Without the colours that are ours. */
function unpainted(text: string): string {
  return ['0', '1', '2', '31', '32', '33'].reduce((rest, code) => rest.replaceAll(`\x1b[${code}m`, ''), text);
}

const streams: [Command, string[], unknown[]][] = [
  [log, [], [deletion, { ...creation, newer: ['member'] }]],
  [show, ['42'], [deletion, removed, changed]],
  [diff, ['1'], [diffHeader, added]],
  [blame, [webArn], [blameHeader, ...blameLines]],
];
for (const [command, args, lines] of streams) {
  test(`${command.name}: --json prints the lines as they came`, async (t) => {
    const { output } = await ask(t, { command, args: [...args, '--json'], lines });
    assert.equal(output, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  });

  test(`${command.name}: nothing that a server writes reaches a terminal as more than text`, async (t) => {
    const evil = JSON.parse(
      JSON.stringify(lines).replaceAll(
        /"(?:label|summary|principal|member|value|reason|after|explanation)":"/g,
        '$&\\u001b]0;x\\u0007\\u009b2J\\u202e',
      ),
    ) as unknown[];
    for (const flags of [[], ['--json']]) {
      const { output } = await ask(t, { command, args: [...args, ...flags], lines: evil, isTerminal: true });
      assert(output.includes('\\u001b]0;x\\u0007\\u009b2J\\u202e'));
      assert(!/[\p{Cc}\p{Cf}]/u.test(unpainted(output).replaceAll('\n', '')));
    }
  });

  test(`${command.name}: a line of another shape is refused, and the good ones before it are shown`, async (t) => {
    for (const wrong of [
      { ...(lines[0] as object), type: 'other' },
      { type: (lines[0] as { type: string }).type },
      7,
      null,
    ]) {
      const { code, output, errors } = await ask(t, { command, args, lines: [lines[0], wrong] });
      assert.equal(code, 1);
      assert.match(errors, /^ballast: [^\n]* answers with a line that this version does not know\n$/);
      assert(command === blame || output.includes('42'));
    }
  });
}
