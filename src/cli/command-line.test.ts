import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { version } from '#base/version.ts';

const ballast = fileURLToPath(new URL('../../bin/ballast', import.meta.url));

/** A Node of this machine that is too old for the sources; undefined when there is none. */
const olderNode = await findOlderNode();

interface RunOptions {
  readonly program?: string;
  readonly node?: string;
  readonly cwd?: string;
  readonly environment?: NodeJS.ProcessEnv;
}

function start(args: readonly string[], options: RunOptions = {}) {
  const { program = ballast, node = process.execPath, cwd = tmpdir(), environment = {} } = options;
  return spawn(node, [program, ...args], { cwd, env: { ...process.env, ...environment } });
}

async function run(args: readonly string[], options: RunOptions = {}) {
  const child = start(args, options);
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const [code] = await once(child, 'close');
  return { code, output, errors };
}

test('ballast: shows its commands when it is asked for help, or for nothing', async () => {
  for (const args of [[], ['--help'], ['-h'], ['help']]) {
    const { code, output, errors } = await run(args);
    assert.deepEqual({ code, errors }, { code: 0, errors: '' });
    for (const command of ['up', 'status', 'log', 'revert', 'help', 'version'])
      assert.match(output, new RegExp(`^  ${command} `, 'm'));
  }
});

test('ballast: shows the flags of a command and an example of it, asked either way', async () => {
  const overview = (await run([])).output;
  const commands = [...overview.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name!);
  for (const command of commands.filter((name) => !['ballast', 'help', 'version'].includes(name))) {
    const asked = await run(['help', command]);
    assert.equal(asked.code, 0);
    // A drill has a Ballast of its own.
    if (command !== 'drill') assert.match(asked.output, /^ {2}--data DIR/m);
    assert.match(asked.output, new RegExp(`^Examples\n {2}ballast ${command}`, 'm'));
  }
  // The frame shows it, whichever command it is.
  const asked = await run(['help', 'log']);
  assert.deepEqual(await run(['log', '--help']), asked);
  assert.deepEqual(await run(['log', '--data', '/nowhere', '-h']), asked);
});

test('ballast: shows the arguments of a command, and which may be left out', async () => {
  const { output } = await run(['help', 'diff']);
  assert.match(output, /^Usage\n {2}ballast diff A \[B\] \[flags\]\n\nArguments\n {2}A {2}\S.*\n {2}B {2}\S/m);
  assert.match(output, /^Notes\n {2}Each is a revision/m);
  assert.match((await run([])).output, /^Look\n {2}log .*\n {2}show REV .*\n {2}diff A \[B\] /m);
});

test('ballast: tells its version', async () => {
  for (const args of [['version'], ['--version']]) {
    assert.deepEqual(await run(args), { code: 0, output: `ballast ${version}\n`, errors: '' });
  }
});

test('ballast: what it does not know it refuses in one line, with exit code 2', async () => {
  const commands = 'allowed: up, status, log, ';
  const refusals: [string[], string][] = [
    [['statsu'], `unknown command 'statsu' (did you mean status?); ${commands}`],
    [['frobnicate'], `unknown command 'frobnicate'; ${commands}`],
    [['help', 'upp'], `unknown command 'upp' (did you mean up?); ${commands}`],
    [['--versoin'], "unknown flag '--versoin' (did you mean --version?); allowed: --help, --version"],
    [['help', 'up', 'now'], "help takes one command; found 'up now'"],
    [['version', 'now'], "version takes no arguments; found 'now'"],
    [['show'], "show: missing argument REV: The transaction's revision"],
    [['show', '1', '2'], "show: unexpected argument '2'; allowed: REV, --json, --data"],
    [['revert', '2..x'], "revert: found '2..x'; allowed: a revision, as 42, or two, as 40..42"],
    [['up', '--nodes', '0'], "up: --nodes: found '0'; allowed: a whole number from 1 to 64"],
    [['status', '--operator', 'ftp://x'], "status: --operator: found 'ftp://x'; allowed: an address like"],
  ];
  for (const [args, message] of refusals) {
    const { code, output, errors } = await run(args);
    assert.deepEqual({ code, output }, { code: 2, output: '' });
    assert(errors.startsWith(`ballast: ${message}`), errors);
    assert.equal(errors.indexOf('\n'), errors.length - 1);
  }
});

test('ballast: works through a symbolic link, from any folder', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ballast-link-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const program = join(folder, 'ballast');
  symlinkSync(ballast, program);
  const child = spawn(program, ['version'], { cwd: folder });
  const [text] = await once(child.stdout.setEncoding('utf8'), 'data');
  assert.equal(text, `ballast ${version}\n`);
});

test('ballast: on a Node that is too old it goes on in the pinned one', { skip: olderNode === undefined }, async () => {
  const node = olderNode!;
  assert.deepEqual(await run(['version'], { node }), { code: 0, output: `ballast ${version}\n`, errors: '' });
  assert.equal((await run(['frobnicate'], { node })).code, 2);
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  const name = `ballast: ${signal} reaches the pinned Node once, and both end with it`;
  test(name, { skip: olderNode === undefined }, async (t) => {
    // An operator API that never answers keeps the command busy.
    const server = createServer(() => {}).listen(0, '127.0.0.1');
    t.after(() => server.closeAllConnections());
    t.after(() => server.close());
    await once(server, 'listening');
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const child = start(['status', '--operator', address], {
      node: olderNode!,
      environment: { BALLAST_OPERATOR_KEY: 'key' },
    });
    const ended = once(child, 'close');
    const [request] = await once(server, 'request');
    const dropped = once(request.socket, 'close');
    child.kill(signal);
    assert.deepEqual(await ended, [null, signal]);
    await dropped;
  });
}

async function findOlderNode(): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const node = join(folder, 'node');
    if (folder === '' || !existsSync(node)) continue;
    const child = spawn(node, ['-p', 'process.versions.node']);
    const [text] = await once(child.stdout.setEncoding('utf8'), 'data');
    if (Number(text.split('.')[0]) < 26) return node;
  }
  return undefined;
}
