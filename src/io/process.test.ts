import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import test from 'node:test';

const processModule = new URL('./process.ts', import.meta.url).href;

/** Runs lines of a program that has `#io/process.ts` at hand as `io`. */
function run(program: string): ChildProcess {
  const source = `import * as io from '${processModule}';\n${program}`;
  return spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: ['ignore', 'pipe', 'inherit'] });
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`process: ${signal} is a call to stop, each time it comes`, async () => {
    const child = run(`
      let asked = 0;
      io.onStopSignal(() => {
        asked += 1;
        io.standardOutput.write('asked ' + asked + '\\n');
        if (asked === 2) io.exitProcess(7);
      });
      io.standardOutput.write('ready\\n');
      process.stdin.resume();
      setInterval(() => {}, 1000);
    `);
    const ended = once(child, 'close');
    child.stdout!.setEncoding('utf8');
    for (const expected of ['ready\n', 'asked 1\n']) {
      assert.equal((await once(child.stdout!, 'data'))[0], expected);
      child.kill(signal);
    }
    assert.deepEqual(await ended, [7, null]);
  });
}

test('process: the exit code that was set is the one it ends with, after everything was written', async () => {
  const child = run(`io.setExitCode(3); io.standardOutput.write('x'.repeat(1_000_000));`);
  const ended = once(child, 'close');
  let length = 0;
  for await (const chunk of child.stdout!) length += chunk.length;
  assert.equal(length, 1_000_000);
  assert.deepEqual(await ended, [3, null]);
});

test('process: a reader that has had enough does not make it fail', async () => {
  const child = run(`for (let turn = 0; turn < 100; turn += 1) io.standardOutput.write('x'.repeat(100_000));`);
  const ended = once(child, 'close');
  await once(child.stdout!, 'readable');
  child.stdout!.destroy();
  assert.deepEqual(await ended, [0, null]);
});

test('process: a writer that waits for room learns that its reader has had enough, and ends', async () => {
  const child = run(`
    let turns = 0;
    do {
      io.standardOutput.write('x'.repeat(100_000));
      turns += 1;
      // The reader's going away is news of a later turn of the event loop.
      await new Promise(setImmediate);
    } while (await io.standardOutput.flushed());
    io.standardError.write(turns < 2 ? 'ended too early' : '');
  `);
  const ended = once(child, 'close');
  await once(child.stdout!, 'readable');
  child.stdout!.destroy();
  assert.deepEqual(await ended, [0, null]);
});
