import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { Command } from '#cli/command.ts';
import { rekey } from '#cli/rekey.ts';
import { operatorEndpointOf, operatorKey, type RunOptions, runCommand, startOperator } from '#cli/test-command.ts';
import { restore } from './restore.ts';
import { revert } from './revert.ts';
import {
  added,
  answerWithLines,
  changed,
  conflict,
  nameTaken,
  planResult,
  type Question,
  statusOf,
  webArn,
} from './test-past.ts';
import { undelete } from './undelete.ts';

interface AskOptions extends RunOptions {
  readonly command: Command;
  readonly args: readonly string[];
  readonly lines: readonly unknown[];
  readonly environmentName?: string;
}

async function ask(t: TestContext, { command, args, lines, environmentName, ...options }: AskOptions) {
  const questions: Question[] = [];
  const data = await startOperator(t, answerWithLines(lines, questions, environmentName));
  const ran = await runCommand(command, [...args, '--data', data], options);
  return { ...ran, data, questions: questions.map(({ body, ...asked }) => ({ ...asked, body: JSON.parse(body) })) };
}

/** What it printed behind the line that names the environment. */
function behindEnvironment(output: string): string {
  const [first, blank, ...rest] = output.split('\n');
  assert.match(first!, /^Environment staging, region us-east-1, at http:\/\/127\.0\.0\.1:\d+$/);
  assert.equal(blank, '');
  return rest.join('\n');
}

const requests: [Command, string[], string, unknown][] = [
  [revert, ['42'], '/v1/revert', { from: 42, to: 42 }],
  [
    revert,
    ['40..42', '--only', 'a,b', '--only', 'c', '--dry-run', '--reason', 'wrong account'],
    '/v1/revert',
    { from: 40, to: 42, only: ['a', 'b', 'c'], dryRun: true, reason: 'wrong account' },
  ],
  [
    revert,
    ['42', '--keep', 'theirs', '--keep', 'target/x/10.0.0.1:80=ours', '--keep', 'principal/1/a=b=base', '--keep=base'],
    '/v1/revert',
    { from: 42, to: 42, keep: 'base', keepByKey: { 'target/x/10.0.0.1:80': 'ours', 'principal/1/a=b': 'base' } },
  ],
  [restore, ['--at', '2h'], '/v1/restore', { at: '2h' }],
  [
    restore,
    ['--at=41', '--account', '000000000000', '--only', webArn, '--dry-run', '--reason', 'x'],
    '/v1/restore',
    { at: '41', only: [webArn], account: '000000000000', dryRun: true, reason: 'x' },
  ],
  [undelete, [webArn], '/v1/undelete', { resource: webArn }],
  [
    undelete,
    ['--dry-run', '--at', '41', webArn, '--reason', 'x'],
    '/v1/undelete',
    { resource: webArn, at: '41', dryRun: true, reason: 'x' },
  ],
];
test('revert, restore, undelete: what is wanted is asked for as it was given', async (t) => {
  for (const [command, args, url, body] of requests) {
    const { code, questions } = await ask(t, { command, args, lines: [planResult] });
    assert.deepEqual({ code, questions }, { code: 0, questions: [{ method: 'POST', url, body }] });
  }
});

test('revert, restore, undelete: what cannot be understood is refused before anyone is asked', async (t) => {
  const refusals: [Command, string[], RegExp][] = [
    [revert, ['42..40'], /^ballast: revert: found '42\.\.40'; allowed: the smaller revision first, as 40\.\.42\n$/],
    [revert, ['42...43'], /allowed: a revision, as 42, or two, as 40\.\.42\n$/],
    [revert, ['2h'], /allowed: a revision/],
    [revert, ['42', '--keep', 'mine'], /--keep: found 'mine'; allowed: ours, theirs, base, or one of them/],
    [revert, ['42', '--keep', 'listener=ours'], /--keep: found 'listener=ours'/],
    [revert, ['42', '--keep', 'listener/x='], /--keep: found 'listener\/x='/],
    [restore, [], /^ballast: restore: the moment is missing: --at MOMENT\n$/],
    [restore, ['2h'], /unexpected argument '2h'/],
    [undelete, [], /missing argument ARN/],
  ];
  for (const [command, args, message] of refusals) {
    const { code, output, errors, questions } = await ask(t, { command, args, lines: [planResult] });
    assert.deepEqual({ code, output, questions }, { code: 2, output: '', questions: [] });
    assert.match(errors, message);
  }
});

