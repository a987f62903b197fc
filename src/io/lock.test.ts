import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { takeLock } from './lock.ts';

test('lock: one holder at a time, and a holder that is killed holds no longer', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'ballast-lock-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'lock');
  const first = takeLock(path);
  assert(first !== undefined);
  first.release();

  const module = new URL('./lock.ts', import.meta.url).href;
  const script = `const { takeLock } = await import(${JSON.stringify(module)});
    globalThis.held = takeLock(process.argv[1]); console.log(globalThis.held !== undefined); setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const printed = await new Promise<string>((resolve) => holder.stdout.once('data', (data) => resolve(String(data))));
  assert.equal(printed.trim(), 'true');
  assert.equal(takeLock(path), undefined);
  holder.kill('SIGKILL');
  await new Promise((resolve) => holder.once('close', resolve));
  const after = takeLock(path);
  assert(after !== undefined);
  after.release();
});