test('revert: says what was put back, as which revision, and how to undo it', async (t) => {
  const { code, output, data } = await ask(t, { command: revert, args: ['42'], lines: [planResult] });
  assert.equal(code, 0);
  const deeds = 'Put back 1 load balancer, 2 listeners and 1,200 targets; took out 3 targets; changed 1 listener';
  assert.equal(behindEnvironment(output), `${deeds} as revision 45.\nTo undo this: ballast revert 45 --data ${data}\n`);
});

test('revert: a dry run shows the plan, twenty of each kind, and the command that does it', async (t) => {
  const targets = Array.from({ length: 1_203 }, (_, index) => ({ ...added, label: `target ${index}` }));
  const result = { ...planResult, done: false, revision: undefined, harmed: 1, notes: ['Nodes are left alone.'] };
  const args = ['42', '--dry-run', '--reason', "it's wrong"];
  const { code, output, data } = await ask(t, { command: revert, args, lines: [...targets, changed, result] });
  assert.equal(code, 0);
  const lines = behindEnvironment(output).split('\n');
  assert.equal(lines[0], '+ target         target 0');
  assert.equal(lines[19], '+ target         target 19');
  assert.equal(lines[20], '  … and 1,183 more of target');
  assert.match(lines[21]!, /^~ listener {7}web :80 {2}arn/);
  const tail = lines.slice(lines.indexOf('') + 1).join('\n');
  assert.equal(
    tail,
    `Note: Nodes are left alone.
This would put back 1 load balancer, 2 listeners and 1,200 targets; take out 3 targets; change 1 listener. Nothing was changed.
To do it: ballast revert 42 --reason 'it'\\''s wrong' --data ${data}
1 load balancer would stop serving
`,
  );
});

test('revert: a conflict is shown with its three values and how to decide it; the exit code tells of it', async (t) => {
  const result = { ...planResult, conflicts: 3 };
  const whole = { ...conflict, members: [], base: null };
  const { code, output } = await ask(t, {
    command: revert,
    args: ['42'],
    lines: [conflict, nameTaken, whole, result],
  });
  assert.equal(code, 1);
  const text = behindEnvironment(output);
  assert(
    text.startsWith('Conflicts: base is what was before, theirs what was then written, ours what there is now.\n'),
  );
  assert(
    text.includes(`
! listener web :80  ${conflict.arn}
  It was changed again in revision 44.
  port
    base    80
    theirs  8080
    ours    9090
  tags.team
    base    (none)
    theirs  video
    ours    audio
  To decide: --keep listener/00000000000000b1=base, or =theirs, or =ours

! load-balancer 000000000000/web  ${webArn}
  Another load balancer has the name web now.

! listener web :80  ${conflict.arn}
  It was changed again in revision 44.
    base    (not there)
    theirs  {port: 8080, tags: [{key: team, value: video}]}
    ours    {port: 9090, tags: [{key: team, value: audio}]}
  To decide: --keep listener/00000000000000b1=base, or =theirs, or =ours
`),
  );
  assert(text.endsWith('\n3 conflicts are left: what there is now stays there\n'));
  const one = await ask(t, {
    command: revert,
    args: ['42', '--json'],
    lines: [conflict, { ...planResult, conflicts: 1 }],
  });
  assert.equal(one.code, 1);
});

test('revert: of very many conflicts the first are shown and all are counted', async (t) => {
  const lines = [...Array.from({ length: 60 }, () => conflict), { ...planResult, conflicts: 60 }];
  const { output } = await ask(t, { command: revert, args: ['42'], lines });
  assert.equal(output.match(/^! listener/gm)!.length, 50);
  assert.match(output, /^… and 10 more conflicts; --json lists them$/m);
});

test('revert, restore, undelete: nothing to do is no failure', async (t) => {
  const nothing = { ...planResult, done: false, revision: undefined, counts: {} };
  for (const [command, args] of [
    [revert, ['42']],
    [restore, ['--at', '1']],
    [undelete, [webArn]],
  ] as const) {
    const { code, output } = await ask(t, { command, args, lines: [nothing] });
    assert.deepEqual([code, behindEnvironment(output)], [0, `There is nothing to ${command.name}.\n`]);
  }
});

test('revert, restore, undelete, rekey: production is not to be overlooked', async (t) => {
  const rekeyed = { keyId: '1a2b3c4d', resealed: 2, revision: 46 };
  for (const [command, args, lines] of [
    [revert, ['42'], [planResult]],
    [restore, ['--at', '1'], [planResult]],
    [undelete, [webArn], [planResult]],
    [rekey, [], [rekeyed]],
  ] as const) {
    const shown = await ask(t, { command, args, lines, environmentName: 'production', isTerminal: true });
    assert(shown.output.startsWith('Environment \x1b[1;31mPRODUCTION\x1b[0m, region us-east-1'), shown.output);
    const json = await ask(t, { command, args: [...args, '--json'], lines, environmentName: 'production' });
    assert.match(json.errors, /^Environment PRODUCTION, /);
    assert.equal(json.output, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  }
});

test('revert: an answer without its result does not pass for done', async (t) => {
  for (const lines of [[], [conflict]]) {
    const { code, errors } = await ask(t, { command: revert, args: ['42'], lines });
    assert.equal(code, 1);
    assert.equal(errors, "ballast: the answer ended before its result; whether it was done, 'ballast log' says\n");
  }
});

test('revert: a line of another shape does not pass for the result', async (t) => {
  const wrong = [
    { ...planResult, type: 'other' },
    { ...planResult, done: 'yes' },
    { ...planResult, revision: -1 },
    { ...planResult, counts: { target: 7 } },
    { ...changed, did: 'moved' },
    { ...changed, members: [{ before: 1 }] },
    { ...conflict, members: 'port' },
  ];
  for (const line of wrong) {
    const { code, errors } = await ask(t, { command: revert, args: ['42'], lines: [line] });
    assert.equal(code, 1, JSON.stringify(line));
    assert.match(errors, /a line that this version does not know\n$/);
  }
});

test('revert: what it suggests finds the same Ballast again', async (t) => {
  const address = operatorEndpointOf(await startOperator(t, answerWithLines([planResult])));
  const environment = { BALLAST_OPERATOR_KEY: operatorKey };
  const { output } = await runCommand(revert, ['42', '--operator', address], { environment });
  assert(output.endsWith(`\nTo undo this: ballast revert 45 --operator ${address}\n`), output);
});

test('revert: every line is read though nobody reads what it writes', async (t) => {
  const hasWritten = Promise.withResolvers<void>();
  const data = await startOperator(t, async ({ url }, response) => {
    if (url === '/v1/status') return response.end(JSON.stringify(statusOf('staging')));
    response.write(`${JSON.stringify(conflict)}\n`);
    await hasWritten.promise;
    return response.end(`${JSON.stringify({ ...planResult, conflicts: 1 })}\n`);
  });
  const flushed = async () => {
    hasWritten.resolve();
    return false;
  };
  const unread: Command = {
    ...revert,
    run: (context) => revert.run({ ...context, output: { ...context.output, flushed } }),
  };
  const { code, errors } = await runCommand(unread, ['42', '--data', data]);
  assert.deepEqual({ code, errors }, { code: 1, errors: '' });
});

test('revert: when conflicts stop all of it, nothing passes for done', async (t) => {
  const stopped = { ...planResult, done: false, revision: undefined, conflicts: 1, harmed: 1 };
  for (const [args, counts] of [
    [['42'], stopped.counts],
    [['42'], {}],
    [['42', '--dry-run'], {}],
  ] as const) {
    const { code, output } = await ask(t, { command: revert, args, lines: [{ ...stopped, counts }] });
    assert.equal(code, 1);
    const sentences = behindEnvironment(output).split('\n');
    assert.equal(sentences[0], 'Nothing was changed.');
    assert.equal(sentences.at(-2), '1 conflict is left: what there is now stays there');
  }
});

test('rekey: names the new key, and reminds of its backup', async (t) => {
  const rekeyed = { keyId: '1a2b\u001b', resealed: 1, revision: 46 };
  const { code, output, questions } = await ask(t, { command: rekey, args: [], lines: [rekeyed] });
  assert.deepEqual({ code, questions }, { code: 0, questions: [{ method: 'POST', url: '/v1/rekey', body: {} }] });
  assert.equal(
    behindEnvironment(output),
    `Sealed 1 secret with the new key 1a2b\\u001b as revision 46.
Back up seal.key in the data folder now: without it the secrets are lost.
`,
  );
  const wrong = await ask(t, { command: rekey, args: [], lines: [{ keyId: 7 }] });
  assert.equal(wrong.code, 1);
  assert.match(wrong.errors, /answers with something that this version does not know/);
});
